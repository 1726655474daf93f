"""What the `.env` reader of step 5 makes of a line."""

from taskflow.config import ConfigError, parse_env

NAME = "TASKFLOW_USER_TOKEN"

LINES = (
    f"{NAME}=abc",
    f"  {NAME} = abc  ",
    f"export {NAME}=abc",
    f"{NAME}=a=b==",
    f"{NAME}=abc # the old one",
    f"{NAME}=abc#1",
    f"{NAME}='abc # 1'",
    f'{NAME}="abc"  # the new one',
    f"{NAME}=$HOME",
    f"{NAME}=",
    f"# {NAME}=abc",
    NAME,
    f'{NAME}="abc',
    f'{NAME}="a"b',
    'PASSWORD="a"b',
    "PATH+=:/opt/bin",
)


def grammar() -> None:
    """Print a table of lines and values."""
    print(f"| line | value of `{NAME}` |\n| --- | --- |")
    for line in LINES:
        try:
            values = parse_env(line)
            value = f"`{values[NAME]}`" if values.get(NAME) else ""
            value = value or ("empty" if NAME in values else "not set")
        except ConfigError as error:
            value = f"refused: {error}"
        print(f"| `{line}` | {value} |")
