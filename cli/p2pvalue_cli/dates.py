"""Days that a person names."""

from __future__ import annotations

import datetime

import click


def end_of_day_ms(text: str, option: str) -> int:
    """The end of a day to come, in this machine's time zone; raises BadParameter for `option`."""
    date = _date(text, option)
    if date < datetime.date.today():
        raise click.BadParameter(f"{text} is over: name a day to come", param_hint=option)
    midnight = datetime.datetime.combine(date + datetime.timedelta(days=1), datetime.time.min)
    return int(midnight.timestamp() * 1000) - 1


def midnight_utc_ms(text: str, option: str) -> int:
    """The midnight that begins a day, UTC; raises BadParameter for `option`."""
    midnight = datetime.datetime.combine(
        _date(text, option), datetime.time.min, tzinfo=datetime.UTC
    )
    return int(midnight.timestamp() * 1000)


def day_utc(time_ms: int) -> str:
    """The day of a time, UTC."""
    return datetime.datetime.fromtimestamp(time_ms / 1000, tz=datetime.UTC).date().isoformat()


def _date(text: str, option: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError as error:
        message = f"{text!r} is no date: write it as 2026-12-31"
        raise click.BadParameter(message, param_hint=option) from error
