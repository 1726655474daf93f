"""The clock and the ids."""

import time
from datetime import UTC, datetime
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskflow.clock import http_date, new_id, utc_now


def test_the_time_is_utc_in_iso_8601_with_milliseconds() -> None:
    before = datetime.now(UTC)
    text = utc_now()
    after = datetime.now(UTC)

    assert len(text) == len("2026-01-31T12:00:00.000Z")
    assert text.endswith("Z")
    seconds = datetime.fromisoformat(text).timestamp()
    assert before.timestamp() - 0.001 <= seconds <= after.timestamp()


def test_a_time_is_later_than_the_one_it_follows() -> None:
    times = [utc_now()]
    for _ in range(1_000):  # more than the clock has milliseconds meanwhile
        times.append(utc_now(after=times[-1]))
    assert times == sorted(set(times))


@given(st.datetimes(datetime(2100, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC)))
def test_after_a_clock_that_was_ahead_a_time_is_one_millisecond_later(moment: datetime) -> None:
    ahead = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    later = utc_now(after=ahead)

    assert later > ahead
    difference = datetime.fromisoformat(later) - datetime.fromisoformat(ahead)
    assert difference.total_seconds() == 0.001


def test_the_last_time_of_the_calendar_is_followed_by_itself() -> None:
    last = "9999-12-31T23:59:59.999Z"
    assert utc_now(after="9999-12-31T23:59:59.998Z") == last
    assert utc_now(after=last) == last


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
