"""Every attack on the network room, on a real daemon: it serves others during and after."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
import trio

from tests.network.attacks import attackers
from tests.network.attacks.attackers import Attack
from tests.patience import WAIT_S
from tests.seeds import drawn_seed
from tests.system.hostile import Watch

# At the same time; more would be refused at the door, which other tests show.
GROUPS: tuple[tuple[str, ...], ...] = (
    ("stalled_handshakes", "stalled_inside_noise", "garbage_connections", "many_short_connections"),
    ("yamux_garbage", "flood_of_openings", "streams_that_say_nothing", "endless_negotiation"),
    ("more_than_the_window", "unread_on_many_streams", "link_that_is_not_read", "broken_frames"),
    ("pings_without_reading", "gossip_killers"),
)
BY_NAME: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (*attackers.WITHOUT_RANDOMNESS, *attackers.WITH_RANDOMNESS)
}
WITH_RANDOMNESS = {attack.__name__ for attack in attackers.WITH_RANDOMNESS}


@pytest.fixture(scope="module")
def outcomes(watch: Watch) -> dict[str, bool]:
    """Whether the daemon served others during and after each attack."""
    seed = drawn_seed(__name__)
    address = watch.victim.address
    return {
        name: True for group in GROUPS for name in trio.run(attacked, watch, address, group, seed)
    }


async def attacked(watch: Watch, address: str, names: Iterable[str], seed: int) -> Iterable[str]:
    async with trio.open_nursery() as nursery:
        for name in names:
            rng = [random.Random(f"{seed} {name}")] if name in WITH_RANDOMNESS else []
            with trio.fail_after(WAIT_S):
                await nursery.start(BY_NAME[name], address, *rng)
        await watch.check_serves()
        nursery.cancel_scope.cancel()
    await watch.check_serves()
    return names


@pytest.mark.parametrize("name", sorted(BY_NAME))
def test_the_daemon_serves_others_during_and_after(name: str, outcomes: dict[str, bool]) -> None:
    assert outcomes[name]
