"""Who may do what, kept up with every auth operation that comes (spec: membership).

The state is a pure function of the set of operations held. An operation that takes nothing away
changes only what is known of the member it names. A removal is judged again against what it can
act on: if its author had seen all of that, nothing that was settled changes; if not, and if the
author is strong enough to matter, all verdicts are made anew, when somebody asks.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict

from p2pvalue_protocol import acts
from p2pvalue_protocol.auth_record import Chains, Record
from p2pvalue_protocol.causal import AuthGraph
from p2pvalue_protocol.device_tree import Case
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.settled import Settled
from p2pvalue_protocol.takings import Takings
from p2pvalue_protocol.verdicts import Verdicts
from p2pvalue_protocol.views import View

_SETTLED_KEPT_MAX = 32  # one for each set of what divides views that frontiers lately held


class Changes:
    """What changed since somebody looked: everything (`is_anew`), or what is known of `roots`."""

    def __init__(self) -> None:
        self.is_anew = True
        self.roots: set[bytes] = set()

    def take(self) -> tuple[bool, set[bytes]]:
        """Return both, and begin again."""
        taken = self.is_anew, self.roots
        self.is_anew, self.roots = False, set()
        return taken


class Authority:
    """The rules over everything held, and over any frontier of it."""

    def __init__(self, graph: AuthGraph, chains: Chains) -> None:
        self.record = Record(graph, chains)
        self.takings = Takings(self.record)
        self._graph = graph
        self._static: dict[int, bool] = {}
        self._new_admits: list[int] = []
        self._pending: list[int] = []  # removals that may change what is settled
        self._touched: set[bytes] = set()  # roots
        self._is_settled = True
        self._unsound: set[bytes] = set()  # roots on whom verdicts were given that may change
        self._everything = 0
        self._all = View(Verdicts(self.takings, None, self._static, Settled()), 0)
        self._settled: OrderedDict[int, Settled] = OrderedDict()
        self._awaited: defaultdict[bytes, set[tuple[Reference, bytes]]] = defaultdict(set)
        self._unproven: dict[int, set[Reference]] = {}  # by FORK: what is not held
        self._forks_that_name: defaultdict[Reference, list[int]] = defaultdict(list)  # not held
        self._unproven_forks = 0
        self._unlooked: list[int] = []  # with references that are perhaps held
        self._given: set[bytes] = set()
        self.reconsidered: set[bytes] = set()  # devices of which a named operation came
        self._changes: list[Changes] = []

    # --- taking

    def add(self, event: acts.Event) -> None:
        """Take an event that the graph holds, its past before it; under 10 µs."""
        record = self.record
        index = record.add(event)
        self.takings.note(index)
        self._everything |= 1 << index
        self._is_settled = False
        self._note(index, event)
        if event.op_id in self._awaited:
            self._unsound.update(record.roots_of.get(event.device, ()))
            self.evidence(record.place(index))

    def _note(self, index: int, event: acts.Event) -> None:
        match event.act:
            case acts.Found(founders):
                self._touched.update(root for root, _ in founders)
            case acts.AddDevice(root) | acts.Remove(root) | acts.Vote(root):
                self._touched.add(root)
            case acts.Give(root) | acts.RemoveDevice(root):
                self._touched.add(root)
            case acts.Admit(root):
                self._touched.add(root)
                if index in self.record.giving_at:
                    self._new_admits.append(index)
            case acts.ProveFork(first):
                self._touched.update(self.record.roots_of.get(first.device, ()))
        is_leave = index in self.record.leaves
        if self.record.removals_mask >> index & 1:
            if not is_leave:
                self._pending.append(index)
            if isinstance(event.act, acts.ProveFork) or self.record.keeps_of(index):
                self._unlooked.append(index)

    # --- settling

    def settle(self) -> None:
        """Bring the view of everything up to what is held; nothing to do in most calls."""
        if self._is_settled:
            return
        if self._new_admits:
            self._judge_admits()
        if self._unlooked:
            self._look_for_named()
        pending, self._pending = self._pending, []
        if self._unsound or any(self._may_change(index) for index in pending):
            self._forget(self._unsound.union(*map(self._taken_from, pending)))
        self._unsound, self._is_settled = set(), True
        self._all.extend(self._everything, self._touched)
        for changes in self._changes:
            changes.roots |= self._touched
        self._touched = set()

    def _taken_from(self, index: int) -> set[bytes]:
        """Return the members of whom a removal, or a keep, speaks."""
        act = self.record.events[index].act
        match act:
            case acts.WithdrawInvite(key):
                return self.takings.admitted_by(key)
            case acts.RemoveDevice(root, device):
                return {root, *self.record.roots_of.get(device, ())}
            case acts.ProveFork(first):
                return set(self.record.roots_of.get(first.device, ()))
            case _:
                assert isinstance(act, acts.Give | acts.Remove | acts.Vote), "nothing else takes"
                return {act.root}

    def _forget(self, roots: set[bytes]) -> None:
        """Forget the verdicts on some members and on whom they gave, took or kept something."""
        roots = self.takings.resting_on(roots)
        if not roots.isdisjoint(self.takings.policy_makers):
            roots = self.takings.resting_on(set(self.record.givings))
            self._all.verdicts.settled.policies.clear()
        self._touched |= roots
        self._all.verdicts.settled.forget(roots, self.takings.written_by(roots))

    def changes(self) -> Changes:
        """Return a new account of what changes from now on; `settle` brings it up to date."""
        self._changes.append(Changes())
        return self._changes[-1]

    def _judge_admits(self) -> None:
        """Settle, in order, whether the authors of ADMITs had a standing by their own pasts."""
        new, self._new_admits = self._new_admits, []
        for index in new:
            before = self.record.before(index)
            case = Case(self.record.events[index].device, before)
            self._static[index] = self._verdicts_of(before).best(case) is not None

    def _may_change(self, index: int) -> bool:
        """Return whether a removal, or a keep, may change a verdict that was given before it."""
        record, act = self.record, self.record.events[index].act
        past = record.past(index)
        match act:
            case acts.WithdrawInvite(key):
                unseen = [a for a in record.admits_of_key.get(key, ()) if not past >> a & 1]
                weakest = max((record.giving_at[admit].rank for admit in unseen), default=0)
                return self._all.verdicts.at_most(index, weakest - 1)
            case acts.RemoveDevice(root, device) if act.is_by_root:
                removals = record.device_removals.get(device, ())
                known = next((r.known for r in removals if r.at == index), -1)
                return self._reaches_device(device, known) or self._may_spare(index, root)
            case acts.RemoveDevice(root, device):
                return self._is_powerful(index, root) and (
                    self._reaches_device(device, past) or self._may_spare(index, root)
                )
            case acts.ProveFork(first):
                return any(
                    self._is_powerful(index, root)
                    and (self._reaches_device(first.device, past) or self._may_spare(index, root))
                    for root in record.roots_of.get(first.device, ())
                )
            case acts.Vote(root) if self._adds_nothing(index, root):
                return False
            case acts.Remove(root) | acts.Vote(root):
                unseen = [at for at in record.own_device_removals(root) if not past >> at & 1]
                return self._is_powerful(index, root) and (
                    bool(unseen)
                    or any(self._reaches_acts(d, past) for d in record.devices_of.get(root, ()))
                    or self._may_spare(index, root)
                )
        assert isinstance(act, acts.Give), "what takes nothing may keep something"
        return self._may_spare(index, act.root)

    def _adds_nothing(self, vote: int, root: bytes) -> bool:
        """Return whether a VOTE is one of too few, or says what its author said before."""
        if not self.takings.may_be_voted_out(root):
            return True
        earlier, voter = self.takings.vote_before(vote, root), self._all.verdicts.votes.voter
        is_plain = not self.record.keeps_of(vote)
        return (
            earlier is not None
            and is_plain
            and all(voter(vote, rank) == voter(earlier, rank) for rank in (0, 1))
        )

    def _is_powerful(self, index: int, root: bytes) -> bool:
        """Return whether an author could matter for a member, by the verdicts before this one."""
        record, verdicts = self.record, self._all.verdicts
        if record.is_of(record.events[index].device, root, index):
            return True
        if isinstance(record.events[index].act, acts.Vote):
            return any(verdicts.votes.voter(index, rank) is not None for rank in (0, 1))
        # After a demotion, and there a strong author comes first, weaker ones may be strong.
        demotions = [d for d in record.removals.get(root, ()) if not record.puts_out(d)]
        weakest = max((giving.rank for giving in record.givings.get(root, ())), default=0)
        return verdicts.at_most(index, weakest - 1) or any(
            demotion in record.leaves or verdicts.at_most(demotion, weakest - 1)
            for demotion in demotions
        )

    def _reaches_device(self, device: bytes, known: int) -> bool:
        certified = self.record.certified_by.get(device, ())
        return self._reaches_acts(device, known) or any(not known >> at & 1 for at in certified)

    def _reaches_acts(self, device: bytes, known: int) -> bool:
        """Return whether a device wrote something beyond `known`, or others admitted for it."""
        record = self.record
        acted_on = (*record.heads_of_log(device), *record.admits_for.get(device, ()))
        return any(not known >> index & 1 for index in acted_on)

    def _may_spare(self, index: int, root: bytes) -> bool:
        """Return whether a keep may lift something that other removals of a member took."""
        record = self.record
        return bool(record.keeps_of(index)) and (
            any(removal != index for removal in record.removals.get(root, ()))
            or any(vote != index for vote in record.votes_on.get(root, ()))
            or any(
                removal.at != index
                for device in record.devices_of.get(root, ())
                for removal in record.device_removals.get(device, ())
            )
        )

    # --- what is named and not held

    def awaits(self, op_id: bytes) -> bool:
        """Return whether a FORK or a keep names an operation that is not held."""
        if self._unlooked:
            self.settle()
        return op_id in self._awaited

    def evidence(self, reference: Reference) -> None:
        """Take note that an operation is held now that a FORK or a keep named before."""
        named = self._awaited.get(reference.op_id, set())
        for wanted, device in sorted(named):
            if wanted != reference:
                continue
            named.discard((wanted, device))
            self.reconsidered.add(device)
            self._is_settled = False
            self._touched.update(self.record.roots_of.get(device, ()))
            for fork in self._forks_that_name.pop(reference, ()):
                self._unproven[fork].discard(reference)
                if not self._unproven[fork]:
                    self._unproven_forks &= ~(1 << fork)
        if not named:
            self._awaited.pop(reference.op_id, None)

    @property
    def proven_forks(self) -> int:
        """Return the set of the FORKs of which both operations that they name are held."""
        return self.takings.forks & ~self._unproven_forks

    def _look_for_named(self) -> None:
        unlooked, self._unlooked = self._unlooked, []
        for index in unlooked:
            act = self.record.events[index].act
            if isinstance(act, acts.ProveFork):
                pair = {act.first, act.second}
                self._unproven[index] = {r for r in pair if not self.record.is_held(r)}
                for reference in self._unproven[index]:
                    self._unproven_forks |= 1 << index
                    self._forks_that_name[reference].append(index)
                    self._awaited[reference.op_id].add((reference, reference.device))
            for kept in self.record.keeps_of(index):
                if not self.record.is_held(kept):
                    self._awaited[kept.op_id].add((kept, kept.device))

    # --- views

    def view(self, frontier: int | None = None) -> View:
        """Return the answers for a frontier, by its past alone; for None by everything held."""
        self.settle()
        return self._all if frontier is None else self.view_of(self._graph.past(frontier))

    def view_of(self, known: int) -> View:
        """Return the answers by a bit set of operations that holds the past of each of its own."""
        self.settle()
        if known == self._all.known:
            return self._all
        return View(self._verdicts_of(known), known)

    def past(self, frontier: int) -> int:
        """Return the bit set of a frontier and what precedes it."""
        return self._graph.past(frontier)

    def was_given(self, root: bytes) -> bool:
        """Return whether a member was ever given a rank that counted by the giving's own past."""
        self.settle()
        if root not in self._given:
            for giving in self.record.givings.get(root, ()):
                if self._verdicts_of(giving.past).is_effective(giving):
                    self._given.add(root)
                    break
        return root in self._given

    def is_out(self, root: bytes, frontier: int | None = None) -> bool:
        """Return whether a member was given a rank, and has none left, at a frontier or by all."""
        view = self.view(frontier)
        return view.rank_of(root) is None and any(
            self._verdicts_of(giving.past).is_effective(giving) for giving in view.givings(root)
        )

    def _verdicts_of(self, known: int) -> Verdicts:
        """Return the verdicts by a past; those that cannot differ are shared with other pasts."""
        key = known & self.takings.dividing
        settled = self._settled.get(key)
        if settled is None:
            settled = self._settled[key] = Settled()
            if len(self._settled) > _SETTLED_KEPT_MAX:
                self._settled.popitem(last=False)
        else:
            self._settled.move_to_end(key)
        return Verdicts(self.takings, known, self._static, settled)
