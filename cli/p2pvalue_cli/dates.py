"""Days that a person names: where she is, but `--as-of`, which is to be the same for all."""

from __future__ import annotations

import datetime
import re

import click

from p2pvalue_cli.output import say

_NEAR = ("today", "tomorrow")
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SPAN = re.compile(r"in (\d{1,3}) (day|week)s?")
_NOON_MS = 12 * 3_600_000
_FIRST_YEAR = 1971  # times count from 1970


def end_of_day_ms(text: str, option: str) -> int:
    """The end of a day to come, in this machine's time zone; raises BadParameter for `option`.

    In figures or in words; which day words name is said.
    """
    date = _day_to_come(text, option)
    if date < datetime.date.today():
        raise click.BadParameter(f"{text} is over: name a day to come", param_hint=option)
    return _begin_ms(date + datetime.timedelta(days=1)) - 1


def midnight_utc_ms(text: str, option: str) -> int:
    """The midnight that begins a day, UTC; raises BadParameter for `option`."""
    midnight = datetime.datetime.combine(
        _date(text, option), datetime.time.min, tzinfo=datetime.UTC
    )
    return int(midnight.timestamp() * 1000)


def day_utc(time_ms: int) -> str:
    """The day of a time, UTC."""
    return datetime.datetime.fromtimestamp(time_ms / 1000, tz=datetime.UTC).date().isoformat()


def begin_of_day_ms(text: str, option: str) -> int:
    """The begin of any day, in this machine's time zone; raises BadParameter for `option`."""
    return max(_begin_ms(_date(text, option)), 0)


def begin_of_day_to_come_ms(text: str, option: str) -> int:
    """The begin of a day in figures or in words; raises BadParameter for `option`."""
    return max(_begin_ms(_day_to_come(text, option)), 0)


def noon_of_day_ms(text: str, option: str) -> int:
    """Noon of a day that was, or of today: the same date in most time zones."""
    date = _date(text, option)
    if date > datetime.date.today():
        raise click.BadParameter(f"{text} is still to come: name a day that was", param_hint=option)
    if date.year < _FIRST_YEAR:
        raise click.BadParameter(f"{text} is too long ago: check the year", param_hint=option)
    return _begin_ms(date) + _NOON_MS


def in_words(text: str, today: datetime.date) -> datetime.date | None:
    """The day to come that words name, or None; a weekday is the first of its name after today.

    >>> monday = datetime.date(2026, 11, 23)
    >>> [str(in_words(text, monday)) for text in ("tomorrow", "Friday", "monday", "in 2 weeks")]
    ['2026-11-24', '2026-11-27', '2026-11-30', '2026-12-07']
    >>> str(in_words("next friday", monday))  # that of the week that begins next Monday
    '2026-12-04'
    """
    words = " ".join(text.casefold().split())
    if words in _NEAR:
        return today + datetime.timedelta(days=_NEAR.index(words))
    if found := _SPAN.fullmatch(words):
        return today + int(found[1]) * datetime.timedelta(days=7 if found[2] == "week" else 1)
    is_next, name = words.startswith("next "), words.removeprefix("next ")
    if name not in _WEEKDAYS:
        return None
    ahead = _WEEKDAYS.index(name) - today.weekday()
    days = ahead + 7 if is_next or ahead <= 0 else ahead
    return today + datetime.timedelta(days=days)


def _day_to_come(text: str, option: str) -> datetime.date:
    found = in_words(text, datetime.date.today())
    if found is None:
        return _date(text, option, ", tomorrow, friday, 'next friday' or 'in 2 weeks'")
    say(f"{' '.join(text.split())} is {found}")
    return found


def _date(text: str, option: str, or_else: str = "") -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        message = f"{text!r} is no date: write it as 2026-12-31{or_else}"
        raise click.BadParameter(message, param_hint=option) from error


def _begin_ms(date: datetime.date) -> int:
    return int(datetime.datetime.combine(date, datetime.time.min).timestamp() * 1000)
