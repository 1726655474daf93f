"""The measurements: each module with a `cases` function is one, and `README.md` says what of."""
