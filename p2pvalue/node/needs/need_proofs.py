"""One file with which strangers recompute what became of a need (spec: proof)."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Final

from p2pvalue import need_types as nt
from p2pvalue.folder import new_file
from p2pvalue.node.needs.need_boards import need_entries, need_state
from p2pvalue.node.needs.need_views import need_view, pledge_view
from p2pvalue.node.people import Naming, unnamed
from p2pvalue.proof_types import DoneView, NotShownView, ProofView
from p2pvalue.store import Store
from p2pvalue_protocol import limits
from p2pvalue_protocol.errors import ConfigError, LocalProtocolError, Reason, Refused
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.kinds import profile
from p2pvalue_protocol.needs.facts import Fact, facts_of
from p2pvalue_protocol.past import StateRow
from p2pvalue_protocol.proof.making import make_proof
from p2pvalue_protocol.proof.reading import NotShown, Proven, read_proof
from p2pvalue_protocol.replica import Replica

_REFUSALS: Final = {
    Reason.PROOF_INVALID: "it is no file about a need, or damaged",
    Reason.UNSUPPORTED_VERSION: "it is of another version: use a newer p2pvalue",
    Reason.TOO_LONG: "it is longer than any proof",
    Reason.OVER_LIMIT: "it holds more than can be checked",
    Reason.SIGNATURE_INVALID: "its signatures do not fit: somebody changed it, or left something"
    " out",
}


def proof_of(copy: Replica, store: Store, row: StateRow) -> bytes:
    """Return the file about a need as it stands here; call `seal` before.

    It shows the words of the need, of its pledges and CLOSEs, and the profiles of the people
    concerned. Raises LocalProtocolError if there is too much that they rest on.
    """
    return make_proof(copy, row.subject, shown_about(store, copy.community, row))


def shown_about(store: Store, community: bytes, row: StateRow) -> list[Reference]:
    """Return the operations whose words a file about a need shows."""
    past = store.past(community)
    changes = [found for found, _, _ in past.subject_operations(row.subject)]
    entries = list(need_entries(store, community, row.subject))
    members = {change.member for change in changes} | {entry.member for entry in entries}
    for terms in need_state(row).terms:
        members.update((*terms.stewards, *terms.confirmers))
    places = [entry.order[1:] for entry in entries]
    places += [(change.device, change.seq, change.op_id) for change in changes]
    for member in sorted(members):
        profiles = [p for p, _, _ in past.subject_operations(profile.profile_subject(member))]
        places += [(p.device, p.seq, p.op_id) for p in profiles[-1:]]
    return [Reference(device, CONTENT, seq, op_id) for device, seq, op_id in places]


def write_proof(path: Path, data: bytes) -> None:
    """Write a file that must not be there yet; raises ConfigError."""
    if path.exists():
        raise ConfigError(f"{path} is there already: name another file, or remove it")
    try:
        with new_file(path) as file:
            file.write(data)
    except OSError as error:
        raise ConfigError(
            f"{path} was not written ({error.strerror}): make room, or name another file"
        ) from error


def read_proof_file(path: Path) -> ProofView:
    """Return what a file proves, by itself: nothing else is read.

    About 25 µs per operation that it holds; blocks meanwhile. Raises ConfigError if it cannot be
    read, LocalProtocolError if it proves nothing.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # to open a pipe would wait for who writes
            raise ConfigError(f"{path} is no file: give the path of one")
        with path.open("rb") as file:
            data = file.read(limits.PROOF_BYTES_MAX + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read ({error.strerror}): name another file") from error
    return read_proof_data(data, path.name)


def read_proof_data(data: bytes, name: str) -> ProofView:
    """Return what the contents of a file prove, as `read_proof_file`; `name` is for messages."""
    try:
        return proof_view(read_proof(data))
    except Refused as refused:
        why = _REFUSALS.get(refused.reason, f"it breaks a rule ({refused.reason})")
        raise LocalProtocolError(f"{name} proves nothing: {why}; ask for a new one") from refused


class _NamesGiven:
    """What members call themselves in a file."""

    def __init__(self, names: dict[bytes, str]) -> None:
        self._names = names

    def of(self, member: bytes) -> str:
        return self._names.get(member) or unnamed(member)


def proof_view(proven: Proven) -> ProofView:
    """Return what a file proves."""
    names = _NamesGiven(proven.names)
    standing = proven.standing
    subject = proven.row.subject
    return ProofView(
        community=proven.community.hex(),
        founders=[_person(founder, names) for founder in proven.founders],
        need=need_view(proven.row, standing, names, (), b"", project_title=""),
        pledges=[
            pledge_view(p, subject, proven.state, names, _is_anybody) for p in standing.pledges
        ],
        done=[_done(fact, names) for fact in facts_of(proven.state, standing)],
        is_whole=proven.not_shown.is_whole,
        not_shown=_not_shown(proven.not_shown),
        operations=proven.operations,
        as_of=proven.as_of,
        digest=proven.digest.hex(),
    )


def _is_anybody(_member: bytes) -> bool:
    """Return True: who is a member by now is nothing that a file can tell."""
    return True


def _person(member: bytes, names: Naming) -> nt.PersonView:
    return nt.PersonView(member=member.hex(), name=names.of(member))


def _done(fact: Fact, names: Naming) -> DoneView:
    return DoneView(
        pledge=fact.pledge.hex(),
        member=fact.member.hex(),
        name=names.of(fact.member),
        quantity=fact.quantity,
        unit=fact.line.unit,
        kind=fact.line.kind,
        witnesses=[_person(witness, names) for witness in fact.witnesses],
        time=fact.time,
    )


def _not_shown(left: NotShown) -> NotShownView:
    return NotShownView(
        changes=[op_id.hex() for op_id in left.changes],
        named=left.named,
        kept=left.kept,
        pledges=left.pledges,
    )
