"""`python3 -m course`: the helper of learners and maintainers.

It starts with the standard library alone, on a bare Python 3.11 or newer.
What needs packages (tox, pytest, a step's own dependencies) gets an environment
under `.venv/` first. No snapshot ever imports it: the steps stand alone.
"""
