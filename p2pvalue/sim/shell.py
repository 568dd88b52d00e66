"""The shell around the simulated machines: gives inputs, performs effects, ends and starts them.

What the node's own shell does on a real machine is done here on virtual time, in the same order:
all batches of an input in one commit, then what leaves the machine. A disk that takes nothing has
the community read anew, as there.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256
from random import Random
from typing import NamedTuple, assert_never

import msgspec

from p2pvalue.sim.ledger import Ledger, Writing
from p2pvalue.sim.member import Actor
from p2pvalue.sim.network import Network, Timeline, peer_name
from p2pvalue.store import StoreFailed
from p2pvalue_protocol import effects as e
from p2pvalue_protocol import limits
from p2pvalue_protocol.auth_payloads import root_seed
from p2pvalue_protocol.branches import Branch
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import AUTH, CONTENT
from p2pvalue_protocol.inputs import (
    Answer,
    ChunkRead,
    DeviceKeys,
    DevicesMade,
    GossipReceived,
    Input,
    RequestAnswered,
    Sign,
    Wakeup,
    Write,
)
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.replica import Replica

START_MS = 1_800_000_000_000
STORE_AGAIN_MS = 1_000
AT_ONCE = -1
WORDS_OF_NOBODY = "your words are those of nobody"  # what a machine says when recovery is in vain

Heads = list[tuple[int, int, bytes]]


class Death(NamedTuple):
    """How a machine is to die: after so many effects, without flushing, and for how long."""

    after_effects: int
    is_power_cut: bool
    for_ms: int


class Shell:
    """All machines of a world by number."""

    def __init__(self, timeline: Timeline, network: Network, ledger: Ledger, rng: Random) -> None:
        self.timeline = timeline
        self.network = network
        self.ledger = ledger
        self.machines: dict[int, Actor] = {}
        self.community = b""
        self.nonce = b""
        self.is_sealed = False
        self.inputs = 0
        self.after_input: Callable[[Actor], object] = lambda actor: None
        self.on_request: Callable[[Actor, e.JoinRequested], Answer]
        self.on_chunk_asked: Callable[[Actor, e.ChunkAsked], ChunkRead]
        self.on_chunk_brought: Callable[[Actor, e.ChunkBrought], None]
        self._rng = rng
        self._trace = sha256()
        self._roots: dict[bytes, bytes] = {}  # by entropy
        self._dying: dict[int, Death] = {}
        self._heads: dict[int, Heads] = {}  # of machines that are down
        self._refused: set[int] = set()  # machines that the last member they asked did not let in

    @property
    def trace(self) -> str:
        """A hash over all effects of all machines so far."""
        return self._trace.hexdigest()

    def replica(self, actor: Actor) -> Replica:
        """Return a machine's copy of the community."""
        return actor.machine.replica(self.community)

    def root_of(self, actor: Actor) -> bytes:
        """Return the member that a machine's person is, or would be."""
        root = self._roots.get(actor.entropy)
        if root is None:
            key = SigningKey(root_seed(actor.entropy, self.nonce))
            root = self._roots[actor.entropy] = key.public
        return root

    def machines_of(self, root: bytes) -> list[int]:
        """Return the machines of one person, ascending."""
        return sorted(n for n, actor in self.machines.items() if self.root_of(actor) == root)

    def add(self, actor: Actor) -> None:
        """Let another machine run."""
        self.machines[actor.number] = actor
        self.ledger.owners[actor.device.public] = actor.number

    def is_unknown(self, actor: Actor) -> bool:
        """Return whether a machine tells its person that nobody whom it reached knows it."""
        is_in = actor.is_member and self.holds_copy(actor)
        return is_in and actor.machine.is_unknown(self.community, self._clock_ms(actor))

    def is_refused(self, actor: Actor) -> bool:
        """Return whether a machine tells its person that nobody there knows her words."""
        return actor.is_recovering and actor.number in self._refused

    def holds_copy(self, actor: Actor) -> bool:
        """Return whether a machine has a copy of the community, however little of it."""
        return self.community in actor.machine.communities()

    # --- the one path of every input

    def handle(self, number: int, given: Input) -> list[e.Effect]:
        """Give an input to a machine if it is up, and perform its effects.

        Raises LocalProtocolError for what a person may not write.
        """
        actor = self.machines[number]
        if not actor.is_up:
            return []
        self.inputs += 1
        before = self._own_heads(actor) if number in self._dying else []
        try:
            effects = actor.handle(given, self._clock_ms(actor))
        except LocalProtocolError as error:
            if not isinstance(given, Write):
                self.ledger.fail(f"{peer_name(number)} raised {error!r}: {type(given).__name__}")
            raise
        except StoreFailed:
            self.lose(actor)
            return []
        return self._carry_out(actor, given, effects, before)

    def has_signed(self, actor: Actor) -> bool:
        """Let a machine sign what it wrote; return whether that is stored.

        What only its device could sign reaches nobody after that is given up.
        """
        self.handle(actor.number, Sign())
        if not actor.is_up or not self.holds_copy(actor):
            return False
        return all(own.signed_seq == own.head_seq for own in self._own_branches(actor))

    def act(self, number: int) -> None:
        """Let a machine do what it does of itself; only hostile ones do."""
        actor = self.machines[number]
        if actor.is_up:
            self._carry_out(actor, Wakeup(), actor.act(self._clock_ms(actor)), [])

    def is_stuck_in_future(self, actor: Actor) -> bool:
        """Return whether what a machine wrote is from so far ahead that nobody takes it."""
        if not self.holds_copy(actor):
            return False
        held = self.replica(actor).branches.all()  # by a device that it gave up, perhaps
        newest_ms = max((branch.folded_time for branch in held), default=0)
        return newest_ms > self._clock_ms(actor) + limits.AHEAD_MS_MAX

    def _clock_ms(self, actor: Actor) -> int:
        return START_MS + self.timeline.now_ms + actor.skew_ms

    def _carry_out(
        self, actor: Actor, given: Input, effects: list[e.Effect], before: Heads
    ) -> list[e.Effect]:
        record = [self.timeline.now_ms, actor.number, effects]
        self._trace.update(msgspec.msgpack.encode(record))
        death = self._dying.pop(actor.number, None)
        if death is not None:
            self._die_performing(actor, given, effects, death, before)
            return []
        try:
            self._perform(actor, given, effects)
        except StoreFailed:
            return []
        self._plan_wakeup(actor)
        self.after_input(actor)
        return effects

    def _plan_wakeup(self, actor: Actor) -> None:
        due_ms = actor.next_wakeup_ms()
        if due_ms is not None and (actor.wakes_at_ms is None or due_ms < actor.wakes_at_ms):
            actor.wakes_at_ms = due_ms
            wait_ms = max(due_ms - self._clock_ms(actor), 1)
            self.timeline.after(wait_ms, partial(self._wake, actor, actor.lives, due_ms))

    def _wake(self, actor: Actor, life: int, due_ms: int) -> None:
        if actor.lives == life and actor.wakes_at_ms == due_ms:
            actor.wakes_at_ms = None
            self.handle(actor.number, Wakeup())

    # --- performing

    def _perform(self, actor: Actor, given: Input, effects: Sequence[e.Effect]) -> None:
        """Commit, then do the rest; raises StoreFailed with nothing done."""
        batches = [effect.batch for effect in effects if isinstance(effect, e.Store)]
        if batches:
            try:
                actor.store.commit(batches)
            except StoreFailed:
                self._read_anew(actor)
                raise
            actor.is_known = True
        for effect in effects:
            self._perform_one(actor, given, effect)

    def _read_anew(self, actor: Actor) -> None:
        """Go on from what is stored; what waits there is tried again in a second."""
        try:
            effects = actor.machine.reload(self.community)
        except StoreFailed:
            self.lose(actor)
            return
        for effect in effects:
            self._perform_one(actor, Wakeup(), effect)
        actor.wakes_at_ms = 0
        self.timeline.after(STORE_AGAIN_MS, partial(self._wake, actor, actor.lives, 0))

    def _perform_one(self, actor: Actor, given: Input, effect: e.Effect) -> None:
        match effect:
            case e.SendFrame(session, frame):
                self.network.send(actor.number, session, frame)
            case e.CloseSession(session, _):
                self.network.close(actor.number, session)
            case e.Publish(topic, message):
                self._spread(actor, topic, message)
            case e.Judge(verdict):
                if verdict == "accept" and isinstance(given, GossipReceived):
                    self._spread(actor, given.topic, given.message)
            case e.Rejected(peer_id, reason):
                self._blame(actor, peer_id, reason)
            case e.Joined(state=state, message=message):
                is_refused = state == "failed" and WORDS_OF_NOBODY in message
                (self._refused.add if is_refused else self._refused.discard)(actor.number)
                actor.is_known = actor.is_known or state != "failed"
                actor.is_member = actor.is_member or state == "admitted"
                actor.is_recovering = actor.is_recovering and state != "admitted"
            case e.Wrote():
                self._acknowledge(actor, effect)
            case e.DevicesWanted(session=session, communities=wanted):
                keys = [DeviceKeys(w[0], actor.device, actor.prekey_private) for w in wanted]
                self._soon(actor, DevicesMade(session, "another", tuple(keys), 0))
            case e.JoinRequested(session=session):
                self._soon(actor, RequestAnswered(session, self.on_request(actor, effect)))
            case e.ChunkAsked():
                self._soon(actor, self.on_chunk_asked(actor, effect))
            case e.ChunkBrought():
                self.on_chunk_brought(actor, effect)
            case e.Store() | e.Changed() | e.Ready() | e.AddressLearned() | e.Linked():
                pass
            case e.Parted() | e.TopicsChanged() | e.DigestsHeard() | e.ChunkNowhere():
                pass
            case _:
                assert_never(effect)

    def _soon(self, actor: Actor, answer: Input) -> None:
        def give(life: int = actor.lives) -> None:
            if actor.lives == life:
                self.handle(actor.number, answer)

        self.timeline.after(1, give)

    def _spread(self, actor: Actor, topic: str, message: bytes) -> None:
        for peer_id in actor.peers_of(self.community):
            self.network.hint(actor.number, number_of(peer_id), topic, message)

    def _blame(self, actor: Actor, peer_id: str, reason: str) -> None:
        if self.machines[number_of(peer_id)].is_honest and actor.is_honest:
            self.ledger.fail(f"{peer_name(actor.number)} blamed {peer_id}: {reason}")
        elif actor.is_honest:
            self.ledger.blamed[reason] += 1

    def _acknowledge(self, actor: Actor, wrote: e.Wrote) -> None:
        if not actor.is_honest or not wrote.references:
            return
        device = wrote.references[0].device
        self.ledger.acknowledged.setdefault(device, []).extend(wrote.references)
        if self.is_sealed and wrote.references[0].log_class == CONTENT:
            outsiders = self._outsiders(actor)
            if outsiders:
                self.ledger.writings += [
                    Writing(reference, actor.number, outsiders) for reference in wrote.references
                ]

    def _outsiders(self, actor: Actor) -> frozenset[bytes]:
        """Return who is out and was let in once, by what a machine holds."""
        gone = self.ledger.put_out | self.ledger.left
        if not gone:
            return frozenset()
        membership = self.replica(actor).membership
        members = {member.root for member in membership.members()}
        return frozenset(root for root in gone - members if membership.knows_root(root))

    # --- life and death

    def doom(self, number: int, death: Death) -> None:
        """Let a machine die at once, or among the effects of its next input."""
        actor = self.machines[number]
        if not actor.is_up:
            return
        if death.after_effects == AT_ONCE:
            self._die(actor, death, self._own_heads(actor))
        else:
            self._dying[number] = death

    def _die_performing(
        self, actor: Actor, given: Input, effects: list[e.Effect], death: Death, before: Heads
    ) -> None:
        """Die before the commit (0), right behind it (1), or after some of what follows."""
        heads = before
        if death.after_effects:
            stored = [effect for effect in effects if isinstance(effect, e.Store)]
            others = [effect for effect in effects if not isinstance(effect, e.Store)]
            heads = self._own_heads(actor)
            try:
                self._perform(actor, given, [*stored, *others[: death.after_effects - 1]])
            except StoreFailed:
                heads = before
        self._die(actor, death, heads)

    def _die(self, actor: Actor, death: Death, heads: Heads) -> None:
        self._heads[actor.number] = heads
        self.network.drop_all(actor.number)
        if death.is_power_cut:
            actor.disk.cut_power(self._rng)
        else:
            actor.disk.kill()
        actor.is_up = False
        actor.lives += 1
        self.timeline.after(max(death.for_ms, 1), partial(self.start, actor, actor.lives))

    def stop(self, actor: Actor) -> None:
        """End a machine for good."""
        self.network.drop_all(actor.number)
        actor.is_up = False
        actor.lives += 1

    def start(self, actor: Actor, life: int) -> None:
        """Begin a machine's next life, if it was not begun or ended since."""
        if actor.lives != life:
            return
        actor.is_up = True
        try:
            actor.restart([self.community] if actor.is_known else [])
        except StoreFailed:
            self.lose(actor)
            return
        self._check_return(actor)
        self.handle(actor.number, Wakeup())

    def replace(self, actor: Actor) -> None:
        """Begin a new life at once, as a new device on what the disk holds."""
        self.network.drop_all(actor.number)
        self._heads.pop(actor.number, None)
        self.ledger.given_up.add(actor.device.public)
        actor.take_new_device()
        self.ledger.owners[actor.device.public] = actor.number
        actor.is_up = True
        actor.lives += 1
        self.start(actor, actor.lives)

    def lose(self, actor: Actor) -> None:
        """A disk is of no use any more: its owner gets another, and comes back with her words."""
        self.ledger.deeds["disk replaced"] += 1
        actor.disk.kill()
        actor.disk = type(actor.disk)()
        self.replace(actor)

    def _own_heads(self, actor: Actor) -> Heads:
        if not self.holds_copy(actor):
            return []
        return [(b.row.log_class, b.head_seq, b.head_id) for b in self._own_branches(actor)]

    def _own_branches(self, actor: Actor) -> list[Branch]:
        branches = self.replica(actor).branches
        return [b for c in (AUTH, CONTENT) for b in branches.of(actor.device.public, c)]

    def _check_return(self, actor: Actor) -> None:
        """After a restart, nothing that was acknowledged is gone, and no log goes back."""
        heads = self._heads.pop(actor.number, None)
        if not actor.is_honest or heads is None or not self.holds_copy(actor):
            return
        name = peer_name(actor.number)
        if self._own_heads(actor) != heads:
            self.ledger.fail(f"{name} came back with other heads of its own logs")
        if not all(map(self.replica(actor).held, self.ledger.promised(actor.device.public))):
            self.ledger.fail(f"{name} lost what was acknowledged")


def number_of(peer_id: str) -> int:
    """Return the machine that a peer id names."""
    return int(peer_id.rpartition("-")[2])
