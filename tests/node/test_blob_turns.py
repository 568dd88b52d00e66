"""Files that come by themselves: whose turn it is, what nobody has, and how much one may fill."""

from __future__ import annotations

import random
from pathlib import Path

from trio.testing import wait_all_tasks_blocked

from p2pvalue.node.blobs.chunk_keeper import BY_ITSELF_MAX
from p2pvalue.node.blobs.fetch_turns import (
    IN_VAIN_MAX,
    NEW_MAX,
    PAUSE_S_MAX,
    PAUSE_S_MIN,
    FetchTurns,
)
from p2pvalue.node.running import RunningNode
from p2pvalue_protocol.chunks import HASH_BYTES, SEALED_BYTES_MAX
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import blob
from tests.node.household import Household, until
from tests.node.sharing import (
    a_file,
    giving_only,
    here,
    join,
    people,
    shared,
    until_all_equal,
)

GARDEN, PARK = b"garden", b"park"
EVA, ANA = (GARDEN, b"eva"), (GARDEN, b"ana")


def key(number: int) -> tuple[bytes, bytes]:
    return GARDEN, str(number).encode()


def files_of(*counts: tuple[tuple[bytes, bytes], int]) -> FetchTurns:
    turns = FetchTurns()
    for author, count in counts:
        for number in range(count):
            turns.add(author, key(number), is_new=False)
    return turns


def authors(turns: FetchTurns, count: int, now_s: float = 0.0) -> list[bytes]:
    """Whose turn it is, as often, if each file takes its place and keeps it."""
    running: dict[tuple[bytes, bytes], int] = {}
    found = []
    for _ in range(count):
        author = turns.whose(running, now_s)
        if author is None:
            break
        turns.take(author, now_s)
        running[author] = running.get(author, 0) + 1
        found.append(author[1])
    return found


def seek_in_vain(turns: FetchTurns, count: int, now_s: float = 0.0) -> int:
    """Seek up to `count` files one after the other, all in vain; return how many were sought."""
    for sought in range(count):
        author = turns.whose({}, now_s)
        if author is None:
            return sought
        turns.in_vain(author, turns.take(author, now_s), now_s)
    return count


def test_authors_have_turns_however_many_files_each_has() -> None:
    turns = files_of((EVA, 500), (ANA, 3))
    assert authors(turns, 8) == [b"eva", b"ana"] * 3 + [b"eva"] * 2


def test_an_author_whose_files_nobody_has_gets_longer_and_longer_pauses() -> None:
    turns = files_of((EVA, 500))
    now_s, pause_s = 0.0, PAUSE_S_MIN
    for _ in range(10):
        assert seek_in_vain(turns, 1_000, now_s) == IN_VAIN_MAX
        assert authors(turns, 1, now_s + pause_s - 1) == []
        now_s += pause_s
        pause_s = min(2 * pause_s, PAUSE_S_MAX)
    assert pause_s == PAUSE_S_MAX


def test_a_new_file_is_tried_once_in_a_pause_and_a_file_that_came_ends_it() -> None:
    turns = files_of((EVA, 100))
    seek_in_vain(turns, 1_000)
    turns.add(EVA, key(900), is_new=True)
    assert turns.whose({}, 0.0) == EVA
    assert turns.take(EVA, 0.0) == key(900)
    turns.in_vain(EVA, key(900), 0.0)
    assert turns.whose({}, 0.0) is None
    turns.add(EVA, key(901), is_new=True)
    assert turns.take(EVA, 0.0) == key(901)
    turns.came(EVA)
    assert seek_in_vain(turns, 1_000) == IN_VAIN_MAX
    assert seek_in_vain(turns, 1_000, PAUSE_S_MIN) == IN_VAIN_MAX


def test_no_more_than_some_new_files_are_tried_in_a_pause() -> None:
    turns = files_of((EVA, 100))
    seek_in_vain(turns, 1_000)
    for number in range(100, 200):
        turns.add(EVA, key(number), is_new=True)
    assert seek_in_vain(turns, 1_000) == NEW_MAX
    assert seek_in_vain(turns, 1_000, PAUSE_S_MIN) == IN_VAIN_MAX + NEW_MAX


def test_somebody_new_ends_the_pauses_of_her_community() -> None:
    turns = files_of((EVA, 100), ((PARK, b"eva"), 100))
    assert seek_in_vain(turns, 1_000) == 2 * IN_VAIN_MAX
    turns.met(PARK)
    assert turns.whose({}, 0.0) == (PARK, b"eva")
    turns.forget(PARK)
    assert turns.whose({}, 0.0) is None


def test_a_single_file_that_nobody_has_is_asked_for_with_pauses_too() -> None:
    assert seek_in_vain(files_of((EVA, 1)), 1_000) == 1


# --- in a node


async def invent(eva: RunningNode, count: int, chance: random.Random) -> set[bytes]:
    """Share files of a mebibyte that nobody has; return the hashes of their pieces."""
    hashes = [[chance.randbytes(HASH_BYTES) for _ in range(16)] for _ in range(count)]
    drafts = [
        Draft(blob.NUMBER, b"", blob.encode_blob("pic", "image/png", 2**20, bytes(32), pieces))
        for pieces in hashes
    ]
    for at in range(0, count, 50):
        await eva.write(eva.community().id, drafts[at : at + 50])
    return {piece for pieces in hashes for piece in pieces}


def questions(node: RunningNode) -> list[bytes]:
    """The chunks that a node is asked for from now on."""
    asked: list[bytes] = []
    read = node.chunks.read

    def noted(community: bytes, chunk: bytes) -> bytes | None:
        asked.append(chunk)
        return read(community, chunk)

    vars(node.chunks)["read"] = noted
    return asked


async def test_a_picture_comes_though_a_member_shared_500_that_nobody_has(tmp_path: Path) -> None:
    seed = 20261122
    print(f"seed {seed}")
    async with people(tmp_path, "ana", "eva", "ben") as (ana, eva, ben):
        eva.chunks.room.quota_bytes = 0  # asks for nothing herself
        asked = questions(ana)
        invented = await invent(eva, 500, random.Random(seed))
        await until_all_equal(eva, ana, ben)
        await shared(ana, a_file(tmp_path / "roof.png", 1_000_000), ben)
        before = len(asked)
        await until(ben, lambda: here(ben, "roof.png"))
        # Each file that nobody has is one question, and only some are asked for until a pause:
        # how many of them come before the picture, a fast machine decides. It has 16 pieces.
        in_vain_max = IN_VAIN_MAX + BY_ITSELF_MAX + NEW_MAX
        assert len(asked) - before <= in_vain_max + 16
        await wait_all_tasks_blocked()
        assert len(invented.intersection(asked)) <= in_vain_max


async def test_what_nobody_had_is_asked_of_who_comes_at_once(tmp_path: Path) -> None:
    house = Household(tmp_path)
    async with house.node("cyd") as cyd:
        async with house.node("ana") as ana:
            await ana.create_community("Garden")
            await join(ana, cyd)
            giving_only(ana, 0)
            await shared(ana, a_file(tmp_path / "roof.png", 1_000_000), cyd)
            await wait_all_tasks_blocked()
            assert not here(cyd, "roof.png")
        async with house.node("ana") as ana:
            for address in cyd.addresses():
                await ana.add_peer(address)
            await until(cyd, lambda: here(cyd, "roof.png"))


async def test_one_member_fills_no_more_than_she_leaves_to_others(tmp_path: Path) -> None:
    async with people(tmp_path, "ana", "eva", "ben") as (ana, eva, ben):
        ben.chunks.room.quota_bytes = 20 * SEALED_BYTES_MAX
        for number in range(5):
            await shared(eva, a_file(tmp_path / f"eva {number}", 4 * 65_536 - number), ana, ben)
        await until(ben, lambda: sum(here(ben, f"eva {number}") for number in range(5)) == 2)
        await shared(ana, a_file(tmp_path / "roof.png", 4 * 65_536), ben)
        await until(ben, lambda: here(ben, "roof.png"))
        assert sum(here(ben, f"eva {number}") for number in range(5)) == 2
