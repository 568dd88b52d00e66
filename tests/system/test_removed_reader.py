"""What a member's node gets to read that was put out and keeps its keys, between real daemons."""

from __future__ import annotations

from pathlib import Path

from p2pvalue.keystore import Keystore
from p2pvalue.node.node import DATABASE_NAME
from p2pvalue.store import SqliteStore
from p2pvalue_protocol.operation import decode_core
from p2pvalue_protocol.replica import Replica
from tests.system.person import Person, gathered, people

CHAT = 35


def readable(folder: Path) -> tuple[list[bytes], int]:
    """What the keys of a data folder open of the chat that it holds, and how much they do not."""
    keystore = Keystore.open(folder)
    (community,) = keystore.communities()
    keys = keystore.keys(community)
    assert keys is not None
    store = SqliteStore(folder / DATABASE_NAME, key=keystore.database_key)
    past = store.past(community)
    replica = Replica(
        community, past, signer=keys.device, prekey_private=keys.prekey_private, random_bytes=bytes
    )
    rows = [row for log in past.heads() for row in past.operations(log.log.log, 0, 10_000)]
    said = [row for row in rows if decode_core(row.core).kind == CHAT]
    opened = [text for row in said if (text := replica.open(row.core, row.payload)) is not None]
    store.close()
    return opened, len(said) - len(opened)


def until_named(person: Person, *names: str) -> None:
    """Wait until a person sees these members."""
    person.until(
        lambda: {m["name"] for m in person.ask("GET", "/members")} == set(names), f"{names}"
    )


def test_who_was_put_out_gets_nothing_to_read_that_was_written_later(tmp_path: Path) -> None:
    with people(tmp_path, "Ana", "Ben", "Mal") as (ana, ben, mal):
        gathered(ana, ben, mal)
        ana.post("before Mal was put out")
        for person in (ben, mal):
            person.until_reads("before Mal was put out")
        until_named(ana, "Ana", "Ben", "Mal")
        ana.ask("POST", "/members/Mal/remove")
        mal.until(lambda: mal.ask("GET", "/community")["state"] == "removed", "her removal")
        until_named(ben, "Ana", "Ben")
        for author, reader in ((ana, ben), (ben, ana)):
            author.post(f"{author.name} after Mal was put out")
            reader.until_reads(f"{author.name} after Mal was put out")
        mal.kill()  # with what she has, and calls again for
        mal.start()
        mal.until_up()
        mal.until(lambda: mal.ask("GET", "/peers"), "a peer")
        ana.post("the last word")
        ben.until_reads("the last word")
        mal.stop()
        opened, _ = readable(mal.folder)
        texts = b"".join(opened)
        assert b"before Mal was put out" in texts
        assert b"after Mal" not in texts
        assert b"the last word" not in texts
        ana.stop()
        opened, sealed = readable(ana.folder)
        assert b"the last word" in b"".join(opened)
        assert sealed == 0
