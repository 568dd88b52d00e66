"""What one document's updates decide about the next: who wrote which unit where.

`Facts` takes updates as their operations come, each branch of a log in its order, and says of each
whether it counts. The answer follows from the update's own past, so all who hold the same updates
agree, whatever came first. Hidden updates count like others: what is shown is another question.
"""

from __future__ import annotations

from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.documents.finding import Finder
from p2pvalue_protocol.documents.naming import Naming, naming_of
from p2pvalue_protocol.documents.op_ids import IdOf
from p2pvalue_protocol.documents.past import Claims, Past
from p2pvalue_protocol.documents.placement import Placement
from p2pvalue_protocol.documents.renaming import renamed
from p2pvalue_protocol.documents.rules import check_deletions, roots_of, take_structs
from p2pvalue_protocol.documents.steps import Steps, finish
from p2pvalue_protocol.documents.strands import Branch, Strand, Waiting
from p2pvalue_protocol.documents.update_form import STRING, Update, read_update, write_update
from p2pvalue_protocol.documents.verdict import (
    Applies,
    Released,
    UpdateInvalid,
    Void,
    VoidReason,
    Waits,
)
from p2pvalue_protocol.errors import LocalProtocolError


class Facts:
    """The facts of one document. Not to be used after it raised an error that is not documented."""

    def __init__(self, document: bytes, shape: str, id_of: IdOf) -> None:
        """Begin without updates; raises LocalProtocolError if the shape is none of `SHAPES`.

        `id_of` is asked for the ids of updates that were taken and are stored: for few of them.
        """
        try:
            self.roots = roots_of(shape)
        except KeyError:
            raise LocalProtocolError(
                f"the shape {shape!r} is of a later version: update p2pvalue to read this document"
            ) from None
        self.document = document
        self.shape = shape
        self.renamings = 0
        self.claims = Claims()
        self.branches: dict[int, Branch] = {}
        self._id_of = id_of
        self._finder = Finder(self.branches)
        self._frontier: dict[int, int] = {}  # branch -> place of its newest, if nothing holds it
        self._waited_for: dict[bytes, list[Branch]] = {}
        self._ready: list[Branch] = []
        self._pasts: dict[int, Past] = {}
        self._naming = Naming()

    # --- taking

    def branch(self, number: int, base: int, base_seq: int) -> None:
        """Say that a branch goes on from another, whose seq `base_seq` was the last before it.

        To be told once, before the branch's first update and after those of the base up to there.
        """
        origin = self.branches.get(base)
        if origin is None:
            return  # the base wrote nothing here
        waiting = sum(entry.placement.seq <= base_seq for entry in origin.queue)
        judged = origin.ids.count_to(base_seq)
        branch = Branch(number, origin.device, self._id_of, origin, judged + waiting)
        self.branches[number] = branch

    def take(
        self,
        placement: Placement,
        session: int,
        heads: tuple[bytes, ...],
        data: bytes,
        *,
        is_stored: bool = True,
    ) -> Applies | Waits | Void:
        """Judge one update, once; those of a branch in its order. ~8 µs for a typist's.

        One that is not stored must not wait for others, and gets its id by `identify`. Raises
        ValueError if an update comes before one that stands earlier in its branch.
        """
        entry = Waiting(placement, session, heads, data)
        return finish(self.taking(entry, is_stored=is_stored))

    def taking(self, entry: Waiting, *, is_stored: bool = True) -> Steps[Applies | Waits | Void]:
        """Judge one update as `take` does, in steps; the largest takes 60 ms in all."""
        placement, heads = entry.placement, entry.heads
        branch = self.branches.get(placement.branch) or self._new_branch(placement)
        if placement.seq <= branch.last_seq or placement.device != branch.device:
            raise ValueError("an update came out of the order of its branch")
        if branch.queue:
            branch.queue.append(entry)
            return Waits(branch.waits_for)
        missing = self._missing(branch, heads)
        if missing is not None:
            branch.queue.append(entry)
            self._wait(branch, missing)
            return Waits(missing)
        verdict = yield from self._judge(branch, entry, is_stored)
        if self._waited_for:
            self._ready += self._waited_for.pop(placement.op_id, ())
        return verdict

    def identify(self, made_up: bytes, placement: Placement) -> None:
        """Give an update its id and seq, which it had not when it was taken under made-up ones.

        So updates of one's own can be judged before they are signed. Whoever waits for it is
        released next; `renamings` may grow.
        """
        self.branches[placement.branch].ids.identify(made_up, placement.op_id, placement.seq)
        self._ready += self._waited_for.pop(placement.op_id, ())
        if self.claims.shared:
            self._pasts.clear()
            before, self._naming = self._naming, self._names_of_all()
            self.renamings += before.differs(self._naming, lambda strand: strand.end)

    def release(self) -> list[Released]:
        """Return those that waited and can be judged now, in an order in which to apply them."""
        return finish(self.releasing())

    def releasing(self) -> Steps[list[Released]]:
        """Judge those that waited as `release` does, in steps."""
        released = []
        while self._ready:
            branch = self._ready.pop()
            while branch.queue:
                missing = self._missing(branch, branch.queue[0].heads)
                if missing is not None:
                    self._wait(branch, missing)
                    break
                entry = branch.queue.popleft()
                verdict = yield from self._judge(branch, entry)
                released.append(Released(entry.placement, entry.data, verdict))
                self._ready += self._waited_for.pop(entry.placement.op_id, ())
                yield
        return released

    def awaited(self) -> list[bytes]:
        """Return the ids, ascending, of the updates that are not here and that others wait for."""
        queues = (branch.queue for branch in self.branches.values())
        here = {entry.placement.op_id for queue in queues for entry in queue}
        return sorted(op_id for op_id in self._waited_for if op_id not in here)

    def _missing(self, branch: Branch, heads: tuple[bytes, ...]) -> bytes | None:
        """Return an update that is not judged, and without which nothing can be judged here."""
        if not branch.ids and branch.base is not None and branch.base_count > len(branch.base.ids):
            at = branch.base_count - len(branch.base.ids) - 1
            return branch.base.queue[at].placement.op_id
        for head in heads:
            try:
                self.find(head)
            except KeyError:
                return head
        return None

    def _wait(self, branch: Branch, missing: bytes) -> None:
        branch.waits_for = missing
        self._waited_for.setdefault(missing, []).append(branch)

    # --- judging

    def _new_branch(self, placement: Placement) -> Branch:
        branch = Branch(placement.branch, placement.device, self._id_of)
        self.branches[placement.branch] = branch
        return branch

    def _judge(
        self, branch: Branch, entry: Waiting, is_stored: bool = True
    ) -> Steps[Applies | Void]:
        placement, session, heads, data = entry
        place = len(branch.ids)
        if place == 0 or heads:
            before = branch.foreign if place else {}
            if not place:
                branch.foreign = branch.foreign_at(0)
            if heads:
                branch.foreign = self._finder.joined(branch, heads)
            branch.known.learn(place, before, branch.foreign)
        branch.ids.append(placement.op_id, placement.seq, is_stored=is_stored)
        self._finder.note(placement.op_id, branch, place)
        strand = branch.strands.get(session)
        if strand is not None and strand.tail is not None and not heads and not self.claims.shared:
            typed = strand.typed(place, data)
            if typed is not None:
                branch.is_valid.append(1)
                self._frontier[branch.number] = place
                return typed
        try:
            verdict = yield from self._judge_slowly(branch, place, entry)
        except UpdateInvalid as error:
            if strand is not None:
                strand.tail = None
            branch.is_valid.append(0)
            branch.void.setdefault(session, place)
            return Void(error.reason)
        branch.is_valid.append(1)
        self._advance_frontier(branch, place)
        return verdict

    def _advance_frontier(self, branch: Branch, place: int) -> None:
        frontier, foreign = self._frontier, branch.foreign
        frontier[branch.number] = place
        if foreign is not branch.checked:
            branch.checked = foreign
            for number, newest in [*frontier.items()]:
                if newest < foreign.get(number, 0):
                    del frontier[number]

    def _judge_slowly(self, branch: Branch, place: int, entry: Waiting) -> Steps[Applies]:
        if branch.is_void(entry.session):
            raise UpdateInvalid(VoidReason.AFTER_VOID)
        for other, at in map(self.find, entry.heads):
            if not other.is_valid[at]:
                raise UpdateInvalid(VoidReason.HEAD_VOID)
        update = read_update(entry.data)
        past = self._past(branch, place)
        if not update.structs:
            past.begin(None)
            check_deletions(update, past)
            return Applies(self._in_names_of_all(update, past), None)
        strand = branch.strands.get(entry.session) or self._new_strand(branch, entry.session)
        yield
        yield from self._write(update, strand, past)
        strand.ends.append(past.written)
        strand.places.append(place)
        self._note_strand(strand, past)
        called = self._in_names_of_all(update, past)
        name, first = self._naming.called(strand, past.first)
        return Applies(called, (name, first, first + past.written - past.first))

    def past_of(self, number: int, device: bytes, session: int, heads: tuple[bytes, ...]) -> Past:
        """Return the past of an update that is written now with these heads, all judged."""
        branch = self.branches.get(number) or Branch(number, device, self._id_of)
        if not branch.ids:
            branch.foreign = branch.foreign_at(0)
        past = Past(self.claims, branch, len(branch.ids), self._finder.joined(branch, heads))
        past.begin(branch.strands.get(session) or self._new_strand(branch, session))
        return past

    def _past(self, branch: Branch, place: int) -> Past:
        past = self._pasts.get(branch.number)
        if past is None or past.foreign is not branch.foreign:
            past = Past(self.claims, branch, place, branch.foreign)
            self._pasts[branch.number] = past
        past.place = place
        return past

    def _new_strand(self, branch: Branch, session: int) -> Strand:
        base, start = branch.line(session)
        return Strand(
            branch, session, client_of(branch.device, self.document, session), base, start
        )

    def _write(self, update: Update, strand: Strand, past: Past) -> Steps[None]:
        """Judge an update that writes, and add it to its strand; else raises and adds nothing."""
        past.begin(strand)
        if update.client != past.name:
            raise UpdateInvalid(VoidReason.CLIENT_FOREIGN)
        if past.is_taken(strand):
            raise UpdateInvalid(VoidReason.SESSION_TAKEN)
        if update.first_clock + past.shift != past.first:
            raise UpdateInvalid(VoidReason.OUT_OF_TURN)
        runs = len(strand.runs)
        strand.tail = None
        try:
            yield from take_structs(update, strand, past, self.roots)
            yield
            check_deletions(update, past)
        except UpdateInvalid:
            strand.cut(past.first, runs)
            raise
        last = update.structs[-1]
        if last.content == STRING and not last.is_keyed:
            strand.expect(last.right)

    # --- names

    def _note_strand(self, strand: Strand, past: Past) -> None:
        """Note that a strand has written from where `past` says; what is shared gets names."""
        branch, claims = strand.branch, self.claims
        if len(strand.ends) == 1:
            branch.strands[strand.session] = strand
            claims.add(strand)
            del self._pasts[branch.number]  # the names in the next past are others
        elif not any(
            other.base is strand and other.start == past.first
            for other in claims.shared.get(strand.client, ())
        ):
            return
        if claims.shared:
            before, self._naming = self._naming, self._names_of_all()
            if before.differs(self._naming, lambda s: past.first if s is strand else s.end):
                self.renamings += 1

    def _names_of_all(self) -> Naming:
        shared, strands = self.claims.shared.values(), self.claims.strands
        return naming_of(shared, lambda strand: strand.end, strands.__contains__)

    def _in_names_of_all(self, update: Update, past: Past) -> bytes | None:
        if not self.claims.shared:
            return None
        called = renamed(update, past, self._naming)
        return None if called == update else write_update(called)

    def encode(self, placement: Placement, data: bytes, *, is_hidden: bool = False) -> bytes:
        """Return the bytes by which to apply an update that counts, whose own bytes are `data`.

        A hidden one deletes nothing but what it writes, so that what others put beside it stays in
        its place. Raises KeyError unless the update was taken. What was encoded before `renamings`
        grew may be called otherwise now: everything is to be applied anew, to an empty replica.
        """
        if not is_hidden and not self.claims.shared:
            self.place_of(placement)
            return data
        update = read_update(data)
        past = self.past_at(placement, update)
        if is_hidden:
            update = update._replace(deletions=())
        update = renamed(update, past, self._naming)
        if is_hidden and past.writing is not None:
            written = (update.first_clock, past.written - past.first)
            update = update._replace(deletions=((update.client, (written,)),))
        return write_update(update)

    def find(self, op_id: bytes) -> tuple[Branch, int]:
        """Return the branch and place of an update that was judged; else KeyError.

        For few updates, which somebody names; of what is stored `place_of` knows as much.
        """
        return self._finder.find(op_id)

    def place_of(self, placement: Placement) -> tuple[Branch, int]:
        """Return the branch and place of an update that was judged; else KeyError."""
        branch = self.branches[placement.branch]
        return branch, branch.ids.place_of(placement.seq)

    def past_at(self, placement: Placement, update: Update) -> Past:
        """Return the past of an update that was judged, and is written; else KeyError."""
        branch, place = self.place_of(placement)
        past = Past(self.claims, branch, place, branch.known_at(place))
        strand = next((s for s in branch.strands.values() if s.has_written_at(place)), None)
        past.begin(strand)
        if strand is not None:
            past.written = past.first + update.end_clock - update.first_clock
        return past

    def frontier(self, branch_number: int | None) -> tuple[bytes, ...]:
        """Return the heads of an update that is written now in a branch, None for a new one.

        They are the newest updates of other branches that count and that nothing holds which the
        branch knows or which is among them, ascending by id.
        """
        branch = self.branches.get(-1 if branch_number is None else branch_number)
        known = {} if branch is None else branch.foreign
        return tuple(
            sorted(
                self.branches[number].ids[place]
                for number, place in self._frontier.items()
                if number != branch_number and place >= known.get(number, 0)
            )
        )

    def close(self) -> None:
        """Free the memory now, not when cycles are looked for; not to be used any more."""
        for branch in self.branches.values():
            for strand in branch.strands.values():
                strand.runs.clear()
            branch.strands.clear()
        self._pasts.clear()

    def restore(self) -> None:
        """Make anew what follows from branches and their strands, which were filled in."""
        for branch in self.branches.values():
            for strand in branch.strands.values():
                self.claims.add(strand)
        self._naming = self._names_of_all()
        for branch in self.branches.values():
            newest = branch.is_valid.rfind(1)
            if newest >= 0 and not any(
                other.checked.get(branch.number, 0) > newest for other in self.branches.values()
            ):
                self._frontier[branch.number] = newest
        for branch in (branch for branch in self.branches.values() if branch.queue):
            missing = self._missing(branch, branch.queue[0].heads)
            if missing is None:
                self._ready.append(branch)
            else:
                self._wait(branch, missing)
