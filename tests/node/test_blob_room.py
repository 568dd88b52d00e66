"""What shared files may take of a disk, and what becomes of them when it is full or they go."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from p2pvalue.node.blobs.blob_room import (
    PRESSED_KEPT_MS,
    REMOVED_KEPT_MS,
    UNNAMED_KEPT_MS,
    BlobRoom,
)
from p2pvalue.node.blobs.blob_states import every_blob
from p2pvalue.node.running import RunningNode
from p2pvalue.store import StoreFailed
from p2pvalue_protocol.chunks import SEALED_BYTES_MAX, chunk_hash, seal_chunk
from p2pvalue_protocol.errors import LocalProtocolError, NotFound
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import blob
from tests.node.household import until
from tests.node.sharing import (
    BIG,
    SOON_S,
    a_file,
    damage_chunks,
    fetched,
    giving_only,
    held,
    here,
    people,
    quiet,
    shared,
)

# --- room


def room_of(node: RunningNode, quota_bytes: int) -> None:
    node.chunks.room.quota_bytes = quota_bytes


async def test_our_own_files_need_room_and_stay(tmp_path: Path) -> None:
    async with people(tmp_path, "ana") as (ana,):
        room_of(ana, 2 * SEALED_BYTES_MAX)
        await ana.blobs().add(a_file(tmp_path / "first", 65_536), quiet)
        with pytest.raises(LocalProtocolError, match=r"128 KiB are allowed.*raise .quota_mb"):
            await ana.blobs().add(a_file(tmp_path / "second", 70_000), quiet)
        assert here(ana, "first")
        assert held(ana) == 1


async def test_who_names_the_pieces_of_anothers_file_cannot_make_them_go(tmp_path: Path) -> None:
    async with people(tmp_path, "ana", "eva") as (ana, eva):
        room_of(ana, 20 * SEALED_BYTES_MAX)
        await shared(ana, a_file(tmp_path / "own", 18 * 65_536), eva)
        [(_, state)] = every_blob(eva.store, eva.community().id)
        for name in ("one", "two"):
            forged = blob.encode_blob(name, "a/b", state.size, bytes(32), state.hashes())
            await eva.write(eva.community().id, [Draft(blob.NUMBER, b"", forged)])
        await until(ana, lambda: len(ana.blobs().all()) == 3)
        for size in (3, 30):
            with pytest.raises(LocalProtocolError, match="no room"):
                await ana.blobs().add(a_file(tmp_path / f"{size}", size * 65_536), quiet)
        assert here(ana, "own")


async def test_how_much_room_is_taken_is_told_and_that_there_is_none(tmp_path: Path) -> None:
    async with people(tmp_path, "ana") as (ana,):

        def told() -> tuple[bool, str]:
            [check] = [check for check in ana.doctor() if check.check == "room for shared files"]
            return check.is_ok, check.detail

        await ana.blobs().add(a_file(tmp_path / "file", 2_000_000), quiet)
        assert told() == (True, "1.9 MiB of 1,000 MiB are taken")
        room_of(ana, 2_000_000)
        is_ok, detail = told()
        assert not is_ok
        assert "raise `quota_mb`" in detail


async def test_files_of_others_go_for_what_is_asked_for_and_never_for_what_comes_by_itself(
    tmp_path: Path,
) -> None:
    async with people(tmp_path, "ana", "ben") as (ana, ben):
        room_of(ben, 19 * SEALED_BYTES_MAX)
        await shared(ana, a_file(tmp_path / "old.png", 100_000), ben)
        await until(ben, lambda: here(ben, "old.png"))
        await shared(ana, a_file(tmp_path / "large.bin", BIG), ben)
        await fetched(ben, "large.bin", tmp_path / "copy")
        assert not here(ben, "old.png")
        await shared(ana, a_file(tmp_path / "new.png", 100_001), ben)
        await fetched(ben, "large.bin", tmp_path / "copy again", wait_s=0)
        assert not here(ben, "new.png")
        room_of(ben, 18 * SEALED_BYTES_MAX)
        with pytest.raises(LocalProtocolError, match="no room"):
            await ben.blobs().add(a_file(tmp_path / "own", 19 * 65_536), quiet)
        assert here(ben, "large.bin")  # nothing went for what does not fit anyway


async def test_what_nobody_names_goes_after_a_month_and_what_was_taken_back_after_a_day(
    tmp_path: Path,
) -> None:
    async with people(tmp_path, "ana") as (ana,):
        community = ana.community().id
        await ana.blobs().add(a_file(tmp_path / "kept", 10), quiet)
        await ana.blobs().add(a_file(tmp_path / "taken back", 11), quiet)
        sealed = seal_chunk(bytes(32), 0, b"of a file that was never shared")
        ana.store.chunks.put(community, [(chunk_hash(sealed), sealed)])
        await ana.blobs().remove("taken back")
        now_ms = ana.clock_ms()
        counts = []
        for after_ms in (
            *(0, REMOVED_KEPT_MS - 1, REMOVED_KEPT_MS),
            *(UNNAMED_KEPT_MS - 1, UNNAMED_KEPT_MS, 10 * UNNAMED_KEPT_MS),
        ):
            room = BlobRoom(ana.store, 0, partial(int, now_ms + after_ms), ana.root)
            await room.collect()
            counts.append(held(ana))
        assert counts == [3, 3, 2, 2, 1, 1]
        assert here(ana, "kept")


async def test_what_nobody_names_for_an_hour_goes_where_room_is_needed(tmp_path: Path) -> None:
    async with people(tmp_path, "ana") as (ana,):
        community = ana.community().id
        left = [seal_chunk(bytes(32), number, b"left by a crash") for number in range(2)]
        named = [(chunk_hash(sealed), sealed) for sealed in left]
        ana.store.chunks.put(community, named)
        for (chunk, _), age_ms in zip(
            named, (PRESSED_KEPT_MS, PRESSED_KEPT_MS - 60_000), strict=True
        ):
            ana.store.chunks.mark(community, [chunk], ana.clock_ms() - age_ms)
        await ana.chunks.room.collect()
        assert held(ana) == 2
        room_of(ana, SEALED_BYTES_MAX + 40)
        await ana.blobs().add(a_file(tmp_path / "file", 10), quiet)
        assert ana.store.chunks.here(community, [chunk for chunk, _ in named]) == {named[1][0]}


async def test_what_is_named_again_begins_its_month_anew(tmp_path: Path) -> None:
    async with people(tmp_path, "ana") as (ana,):
        community = ana.community().id
        await ana.blobs().add(a_file(tmp_path / "kept", 10), quiet)
        [kept] = ana.store.chunks.every(community)
        ana.store.chunks.mark(community, [kept.chunk], 1)
        await ana.chunks.room.collect()
        [kept] = ana.store.chunks.every(community)
        assert kept.unnamed_since == 0


async def test_a_check_of_all_reads_every_piece_and_removes_what_is_damaged(tmp_path: Path) -> None:
    async with people(tmp_path, "ana") as (ana,):
        await ana.blobs().add(a_file(tmp_path / "file", 100_000), quiet)
        [check] = [check for check in await ana.verify(quiet) if check.check == "files"]
        assert (check.is_ok, check.detail) == (True, "2 pieces of shared files read")
        damage_chunks(ana)
        [check] = [check for check in await ana.verify(quiet) if check.check == "files"]
        assert not check.is_ok
        assert "2 were damaged and removed" in check.detail
        assert held(ana) == 0


# --- the rest of a node's life


async def test_a_wiped_community_leaves_no_chunk(tmp_path: Path) -> None:
    async with people(tmp_path, "ana") as (ana,):
        await ana.blobs().add(a_file(tmp_path / "file", 10), quiet)
        await ana.leave(wipe=True)
        assert ana.store.chunks.total_bytes() == 0


async def test_who_was_put_out_gets_no_chunk(tmp_path: Path) -> None:
    async with people(tmp_path, "ana", "ben") as (ana, ben):
        await shared(ana, a_file(tmp_path / "large.bin", BIG), ben)
        given = giving_only(ana, 100)
        await ana.community().people.remove("ben")
        await until(ben, lambda: ben.community().view().state == "removed")
        with pytest.raises(LocalProtocolError, match="0 of 18 pieces"):
            await fetched(ben, "large.bin", tmp_path / "copy", wait_s=SOON_S)
        assert given == []


async def test_a_chunk_that_comes_when_the_disk_is_full_is_told_to_who_waits(
    tmp_path: Path,
) -> None:
    async with people(tmp_path, "ana", "ben") as (ana, ben):
        await shared(ana, a_file(tmp_path / "large.bin", BIG), ben)

        def full(*_: object) -> None:
            raise StoreFailed("the disk is full")

        vars(ben.store.chunks)["put"] = full
        with pytest.raises(NotFound, match="the disk is full"):
            await fetched(ben, "large.bin", tmp_path / "copy")
