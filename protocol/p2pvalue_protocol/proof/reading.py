"""What a proof shows: people's words about one need, and what follows from them (spec: proof)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import Reason, Refused
from p2pvalue_protocol.folding import fold_subject, row_of
from p2pvalue_protocol.ids import Reference, tagged_hash
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.kinds import close, decode_state, keeps_hidden, need, pledge, profile
from p2pvalue_protocol.kinds.close import read_close
from p2pvalue_protocol.kinds.pledge import read_pledge
from p2pvalue_protocol.members import Standing
from p2pvalue_protocol.needs.absence import in_their_pasts
from p2pvalue_protocol.needs.acts import Act
from p2pvalue_protocol.needs.standing import NeedStanding, standing_of
from p2pvalue_protocol.operation import Operation
from p2pvalue_protocol.past import EntryRow, StateRow, SubjectOperationRow
from p2pvalue_protocol.proof.form import ProofItem, decode_proof
from p2pvalue_protocol.proof.replay import Replayed, replay
from p2pvalue_protocol.proof.words import SHOWN_KINDS, is_about, words_of


class NotShown(NamedTuple):
    """What lies in the pasts of what is shown, and whose words are not."""

    changes: tuple[bytes, ...]  # ops of this very need, by members who may write them: op ids
    named: int  # what CLOSEs that count name, and the file does not show
    kept: int  # heads that removals keep, or FORKs name, of the logs that are shown
    pledges: int  # acts on pledges, CLOSEs included, to this need or to others: nobody can tell

    @property
    def is_whole(self) -> bool:
        """Return whether the file shows all that it points to of this need."""
        return not (self.changes or self.named or self.kept)


class Proven(NamedTuple):
    """What a file proves, as far as it goes; nothing of what was left out besides."""

    community: bytes  # its id: the hash of GENESIS
    founders: tuple[bytes, ...]  # root keys, ascending
    row: StateRow  # the need
    state: need.NeedState
    standing: NeedStanding
    acts: tuple[Act, ...]  # in folding order
    names: dict[bytes, str]  # what members call themselves, by root key
    operations: int  # in the file
    as_of: int  # ms: the newest time in the file
    digest: bytes  # 8 bytes: equal in files that show the same words, and of which the same count
    not_shown: NotShown


def read_proof(data: bytes) -> Proven:
    """Return what a file proves; raises Refused. Costs what `replay` costs; keeps nothing."""
    form = decode_proof(data)
    found = replay(form)
    return _Reading(form.need, form.items, found).proven()


class _Shown(NamedTuple):
    op: Operation
    standing: Standing
    is_visible: bool
    opened: bytes


class _Reading:
    """Reads the words that are shown, by what their authors were."""

    def __init__(self, subject: bytes, items: list[ProofItem], found: Replayed) -> None:
        self._subject = subject
        self._items = items
        self._found = found
        self._membership = found.ladder.membership
        self._acts: list[Act] = []
        self._rows: dict[bytes, list[tuple[SubjectOperationRow, bytes | None]]] = {}
        self._changes: list[bytes] = []
        self._pledges = 0
        self._devices: set[bytes] = set()
        self._said: list[tuple[bytes, bool, bytes]] = []  # op id, visible or not, words

    def proven(self) -> Proven:
        for shown in self._shown():
            self._take(shown)
        row = self._folded(self._subject)
        if row is None or row.kind != need.NUMBER:
            raise Refused(Reason.PROOF_INVALID)
        state = decode_state(row.kind, row.state)
        assert isinstance(state, need.NeedState)
        branches = self._found.ladder.branches
        acts = tuple(in_their_pasts(state, self._acts, branches, self._membership))
        standing = standing_of(state, acts)
        genesis = self._membership.genesis
        assert genesis is not None, "a file without one was refused"
        return Proven(
            community=self._found.community,
            founders=tuple(founder.root for founder in genesis.founders),
            row=row,
            state=state,
            standing=standing,
            acts=acts,
            names=self._names(),
            operations=len(self._items),
            as_of=max(op.core.time for op in self._found.operations),
            digest=tagged_hash("proof", encode(sorted(self._said)))[:8],
            not_shown=NotShown(
                tuple(self._changes), standing.missing, self._kept_and_not_held(), self._pledges
            ),
        )

    # --- what is shown

    def _shown(self) -> Iterator[_Shown]:
        """Yield what is shown and may count, hidden or not; note what is not shown."""
        pairs = zip(self._items, self._found.operations, self._found.frontiers, strict=True)
        for item, op, frontier in pairs:
            words, core = words_of(op, item.key), op.core
            if core.kind not in SHOWN_KINDS:
                continue
            standing = self._membership.judge(core.device, core.kind, frontier)
            if standing is None:
                continue
            is_visible = self._membership.visible(core.device, core.kind, frontier, op.reference)
            if words is not None:
                yield _Shown(op, standing, is_visible, words)
            elif is_about(op.op_id, core, self._subject):
                self._changes += [op.op_id] if is_visible else []
            elif core.kind in (pledge.NUMBER, close.NUMBER):
                self._pledges += 1

    def _take(self, shown: _Shown) -> None:
        op = shown.op
        if not shown.is_visible and not keeps_hidden(op.core.kind):
            return
        row = row_of(op, shown.opened, shown.standing, 0)
        if isinstance(row, SubjectOperationRow):
            self._rows.setdefault(row.subject, []).append((row, shown.opened))
        elif isinstance(row, EntryRow) and row.container == self._subject:
            said = (
                read_pledge(shown.opened) if row.kind == pledge.NUMBER else read_close(shown.opened)
            )
            order = Order(row.time, row.device, row.seq, row.op_id)
            self._acts.append(Act(order, row.member, said, not shown.is_visible))
        if row is not None and row[0] == self._subject:
            self._devices.add(op.core.device)
            self._said.append((op.op_id, shown.is_visible, shown.opened))

    # --- what follows

    def _folded(self, subject: bytes) -> StateRow | None:
        rows = sorted(self._rows.get(subject, ()), key=lambda pair: pair[0][1:5])
        return fold_subject(subject, rows)

    def _names(self) -> dict[bytes, str]:
        names: dict[bytes, str] = {}
        for subject in self._rows:
            row = self._folded(subject)
            if row is not None and row.kind == profile.NUMBER:
                state = decode_state(row.kind, row.state)
                assert isinstance(state, profile.ProfileState)
                names[state.author] = state.name
        return names

    def _kept_and_not_held(self) -> int:
        """Count what decides on the words shown, is named by what is in the file, and is not."""
        ladder = self._found.ladder
        named: set[Reference] = set()
        for device in self._devices:
            named.update(ladder.named.missing_of(device))
            named.update(self._membership.keeps_of(device))
        return sum(ladder.branches.find(reference) is None for reference in named)
