"""Whatever hostile machines do, the honest ones become equal, lose nothing and know the culprit."""

from __future__ import annotations

from collections import Counter

import pytest

from p2pvalue.sim.disk import MemoryDisk
from p2pvalue.sim.hostile import BEHAVIOURS, behaviour_named
from p2pvalue.sim.hostile.face import Face
from p2pvalue.sim.scenario import names
from p2pvalue.sim.shell import STORE_AGAIN_MS
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.errors import NotFound
from p2pvalue_protocol.inputs import Found, Wakeup
from p2pvalue_protocol.keys import SigningKey, exchange_key_of
from tests.sim.attacked import attacked

BITES = {
    "act-after-removal": ("turns", "unheard"),
    "backdate": ("backdated", "unheard"),
    "close-falsely": ("closed",),
    "corrupt": ("batches",),
    "coup": ("removed",),
    "eclipse": ("shown", "invented"),
    "equivocate": ("parted",),
    "flood": ("operations", "forks", "hints", "questions"),
    "fork-at-zero": ("begun anew",),
    "garbage-joins": ("joins", "garbled"),
    "lie-about-heads": ("lied",),
    "mutate": ("changed", "signed"),
    "replay": ("handshakes", "frames", "hints"),
    "withhold": ("withheld",),
}
"""What each attack must have done in a world, or it was none."""


COMMUNITIES = ("members-only", "public")
WORLDS_MAX = 3  # in some a hostile machine has no occasion: it is out before anybody hears of it


@pytest.mark.parametrize(("number", "name"), list(enumerate(sorted(BEHAVIOURS))))
def test_the_honest_end_equal_and_lose_nothing_though_they_were_attacked(
    number: int, name: str
) -> None:
    for seed in range(number, number + 100 * WORLDS_MAX, 100):
        outcome = attacked(name, seed, community=COMMUNITIES[number % 2])
        assert outcome.report.failures == (), outcome.again
        assert outcome.report.settled_ms is not None, outcome.again
        acts = outcome.acts()
        if all(acts.get(act) for act in BITES[name]):
            break
    else:
        raise AssertionError(f"it never bit: {outcome.again} {acts}")
    refusals = BEHAVIOURS[name].refusals
    assert not refusals or refusals.intersection(outcome.report.blamed), outcome.again


@pytest.mark.parametrize("name", [n for n, b in sorted(BEHAVIOURS.items()) if b.provable])
def test_a_device_with_two_histories_is_proven_to_have_them_on_every_machine(name: str) -> None:
    found = Counter[bool]()
    for seed in (1, 2):
        outcome = attacked(name, seed)
        assert outcome.report.failures == (), outcome.again
        forked = [
            {fork.device for fork in outcome.replica(actor).membership.forked_devices()}
            for actor in outcome.honest
        ]
        honest = {actor.device.public for actor in outcome.honest}
        assert all(named == forked[0] for named in forked), outcome.again
        assert not honest & forked[0], outcome.again
        found.update(node.device.public in forked[0] for node in outcome.hostile)
    assert found[True] > found[False]


def test_every_attack_has_a_scenario_and_a_name_that_is_known() -> None:
    written = {name.removeprefix("hostile-") for name in names() if name.startswith("hostile-")}
    assert written - {"mix"} == set(BEHAVIOURS) == set(BITES)
    assert all(behaviour_named(name).name == name for name in BEHAVIOURS)
    with pytest.raises(NotFound, match="equivocate"):
        behaviour_named("polite")


@pytest.mark.parametrize("seed", [1, 2])
def test_with_three_of_ten_hostile_in_other_ways_the_honest_end_equal(seed: int) -> None:
    outcome = attacked("mix", seed, community=COMMUNITIES[seed % 2])
    assert outcome.report.failures == (), outcome.again
    assert len(outcome.hostile) == 3, outcome.again
    assert all(node.behaviour.acts for node in outcome.hostile), outcome.again


def test_a_hostile_machine_with_a_full_disk_tries_again_in_a_second_and_not_at_once() -> None:
    disk = MemoryDisk()
    face = Face(disk, bytes, "machine-01")
    device, root = SigningKey(bytes([1] * 32)), SigningKey(bytes([2] * 32))
    prekey_private, nonce = bytes([3] * 32), bytes([4] * 32)
    founder = auth.founder(root, device.public, exchange_key_of(prekey_private), nonce)
    genesis = auth.genesis_payload(nonce, [founder], read=auth.READ_MEMBERS)
    face.handle(Found(device, genesis, prekey_private), 1_000)
    disk.fill(True)
    face.handle(Wakeup(), 3_000)
    assert face.next_wakeup_ms() == 3_000 + STORE_AGAIN_MS
    disk.fill(False)
    face.handle(Wakeup(), 4_000)
    assert face.next_wakeup_ms() != 3_000 + STORE_AGAIN_MS
