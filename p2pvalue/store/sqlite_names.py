"""What was looked up lately: the store's small numbers for long names, and small states.

Nothing here is needed to be right but the database: after a failed transaction all is forgotten.
"""

from __future__ import annotations

from typing import NamedTuple

import apsw

from p2pvalue.store.interface import StoreFailed
from p2pvalue_protocol.past import StateRow

REMEMBERED_MAX = 4_096
STATES_REMEMBERED_MAX = 256
STATE_BYTES_MAX = 1_024  # of one that is remembered: names and cards, which every view needs
SEQ_BITS = 40
SEQ_MASK = (1 << SEQ_BITS) - 1
ARRIVALS_AT_ONCE = 65_536
ENTRIES_OF_COMMUNITY = (
    "list IN (SELECT number FROM lists WHERE community = ?1"
    " UNION ALL SELECT -number FROM lists WHERE community = ?1)"
)
"""Which entries are a community's; the hidden ones of list n are in list -n."""


class ListNumber(NamedTuple):
    """The number of a list of entries, and the same again if it is read by arrival."""

    number: int
    followed: int | None


class Names:
    """Numbers of communities, logs, members and lists."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self.forget()

    def forget(self) -> None:
        """Drop all that is remembered, because a transaction that made some of it failed."""
        self._communities: dict[bytes, int] = {}
        self._logs: dict[tuple[int, int], int] = {}
        self._members: dict[bytes, int] = {}
        self._lists: dict[tuple[int, int, bytes], ListNumber] = {}
        self._states: dict[tuple[int, bytes], StateRow] = {}
        self._next_arrival = 0
        self._reserved_arrival = 0

    def community(self, community: bytes) -> int:
        """Return the number of a community, 0 if it is not stored."""
        number = self._communities.get(community)
        if number is None:
            sql = "SELECT number FROM communities WHERE community = ?"
            number = self._connection.execute(sql, (community,)).get
            if number is None:
                return 0
            self._communities[community] = number
        return number

    def make_community(self, community: bytes) -> int:
        """Return the number of a community, given now if need be."""
        number = self.community(community)
        if number == 0:
            self._connection.execute("INSERT INTO communities (community) VALUES (?)", (community,))
            number = self._communities[community] = self._connection.last_insert_rowid()
        return number

    def find_base(self, community: int, log: int) -> int | None:
        """Return the place of a log's seq 0, None if the log is not stored."""
        base = self._logs.get((community, log))
        if base is None:
            sql = "SELECT number FROM logs WHERE community = ? AND log = ?"
            number = self._connection.execute(sql, (community, log)).get
            if number is None:
                return None
            base = number << SEQ_BITS
            if len(self._logs) >= REMEMBERED_MAX:
                self._logs.clear()
            self._logs[community, log] = base
        return base

    def base(self, community: int, log: int) -> int:
        """Return the place of a log's seq 0; raises StoreFailed for a log that is not stored."""
        base = self.find_base(community, log)
        if base is None:
            raise StoreFailed(f"log {log} is not stored; a defect, please report it")
        return base

    def make_member(self, member: bytes) -> int:
        """Return the number of a member, given now if need be."""
        number = self._members.get(member)
        if number is None:
            sql = "SELECT number FROM members WHERE member = ?"
            number = self._connection.execute(sql, (member,)).get
            if number is None:
                self._connection.execute("INSERT INTO members (member) VALUES (?)", (member,))
                number = self._connection.last_insert_rowid()
            if len(self._members) >= REMEMBERED_MAX:
                self._members.clear()
            self._members[member] = number
        return number

    def list_of(self, community: int, kind: int, container: bytes) -> ListNumber | None:
        """Return the number of a list of entries, None if it has never had one."""
        name = (community, kind, container)
        found = self._lists.get(name)
        if found is None:
            sql = (
                "SELECT number, iif(is_followed, number, NULL) FROM lists "
                "WHERE community = ? AND kind = ? AND container = ?"
            )
            row = self._connection.execute(sql, name).fetchone()
            if row is None:
                return None
            if len(self._lists) >= REMEMBERED_MAX:
                self._lists.clear()
            found = self._lists[name] = ListNumber(*row)
        return found

    def make_list(self, community: int, kind: int, container: bytes) -> ListNumber:
        """Return the number of a list of entries, given now if need be."""
        found = self.list_of(community, kind, container)
        if found is None:
            sql = "INSERT INTO lists (community, kind, container) VALUES (?, ?, ?)"
            self._connection.execute(sql, (community, kind, container))
            found = ListNumber(self._connection.last_insert_rowid(), None)
            self._lists[community, kind, container] = found
        return found

    def state(self, community: int, subject: bytes) -> StateRow | None:
        """Return the state of a subject if it was read since it was written last, else None."""
        return self._states.get((community, subject))

    def remember_state(self, community: int, row: StateRow) -> None:
        """Keep a state that was read, if it is small."""
        if len(row.state) <= STATE_BYTES_MAX:
            if len(self._states) >= STATES_REMEMBERED_MAX:
                self._states.clear()
            self._states[community, row.subject] = row

    def forget_state(self, community: int, subject: bytes) -> None:
        """Drop what is known of a subject, because it changes."""
        self._states.pop((community, subject), None)

    def forget_views(self) -> None:
        """Drop what is known of lists and states, because they change."""
        self._lists.clear()
        self._states.clear()

    def next_arrival(self) -> int:
        """Return a number greater than all before it, on disk too; one write per 65,536."""
        if self._next_arrival >= self._reserved_arrival:
            sql = "UPDATE arrivals SET reserved = reserved + ? RETURNING reserved"
            reserved = int(self._connection.execute(sql, (ARRIVALS_AT_ONCE,)).get)
            self._reserved_arrival = reserved
            self._next_arrival = reserved - ARRIVALS_AT_ONCE
        self._next_arrival += 1
        return self._next_arrival
