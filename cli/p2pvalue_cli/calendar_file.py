"""Days of needs and pledges, for calendars (RFC 5545).

Each day has the same UID in every file and a SEQUENCE that grows when it changes, so that a
calendar that takes in a newer file moves what it has, and crosses out what is off.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import icalendar

from p2pvalue.amounts import written
from p2pvalue_cli.output import harmless, one_line

_EPOCH_S = 1_577_836_800  # 2020
_SEQUENCE_MAX = 2**31 - 1
_OVER = ("confirmed", "settled")
_OFF = frozenset(
    ("dropped", "lapsed", "withdrawn", "released", "void", "early", "late", "expired", "outdated")
)
_DAYS = {"closes": "last day to pledge", "deadline": "to be done"}
_BODY_CHARS_MAX = 2_000
_LAST_MS = 253_402_214_400_000  # no calendar goes on after the year 9999


def days(
    needs: Sequence[dict[str, Any]],
    pledges: Sequence[dict[str, Any]],
    community: str,
    happened: Callable[[str], Sequence[dict[str, Any]]],
) -> list[dict[str, Any]]:
    """The days of needs and of pledges whose time is a date; `community` is its whole id.

    `time` is in ms, 0 where a whole `day` is meant; `status` is CONFIRMED or CANCELLED. `happened`
    gives the timeline of a need; it is asked of those that were changed and lack a day, which may
    have had one.
    """
    return [*_of_needs(needs, community, happened), *_of_pledges(pledges, community)]


def _of_needs(
    needs: Sequence[dict[str, Any]],
    community: str,
    happened: Callable[[str], Sequence[dict[str, Any]]],
) -> Iterator[dict[str, Any]]:
    for need in needs:
        if need["state"] in _OVER:
            continue
        is_without = not (need["closes"] and need["deadline"]) and need["time"] > need["created"]
        before = _days_before(happened(need["need"])) if is_without else {}
        for field, words in _DAYS.items():
            is_off = not need[field]
            time = before.get(field, 0) if is_off else need[field]
            if 0 < time < _LAST_MS:
                yield _event(
                    f"{need['need']}-{field}@{community}",
                    {**need, "state": "dropped"} if is_off else need,
                    time=time,
                    summary=f"{need['title']} ({words})",
                    description=need["body"],
                )


def _days_before(happened: Sequence[dict[str, Any]]) -> dict[str, int]:
    """The last value of each day before it was changed last."""
    days: dict[str, int] = {}
    for one in happened:
        days.update(one["was"])
    return days


def _of_pledges(pledges: Sequence[dict[str, Any]], community: str) -> Iterator[dict[str, Any]]:
    for pledge in pledges:
        day = _date(pledge["when"])
        if day is not None and pledge["kind"] is not None:
            much = written(pledge["kind"], pledge["unit"], pledge["quantity"])
            yield _event(
                f"{pledge['pledge']}-when@{community}",
                pledge,
                day=day,
                summary=f"{pledge['name']}: {much} for {pledge['need_title']}",
                location=pledge["where"],
            )


def _event(uid: str, of: dict[str, Any], **given: Any) -> dict[str, Any]:
    is_off = of["state"] in _OFF
    event = {"time": 0, "day": "", "summary": "", "description": "", "location": "", **given}
    for field in ("summary", "location"):
        event[field] = one_line(event[field])
    event["description"] = harmless(event["description"])[:_BODY_CHARS_MAX]
    sequence = min(max(of["time"] // 1000 - _EPOCH_S, 0) + is_off, _SEQUENCE_MAX)
    status = "CANCELLED" if is_off else "CONFIRMED"
    return {"uid": uid, **event, "status": status, "sequence": sequence, "changed": of["time"]}


def calendar_text(events: Sequence[dict[str, Any]], name: str) -> str:
    """The file that calendars read; lines end as theirs do."""
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//p2pvalue//p2pvalue//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", one_line(name))
    for event in events:
        calendar.add_component(_component(event))
    file: bytes = calendar.to_ical()
    return file.decode()


def _component(event: dict[str, Any]) -> icalendar.Event:
    component = icalendar.Event()
    component.add("uid", event["uid"])
    component.add("dtstamp", _utc(event["changed"]))
    component.add("sequence", event["sequence"])
    component.add("status", event["status"])
    component.add("transp", "TRANSPARENT")  # it makes nobody busy
    day = _date(event["day"])
    component.add("dtstart", _utc(event["time"]) if day is None else _day_of(day))
    for field in ("summary", "description", "location"):
        if event[field]:
            component.add(field, event[field])
    return component


def _utc(time_ms: int) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(min(time_ms, _LAST_MS) // 1000, tz=datetime.UTC)


def _date(text: str) -> str | None:
    """The date that a text is and nothing else, as 2026-12-31."""
    try:
        day = datetime.date.fromisoformat(text.strip())
    except ValueError:
        return None
    return day.isoformat() if day.isoformat() == text.strip() else None


def _day_of(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)
