from __future__ import annotations

import stat
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from p2pvalue.config import Config
from p2pvalue.keystore import FILE_NAME, Keystore
from p2pvalue.need_types import LineView, NeedDraft
from p2pvalue.node import open_node
from p2pvalue.node.backup import backup, restore
from p2pvalue.node.node import DATABASE_NAME
from p2pvalue.node.verification import verify_views
from p2pvalue.store import SqliteStore, StoreFailed
from p2pvalue_protocol.errors import ConfigError, NotAdmitted
from p2pvalue_protocol.past import Batch, StateRow
from tests.node.small_node import SmallNode


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The data folder of a person, with keys."""
    Keystore.create(tmp_path / "ana", "Ana")
    return tmp_path / "ana"


@pytest.fixture
def ana(folder: Path) -> Iterator[SmallNode]:
    store = SqliteStore(folder / DATABASE_NAME, key=Keystore.open(folder).database_key)
    yield SmallNode("ana", ["ana"], store)
    store.close()


@pytest.fixture
def entropy(folder: Path) -> bytes:
    """What the person's words stand for."""
    kept = Keystore.open(folder).entropy
    assert kept is not None
    return kept


@pytest.fixture
def key(folder: Path) -> bytes:
    """What her backups are encrypted with."""
    return Keystore.open(folder).backup_key


def ignore(done: int, total: int) -> None:
    assert 0 <= done <= total


async def fill(node: SmallNode) -> None:
    for number in range(50):
        await node.community.post(f"message {number}")
    await node.community.create_document("Plan", "Bring tea\n")
    line = LineView(kind="hours", unit="minute", minimum=60, optimum=60)
    await node.community.needs.add(NeedDraft(title="Roof", lines=[line]))
    await node.community.pledges.make("Roof", 60)
    node.replica.begin()
    node.replica.seal()
    node.store.commit([node.replica.finish()])


async def test_what_was_backed_up_is_read_the_same_from_a_new_folder(
    ana: SmallNode, tmp_path: Path, key: bytes, entropy: bytes
) -> None:
    await fill(ana)
    (tmp_path / "plan.png").write_bytes(b"an image")
    await ana.blobs.add(tmp_path / "plan.png", ignore)
    steps: list[tuple[int, int]] = []
    await backup(ana.store, tmp_path / "b.backup", lambda *step: steps.append(step), key)
    assert steps[-1][0] == steps[-1][1] > 0
    restore(tmp_path / "b.backup", tmp_path / "new", "Ana", entropy)
    restored_key = Keystore.open(tmp_path / "new").database_key
    store = SqliteStore(tmp_path / "new" / DATABASE_NAME, key=restored_key)
    again = SmallNode("ana", ["ana"], store)
    assert again.community.digest() == ana.community.digest()
    assert again.community.messages() == ana.community.messages()
    assert (await again.community.document_text("Plan")).text == "Bring tea\n"
    await again.blobs.get("plan.png", tmp_path / "copy.png", ignore)
    assert (tmp_path / "copy.png").read_bytes() == b"an image"
    store.close()


async def test_neither_a_secret_nor_a_sentence_is_in_a_backup_that_her_words_open(
    ana: SmallNode, folder: Path, tmp_path: Path, key: bytes
) -> None:
    await fill(ana)
    target = tmp_path / "b.backup"
    await backup(ana.store, target, ignore, key)
    keystore = Keystore.open(folder)
    data = target.read_bytes()
    for secret in (keystore.transport_seed, key, b"device ana", b"root ana"):
        assert secret not in data
    for sentence in (b"message 7", b"Bring tea", b"Roof"):
        assert sentence not in data
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    for wrong in (keystore.database_key, None):
        with pytest.raises(StoreFailed):
            SqliteStore(target, key=wrong)
    SqliteStore(target, key=key).close()


async def test_a_restored_folder_is_a_new_device_of_the_same_person_and_its_owners_alone(
    ana: SmallNode, folder: Path, tmp_path: Path, key: bytes, entropy: bytes
) -> None:
    await backup(ana.store, tmp_path / "b.backup", ignore, key)
    restore(tmp_path / "b.backup", tmp_path / "new", "Ana", entropy)
    assert {path.name for path in (tmp_path / "new").iterdir()} == {DATABASE_NAME, FILE_NAME}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    old, new = Keystore.open(folder), Keystore.open(tmp_path / "new")
    assert new.entropy == old.entropy
    assert new.name == "Ana"
    assert new.transport_seed != old.transport_seed
    assert new.database_key != old.database_key
    assert new.communities() == []


@pytest.mark.parametrize("left", [["p2pvalue.db.part1"], ["p2pvalue.db.part1", FILE_NAME]])
async def test_what_a_killed_restore_left_is_no_node_and_is_restored_over(
    ana: SmallNode, tmp_path: Path, key: bytes, entropy: bytes, left: list[str]
) -> None:
    await fill(ana)
    await backup(ana.store, tmp_path / "b.backup", ignore, key)
    half = tmp_path / "half"
    Keystore.create(half, "Ana")
    for name in {"p2pvalue.db.part1"} & set(left):
        (half / name).write_bytes(b"half a database")
    for name in {FILE_NAME} - set(left):
        (half / name).unlink()
    if FILE_NAME in left:
        with pytest.raises(ConfigError, match="not finished: run `p2pvalue restore FILE` again"):
            async with open_node(half, Config(data_dir=half, listen=())):
                pass
    restore(tmp_path / "b.backup", half, "Ana", entropy)
    assert {path.name for path in half.iterdir()} == {DATABASE_NAME, FILE_NAME}


async def test_a_node_whose_database_is_gone_does_not_begin_its_logs_again(tmp_path: Path) -> None:
    Keystore.create(tmp_path, "Ana")
    config = Config(data_dir=tmp_path, listen=())
    async with open_node(tmp_path, config) as node:  # keys without a community are just new
        await node.create_community("Garden")
    assert Keystore.open(tmp_path).communities()
    database = tmp_path / DATABASE_NAME
    held = database.read_bytes()
    for is_there in (False, True):
        database.unlink(missing_ok=True)
        if is_there:
            database.touch()
        with pytest.raises(ConfigError, match="is gone, and its keys are still there: put it back"):
            async with open_node(tmp_path, config):
                pass
        assert database.exists() is is_there
    database.write_bytes(held)
    async with open_node(tmp_path, config) as node:
        assert len(node.communities()) == 1


async def test_the_words_of_another_open_nothing_and_leave_nothing(
    ana: SmallNode, tmp_path: Path, key: bytes
) -> None:
    await backup(ana.store, tmp_path / "b.backup", ignore, key)
    with pytest.raises(ConfigError, match="these words do not open it"):
        restore(tmp_path / "b.backup", tmp_path / "new", "Ana", bytes(32))
    assert list((tmp_path / "new").iterdir()) == []


async def test_neither_a_backup_nor_a_node_is_ever_overwritten(
    ana: SmallNode, folder: Path, tmp_path: Path, entropy: bytes
) -> None:
    target = tmp_path / "b.backup"
    await backup(ana.store, target, ignore)
    before = target.read_bytes()
    await ana.community.post("later")
    with pytest.raises(ConfigError, match="new file"):
        await backup(ana.store, target, ignore)
    assert target.read_bytes() == before
    with pytest.raises(ConfigError, match="holds a node already"):
        restore(target, folder, "Ana", entropy)


async def test_a_backup_leaves_what_lies_beside_it(
    ana: SmallNode, tmp_path: Path, key: bytes
) -> None:
    other = tmp_path / "ana.backup.part"
    other.write_bytes(b"half of a film")
    before = set(tmp_path.iterdir())
    await backup(ana.store, tmp_path / "ana.backup", ignore, key)
    assert other.read_bytes() == b"half of a film"
    assert set(tmp_path.iterdir()) - before == {tmp_path / "ana.backup"}


async def test_a_backup_that_is_given_up_leaves_nothing(ana: SmallNode, tmp_path: Path) -> None:
    class GivenUp(Exception):
        pass

    def give_up(done: int, total: int) -> None:
        raise GivenUp

    await fill(ana)
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(GivenUp):
        await backup(ana.store, tmp_path / "b.backup", give_up)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


async def test_a_backup_to_a_place_that_is_not_there_says_so(
    ana: SmallNode, tmp_path: Path
) -> None:
    with pytest.raises((ConfigError, StoreFailed), match=r"b\.backup"):
        await backup(ana.store, tmp_path / "nowhere" / "b.backup", ignore)


async def test_a_damaged_backup_is_not_restored(
    ana: SmallNode, tmp_path: Path, key: bytes, entropy: bytes
) -> None:
    await fill(ana)
    target = tmp_path / "b.backup"
    await backup(ana.store, target, ignore, key)
    data = bytearray(target.read_bytes())
    data[-100] ^= 1  # of a page of rows, not of the schema
    target.write_bytes(data)
    with pytest.raises(ConfigError, match="is damaged in"):
        restore(target, tmp_path / "new", "Ana", entropy)
    assert list((tmp_path / "new").iterdir()) == []


async def test_a_backup_with_a_forged_sentence_is_not_restored(
    ana: SmallNode, tmp_path: Path, key: bytes, entropy: bytes
) -> None:
    await fill(ana)
    target = tmp_path / "b.backup"
    await backup(ana.store, target, ignore, key)
    forged = apsw.Connection(str(target))  # by somebody who has the words
    forged.pragma("key", f"raw:{key.hex()}")
    forged.execute(
        "UPDATE operations SET payload = CAST(replace(payload, 'message 7', 'message X') AS BLOB) "
        "WHERE instr(payload, 'message 7')"
    )
    assert forged.changes() == 1
    forged.close()
    with pytest.raises(ConfigError, match=r"damaged in 1 place .*operation"):
        restore(target, tmp_path / "new", "Ana", entropy)
    assert list((tmp_path / "new").iterdir()) == []


def test_what_is_no_backup_is_not_restored(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear community,\n" * 1_000)
    with pytest.raises(ConfigError, match=r"letter\.txt"):
        restore(tmp_path / "letter.txt", tmp_path / "new", "Ana", bytes(32))
    assert list((tmp_path / "new").iterdir()) == []
    with pytest.raises(ConfigError, match="no backup"):
        restore(tmp_path / "missing", tmp_path / "new", "Ana", bytes(32))


@pytest.mark.parametrize("size", [0, 1])
def test_an_empty_file_is_not_restored_as_an_empty_node(tmp_path: Path, size: int) -> None:
    empty = tmp_path / "empty"
    empty.write_bytes(bytes(size))
    with pytest.raises(ConfigError, match="no backup"):
        restore(empty, tmp_path / "new", "Ana", bytes(32))
    assert not (tmp_path / "new" / FILE_NAME).exists()


async def test_views_are_found_to_be_what_the_operations_say(ana: SmallNode, folder: Path) -> None:
    await fill(ana)
    before = sorted(path.name for path in folder.iterdir())
    checks = await verify_views(ana.store, folder, ignore, Keystore.open(folder).database_key)
    assert [check.is_ok for check in checks] == [True]
    assert sorted(path.name for path in folder.iterdir()) == before


async def test_a_view_that_no_operation_made_is_found(ana: SmallNode, folder: Path) -> None:
    await fill(ana)
    need = ana.community.needs.named("Roof")
    row = ana.store.state(ana.community_id, bytes.fromhex(need.need))
    assert row is not None
    forged = StateRow(*row[:-1], state=row.state.replace(b"Roof", b"Boat"))
    ana.store.commit([Batch(ana.community_id, states=[forged])])
    [check] = await verify_views(ana.store, folder, ignore, Keystore.open(folder).database_key)
    assert not check.is_ok
    assert "rebuild" in check.detail


async def test_a_restored_node_reads_at_once_and_says_what_writing_takes(tmp_path: Path) -> None:
    def alone(folder: str) -> Config:
        return Config(data_dir=tmp_path / folder, listen=())

    entropy = Keystore.create(tmp_path / "old", "Ana").entropy
    assert entropy is not None
    async with open_node(tmp_path / "old", alone("old")) as old:
        garden = await old.create_community("Garden")
        await garden.create_document("Plan", "Bring tea\n")
        assert all(check.is_ok for check in await old.verify(ignore))
        digest = garden.digest()
        await old.backup(tmp_path / "b.backup", ignore)
    restore(tmp_path / "b.backup", tmp_path / "new", "Ana", entropy)
    async with open_node(tmp_path / "new", alone("new")) as new:
        again = new.community("Garden")
        assert again.digest() == digest
        assert (await again.document_text("Plan")).text == "Bring tea\n"
        with pytest.raises(NotAdmitted, match="invite"):
            await again.splice_document("Plan", [(0, 0, "lost")])
        assert (await again.document_text("Plan")).text == "Bring tea\n"


async def test_what_was_said_just_before_a_backup_is_signed_in_it(tmp_path: Path) -> None:
    entropy = Keystore.create(tmp_path / "old", "Ana").entropy
    assert entropy is not None
    config = Config(data_dir=tmp_path / "old", listen=(), lan_discovery=False)
    async with open_node(tmp_path / "old", config) as old:
        garden = await old.create_community("Garden")
        await garden.post("just now")
        await old.backup(tmp_path / "b.backup", ignore)
    restore(tmp_path / "b.backup", tmp_path / "new", "Ana", entropy)
    store = SqliteStore(
        tmp_path / "new" / DATABASE_NAME, key=Keystore.open(tmp_path / "new").database_key
    )
    (community,) = store.communities()
    heads = store.past(community).heads()
    store.close()
    assert [head.signed_seq for head in heads] == [head.head.seq for head in heads]
