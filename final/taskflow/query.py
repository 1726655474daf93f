"""The query of a request target, such as `limit=10&status=pending`."""

from urllib.parse import parse_qs

from taskflow.errors import ValidationError


class Query:
    """The parameters of a query. Parameters that no handler asks for are ignored."""

    def __init__(self, query: str) -> None:
        self._values = parse_qs(query, keep_blank_values=True) if query else {}

    def text(self, name: str) -> str | None:
        """Return the value of a parameter, or None. Raises ValidationError if it is repeated."""
        values = self._values.get(name, [])
        if len(values) > 1:
            raise ValidationError(name, "must not be repeated")
        return values[0] if values else None

    def integer(self, name: str, default: int, lowest: int, highest: int) -> int:
        """Return a parameter that is an integer from `lowest` to `highest`.

        Raises ValidationError.
        """
        text = self.text(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise ValidationError(name, "must be a number")
        if not lowest <= int(text) <= highest:
            raise ValidationError(name, f"must be from {lowest} to {highest}")
        return int(text)
