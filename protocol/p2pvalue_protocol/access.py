"""Who the other side of a sync link is to us, and what that opens to it (spec: sync).

By everything held a device is a member's, or was one and is put out, or is a stranger's. Members
see all. Who was put out is shown why: the removals and what they rest on, with what proves a fork,
but no name or address that came later; what it says about authority is heard all the same, for it
may bring the founder's word that undoes the removal. A stranger that we called is shown our own
admission, or a newcomer could prove itself to nobody; one that called us is shown nothing. All of
this is asked anew for every frame: it changes while a link lasts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from p2pvalue_protocol.auth_payloads import READ_PUBLIC
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference

if TYPE_CHECKING:
    from p2pvalue_protocol.replica import Replica


class Bond(Enum):
    """What a device is to a community, by everything held."""

    MEMBER = "member"
    FORMER = "former"
    STRANGER = "stranger"


class Scope(NamedTuple):
    """What of our copy a peer may see: logs of some classes, whole or up to given heads."""

    classes: tuple[int, ...]
    heads: tuple[Reference, ...] | None = None  # None: the logs as far as they go; else ascending

    def head(self, device: bytes, log_class: int, op_id: bytes) -> Reference | None:
        """Return the head of these that is meant; None if there is none, or no heads are given."""
        for head in self.heads or ():
            if (head.device, head.log_class, head.op_id) == (device, log_class, op_id):
                return head
        return None


EVERYTHING = Scope((AUTH, CONTENT))
NOTHING = Scope(())


def is_public(replica: Replica) -> bool:
    """Return whether everybody may read this community; False while its GENESIS is not held."""
    genesis = replica.membership.genesis
    return genesis is not None and genesis.read == READ_PUBLIC


def bond_of(replica: Replica, device: bytes | None) -> Bond:
    """Return what a device is to the community; None stands for a peer that names none."""
    if device is None:
        return Bond.STRANGER
    if replica.membership.is_live(device):
        return Bond.MEMBER
    was_admitted = replica.membership.was_ever_admitted(device)
    return Bond.FORMER if was_admitted else Bond.STRANGER


class Access:
    """What one peer may see and bring; asks for the same pasts again and again, so keeps one."""

    def __init__(self, replica: Replica) -> None:
        self._replica = replica
        self._kept: tuple[tuple[int, int], bytes, Scope] = ((0, 0), b"", NOTHING)

    def gives(self, device: bytes | None, *, we_called: bool) -> Scope:
        """Return what the peer may see; a look at every auth operation when there is a new one."""
        bond = bond_of(self._replica, device)
        if bond is Bond.MEMBER or is_public(self._replica):
            return EVERYTHING
        if bond is Bond.FORMER:
            assert device is not None
            return self._kept_scope(device, self._removal)
        own = self._replica.device
        return self._kept_scope(own, self._proof) if we_called and own is not None else NOTHING

    def takes(self, device: bytes | None, *, we_called: bool) -> tuple[int, ...]:
        """Return the log classes that the peer may bring: of a reader none."""
        bond = bond_of(self._replica, device)
        if bond is Bond.MEMBER or (bond is Bond.STRANGER and we_called):
            return (AUTH, CONTENT)
        return () if device is None else (AUTH,)

    def names_us_to(self, device: bytes) -> bool:
        """Return whether a device that called us may learn ours.

        One that was put out learns it only if it knew it: if the past of the removal names it.
        """
        own = self._replica.device
        bond = bond_of(self._replica, device)
        if own is None or bond is Bond.STRANGER:
            return False
        shown = self.gives(device, we_called=False).heads
        return shown is None or any(head.device == own for head in shown)

    def _removal(self, device: bytes) -> Iterable[bytes]:
        return self._replica.membership.removals_behind(device)

    def _proof(self, device: bytes) -> Iterable[bytes]:
        return proof_of(self._replica, device)

    def _kept_scope(self, device: bytes, ask: Callable[[bytes], Iterable[bytes]]) -> Scope:
        forks = self._replica.membership.forked_devices()
        state = (len(self._replica.graph), len(forks))
        kept_state, known, scope = self._kept
        if (kept_state, known) != (state, device):
            heads = set(heads_of_past(self._replica, ask(device)))
            proofs = [fork for fork in forks if fork.device == device]
            heads.update(op for fork in proofs for op in (fork.first, fork.second))
            shown = tuple(sorted(heads, key=lambda r: (r.device, r.log_class, r.op_id)))
            scope = Scope((AUTH, CONTENT) if proofs else (AUTH,), shown)
            self._kept = (state, device, scope)
        return scope


def proof_of(replica: Replica, device: bytes) -> list[bytes]:
    """Return operations that, with their pasts, show anybody that a device is a member's.

    What gave its member a rank, the first operation of the device's own log, and what names that:
    whoever certified it or let it in, whose own certificates are in its past. Of who is out by all
    held the same, but for the rank: others may not take for valid what put her out, and may never
    have heard of her.
    """
    found = replica.membership.admissions_of(device)
    shown = 0
    for op_id in found:
        shown |= replica.graph.past_of(op_id)
    first = -1
    for op_id, reference in replica.auth_references.items():
        if first >= 0 and replica.graph.past_of(op_id) >> first & 1:
            return [*found, op_id]
        if (reference.device, reference.seq) == (device, 0):
            first = replica.graph.index(op_id)
            if shown >> first & 1:
                return found
    return found if first < 0 else [*found, replica.graph.op_id(first)]


def heads_of_past(replica: Replica, op_ids: Iterable[bytes]) -> tuple[Reference, ...]:
    """Return the last operation, of each auth log branch, among some held ones and their past.

    Ascending by (device, class, op id), as all heads are. About 1 µs for each auth operation held.
    """
    past = 0
    for op_id in op_ids:
        past |= replica.graph.past_of(op_id)
    if not past:
        return ()
    newest: dict[int, Reference] = {}
    for op_id, reference in replica.auth_references.items():
        if past >> replica.graph.index(op_id) & 1:
            branches = replica.branches.of(reference.device, AUTH)
            if len(branches) > 1:
                place = replica.branches.find(reference)
                assert place is not None, "what was judged is held"
                log = place.branch.row.log
            else:
                log = branches[0].row.log
            newest[log] = reference  # each is held after what it follows
    return tuple(sorted(newest.values(), key=lambda r: (r.device, r.log_class, r.op_id)))
