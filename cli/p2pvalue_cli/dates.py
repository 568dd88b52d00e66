"""Days that a person names: where she is, but `--as-of`, which is to be the same for all."""

from __future__ import annotations

import datetime

import click

_NOON_MS = 12 * 3_600_000
_FIRST_YEAR = 1971  # times count from 1970


def end_of_day_ms(text: str, option: str) -> int:
    """The end of a day to come, in this machine's time zone; raises BadParameter for `option`."""
    date = _date(text, option)
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


def noon_of_day_ms(text: str, option: str) -> int:
    """Noon of a day that was, or of today: the same date in most time zones."""
    date = _date(text, option)
    if date > datetime.date.today():
        raise click.BadParameter(f"{text} is still to come: name a day that was", param_hint=option)
    if date.year < _FIRST_YEAR:
        raise click.BadParameter(f"{text} is too long ago: check the year", param_hint=option)
    return _begin_ms(date) + _NOON_MS


def _date(text: str, option: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        message = f"{text!r} is no date: write it as 2026-12-31"
        raise click.BadParameter(message, param_hint=option) from error


def _begin_ms(date: datetime.date) -> int:
    return int(datetime.datetime.combine(date, datetime.time.min).timestamp() * 1000)
