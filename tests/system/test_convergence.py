"""Daemons that were apart see the same again, whatever kept them apart."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.demo.author import EditingStream
from tests.system.person import Person, gathered, people, until_equal

AWAY_OPERATIONS = 2_000


@pytest.fixture(scope="module")
def trio_of_friends(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Person]]:
    root = tmp_path_factory.mktemp("friends")
    with people(root, "Ana", "Ben", "Cleo", durability="kill") as friends:
        gathered(*friends)
        until_equal(*friends)
        yield friends


def test_two_daemons_without_gossip_converge(tmp_path: Path) -> None:
    with people(tmp_path, "Ana", "Ben", gossip="false") as (ana, ben):
        gathered(ana, ben)
        for number in range(20):
            ana.post(f"ana {number}")
            ben.post(f"ben {number}")
        ana.until_reads("ben 19")
        ben.until_reads("ana 19")
        until_equal(ana, ben)
        detail = ana.status()["network_detail"]
        assert (detail["gossip_accepted"], detail["topics"], detail["mesh_peers"]) == (0, 0, 0)


def test_a_pulled_cable_heals(trio_of_friends: list[Person]) -> None:
    ana, ben, cleo = trio_of_friends
    others = {ana.peer_id, ben.peer_id}
    for person in trio_of_friends:
        person.cable.pull()
    cleo.until(lambda: not cleo.peers_in_touch(), "being alone")
    for person in trio_of_friends:
        person.post(f"{person.name} alone")
    assert "Cleo alone" not in ana.texts()
    for person in trio_of_friends:
        person.cable.plug_in()
    cleo.until(lambda: set(cleo.peers_in_touch()) == others, "both others")
    ana.until(lambda: cleo.peer_id in ana.peers_in_touch(), "Cleo")
    ben.until(lambda: cleo.peer_id in ben.peers_in_touch(), "Cleo")
    for person in trio_of_friends:
        person.until_reads("Ana alone", "Ben alone", "Cleo alone")
    until_equal(*trio_of_friends)


def test_a_device_that_was_away_for_two_thousand_operations_catches_up(
    trio_of_friends: list[Person],
) -> None:
    ana, ben, cleo = trio_of_friends
    assert cleo.stop() == 0
    document = ana.ask("POST", "/documents", title="Minutes", text="")["document"]
    ben.until(lambda: ben.ask("GET", "/documents"), "the document")
    with ThreadPoolExecutor() as pool:
        each = AWAY_OPERATIONS // 2
        for done in [pool.submit(write_many, person, document, each) for person in (ana, ben)]:
            done.result()
    cleo.start()
    cleo.until_up()
    until_equal(cleo, ana)
    until_equal(cleo, ben)
    assert cleo.ask("GET", "/community")["operations"] >= AWAY_OPERATIONS


def write_many(person: Person, document: str, count: int) -> None:
    """Write so many operations of one letter."""
    stream = EditingStream(person.folder / "api.sock", document)
    for number in range(count):
        stream.splice([(0, 0, chr(97 + number % 26))])
    stream.close()


def test_all_daemons_restarted_at_once_meet_again(trio_of_friends: list[Person]) -> None:
    for person in trio_of_friends:
        assert person.stop() == 0
    for person in trio_of_friends:
        person.start()
    for person in trio_of_friends:
        person.until_up()
    ana, ben, cleo = trio_of_friends
    ana.post("good morning")
    ben.until_reads("good morning")
    cleo.until_reads("good morning")
    until_equal(*trio_of_friends)


def test_a_changed_port_heals_through_a_common_peer(trio_of_friends: list[Person]) -> None:
    ana, ben, cleo = trio_of_friends
    ben_id = ben.peer_id
    assert ana.stop() == 0
    assert ben.stop() == 0
    ben.move()
    ben.start()
    ben.until_up()
    cleo.until(lambda: ben_id in cleo.peers_in_touch(), "Ben at his new port")
    assert ben.stop() == 0  # Ana can learn of the new port from Cleo only
    ana.start()
    ana.until_up()
    new = f"/ip4/127.0.0.1/tcp/{ben.cable.port}/p2p/{ben_id}"

    def known() -> bool:
        return any(new in peer["addresses"] for peer in ana.ask("GET", "/peers"))

    ana.until(known, "the new address")
    ben.start()
    ben.until_up()
    ana.until(lambda: ben_id in ana.peers_in_touch(), "Ben")
    until_equal(ana, ben, cleo)
