"""What must hold in every world, looked at on the way and in the end.

*Safety.* Nothing that was acknowledged is lost; no honest log goes back or forks; an honest machine
is never blamed by another; what a machine sees follows from the operations it holds, in whatever
order they came; who was put out does not count beyond what somebody kept; who is not let in reads
nothing. *Liveness.* When everything has healed, all honest members hold and see the same.

Whoever checks must not believe who is checked: who may read what, who is out and what was promised
is taken from the ledger, and keeps are followed here, operation by operation.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from random import Random

from p2pvalue.sim.damage import ask
from p2pvalue.sim.ledger import Ledger, Writing
from p2pvalue.sim.member import Actor, is_reader
from p2pvalue.sim.needs import Standing, standings
from p2pvalue.sim.network import peer_name
from p2pvalue.sim.refolding import is_refolded_alike
from p2pvalue.sim.shell import Shell
from p2pvalue.sim.standing import wrongly_shown
from p2pvalue.sim.words import CANARY
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.operation import decode_core
from p2pvalue_protocol.past import OperationRow

_CANARY = CANARY.encode()
DEEP_SHARE = 0.2
LOST = "lost what was acknowledged"


class Checks:
    """Judges one world; what is wrong is told to the ledger."""

    def __init__(self, shell: Shell, ledger: Ledger, rng: Random) -> None:
        self._shell = shell
        self._ledger = ledger
        self._rng = rng

    # --- on the way

    def look_at_frame(self, sender: int, receiver: int, frame: bytes) -> None:
        """In a community for members only, no text leaves a machine in the clear.

        Batches are compressed: what is in them is looked at where it is stored.
        """
        if self._shell.is_sealed and _CANARY in frame:
            names = f"{peer_name(sender)} to {peer_name(receiver)}"
            self._ledger.fail(f"a text went from {names} in the clear")

    def look(self) -> None:
        """Look at one machine, drawn at random: it costs as much as some hundred inputs."""
        actors = [a for _, a in sorted(self._shell.machines.items()) if a.is_up and a.is_honest]
        actor = self._rng.choice(actors)
        if self._shell.holds_copy(actor):
            is_deep = self._rng.random() < DEEP_SHARE
            ask(self._shell, actor, partial(self._look_at, is_deep=is_deep))

    def _look_at(self, actor: Actor, *, is_deep: bool) -> None:
        name = peer_name(actor.number)
        replica = self._shell.replica(actor)
        for device in replica.branches.forked_devices():
            if self._is_honest(device) and device not in self._ledger.copied:
                self._ledger.fail(f"{name} holds a fork of an honest log")
        if not all(map(replica.held, self._ledger.promised(actor.device.public))):
            self._ledger.fail(f"{name} {LOST}")
        if replica.has_work:
            return  # what it sees is still on its way to what it holds
        members = {member.root for member in replica.membership.members()}
        out = self._ledger.put_out - members
        for what in wrongly_shown(actor.store, self._shell.community, out):
            self._ledger.fail(f"{name} shows what counts no more: {what}")
        # Who was put out holds what nobody lists any more, which cannot be told in any order.
        is_out = replica.membership.is_gone(actor.device.public)
        if is_deep and not is_out:
            self._look_deep(actor)

    def _look_deep(self, actor: Actor) -> None:
        name, community = peer_name(actor.number), self._shell.community
        if not is_refolded_alike(actor.store, community, actor.device.public, self._rng):
            self._ledger.fail(f"{name} sees something else than what it holds")
        rows = actor.store.operations_in_order(community)
        if self._shell.is_sealed and any(_CANARY in (row.payload or b"") for row in rows):
            self._ledger.fail(f"{name} holds a text in the clear")

    def _is_honest(self, device: bytes) -> bool:
        owner = self._ledger.owners.get(device)
        return owner is not None and self._shell.machines[owner].is_honest

    # --- in the end

    def look_at_end(self) -> None:
        """Look at every machine, once."""
        settled = self.settled()
        deep = self._rng.choice(settled)
        writers = self._writers()
        for actor in settled:
            if self._shell.holds_copy(actor):
                look = partial(self._look_last, is_deep=actor is deep, writers=writers)
                ask(self._shell, actor, look)
        self._look_at_readers()
        self._count_needs()

    def _look_last(self, actor: Actor, *, is_deep: bool, writers: list[bytes]) -> None:
        self._look_at(actor, is_deep=is_deep)
        self._look_at_promises(actor, writers)

    def _count_needs(self) -> None:
        """Take down what became of needs and pledges: where nothing binds, little was tried."""
        for actor in self.settled()[:1]:
            if self._shell.holds_copy(actor):
                for found in (ask(self._shell, actor, self._standings_of) or {}).values():
                    self._ledger.deeds[f"need {found.state}"] += 1
                    for _, state, *_ in found.pledges:
                        self._ledger.deeds[f"pledge {state}"] += 1

    def _writers(self) -> list[bytes]:
        """Return the devices of settled machines that were promised something."""
        devices = [actor.device.public for actor in self.settled()]
        return [device for device in devices if self._ledger.promised(device)]

    def _look_at_promises(self, actor: Actor, writers: list[bytes]) -> None:
        """What an honest member was told is written is held by all."""
        replica = self._shell.replica(actor)
        for device in writers:
            missing = sum(not replica.held(r) for r in self._ledger.promised(device))
            if missing:
                writer = peer_name(self._ledger.owners[device])
                name = peer_name(actor.number)
                self._ledger.fail(f"{name} lacks {missing} operations that {writer} wrote")

    def _was_let_in(self, root: bytes) -> bool:
        """Return whether any honest machine holds that somebody let her in, entitled or not."""
        honest = (a for a in self._shell.machines.values() if a.is_honest)
        held = (self._shell.replica(a) for a in honest if self._shell.holds_copy(a))
        return any(replica.membership.knows_root(root) for replica in held)

    def _look_at_readers(self) -> None:
        """Who is out reads nothing that was written knowing it; who was never in, nothing."""
        in_now = (actor for actor in self.settled() if actor.is_member)
        held = [actor for actor in in_now if self._shell.holds_copy(actor)]
        members = self._shell.replica(held[0]).membership.members() if held else ()
        admitted = {member.root for member in members}
        for _, actor in sorted(self._shell.machines.items()):
            root = self._shell.root_of(actor)
            if root in admitted or not self._shell.holds_copy(actor):
                continue
            ask(self._shell, actor, self._look_at_reader)

    def _look_at_reader(self, actor: Actor) -> None:
        name, root = peer_name(actor.number), self._shell.root_of(actor)
        secrets = dict(actor.store.past(self._shell.community).epoch_secrets())
        if secrets and not self._was_let_in(root):
            self._ledger.fail(f"{name} was never let in and has secrets")
        for writing in self._ledger.writings:
            epoch = self._epoch_of(writing)
            is_read = epoch in secrets or self._is_opened(actor, writing.reference)
            if epoch and root in writing.outsiders and is_read:
                self._ledger.fail(f"{name} reads what is not for it")
                break

    def _epoch_of(self, writing: Writing) -> bytes:
        """Return what its author sealed something under; empty if nothing, or if that is lost."""
        actor = self._shell.machines[writing.machine]
        if not self._shell.holds_copy(actor):
            return b""
        row = ask(self._shell, actor, partial(self._row, reference=writing.reference))
        return decode_core(row.core).epoch if row is not None else b""

    def _is_opened(self, actor: Actor, reference: Reference) -> bool:
        row = self._row(actor, reference)
        return (
            row is not None and self._shell.replica(actor).open(row.core, row.payload) is not None
        )

    def _row(self, actor: Actor, reference: Reference) -> OperationRow | None:
        branches = self._shell.replica(actor).branches
        place = branches.find(reference)
        return branches.row(place.branch, reference.seq) if place is not None else None

    # --- when everything has healed

    def settled(self) -> list[Actor]:
        """Return the honest machines that are to be equal in the end, ascending by number."""
        actors = (self._shell.machines.get(number) for number in sorted(self._ledger.wanted))
        return [actor for actor in actors if actor is not None and actor.is_honest]

    def difference(self) -> str:
        """Return the first thing in which machines that are to be equal differ; empty if none."""
        settled = self.settled()
        for actor in settled:
            if not (actor.is_up and actor.is_member and self._shell.holds_copy(actor)):
                return f"{peer_name(actor.number)} is not in"
        roots = {self._shell.root_of(actor) for actor in settled if not is_reader(actor)}
        first = settled[0]
        for actor in settled:
            name, replica = peer_name(actor.number), self._shell.replica(actor)
            members = self._shell.replica(first).membership.members()
            if not roots.issubset(member.root for member in members):
                return f"{peer_name(first.number)} lacks a member"
            if replica.has_work:
                return f"{name} has not folded all"
            if replica.membership.members() != members:
                return f"{name} knows other members than {peer_name(first.number)}"
            if self._heads_of(actor) != self._heads_of(first):
                return f"{name} holds other logs than {peer_name(first.number)}"
        return self._difference_read(settled)

    def _difference_read(self, settled: list[Actor]) -> str:
        """Return the first difference in what is read from the disks; empty if none."""
        questions: tuple[tuple[Callable[[Actor], object], str], ...] = (
            (self._digest_of, "sees something else than the first"),
            (self._standings_of, "finds a need elsewhere than the first does"),
        )
        for question, what in questions:
            answers = [ask(self._shell, actor, question) for actor in settled]
            for actor, answer in zip(settled, answers, strict=True):
                if answer is None:
                    return f"{peer_name(actor.number)} finds its disk damaged"
                if answer != answers[0]:
                    return f"{peer_name(actor.number)} {what}"
        return ""

    def _digest_of(self, actor: Actor) -> bytes:
        return actor.store.state_digest(self._shell.community)

    def _standings_of(self, actor: Actor) -> dict[bytes, Standing]:
        return standings(self._shell.replica(actor), actor.store)

    def _heads_of(self, actor: Actor) -> list[Reference]:
        """Return the heads that are told; of hostile machines' logs only what is seen counts."""
        return [head for head in self._shell.replica(actor).heads() if self._is_honest(head.device)]
