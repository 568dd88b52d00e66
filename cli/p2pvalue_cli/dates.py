"""Days that a person names."""

from __future__ import annotations

import datetime

import click


def end_of_day_ms(text: str, option: str) -> int:
    """The end of a day to come, in this machine's time zone; raises BadParameter for `option`."""
    try:
        date = datetime.date.fromisoformat(text)
    except ValueError as error:
        message = f"{text!r} is no date: write it as 2026-12-31"
        raise click.BadParameter(message, param_hint=option) from error
    if date < datetime.date.today():
        raise click.BadParameter(f"{text} is over: name a day to come", param_hint=option)
    midnight = datetime.datetime.combine(date + datetime.timedelta(days=1), datetime.time.min)
    return int(midnight.timestamp() * 1000) - 1
