"""DAGs and their states as JSON, so that two implementations can be compared case by case.

The format is explained in protocol/vectors/README.md, "States of auth graphs".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from p2pvalue_protocol.acts import (
    Act,
    AddDevice,
    Admit,
    Event,
    Found,
    Give,
    Nothing,
    OpenInvite,
    Policy,
    ProveFork,
    Remove,
    RemoveDevice,
    SetPolicy,
    Vote,
    WithdrawInvite,
)
from p2pvalue_protocol.ids import ZERO32, Reference
from tests.dags.model import Content, Dag, Standing, State

FORMAT = 1
ACTS: dict[str, type[Act]] = {
    "found": Found,
    "add-device": AddDevice,
    "give": Give,
    "remove": Remove,
    "vote": Vote,
    "open-invite": OpenInvite,
    "withdraw-invite": WithdrawInvite,
    "admit": Admit,
    "remove-device": RemoveDevice,
    "prove-fork": ProveFork,
    "set-policy": SetPolicy,
    "nothing": Nothing,
}
NAMES = {act: name for name, act in ACTS.items()}
Json = Any  # what json.loads gives; read_dag looks at all of it


def write_dag(dag: Dag) -> dict[str, Json]:
    """Return a DAG as the format has it."""
    return {
        "events": [
            {**_write_place(event), "act": NAMES[type(event.act)], **_write_act(event.act)}
            for event in dag.events
        ],
        "contents": [{**_write_place(content), "kind": content.kind} for content in dag.contents],
    }


def _write_place(operation: Event | Content) -> dict[str, Json]:
    return {
        "id": operation.op_id.decode(),
        "device": operation.device.decode(),
        "seq": operation.seq,
        "backlink": operation.backlink.decode() if operation.seq else None,
        "names": [name.decode() for name in operation.named],
    }


def _write_act(act: Act) -> dict[str, Json]:
    values = dict(zip(act._fields, act, strict=True))
    return {("of" if name == "device" else name): _write(value) for name, value in values.items()}


def _write(value: object) -> Json:
    match value:
        case bytes():
            return value.decode()
        case Reference():
            return [value.device.decode(), value.log_class, value.seq, value.op_id.decode()]
        case Policy():
            return {
                "join": value.join,
                "invite_rank": value.invite_rank,
                "write": _write(value.write),
            }
        case tuple():
            return [_write(part) for part in value]
    return value


def read_dag(written: Mapping[str, Json]) -> Dag:
    """Return the DAG that was written; KeyError, TypeError or ValueError if it is none."""
    events = [_read_event(event) for event in written["events"]]
    contents = [
        Content(*_read_place(content), kind=int(content["kind"]))
        for content in written.get("contents", [])
    ]
    dag = Dag(tuple(events), tuple(contents))
    held: set[bytes] = set()
    for operation in dag.operations():
        backlink = {operation.backlink} if operation.seq else set()
        if not held.issuperset({*operation.named, *backlink}):
            raise ValueError(f"{operation.op_id.decode()} comes before what it names")
        if operation.op_id in held:
            raise ValueError(f"{operation.op_id.decode()} comes twice")
        held.add(operation.op_id)
    if not events or not isinstance(events[0].act, Found):
        raise ValueError("the first event is not of act found")
    return dag


def _read_place(written: Mapping[str, Json]) -> tuple[bytes, bytes, int, bytes, tuple[bytes, ...]]:
    seq = int(written["seq"])
    backlink = written["backlink"].encode() if seq else ZERO32
    named = tuple(name.encode() for name in written["names"])
    return written["id"].encode(), written["device"].encode(), seq, backlink, named


def _read_event(written: Mapping[str, Json]) -> Event:
    act = ACTS[written["act"]]
    values = {name: written["of" if name == "device" else name] for name in act._fields}
    read = {name: _read(name, value) for name, value in values.items()}
    return Event(*_read_place(written), act=act(**read))


def _read(field: str, value: Json) -> Any:
    match field:
        case "root" | "device" | "certifier" | "invite_key" | "invite":
            return value.encode()
        case "first" | "second":
            return _read_reference(value)
        case "keeps":
            return tuple(_read_reference(part) for part in value)
        case "seen":
            return tuple(name.encode() for name in value)
        case "founders":
            return tuple((root.encode(), device.encode()) for root, device in value)
        case "policy":
            write = tuple((int(kind), int(rank)) for kind, rank in value["write"])
            return Policy(int(value["join"]), int(value["invite_rank"]), write)
    return value


def _read_reference(value: Json) -> Reference:
    device, log_class, seq, op_id = value
    return Reference(device.encode(), int(log_class), int(seq), op_id.encode())


def write_state(state: State) -> dict[str, Json]:
    """Return a state as the format has it."""
    return {
        "standings": _write_standings(state.standings),
        "standings_alone": _write_standings(state.standings_alone),
        "effective": _write(tuple(state.effective)),
        "devices": _write_standings(dict(state.devices)),
        "policy": _write(state.policy),
        "visible": _write(tuple(state.visible)),
        "gone": _write(tuple(state.gone)),
        "uncovered": _write(tuple(state.uncovered)),
    }


def _write_standings(standings: Mapping[bytes, Standing | None]) -> dict[str, Json]:
    return {
        name.decode(): None if standing is None else [standing.root.decode(), standing.rank]
        for name, standing in sorted(standings.items())
    }
