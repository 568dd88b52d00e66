"""A database from before needs had terms shows the same needs as one of today."""

from __future__ import annotations

from pathlib import Path

import apsw

from p2pvalue.store import SqliteStore
from p2pvalue.store.migrations import STEPS
from p2pvalue.store.sqlite_connection import open_connection
from p2pvalue_protocol.ids import subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import close, need, pledge
from tests.protocol.replicas import Copy, founded

LINE = need.NeedLine("hours", "minute", 0, 600)
TERMS = need.terms_id(need.Terms((LINE,)))

AS_OF_VERSION_3 = """
UPDATE states SET state = x'80' WHERE kind = 37;
INSERT INTO subject_operations
    SELECT community, x'00112233445566778899aabbccddeeff', time, place, 38, member, 2
    FROM lists JOIN entries ON list = lists.number WHERE kind = 38;
INSERT INTO states
    SELECT community, x'00112233445566778899aabbccddeeff', 38, zeroblob(16), time,
    device, seq, op_id, x'80' FROM states WHERE kind = 37;
DELETE FROM entries WHERE list IN (SELECT number FROM lists WHERE kind IN (38, 41));
PRAGMA user_version = 3;
"""


def asked(copy: Copy) -> bytes:
    """Write a need with what is said about it; return its subject."""
    payload = need.encode_need("Roof", [LINE])
    (made,) = copy.write(Draft(need.NUMBER, b"", payload))
    subject = subject_of(made.op_id)
    offer = pledge.encode_pledge(subject, TERMS, 0, 60)
    (promised,) = copy.write(Draft(pledge.NUMBER, b"", offer))
    names = [close.operation_name(promised.op_id)]
    copy.write(Draft(close.NUMBER, b"", close.encode_close(subject, TERMS, names)))
    copy.say("done")
    return subject


def test_a_store_of_version_3_comes_to_show_needs_with_their_terms_and_lists(
    tmp_path: Path,
) -> None:
    path = tmp_path / "store.db"
    store = SqliteStore(path, durability="kill")
    copy = founded(open_store=lambda: store)
    subject = asked(copy)
    before = store.state(copy.community, subject)
    said = [
        store.entries(copy.community, subject, number) for number in (pledge.NUMBER, close.NUMBER)
    ]
    assert [len(entries) for entries in said] == [1, 1]
    store.close()
    with apsw.Connection(str(path)) as connection:
        connection.execute(AS_OF_VERSION_3)
    connection.close()
    open_connection(path, "kill", steps={3: STEPS[3]}).close()
    store = SqliteStore(path, durability="kill")
    assert store.state(copy.community, subject) is None
    again = Copy(copy.community, copy.signer, lambda: store)
    again.settle()
    assert not again.replica.has_work
    assert store.state(copy.community, subject) == before
    assert store.states(copy.community, pledge.NUMBER) == []
    for number, entries in zip((pledge.NUMBER, close.NUMBER), said, strict=True):
        found = store.entries(copy.community, subject, number)
        assert [entry.order for entry in found] == [entry.order for entry in entries]
    assert again.texts() == ["done"]
    assert store.verify(deep=True).faults == ()
    store.close()
