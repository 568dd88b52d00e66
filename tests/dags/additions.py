"""What somebody might still write, to whose profit the laws are broken if they can be."""

from __future__ import annotations

from random import Random

from p2pvalue_protocol.acts import (
    OUT,
    Act,
    AddDevice,
    Event,
    Give,
    Nothing,
    OpenInvite,
    Policy,
    ProveFork,
    Remove,
    RemoveDevice,
    SetPolicy,
    Vote,
)
from p2pvalue_protocol.ids import CONTENT, ZERO32, Reference
from tests.dags.model import WRITE, Dag
from tests.dags.reading import Reading


def roots_of(reading: Reading, device: bytes) -> set[bytes]:
    """Return whose the device is by any certificate."""
    end = reading.end(device)
    return {root for root in reading.roots() if reading.chains(end, root)}


def backdated(reading: Reading, rng: Random, removal: bytes, root: bytes) -> Dag:
    """Return the DAG with one more act of a member removed, who acts as if she did not know."""
    hers = [d for d in reading.dag.devices() if roots_of(reading, d) == {root}] or [b"nobody's"]
    device, taken = rng.choice(hers), rng.choice(hers)
    other = rng.choice([r for r in reading.roots() if r != root] or [root])
    policy = Policy(0, 0, WRITE[:1])
    acts: list[Act] = [
        *(Remove(other), Remove(other, 2), Remove(other, 3), Vote(other)),
        *(Give(other, 1), Give(other, 2), Give(other, 3), OpenInvite(b"key3", 3)),
        *(RemoveDevice(root, taken, is_by_root=True), RemoveDevice(root, taken)),
        *(RemoveDevice(other, d) for d in reading.dag.devices()[:1]),
        *(SetPolicy(policy), Nothing(), AddDevice(root, device)),
    ]
    return _with(reading, rng, device, rng.choice(acts), unknown=removal)


def shortened(reading: Reading, rng: Random, keeper: bytes) -> Dag:
    """Return the DAG with one more act of anybody against whom an operation kept for."""
    kept = [o for i, o in reading.held.items() if reading.names_in_keep(keeper, i)]
    victim = rng.choice(kept).device
    root = rng.choice(sorted(roots_of(reading, victim)) or [b"nobody"])
    one, other = (Reference(victim, CONTENT, 0, name) for name in (b"twin a", b"twin b"))
    acts: list[Act] = [
        *(Remove(root), Remove(root, OUT), Remove(root, 3), Vote(root)),
        *(RemoveDevice(root, victim), ProveFork(one, other)),
    ]
    device = rng.choice(reading.dag.devices())
    return _with(reading, rng, device, rng.choice(acts), unknown=keeper)


def _with(reading: Reading, rng: Random, device: bytes, act: Act, unknown: bytes) -> Dag:
    """Return the DAG with an act by somebody who does not know of an operation, but of others."""
    known = [i for i in reading.events if unknown not in (i, *reading.before[i])]
    if rng.random() < 0.4:
        known = rng.sample(known, min(3, len(known)))
    own = [e for e in reading.events.values() if e.device == device]
    own = [e for e in own if unknown not in (e.op_id, *reading.before[e.op_id])]
    last = max(own, key=lambda event: event.seq, default=None)
    if isinstance(act, AddDevice):
        device, last = b"new device", None
    seq, backlink = (last.seq + 1, last.op_id) if last else (0, ZERO32)
    event = Event(b"zz added", device, seq, backlink, tuple(sorted(known)), act)
    return Dag((*reading.dag.events, event), reading.dag.contents)
