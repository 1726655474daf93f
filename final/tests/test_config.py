"""Settings: a `.env` file against a model that writes it, and what values may be."""

import re
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskflow.config import (
    EXAMPLE_TOKENS,
    ConfigError,
    Settings,
    Tokens,
    check_together,
    is_loopback,
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


# What settings may not be together.

ADMIN, USER = "the-token-of-an-admin", "the-token-of-a-user"
LOOPBACK = ["127.0.0.1", "127.8.9.10", "::1", "localhost", "LOCALHOST"]
ELSEWHERE = ["0.0.0.0", "::", "192.0.2.1", "2001:db8::1", "example.com", "localhost.evil"]


@pytest.mark.parametrize(
    ("admin", "user", "wrong"),
    [
        ("", "", "there are no tokens"),
        (ADMIN, "", "there is only one token"),
        ("", USER, "there is only one token"),
        (ADMIN, ADMIN, "two tokens are the same"),
        (f"{ADMIN},{USER}", USER, "two tokens are the same"),
        (f"{ADMIN},{ADMIN}", USER, "two tokens are the same"),
        (ADMIN, f"{USER},{EXAMPLE_TOKENS[1]}", "the example tokens are for --demos only"),
        (EXAMPLE_TOKENS[0], USER, "the example tokens are for --demos only"),
        (ADMIN, EXAMPLE_TOKENS[1], "the example tokens are for --demos only"),
        (EXAMPLE_TOKENS[1], EXAMPLE_TOKENS[0], "the example tokens are for --demos only"),
    ],
)
def test_tokens_that_protect_nothing_are_refused_with_how_to_set_them(
    admin: str, user: str, wrong: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        check_together(Settings(admin_token=admin, user_token=user))
    message = str(caught.value)
    assert message.startswith(wrong)
    assert "TASKFLOW_ADMIN_TOKEN and TASKFLOW_USER_TOKEN" in message
    assert not {ADMIN, USER, *EXAMPLE_TOKENS}.intersection(message.split())


@pytest.mark.parametrize("host", LOOPBACK)
def test_the_example_tokens_are_good_enough_on_this_machine(host: str) -> None:
    assert is_loopback(host)
    admin, user = EXAMPLE_TOKENS
    check_together(Settings(host=(host,), demos=True, admin_token=admin, user_token=user))


@pytest.mark.parametrize("host", ELSEWHERE)
@pytest.mark.parametrize("demos", [True, False])
@pytest.mark.parametrize("tokens", [EXAMPLE_TOKENS, (EXAMPLE_TOKENS[0], USER)])
def test_the_example_tokens_are_refused_elsewhere(
    host: str, demos: bool, tokens: tuple[str, str]
) -> None:
    assert not is_loopback(host)
    admin, user = tokens
    for hosts in (host,), ("127.0.0.1", host):
        with pytest.raises(ConfigError, match="the example tokens are refused on "):
            check_together(Settings(host=hosts, demos=demos, admin_token=admin, user_token=user))
        check_together(Settings(host=hosts, demos=demos, admin_token=ADMIN, user_token=USER))


@pytest.mark.parametrize(("cert", "key"), [("cert.pem", ""), ("", "key.pem")])
def test_a_certificate_needs_its_key(cert: str, key: str) -> None:
    settings = Settings(admin_token=ADMIN, user_token=USER, tls_cert=cert, tls_key=key)
    with pytest.raises(ConfigError, match="--tls-cert and --tls-key"):
        check_together(settings)


def test_no_secret_is_shown_by_accident() -> None:
    shown = repr(Settings(admin_token=ADMIN, user_token=USER)) + repr(Tokens(ADMIN, USER))
    assert ADMIN not in shown
    assert USER not in shown


@pytest.mark.parametrize(
    ("settings", "scheme"),
    [
        (Settings(), "http"),
        (Settings(behind_https=True), "https"),
        (Settings(tls_cert="cert.pem", tls_key="key.pem"), "https"),
    ],
)
def test_the_scheme_is_the_one_that_browsers_see(settings: Settings, scheme: str) -> None:
    assert settings.scheme == scheme
