"""Settings: a `.env` file against a model that writes it, and the tokens that come of it."""

import logging
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskflow.config import (
    EXAMPLE_TOKENS,
    ConfigError,
    Tokens,
    check_host,
    is_loopback,
    load_tokens,
    parse_env,
)

# The file, as it is written and read.

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
SPACE = st.sampled_from(["", " ", "\t", "   "])
COMMENT = st.sampled_from(["", " # comment", "\t#", "  # A='b' # \"c\""])
ANYTHING = st.characters(codec="utf-8", exclude_characters="\n\r")
SINGLE = st.text(ANYTHING.filter(lambda character: character != "'"), max_size=12)
DOUBLE = st.text(ANYTHING.filter(lambda character: character != '"'), max_size=12)
PLAIN = st.from_regex(r"([!$-&(-~äß][ !-~äß]{0,10}[!-~äß]|[!$-&(-~äß]|)", fullmatch=True)


class Setting(NamedTuple):
    """A setting, and a line that says it."""

    name: str
    value: str
    line: str


@st.composite
def settings(draw: st.DrawFn) -> Setting:
    """Write a setting in any of the forms that there are."""
    name = draw(NAMES)
    form = draw(st.sampled_from(["'", '"', ""]))
    values = {"'": SINGLE, '"': DOUBLE, "": PLAIN.filter(lambda text: " #" not in text)}
    value = draw(values[form])
    export = draw(st.sampled_from(["", "export ", "export\t "]))
    equals = draw(SPACE) + "=" + draw(SPACE)
    line = f"{draw(SPACE)}{export}{name}{equals}{form}{value}{form}{draw(COMMENT)}{draw(SPACE)}"
    return Setting(name, value, line)


IGNORED = st.sampled_from(["", "  ", "\t", "# comment", "  # A=b", "#", "#A=b"])


@given(st.lists(settings() | IGNORED, max_size=8), st.sampled_from(["\n", "\r\n"]))
def test_settings_written_in_any_form_are_read_back(
    lines: list[Setting | str], newline: str
) -> None:
    text = newline.join(line if isinstance(line, str) else line.line for line in lines)
    written = [line for line in lines if isinstance(line, Setting)]
    assert parse_env(text) == {setting.name: setting.value for setting in written}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("A = b c ", "b c"),
        ("export A=b", "b"),
        ("A=", ""),
        ("A=''", ""),
        ("A=b=c==", "b=c=="),
        ("A='b # c'", "b # c"),
        ('A="b # c" # d', "b # c"),
        ("A=b # c", "b"),
        ("A=b#c", "b#c"),
        ("A=it's", "it's"),
        ("A='say \"b\"'", 'say "b"'),
        ("A=' b '", " b "),
        ("A=$HOME", "$HOME"),
        ("A=b\\n", "b\\n"),
        ("A=ä", "ä"),
    ],
)
def test_examples_of_lines(line: str, value: str) -> None:
    assert parse_env(line) == {"A": value}


@pytest.mark.parametrize("line", ["A= # comment", "A=   # comment", "export A = # comment"])
def test_a_comment_is_not_the_value(line: str) -> None:
    assert parse_env(line) == {"A": ""}


def test_the_last_line_for_a_name_counts() -> None:
    assert parse_env("A=1\nB=2\nA=3") == {"A": "3", "B": "2"}


@pytest.mark.parametrize(
    "line",
    [
        "TASKFLOW_A",
        "TASKFLOW_A b",
        "TASKFLOW_A-B=c",
        "TASKFLOW_Ä=b",
        "TASKFLOW_A='b",
        'TASKFLOW_A="b',
        "TASKFLOW_A='b'c",
        "TASKFLOW_A='b' c",
        "TASKFLOW_A='b'#c",
        "TASKFLOW_A=# comment",
        "  TASKFLOW_A",
        "export TASKFLOW_A",
        "export TASKFLOW_A B=c",
    ],
)
def test_a_broken_line_is_refused(line: str) -> None:
    with pytest.raises(ConfigError, match=r"^line 1 of \.env is not NAME=value"):
        parse_env(line)


@pytest.mark.parametrize(
    "line",
    [
        "spring.name=x",
        "-----BEGIN PRIVATE KEY-----",
        "word",
        "two words",
        "=b",
        "1A=b",
        "A-B=c",
        "Ä=b",
        "A='b",
        "A=# comment",
        "export",
        "set A=b",
        "{}",
    ],
)
def test_a_line_of_another_program_is_passed_over(line: str) -> None:
    assert parse_env(f"{line}\nTASKFLOW_A=b") == {"TASKFLOW_A": "b"}


@pytest.mark.parametrize("value", [" 'b", "  \"b' # c", " 'b' c"])
def test_a_quote_that_does_not_end_is_refused_after_a_space_too(value: str) -> None:
    with pytest.raises(ConfigError):
        parse_env(f"TASKFLOW_A ={value}")


@given(
    st.lists(settings() | IGNORED | st.just("of another program"), max_size=6),
    st.sampled_from(["TASKFLOW_A", "TASKFLOW_A='b", "TASKFLOW_A-B=", "export TASKFLOW_A='b' c"]),
    st.lists(settings() | IGNORED | st.just("TASKFLOW_ too"), max_size=6),
)
def test_the_first_broken_line_is_named_by_its_number(
    before: list[Setting | str], broken: str, after: list[Setting | str]
) -> None:
    lines = [line if isinstance(line, str) else line.line for line in [*before, broken, *after]]
    with pytest.raises(ConfigError, match=rf"^line {len(before) + 1} of \.env"):
        parse_env("\n".join(lines))


@given(st.text(max_size=60) | st.text("TASKFLOW_=' \"#\n\r\texport", max_size=60))
def test_any_text_is_read_or_refused_without_a_word_of_it(text: str) -> None:
    try:
        values = parse_env(text)
    except ConfigError as error:
        message = str(error)
    else:
        message = "line 0 of .env is not NAME=value"
        for name, value in values.items():
            assert name.isascii()
            assert name.isidentifier()
            assert value in text
    assert re.fullmatch(r"line \d+ of \.env is not NAME=value", message)


# Tokens.

ADMIN = "TASKFLOW_ADMIN_TOKEN"
USER = "TASKFLOW_USER_TOKEN"
NO_FILE = Path("/nowhere/.env")


def env_file(folder: Path, *lines: str) -> Path:
    file = folder / ".env"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def test_tokens_are_read_from_the_file(tmp_path: Path) -> None:
    file = env_file(tmp_path, f"{ADMIN}=a # of an admin", f"{USER}='b'", "OTHER=c")
    assert load_tokens({}, file) == Tokens(admin="a", user="b")


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = env_file(tmp_path, f"{ADMIN}=a", f"{USER}=b")
    assert load_tokens({USER: "B", "PATH": "/"}, file) == Tokens("a", "B")
    assert load_tokens({ADMIN: "A", USER: "B"}, file) == Tokens("A", "B")
    assert load_tokens({ADMIN: "A", USER: "B"}, NO_FILE) == Tokens("A", "B")


def test_without_tokens_the_examples_are_used_with_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for file in NO_FILE, env_file(tmp_path, f"{ADMIN}=", "OTHER=c"):
        assert load_tokens({USER: ""}, file) == Tokens(*EXAMPLE_TOKENS)
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    for token in EXAMPLE_TOKENS:
        assert token in caplog.messages[0]


def test_tokens_of_ones_own_are_not_written_anywhere(caplog: pytest.LogCaptureFixture) -> None:
    load_tokens({ADMIN: "A", USER: "B"}, NO_FILE)
    assert caplog.records == []


@pytest.mark.parametrize(
    "values", [{ADMIN: "a"}, {USER: "b"}, {ADMIN: "a", USER: ""}, {ADMIN: "same", USER: "same"}]
)
def test_one_token_alone_or_twice_the_same_is_refused(values: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="different values") as caught:
        load_tokens(values, NO_FILE)
    assert "same" not in str(caught.value)


@pytest.mark.parametrize("token", ["ä", "\u0441", "\udcff"])
def test_a_token_that_a_header_cannot_carry_is_refused(token: str) -> None:
    for values in {ADMIN: token, USER: "b"}, {ADMIN: "a", USER: token}:
        with pytest.raises(ConfigError, match="ASCII"):
            load_tokens(values, NO_FILE)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^cannot read "):
        load_tokens({}, tmp_path)  # a folder


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "byte order mark"])
def test_the_file_may_be_shared_with_other_programs(
    tmp_path: Path, mark: bytes, newline: bytes
) -> None:
    others = b"spring.name=x", b"KEY='-----BEGIN KEY-----", b"MIIB+/Q==", b"-----END KEY-----'"
    lines = f"{ADMIN}=a".encode(), *others, b"NAME=M\xfcller", b"word", f"{USER}=b".encode()
    file = tmp_path / ".env"
    file.write_bytes(mark + newline.join(lines))

    assert load_tokens({}, file) == Tokens("a", "b")


def test_the_example_file_has_the_example_tokens() -> None:
    file = Path(__file__).resolve().parents[1] / ".env.example"
    assert load_tokens({}, file) == Tokens(*EXAMPLE_TOKENS)


# Hosts.

LOOPBACK = ["127.0.0.1", "127.8.9.10", "::1", "localhost"]
ELSEWHERE = ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "example.com", "", "localhost.evil", "*"]


@pytest.mark.parametrize("host", LOOPBACK)
def test_the_example_tokens_are_good_enough_on_this_machine(host: str) -> None:
    assert is_loopback(host)
    check_host(host, Tokens(*EXAMPLE_TOKENS))


@pytest.mark.parametrize("host", ELSEWHERE)
def test_the_example_tokens_are_refused_elsewhere(host: str) -> None:
    assert not is_loopback(host)
    with pytest.raises(ConfigError, match="the example tokens are refused"):
        check_host(host, Tokens(*EXAMPLE_TOKENS))
    check_host(host, Tokens("a", "b"))


@pytest.mark.parametrize(
    "tokens",
    [
        Tokens(EXAMPLE_TOKENS[0], "b"),
        Tokens("a", EXAMPLE_TOKENS[1]),
        Tokens(EXAMPLE_TOKENS[1], EXAMPLE_TOKENS[0]),
    ],
)
def test_one_example_token_is_as_well_known_as_two(tokens: Tokens) -> None:
    with pytest.raises(ConfigError, match="refused"):
        check_host("0.0.0.0", tokens)
