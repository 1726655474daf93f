"""The query of a request target."""

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taskflow.errors import ValidationError
from taskflow.query import Query

TEXTS = st.text(st.characters(codec="utf-8"), max_size=10)


@given(st.dictionaries(TEXTS, TEXTS, max_size=5))
def test_every_parameter_is_found_with_its_value(parameters: dict[str, str]) -> None:
    query = Query(urlencode(parameters))
    for name, value in parameters.items():
        assert query.text(name) == value


def test_a_parameter_that_is_not_there_is_none() -> None:
    assert Query("").text("limit") is None
    assert Query("limits=1&=2&&").text("limit") is None


def test_an_empty_value_is_a_value() -> None:
    assert Query("status=").text("status") == ""
    assert Query("status").text("status") == ""


@pytest.mark.parametrize("query", ["limit=1&limit=1", "limit=1&x=2&limit=", "limit=1&l%69mit=2"])
def test_a_repeated_parameter_is_refused_by_name(query: str) -> None:
    with pytest.raises(ValidationError, match=r"^limit: "):
        Query(query).text("limit")
    with pytest.raises(ValidationError, match=r"^limit: "):
        Query(query).integer("limit", 1, 1, 9)


def test_a_repeated_parameter_that_nobody_asks_for_is_ignored() -> None:
    assert Query("x=1&x=2&limit=3").text("limit") == "3"


def test_a_number_has_a_default_and_a_range() -> None:
    assert Query("").integer("limit", 5, 1, 9) == 5
    assert [Query(f"limit={number}").integer("limit", 5, 1, 9) for number in (1, 9)] == [1, 9]
    assert Query("limit=007").integer("limit", 5, 1, 9) == 7
    for number in 0, 10, 10**18:
        with pytest.raises(ValidationError, match=r"^limit: must be from 1 to 9"):
            Query(f"limit={number}").integer("limit", 5, 1, 9)


@pytest.mark.parametrize(
    "value",
    ["", "x", "-1", "%2B1", "+1", "1.0", "1e3", "0x1", "1_0", "%C2%B2", "%D9%A1", "9" * 5000],
)
def test_what_is_no_number_is_refused_by_name(value: str) -> None:
    with pytest.raises(ValidationError, match=r"^limit: must be a number"):
        Query(f"limit={value}").integer("limit", 5, 1, 9)
