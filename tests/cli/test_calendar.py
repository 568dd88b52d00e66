from __future__ import annotations

import datetime
from typing import Any

import icalendar
import pytest

from p2pvalue_cli.calendar_file import calendar_text, days
from tests.cli.conftest import Person

HOSTILE = "Roof\nEND:VEVENT\rBEGIN:VALARM; a,b\\n\x1b[2J\u202e"


def need(**given: Any) -> dict[str, Any]:
    plain = {"need": "ab" * 16, "title": "Roof", "body": "", "state": "open"}
    times = {"created": 1_700_000_000_000, "time": 1_700_000_000_000}
    return {**plain, **times, "closes": 0, "deadline": 1_800_000_000_123, **given}


def pledge(**given: Any) -> dict[str, Any]:
    plain = {"pledge": "cd" * 16, "name": "Eva", "kind": "hours", "unit": "minute", "quantity": 90}
    told = {"need_title": "Roof", "when": "2026-05-03", "where": "Shed", "state": "offered"}
    return {**plain, **told, "time": 1_700_000_000_000, **given}


def events(
    *found: dict[str, Any],
    pledges: tuple[dict[str, Any], ...] = (),
    happened: tuple[dict[str, Any], ...] = (),
) -> list[Any]:
    text = calendar_text(days(found, pledges, "ff" * 32, lambda _: happened), "Garden")
    return list(icalendar.Calendar.from_ical(text).walk("VEVENT"))


def test_a_deadline_is_an_event_at_its_time_in_utc() -> None:
    first, second = events(need(closes=1_790_000_000_000, body="Bring\ngloves"))
    assert str(first["summary"]) == "Roof (last day to pledge)"
    assert str(second["summary"]) == "Roof (to be done)"
    assert second.decoded("dtstart") == datetime.datetime(2027, 1, 15, 8, 0, tzinfo=datetime.UTC)
    assert str(second["description"]) == "Bring\ngloves"
    assert "DTSTART:20270115T080000Z" in second.to_ical().decode()


def test_what_is_changed_or_off_keeps_its_uid_and_has_a_greater_sequence() -> None:
    [before] = events(need())
    [moved] = events(need(deadline=1_800_000_500_000, time=1_700_000_001_000))
    [off] = events(need(state="dropped"))
    assert before["uid"] == moved["uid"] == off["uid"]
    assert before["sequence"] < moved["sequence"]
    assert before["sequence"] < off["sequence"]
    assert (str(before["status"]), str(off["status"])) == ("CONFIRMED", "CANCELLED")
    assert events(need(state="confirmed")) == []


def test_a_day_that_was_taken_back_is_crossed_out_where_it_stood_last() -> None:
    [before] = events(need())
    told = [{"was": was} for was in ({}, {"deadline": 5_000}, {"deadline": 1_800_000_000_123})]
    [off] = events(need(deadline=0, time=1_700_000_001_000), happened=tuple(told))
    assert before["uid"] == off["uid"]
    assert before["sequence"] < off["sequence"]
    assert str(off["status"]) == "CANCELLED"
    assert off.decoded("dtstart") == before.decoded("dtstart")
    assert events(need(deadline=0, time=1_700_000_001_000)) == []


@pytest.mark.parametrize(
    ("when", "count"),
    [("2026-05-03", 1), (" 2026-05-03 ", 1), ("Saturday", 0), ("", 0), ("20260503", 0)],
)
def test_a_pledge_is_an_event_if_its_time_is_a_date(when: str, count: int) -> None:
    found = events(pledges=(pledge(when=when),))
    assert len(found) == count
    for event in found:
        assert event.decoded("dtstart") == datetime.date(2026, 5, 3)
        assert (str(event["summary"]), str(event["location"])) == ("Eva: 1h30 for Roof", "Shed")


def test_hostile_words_stay_words() -> None:
    [event] = events(need(title=HOSTILE, body=HOSTILE), pledges=())
    assert event.subcomponents == []
    assert "BEGIN:VALARM; a,b\\n" in str(event["summary"])
    text = event.to_ical().decode()
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


@pytest.mark.parametrize("far", [2**53 - 1, 253_402_300_800_000])
def test_days_beyond_all_calendars_break_no_file(far: int) -> None:
    assert events(need(deadline=far)) == []
    [event] = events(need(time=far))
    assert event.decoded("dtstamp").year == 9999


def test_the_days_of_mine_are_written_for_a_calendar(ana: Person) -> None:
    ana.sees("need", "add", "Fence", "--hours", "2h", "--deadline", "2099-05-31")
    ana.sees("pledge", "make", "Fence", "1h", "--when", "2099-05-30")
    text = ana.type("need", "calendar", "--mine").stdout_bytes
    assert text.startswith(b"BEGIN:VCALENDAR\r\n")
    found = icalendar.Calendar.from_ical(text.decode()).walk("VEVENT")
    assert len(found) == 2
    ana.sees("need", "add", "Roof", "--hours", "2h", "--deadline", "2099-06-30")
    ana.sees("need", "edit", "Roof", "--deadline", "")
    assert [event["status"] for event in ana.gets("need", "calendar")][1] == "CANCELLED"
    ana.sees("need", "edit", "Roof", "--deadline", "2099-06-30")
    assert ana.gets("need", "calendar")[1]["status"] == "CONFIRMED"
    ana.sees("need", "drop", "Roof", "--yes")
    listed = [event for event in ana.gets("need", "calendar") if event["status"] == "CONFIRMED"]
    assert [event["day"] for event in listed] == ["", "2099-05-30"]
