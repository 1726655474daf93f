"""What the `.env` reader of step 5 makes of a line."""

from taskflow.config import ConfigError, parse_env

LINES = (
    "TOKEN=abc",
    "  TOKEN = abc  ",
    "export TOKEN=abc",
    "TOKEN=a=b==",
    "TOKEN=abc # the old one",
    "TOKEN=abc#1",
    "TOKEN='abc # 1'",
    'TOKEN="abc"  # the new one',
    "TOKEN=$HOME",
    "TOKEN=",
    "# TOKEN=abc",
    "TOKEN",
    'TOKEN="abc',
    'TOKEN="a"b',
    "2TOKEN=abc",
)


def grammar() -> None:
    """Print a table of lines and values."""
    print("| line | value of `TOKEN` |\n| --- | --- |")
    for line in LINES:
        try:
            values = parse_env(line)
            value = f"`{values['TOKEN']}`" if values.get("TOKEN") else ""
            value = value or ("empty" if "TOKEN" in values else "not set")
        except ConfigError as error:
            value = f"refused: {error}"
        print(f"| `{line}` | {value} |")
