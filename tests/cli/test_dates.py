"""Days as people name them, where they are."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from p2pvalue.amounts import moment
from p2pvalue_cli import dates
from p2pvalue_cli.output import day

PLACES = ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago", "America/Sao_Paulo"]


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A time zone that this process is in for a test."""
    monkeypatch.setenv("TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("date", ["2099-12-31", "2099-03-29"])
def test_a_date_is_a_day_where_one_is_and_is_shown_as_it_was_named(date: str) -> None:
    end_ms = dates.end_of_day_ms(date, "--closes")
    assert (day(end_ms), day(end_ms + 1) > date) == (date, True)


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("date", ["2001-12-31", "2001-03-25"])
def test_a_day_that_was_begins_where_one_is(date: str) -> None:
    begin_ms = dates.begin_of_day_ms(date, "--since")
    assert (day(begin_ms), day(begin_ms - 1) < date) == (date, True)
    assert day(dates.noon_of_day_ms(date, "--day")) == date


@pytest.mark.usefixtures("place")
def test_as_of_names_the_same_midnight_everywhere() -> None:
    assert dates.midnight_utc_ms("2099-12-31", "--as-of") == 4_102_358_400_000
    assert dates.day_utc(4_102_358_400_000) == "2099-12-31"


def test_a_last_day_is_shown_elsewhere_with_the_hour_and_the_zone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shown = []
    for place in ("UTC", "Asia/Tokyo", "America/New_York"):
        monkeypatch.setenv("TZ", place)
        time.tzset()
        shown.append(moment(1_798_761_599_999))  # the end of 2026, in Greenwich
    monkeypatch.undo()
    time.tzset()
    assert shown == ["2026-12-31 23:59 UTC", "2027-01-01 08:59 JST", "2026-12-31 18:59 EST"]
