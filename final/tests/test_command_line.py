"""Where settings come from, which of them counts, and the words in which bad ones are refused."""

import logging
import re
from pathlib import Path
from typing import Any

import pytest

from taskflow.command_line import BY_FLAG, BY_VARIABLE, SECRETS, flags_of, load_settings
from taskflow.config import EXAMPLE_TOKENS, ConfigError, Settings

TOKENS = {
    "TASKFLOW_ADMIN_TOKEN": "the-token-of-an-admin",
    "TASKFLOW_USER_TOKEN": "the-token-of-a-user",
}
NO_FILE = Path("/nowhere/.env")


def loaded(*arguments: str, file: Path = NO_FILE, **environment: str) -> Settings:
    """Return the settings of a server that has tokens of its own."""
    return load_settings(arguments, {**TOKENS, **environment}, file)


def refused_there(variable: str, text: str) -> str:
    """Return the line with which this text is refused in the environment."""
    return refused(**{variable: text})  # type: ignore[arg-type]


def refused(*arguments: str, file: Path = NO_FILE, **environment: str) -> str:
    """Return the line with which these settings are refused."""
    with pytest.raises(ConfigError) as caught:
        load_settings(arguments, {**TOKENS, **environment}, file)
    message = str(caught.value)
    assert message.isprintable()
    return message


def env_file(folder: Path, *lines: str) -> Path:
    file = folder / ".env"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


# Which one counts.


def test_what_is_not_set_has_its_default() -> None:
    admin, user = TOKENS.values()
    assert loaded() == Settings(admin_token=admin, user_token=user)


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    file = env_file(tmp_path, "TASKFLOW_PORT=1", "TASKFLOW_GRACE=1", "TASKFLOW_HEAD_TIMEOUT=1")
    settings = loaded("--port", "3", file=file, TASKFLOW_PORT="2", TASKFLOW_GRACE="2")
    assert (settings.port, settings.grace, settings.head_timeout) == (3, 2, 1)
    assert loaded("--port", "3", "--port=4").port == 4


def test_an_empty_text_is_as_good_as_none(tmp_path: Path) -> None:
    file = env_file(tmp_path, "TASKFLOW_PORT=1", "TASKFLOW_GRACE=")
    settings = loaded(file=file, TASKFLOW_PORT="", TASKFLOW_TLS_CERT="", TASKFLOW_DEMOS="")
    assert (settings.port, settings.grace, settings.tls_cert) == (1, 10, "")


def test_every_setting_is_read_from_everywhere(tmp_path: Path) -> None:
    values: dict[str, tuple[str, Any]] = {
        "host": ("::1, localhost", ("::1", "localhost")),
        "port": ("0", 0),
        "allowed_hosts": (" A.example, b ", ("a.example", "b")),
        "behind_https": ("yes", True),
        "data": (":memory:", ":memory:"),
        "demos": ("TRUE", True),
        "tls_cert": ("a file.pem", "a file.pem"),
        "tls_key": ("key.pem", "key.pem"),
        "max_connections": ("7", 7),
        "head_timeout": ("0.25", 0.25),
        "body_timeout": ("1", 1),
        "idle_timeout": ("86400", 86_400),
        "write_timeout": ("2", 2),
        "ping_interval": ("3", 3),
        "grace": ("4.5", 4.5),
        "address_file": ("address", "address"),
        "admin_token": ("A-Za-z0-9._~-" * 9, "A-Za-z0-9._~-" * 9),
        "user_token": ("0123456789abcdef", "0123456789abcdef"),
    }
    expected = Settings(**{name: value for name, (_, value) in values.items()})
    variables = {variable: values[one.name][0] for variable, one in BY_VARIABLE.items()}
    lines = [f"{variable}='{text}'" for variable, text in variables.items()]
    flags = [f"{flag}={values[one.name][0]}" for flag, one in BY_FLAG.items() if one.repr]
    secrets = {name: text for name, text in variables.items() if name.endswith("_TOKEN")}

    assert load_settings([], variables, NO_FILE) == expected
    assert load_settings([], {}, env_file(tmp_path, *lines)) == expected
    assert load_settings(flags, secrets, NO_FILE) == expected


def test_a_switch_may_stand_alone_and_be_switched_off() -> None:
    assert loaded("--demos", "--port", "0").demos
    assert not loaded("--demos", "no", TASKFLOW_DEMOS="yes").demos


def test_two_hosts_are_two_flags_or_a_list() -> None:
    both = ("0.0.0.0", "::")
    assert loaded("--host", "0.0.0.0", "--host", "::").host == both
    assert loaded("--host=0.0.0.0,::").host == both
    assert loaded(TASKFLOW_HOST="0.0.0.0, ::").host == both
    assert loaded("--host", "::1", TASKFLOW_HOST="0.0.0.0, ::").host == ("::1",)
    assert loaded("--host", "::1", "--host", "::1").host == ("::1",)


def test_with_demos_there_are_example_tokens_unless_there_are_others() -> None:
    settings = load_settings(["--demos"], {}, NO_FILE)
    assert (settings.admin_token, settings.user_token) == EXAMPLE_TOKENS
    assert loaded("--demos").admin_token == TOKENS["TASKFLOW_ADMIN_TOKEN"]
    one = {"TASKFLOW_ADMIN_TOKEN": TOKENS["TASKFLOW_ADMIN_TOKEN"]}
    with pytest.raises(ConfigError, match="only one token"):
        load_settings(["--demos"], one, NO_FILE)


# What is refused, and how.

BAD = [
    ("port", "70000", "a whole number from 0 to 65535"),
    ("port", "-1", "a whole number from 0 to 65535"),
    ("port", "\u0663", "a whole number from 0 to 65535"),
    ("port", "1 ", "a whole number from 0 to 65535"),
    ("port", "http://10.0.0.1:3000", "a whole number from 0 to 65535"),
    ("max_connections", "0", "a whole number from 1 to 100000"),
    ("grace", "0", "a number of seconds, over 0 and up to 86400"),
    ("grace", "nan", "a number of seconds, over 0 and up to 86400"),
    ("grace", "inf", "a number of seconds, over 0 and up to 86400"),
    ("idle_timeout", "1e3", "a number of seconds, over 0 and up to 86400"),
    ("idle_timeout", "86401", "a number of seconds, over 0 and up to 86400"),
    ("demos", "maybe", "true or false"),
    ("host", "a b", "an IP address or a host name, without brackets or port"),
    ("host", "[::1]", "an IP address or a host name, without brackets or port"),
    ("host", "localhost:80", "an IP address or a host name, without brackets or port"),
    ("host", "127.0.0.1,", "an IP address or a host name, without brackets or port"),
    ("host", "a..b", "an IP address or a host name, without brackets or port"),
    ("host", "localhost\n", "an IP address or a host name, without brackets or port"),
    ("host", "x" * 64, "an IP address or a host name, without brackets or port"),
    ("data", "a\0b", "the name of a file"),
    ("tls_cert", "\0", "the name of a file"),
    ("allowed_hosts", "a,b:80", "a list of host names without ports, separated by commas"),
    ("allowed_hosts", "*", "a list of host names without ports, separated by commas"),
    ("allowed_hosts", "b\u00fccher.example", "a list of host names without ports"),
]


@pytest.mark.parametrize(("name", "text", "allowed"), BAD)
def test_a_bad_value_is_named_with_where_it_stands_and_what_is_allowed(
    name: str, text: str, allowed: str
) -> None:
    flag, variable = "--" + name.replace("_", "-"), "TASKFLOW_" + name.upper()
    assert refused(f"{flag}={text}").startswith(f"{flag}: {text!r} is not {allowed}")
    line = refused_there(variable, text)
    assert line.startswith(f"{variable}: {text!r} is not {allowed}")


def test_a_bad_value_in_the_file_is_named_with_the_file(tmp_path: Path) -> None:
    file = env_file(tmp_path, "TASKFLOW_PORT=x")
    assert refused(file=file).startswith(f"TASKFLOW_PORT in {file}: 'x' is not ")
    assert loaded("--port", "1", file=file).port == 1  # what does not count is not looked at


@pytest.mark.parametrize("flag", [flag for flag, one in BY_FLAG.items() if one.repr])
def test_an_empty_flag_is_refused(flag: str) -> None:
    if flag != "--allowed-hosts":  # none is a list, too
        assert refused(f"{flag}=").startswith(f"{flag}: '' is not ")


@pytest.mark.parametrize(
    "token",
    [
        "too-short",
        "x" * 15,
        "x" * 129,
        "sixteen letters!",
        "t\u00f6ken" * 5,
        "\udcff" * 20,
        "x" * 16 + ",",
        "," + "x" * 16,
        "x" * 16 + "," + "y" * 15,
        ",".join(["x" * 16, "y" * 16, "z" * 16]),
    ],
)
@pytest.mark.parametrize("variable", TOKENS)
def test_a_bad_token_is_refused_and_not_shown(variable: str, token: str) -> None:
    line = refused_there(variable, token)
    allowed = "16 to 128 letters, digits and . _ ~ -, or two such secrets with a comma"
    assert line == f"{variable}: its value is not {allowed}"


def test_a_token_may_be_two_while_clients_change_over() -> None:
    settings = loaded(TASKFLOW_ADMIN_TOKEN="a-new-admin-token, an-old-admin-token")
    assert settings.admin_token == "a-new-admin-token,an-old-admin-token"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--prot", "1"), "there is no flag '--prot' (is --port meant?) (--help explains)"),
        (("--prot=1",), "there is no flag '--prot' (is --port meant?) (--help explains)"),
        (("--por", "1"), "there is no flag '--por' (is --port meant?) (--help explains)"),
        (("-p", "1"), "there is no flag '-p' (--help explains)"),
        (("--x\ny",), "there is no flag '--x\\ny' (--help explains)"),
        (("serve",), "here are flags only, such as --port 3000 (--help explains)"),
        (("--port",), "--port: expected one argument (--help explains)"),
        (("--port", "--demos"), "--port: expected one argument (--help explains)"),
    ],
)
def test_what_is_no_flag_is_refused(arguments: tuple[str, ...], line: str) -> None:
    assert refused(*arguments) == line


@pytest.mark.parametrize("arguments", [("--admin-token", "hunter2"), ("--user-token=hunter2",)])
def test_a_secret_on_the_command_line_is_refused_and_not_shown(arguments: tuple[str, ...]) -> None:
    line = refused(*arguments)
    assert line.startswith(arguments[0].partition("=")[0])
    assert "TASKFLOW_ADMIN_TOKEN" in line
    assert "hunter2" not in line


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    assert refused(file=tmp_path) == f"cannot read {tmp_path}: Is a directory"


def test_a_file_of_a_windows_editor_is_read(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"\xef\xbb\xbfTASKFLOW_PORT=1\r\n")
    assert loaded(file=file).port == 1


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"], ids=["", "byte order mark"])
def test_the_file_may_be_shared_with_other_programs(
    tmp_path: Path, mark: bytes, newline: bytes
) -> None:
    others = b"spring.name=x", b"KEY='-----BEGIN KEY-----", b"MIIB+/Q==", b"-----END KEY-----'"
    lines = b"TASKFLOW_PORT=1", *others, b"NAME=M\xfcller", b"word", b"TASKFLOW_GRACE=2"
    file = tmp_path / ".env"
    file.write_bytes(mark + newline.join(lines))

    settings = loaded(file=file)

    assert (settings.port, settings.grace) == (1, 2)


@pytest.mark.parametrize("address", ["tcp://10.96.3.4:3000", "udp://[fd00::1]:3000", "sctp://a:1"])
def test_the_port_that_kubernetes_sets_for_a_service_is_passed_over_with_a_warning(
    tmp_path: Path, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings = loaded(file=env_file(tmp_path, "TASKFLOW_PORT=1"), TASKFLOW_PORT=address)

    assert settings.port == 1
    [warning] = caplog.records
    assert warning.levelno == logging.WARNING
    problem = f"TASKFLOW_PORT is passed over: {address} is the address of a Kubernetes Service"
    assert warning.getMessage() == problem
    assert loaded(TASKFLOW_PORT=address).port == Settings().port
    assert refused(f"--port={address}").startswith("--port: ")


def test_a_name_that_is_no_setting_is_warned_of_in_the_file_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = env_file(tmp_path, "TASKFLOW_PROT=1", "TASKFLOW_X=secret", "OTHER=1", "TASKFLOW_PORT=1")
    loaded(file=file, TASKFLOW_SERVICE_HOST="10.0.0.1")
    assert caplog.messages == [
        f"TASKFLOW_PROT in {file} is no setting (is TASKFLOW_PORT meant?)",
        f"TASKFLOW_X in {file} is no setting",
    ]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


# The help.


def test_the_help_has_every_setting_with_its_name_in_the_environment_and_its_default(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as ended:
        flags_of(["--help"])
    out = " ".join(capsys.readouterr().out.split())

    assert ended.value.code == 0
    for (flag, one), variable in zip(BY_FLAG.items(), BY_VARIABLE, strict=True):
        assert one.metadata["help"] in out
        if flag in SECRETS:
            assert flag not in out
            assert variable in out
        else:
            value = ",".join(one.default) if isinstance(one.default, tuple) else one.default
            default = f", {value}".removesuffix(".0") if value else ""
            assert re.search(rf"{flag} .*?\[{variable}{re.escape(default)}\]", out), flag


def test_the_example_file_names_settings_only() -> None:
    file = Path(__file__).resolve().parents[1] / ".env.example"
    names = re.findall(r"^#? ?(TASKFLOW_\w+)=", file.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(names) == set(BY_VARIABLE)
