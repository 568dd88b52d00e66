"""Files that members share: added, fetched, resumed, taken back, within the room there is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import trio

from p2pvalue.node.blobs import chunk_keeper
from p2pvalue_protocol import effects as e
from p2pvalue_protocol.chunks import chunk_hash, seal_chunk
from p2pvalue_protocol.errors import ConfigError, LocalProtocolError, NotAdmitted, NotFound
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import blob
from tests.node.household import Household, until
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
    until_all_equal,
)
from tests.patience import WAIT_S

# --- sharing and fetching


@pytest.mark.parametrize("read", ["members", "public"])
async def test_a_small_file_comes_by_itself_and_a_large_one_when_asked(
    tmp_path: Path, read: str
) -> None:
    small, large = a_file(tmp_path / "small.png", 70_000), a_file(tmp_path / "large.bin", BIG)
    async with people(tmp_path, "ana", "ben", read=read) as (ana, ben):
        view = await shared(ana, small)
        assert (view.file, view.media, view.bytes, view.state) == (
            *("small.png", "image/png", 70_000),
            "here",
        )
        await shared(ana, large, ben)
        await until(ben, lambda: here(ben, "small.png"))
        assert not here(ben, "large.bin")
        seen: list[tuple[int, int]] = []
        target = tmp_path / "of ben"
        found, peers = await ben.blobs().get(
            "large.bin", target, lambda *step: seen.append(step), wait_s=WAIT_S
        )
        assert target.read_bytes() == large.read_bytes()
        assert (found.state, peers) == ("here", 1)
        assert seen[0] == (0, BIG)
        assert seen[-1] == (BIG, BIG)
        assert seen == sorted(seen)
        await fetched(ben, f"blob:{view.blob}", tmp_path / "small of ben", wait_s=0)
        assert (tmp_path / "small of ben").read_bytes() == small.read_bytes()


async def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    async with people(tmp_path, "ana", "ben") as (ana, ben):
        await shared(ana, a_file(tmp_path / "empty", 0), ben)
        await fetched(ben, "empty", tmp_path / "copy", wait_s=0)
        assert (tmp_path / "copy").read_bytes() == b""


async def test_a_file_comes_from_whoever_has_it_though_its_author_is_away(tmp_path: Path) -> None:
    house = Household(tmp_path)
    path = a_file(tmp_path / "large.bin", BIG)
    async with people(tmp_path, "ana", "ben", "cyd") as (ana, ben, cyd):
        await shared(ana, path, ben, cyd)
        await fetched(ben, "large.bin", tmp_path / "of ben")
        await cyd.community().post("hello")
        await until_all_equal(cyd, ana, ben)
    async with house.node("ben") as ben, house.node("cyd") as cyd:
        for address in ben.addresses():
            await cyd.add_peer(address)
        assert await fetched(cyd, "large.bin", tmp_path / "of cyd") == 1
        assert (tmp_path / "of cyd").read_bytes() == path.read_bytes()


async def test_a_fetch_goes_on_where_a_restart_ended_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = a_file(tmp_path / "large.bin", BIG)
    house = Household(tmp_path)
    async with people(tmp_path, "ana", "ben") as (ana, ben):
        await shared(ana, path, ben)
        given = giving_only(ana, 5)
        with pytest.raises(LocalProtocolError, match="5 of 18 pieces"):
            await fetched(ben, "large.bin", tmp_path / "copy", wait_s=SOON_S)
        assert len(given) == 5
        [view] = ben.blobs().all()
        assert view.state == "partly"
    async with house.node("ana") as ana, house.node("ben") as ben:
        given = giving_only(ana, 18)
        for address in ana.addresses():
            await ben.add_peer(address)
        await fetched(ben, "large.bin", tmp_path / "copy")
        assert len(given) == 13
        assert (tmp_path / "copy").read_bytes() == path.read_bytes()


async def test_a_file_comes_from_several_at_once(tmp_path: Path) -> None:
    path = a_file(tmp_path / "large.bin", BIG)
    async with people(tmp_path, "ana", "ben", "cyd") as (ana, ben, cyd):
        await shared(ana, path, ben, cyd)
        await fetched(ben, "large.bin", tmp_path / "of ben")
        for address in ben.addresses():
            await cyd.add_peer(address)
        giving_only(ana, 9)
        giving_only(ben, 9)
        assert await fetched(cyd, "large.bin", tmp_path / "of cyd") == 2
        assert (tmp_path / "of cyd").read_bytes() == path.read_bytes()


async def test_who_brings_wrong_bytes_is_left_and_nothing_of_it_is_kept(tmp_path: Path) -> None:
    async with people(tmp_path, "ana", "ben") as (ana, ben):
        await shared(ana, a_file(tmp_path / "large.bin", BIG), ben)
        ended: list[e.Effect] = []
        perform = ben.perform

        def watched(effects: Sequence[e.Effect]) -> None:
            ended.extend(effects)
            perform(effects)

        vars(ben)["perform"] = watched
        vars(ana.chunks)["read"] = lambda community, chunk: b"something else"
        with pytest.raises(LocalProtocolError, match="0 of 18 pieces"):
            await fetched(ben, "large.bin", tmp_path / "copy", wait_s=SOON_S)
        assert any(isinstance(effect, e.Rejected) for effect in ended)
        assert held(ben) == 0


async def test_two_who_wait_for_one_file_fetch_it_once(tmp_path: Path) -> None:
    async with people(tmp_path, "ana", "ben") as (ana, ben):
        await shared(ana, a_file(tmp_path / "large.bin", BIG), ben)
        given = giving_only(ana, 100)
        async with trio.open_nursery() as nursery:
            for name in ("one", "two"):
                nursery.start_soon(fetched, ben, "large.bin", tmp_path / name)
        assert len(given) == 18
        assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


async def test_who_gives_up_waiting_fetches_no_more(tmp_path: Path) -> None:
    async with people(tmp_path, "ana", "ben") as (ana, ben):
        await shared(ana, a_file(tmp_path / "large.bin", BIG), ben)
        giving_only(ana, 0)
        with trio.move_on_after(SOON_S):
            await fetched(ben, "large.bin", tmp_path / "copy")
        assert not (tmp_path / "copy").exists()
        fetches = ben.chunks._fetches
        assert len(fetches) == 0


async def test_files_that_nobody_has_give_way_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("BY_ITSELF_MAX", 1), ("STUCK_S", 0.3), ("_LOOK_EVERY_S", 0.01)):
        monkeypatch.setattr(chunk_keeper, name, value)
    async with people(tmp_path, "ana", "ben") as (ana, ben):
        community = ana.community().id
        key = b"k" * 32
        for name in ("first", "second"):
            nobodys = blob.encode_blob(name, "text/plain", 10, key, [name.encode().ljust(32)])
            await ana.write(community, [Draft(blob.NUMBER, b"", nobodys)])
        await shared(ana, a_file(tmp_path / "third", 10), ben)
        await until(ben, lambda: here(ben, "third"))
        assert not here(ben, "first")


async def test_that_a_file_is_here_is_told_to_who_follows_changes(tmp_path: Path) -> None:
    async with people(tmp_path, "ana", "ben") as (ana, ben):
        async with ben.events() as events:
            view = await ana.blobs().add(a_file(tmp_path / "small.png", 10), quiet)
            with trio.fail_after(WAIT_S):
                async for event in events:
                    if event.event == "blob" and event.data.get("state") == "here":
                        break
        assert event.subject == view.blob
        assert here(ben, "small.png")


async def test_the_same_file_added_twice_is_shared_once(tmp_path: Path) -> None:
    async with people(tmp_path, "ana") as (ana,):
        blobs = ana.blobs()
        first = await blobs.add(a_file(tmp_path / "roof.png", 70_000), quiet)
        assert await blobs.add(tmp_path / "roof.png", quiet) == first
        other = await blobs.add(tmp_path / "roof.png", quiet, name="other")
        data = bytearray((tmp_path / "roof.png").read_bytes())
        data[-1] ^= 1
        (tmp_path / "roof.png").write_bytes(data)
        changed = await blobs.add(tmp_path / "roof.png", quiet)
        assert len({first.blob, other.blob, changed.blob}) == len(blobs.all()) == 3
        await blobs.remove(first.blob)
        await blobs.remove(changed.blob)
        assert (await blobs.add(tmp_path / "roof.png", quiet)).blob != changed.blob


# --- taking back


async def test_only_its_author_takes_a_file_back_and_then_nobody_sees_it(tmp_path: Path) -> None:
    async with people(tmp_path, "ana", "ben") as (ana, ben):
        await shared(ana, a_file(tmp_path / "small.png", 10), ben)
        with pytest.raises(NotAdmitted, match="only they can remove it"):
            await ben.blobs().remove("small.png")
        await ana.blobs().remove("small.png")
        await until_all_equal(ana, ben)
        assert ben.blobs().all() == []
        with pytest.raises(NotFound):
            await fetched(ben, "small.png", tmp_path / "copy")


async def test_who_waits_for_a_file_that_is_taken_back_is_told(tmp_path: Path) -> None:
    async with people(tmp_path, "ana", "ben") as (ana, ben):
        await shared(ana, a_file(tmp_path / "large.bin", BIG), ben)
        giving_only(ana, 0)
        failures: list[str] = []

        async def wait() -> None:
            with pytest.raises(NotFound) as failure:
                await fetched(ben, "large.bin", tmp_path / "copy")
            failures.append(str(failure.value))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            await ana.blobs().remove("large.bin")
        assert failures == ["large.bin cannot be fetched: it was removed meanwhile"]


# --- what cannot be


async def test_what_is_no_file_or_too_large_is_refused_with_a_next_step(tmp_path: Path) -> None:
    large = tmp_path / "large"
    with large.open("wb") as file:
        file.truncate(64 * 1024 * 1024 + 1)
    async with people(tmp_path, "ana") as (ana,):
        blobs = ana.blobs()
        for path, name, problem, words in (
            (tmp_path / "none", "", ConfigError, "give the path of a file"),
            (tmp_path, "", ConfigError, "is no file"),
            (large, "", LocalProtocolError, "split it"),
            (a_file(tmp_path / "small", 5), "a/b", LocalProtocolError, "is a path"),
        ):
            with pytest.raises(problem, match=words):
                await blobs.add(path, quiet, name=name)
        await blobs.add(tmp_path / "small", quiet, name="other name")
        with pytest.raises(ConfigError, match="exists already"):
            await fetched(ana, "other name", tmp_path / "small")
        with pytest.raises(ConfigError, match=r"there is no folder .*no folder: make it first"):
            await fetched(ana, "other name", tmp_path / "no folder" / "small")


async def test_what_its_author_sealed_wrongly_is_told_and_not_written(tmp_path: Path) -> None:
    async with people(tmp_path, "ana", "ben") as (ana, ben):
        key = bytes(32)
        sealed = seal_chunk(key, 0, b"too short")
        payload = blob.encode_blob("odd", "text/plain", 10, key, [chunk_hash(sealed)])
        community = ana.community().id
        ana.store.chunks.put(community, [(chunk_hash(sealed), sealed)])
        await ana.write(community, [Draft(blob.NUMBER, b"", payload)])
        await until_all_equal(ana, ben)
        with pytest.raises(LocalProtocolError, match="cannot be opened"):
            await fetched(ben, "odd", tmp_path / "copy")
        assert not (tmp_path / "copy").exists()


async def test_a_damaged_piece_is_fetched_again(tmp_path: Path) -> None:
    path = a_file(tmp_path / "small.png", 100_000)
    async with people(tmp_path, "ana", "ben") as (ana, ben):
        await shared(ana, path, ben)
        await until(ben, lambda: here(ben, "small.png"))
        damage_chunks(ben)
        await fetched(ben, "small.png", tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == path.read_bytes()
        damage_chunks(ana)
        giving_only(ben, 0)
        with pytest.raises(LocalProtocolError, match="of 2 pieces"):
            await fetched(ana, "small.png", tmp_path / "of ana", wait_s=SOON_S)
        assert not (tmp_path / "of ana").exists()
