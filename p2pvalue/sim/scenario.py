"""What a world is made of, as people write it down: scenario files, and the plan a seed makes.

A scenario says how many machines there are, what befalls them and who is hostile. With a seed it
becomes a *plan*: every fault and every deed as one line of data with its time and its machine. A
plan is all that a world needs, so what failed can be made smaller by leaving lines out, and what is
left is written down as a scenario again.
"""

from __future__ import annotations

import tomllib
from difflib import get_close_matches
from pathlib import Path
from typing import Final, Literal

import msgspec

from p2pvalue_protocol.errors import ConfigError, NotFound

FOLDER: Final = Path(__file__).parent / "scenarios"
DEFAULT: Final = "mix"

Fault = Literal[
    "cut",  # `others` from the rest, for `for_ms`; `amount` 1: one way only, 2: both
    "break",  # every link of a machine
    "crash",  # after `amount` effects of what it does next (-1: at once), for `for_ms`
    "power",  # the same, and what was not flushed is lost or torn
    "full",  # the disk takes nothing, for `for_ms`
    "flip",  # one stored bit
    "clock",  # off by `amount` ms, for `for_ms`
    "backup",  # a copy of the disk, for `restore`
    "restore",  # the disk is lost; the copy is read by a new device
    "clone",  # the folder is copied, and both run; the copy is machine `other`
]
Deed = Literal[
    "write",  # `amount` drafts
    "share",  # a file
    "join",  # from now on by an invite; machines without a line do so from the first
    "ask",  # from now on asks to be let in, without an invite, and a person decides
    "promote",  # machine makes `other` an admin
    "remove",  # machine puts `other` out
    "readmit",  # machine lets `other` in again
    "leave",
    "link",  # machine becomes another device of the person of `other`
    "recover",  # a new device takes the place of this one, by its person's words
    "policy",  # machine lets members write needs (`amount` 0) or only admins (1)
    "vote",  # machine votes for putting `other` out, an admin as she is
]
Count = int | tuple[int, int]
"""How often, or between how often and how often."""


class Event(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One thing that happens to a machine; what the fields mean is said at each name."""

    at_ms: int
    what: Fault | Deed
    machine: int = 0
    other: int = 0
    amount: int = 0
    for_ms: int = 0
    others: tuple[int, ...] = ()


class Weather(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes wrong all the time; `0` for each is a kind world."""

    latency_ms_max: int = 150
    hint_loss: float = 0.2
    hint_duplication: float = 0.1
    hint_delay_ms_max: int = 2_000  # hints overtake each other within this
    clock_skew_ms_max: int = 20_000


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A kind of world; a file holds these names."""

    about: str
    machines: tuple[int, int] = (5, 7)
    readers: int = 0  # machines besides that only read; the community must be public
    operations_min: int = 200
    community: Literal["members-only", "public", "any"] = "members-only"
    busy_s: int = 30
    weather: Weather = Weather()
    faults: dict[Fault, Count] = {}
    people: dict[Deed, Count] = {}
    hostile: dict[str, int | float] = {}  # by behaviour: how many, or up to which share
    disk: Literal["memory", "sqlite", "both"] = "memory"
    seed: int | None = None  # of a regression
    hostile_at: dict[str, str] = {}  # of a regression: behaviour by machine
    events: tuple[Event, ...] | None = None  # of a regression: instead of what a seed plans


class Plan(msgspec.Struct, frozen=True):
    """One world in full: what a scenario and a seed decide."""

    seed: int
    scenario: Scenario
    machines: int  # at the beginning
    hostile: dict[int, str]  # machine -> behaviour
    is_public: bool
    on_sqlite: bool
    events: tuple[Event, ...]


def names() -> list[str]:
    """Return the scenarios that come with the simulator, ascending; regressions last."""
    own = sorted(path.stem for path in FOLDER.glob("*.toml"))
    return own + sorted(f"regressions/{path.stem}" for path in FOLDER.glob("regressions/*.toml"))


def load(name: str) -> Scenario:
    """Return a scenario by its name, or by the path of a file; raises NotFound, ConfigError."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Scenario)
    except FileNotFoundError:
        raise NotFound(f"there is no scenario {name}: {_advice(name)}") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is no scenario ({error}): correct it") from None


def _advice(name: str) -> str:
    near = get_close_matches(name, names())
    meant = f"did you mean {near[0]}? " if near else ""
    return f"{meant}`p2pvalue sim list` shows all, and a file of yours ends in .toml"


def text_of(scenario: Scenario) -> str:
    """Return a scenario as the text of a file that `load` reads back as equal."""
    fields = msgspec.to_builtins(scenario)
    blank = msgspec.to_builtins(Scenario(""))
    events = fields.pop("events") or []
    lines: list[str] = []
    tables: list[str] = []
    for name, value in fields.items():
        if value == blank.get(name) or value is None:
            continue
        if isinstance(value, dict):
            tables += ["", f"[{name}]", *(f'"{k}" = {_toml(v)}' for k, v in value.items())]
        else:
            lines.append(f"{name} = {_toml(value)}")
    for event in events:
        tables += ["", "[[events]]", *(f"{k} = {_toml(v)}" for k, v in event.items())]
    if scenario.events == ():
        lines.append("events = []")
    return "\n".join([*lines, *tables]) + "\n"


def _toml(value: object) -> str:
    return msgspec.json.encode(value).decode()  # the same for numbers, plain text and lists
