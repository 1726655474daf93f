"""What a comparison of secrets gives away: counted in characters, so the same on every machine."""

import hmac
import string
from collections.abc import Callable, Sequence

SECRET = "secret-admin-123"
ALPHABET = string.ascii_lowercase + string.digits + "-"


class Seen:
    """One character, which counts how often it is looked at."""

    looks = 0

    def __init__(self, character: str) -> None:
        self.code = ord(character)

    def __eq__(self, other: object) -> bool:
        """Compare as a character does, and count it."""
        Seen.looks += 1
        return isinstance(other, Seen) and self.code == other.code

    def __xor__(self, other: "Seen") -> int:
        """Return 0 if both are the same, and count it."""
        Seen.looks += 1
        return self.code ^ other.code

    __hash__ = None  # type: ignore[assignment]  # never a key


def seen(text: str) -> list[Seen]:
    """Return the text as characters that count."""
    return [Seen(character) for character in text]


def plain(a: Sequence[Seen], b: Sequence[Seen]) -> bool:
    """Compare as `==` does: the lengths first, then character by character to a difference."""
    return a == b


def constant(a: Sequence[Seen], b: Sequence[Seen]) -> bool:
    """Compare as `_tscmp` in CPython does: to the end of b, whatever was found on the way."""
    result = 0
    if len(a) != len(b):
        a, result = b, 1  # b with itself, so that the work is the same
    for left, right in zip(a, b, strict=True):
        result |= left ^ right
    return result == 0


Compare = Callable[[Sequence[Seen], Sequence[Seen]], bool]


def looks(compare: Compare, guess: str, secret: str = SECRET) -> int:
    """Return how many characters a comparison looks at."""
    Seen.looks = 0
    found = compare(seen(guess), seen(secret))
    assert found == (guess == secret) == hmac.compare_digest(guess, secret)
    return Seen.looks


def table() -> None:
    """Print the count for guesses that are more and more right."""
    print("| guess | `==` | as `compare_digest` |\n| --- | ---: | ---: |")
    for guess in ("x", "xxxxxxxxxxxxxxxx", "secxxxxxxxxxxxxx", "secret-admin-xxx", SECRET):
        print(f"| `{guess}` | {looks(plain, guess)} | {looks(constant, guess)} |")


def attack(compare: Compare, secret: str = SECRET) -> tuple[str, int]:
    """Guess a secret of known length by the counts alone; return it, and the number of guesses.

    At each place the right character makes the comparison go one further.
    """
    known, guesses = "", 0
    while len(known) < len(secret):
        best, most = "", -1
        for character in ALPHABET:
            guess = (known + character).ljust(len(secret), "?")
            guesses += 1
            if compare(seen(guess), seen(secret)):
                return guess, guesses
            if (count := looks(compare, guess, secret)) > most:
                best, most = character, count
        known += best
    return known, guesses


def attacks() -> None:
    """Print what the attack finds out."""
    print(f"all tokens of {len(SECRET)} characters: {len(ALPHABET) ** len(SECRET):.1e}")
    for name, compare in (("==", plain), ("as compare_digest", constant)):
        found, guesses = attack(compare)
        right = "right" if found == SECRET else "wrong"
        print(f"{name + ':':19}{guesses} guesses, then {found}, which is {right}")


def both_tokens(user: str = "secret-user-123") -> None:
    """Print the work for each client: with `or`, which stops, and with both compared."""
    print("| token | `or`: characters | both: characters |\n| --- | ---: | ---: |")
    for name, token in (("admin's", SECRET), ("user's", user), ("unknown", "x" * 16)):
        first = looks(constant, token)
        second = looks(constant, token, user)
        stops = first if token == SECRET else first + second
        print(f"| {name} | {stops} | {first + second} |")
