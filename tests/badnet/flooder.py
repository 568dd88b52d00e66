"""Attacks daemons until it is killed: as a stranger from outside, and as a member from inside.

    python -m tests.badnet.flooder FOLDER SEED ADDRESS ...

FOLDER is that of a member whose own daemon has ended. Every line of the output is an attack that
came to full force.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from pathlib import Path

import trio

from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.ids import CONTENT
from tests.network.attacks import attackers
from tests.system.hostile import Insider, Spoken, stranger

STRANGERS = 3
HELD_S = 2.0
ATTACK_S_MAX = 8.0


async def attack_as_stranger(rng: random.Random, victims: Sequence[str]) -> None:
    """Attack the network of one victim after the other, with whatever ends a stock node."""
    attacks = (*attackers.WITHOUT_RANDOMNESS, *attackers.WITH_RANDOMNESS)
    while True:
        attack = rng.choice(attacks)
        given = [rng] if attack in attackers.WITH_RANDOMNESS else []
        with trio.move_on_after(ATTACK_S_MAX):
            await _once(attack, rng.choice(victims), *given)


async def _once(attack: attackers.Attack, *given: str | random.Random) -> None:
    try:
        async with trio.open_nursery() as nursery:
            await nursery.start(attack, *given)
            _tell(attack)
            nursery.cancel_scope.deadline = trio.current_time() + HELD_S
    except Exception:  # noqa: BLE001 - victims defend themselves
        await trio.lowlevel.checkpoint()


async def attack_as_member(insider: Insider, rng: random.Random, victims: Sequence[str]) -> None:
    """Show to be a member, then say what no honest member would until the link is closed."""
    lies = (garbage, lies_about_heads, wants_without_end)
    while True:
        try:
            with trio.move_on_after(ATTACK_S_MAX):
                async with stranger(rng.choice(victims)) as peer:
                    spoken = await peer.greet(insider)
                    lie = rng.choice(lies)
                    _tell(lie)
                    await lie(spoken, rng)
        except Exception:  # noqa: BLE001 - victims defend themselves
            await trio.lowlevel.checkpoint()


async def garbage(spoken: Spoken, rng: random.Random) -> None:
    while True:
        await spoken.say_raw(rng.randbytes(rng.choice((1, 100, 60_000))))


async def lies_about_heads(spoken: Spoken, rng: random.Random) -> None:
    while True:
        entries = [
            f.HeadEntry(rng.randbytes(32), CONTENT, rng.randrange(1 << 40), rng.randbytes(32))
            for _ in range(limits.HEADS_PER_FRAME_MAX)
        ]
        await spoken.say(f.Heads(b"", 0, entries))


async def wants_without_end(spoken: Spoken, rng: random.Random) -> None:
    entry, *_ = (await spoken.hear(f.Heads)).heads
    want = f.Want(entry.device, entry.log_class, 0, entry.seq, entry.op_id)
    while True:
        await spoken.say(f.Wants([want] * limits.WANTS_PER_FRAME_MAX), f.Ack())


def _tell(attack: object) -> None:
    print(getattr(attack, "__name__", attack), flush=True)


async def main() -> None:
    folder, seed, *victims = sys.argv[1:]
    insider = Insider(Path(folder))
    async with trio.open_nursery() as nursery:
        for number in range(STRANGERS):
            nursery.start_soon(attack_as_stranger, random.Random(f"{seed} {number}"), victims)
        nursery.start_soon(attack_as_member, insider, random.Random(f"{seed} member"), victims)


if __name__ == "__main__":
    trio.run(main)
