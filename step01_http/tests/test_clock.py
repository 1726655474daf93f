"""The clock and the ids."""

import time
from datetime import UTC, datetime
from uuid import RFC_4122, UUID

import pytest

from taskflow.clock import http_date, new_id, utc_now


def test_the_time_is_utc_in_iso_8601_with_milliseconds() -> None:
    before = datetime.now(UTC)
    text = utc_now()
    after = datetime.now(UTC)

    assert len(text) == len("2026-01-31T12:00:00.000Z")
    assert text.endswith("Z")
    seconds = datetime.fromisoformat(text).timestamp()
    assert before.timestamp() - 0.001 <= seconds <= after.timestamp()


@pytest.mark.parametrize(
    ("second", "text"),
    [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (784111777, "Sun, 06 Nov 1994 08:49:37 GMT"),  # the example of RFC 9110
    ],
)
def test_the_date_of_an_answer(monkeypatch: pytest.MonkeyPatch, second: int, text: str) -> None:
    monkeypatch.setattr(time, "time", lambda: second + 0.999)
    assert http_date() == text


def test_ids_are_uuids_of_version_4_and_no_two_are_the_same() -> None:
    ids = [new_id() for _ in range(1_000)]

    assert len(set(ids)) == 1_000
    for text in ids:
        parsed = UUID(text)
        assert (str(parsed), parsed.version, parsed.variant) == (text, 4, RFC_4122)
