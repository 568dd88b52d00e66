"""What the people of a simulated community do: write, let in, put out, come back, go.

Each deed is a line of the plan. It returns whether it was done: a person whose machine is down, or
not yet let in, tries again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from random import Random

import msgspec

from p2pvalue.sim.company import has_company
from p2pvalue.sim.files import Files
from p2pvalue.sim.member import Actor, is_reader
from p2pvalue.sim.plan import VOTERS
from p2pvalue.sim.scenario import Event
from p2pvalue.sim.shell import Shell
from p2pvalue.sim.words import Words
from p2pvalue.store import StoreFailed
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import effects as e
from p2pvalue_protocol.errors import P2PValueError
from p2pvalue_protocol.inputs import Answer, Draft, Found, Write
from p2pvalue_protocol.invitation import invite_key
from p2pvalue_protocol.keys import SigningKey
from p2pvalue_protocol.kinds import need
from p2pvalue_protocol.removal import leave_draft, removal_draft, return_draft, vote_draft

TELL_LEAVE_MS = 8_000
DECIDE_MS_MAX = 5_000  # how long a person looks at somebody's request
IN_VAIN_MS = 20_000  # others may be out of reach, so a person does not pass somebody by for good
LOOKS_ALONE = 3
WRITTEN_AT_ONCE = 3


class People:
    """Whoever sits before the machines of one world."""

    def __init__(
        self,
        shell: Shell,
        rng: Random,
        seed: int,
        new_machine: Callable[[int], Actor],
        words: Words,
    ) -> None:
        self.secret = rng.randbytes(16)
        self._shell = shell
        self._seed = seed
        self._new_machine = new_machine
        self._words = words
        self._alone: dict[int, int] = {}  # by machine: how often it was found so
        self._asked: dict[int, int] = {}  # by machine: whom its person asked last to let her in
        self._in_vain: dict[int, dict[int, int]] = {}  # by machine: who did though nobody knew it
        self._let_back: set[bytes] = set()  # roots
        self.files = Files(shell)
        shell.on_request = self._hear
        self._deeds: dict[str, Callable[[Event], bool]] = {
            "write": self._write,
            "share": self._share,
            "join": self._join,
            "ask": self._ask,
            "promote": self._promote,
            "remove": self._remove,
            "readmit": self._readmit,
            "leave": self._leave,
            "link": self._link,
            "recover": self._recover,
            "policy": self._policy,
            "vote": self._vote,
        }

    def found(self, founder: Actor, read: int, join: int) -> None:
        """Found the community and write its invite."""
        nonce = founder.rng.randbytes(32)
        self._shell.nonce = nonce
        root = SigningKey(auth.root_seed(founder.entropy, nonce))
        entry = auth.founder(root, founder.device.public, founder.prekey, nonce)
        payload = auth.genesis_payload(nonce, [entry], read=read, join=join, admin_quorum=VOTERS)
        given = Found(founder.device, payload, founder.prekey_private)
        effects = self._shell.handle(founder.number, given)
        community = next(f.community for f in effects if isinstance(f, e.Wrote))
        self._shell.community = community
        founder.is_known = founder.is_member = True
        invite = auth.invite_payload(invite_key(self.secret).public, auth.MEMBER, 0)
        self._write_one(founder, Draft(auth.INVITE, b"", invite))

    def is_doing(self, what: str) -> bool:
        """Return whether a line of a plan is for people."""
        return what in self._deeds

    def do(self, event: Event) -> bool:
        """Do what a line of the plan says; return whether it was done."""
        try:
            is_done = self._deeds[event.what](event)
        except P2PValueError:
            return False  # it may not be done (yet), and nothing has changed
        self._shell.ledger.deeds[event.what] += is_done
        return is_done

    def next_try(self, event: Event) -> Event:
        """Return what is tried instead of a deed that was not done.

        Who may not write, or does not, is followed by the next machine; all else is tried again.
        """
        if event.what != "write" or self._member(event.machine) is None:
            return event
        numbers = sorted(self._shell.machines)
        following = numbers[(numbers.index(event.machine) + 1) % len(numbers)]
        return msgspec.structs.replace(event, machine=following)

    def count_votes(self) -> None:
        """Take down who is an admin no more because of votes, as the founder sees it."""
        shell, ledger = self._shell, self._shell.ledger
        founder = shell.machines[0]
        if not ledger.voted_on or not founder.is_up or not shell.holds_copy(founder):
            return
        members = shell.replica(founder).membership.members()
        admins = {member.root for member in members if member.rank <= auth.ADMIN}
        ledger.deeds["voted down"] += len(ledger.voted_on - admins)
        ledger.voted_on &= admins

    def write_what_is_missing(self, missing: int) -> int:
        """Let who can write so many operations, a few at a time each; return what is left."""
        machines = [self._shell.machines[number] for number in sorted(self._shell.ledger.wanted)]
        at_ms = self._shell.timeline.now_ms
        while missing > 0:
            before = missing
            for actor in machines:
                at_ms += 1  # what is written follows from it
                event = Event(at_ms, "write", actor.number, amount=WRITTEN_AT_ONCE)
                missing -= WRITTEN_AT_ONCE * self.do(event)
            if missing == before:
                break
        return missing

    def set_right(self, founder: Actor) -> None:
        """Undo what hostile people did: let in again who was put out, put out who came in.

        Where all are honest, say again what was lost with a disk: that somebody is let in again.
        """
        shell = self._shell
        if not founder.is_up or not shell.holds_copy(founder):
            return
        membership = shell.replica(founder).membership
        ranks = {member.root: member.rank for member in membership.members()}
        honest = {shell.root_of(shell.machines[n]) for n in shell.ledger.wanted}
        if all(actor.is_honest for actor in shell.machines.values()):
            honest &= self._let_back
        drafts: list[Callable[[], Draft]] = []
        out = {m.root for m in membership.former_members()} | set(membership.voided_members())
        for root in sorted(out & honest):
            drafts.append(partial(return_draft, shell.replica(founder), root, auth.MEMBER))
        known = {shell.root_of(actor) for actor in shell.machines.values()}
        for root in sorted(set(ranks) - known):
            drafts.append(partial(removal_draft, shell.replica(founder), root))
        for draft in drafts:
            with suppress(P2PValueError):
                self._write_one(founder, draft())

    def look_at_status(self) -> None:
        """Let people do what their machines advise, where nobody knows a device, or its person.

        They look every few seconds, and wait a little: who knows may be away.
        """
        shell = self._shell
        for number in sorted(shell.ledger.wanted):
            actor = shell.machines.get(number)
            if actor is None or not actor.is_up or is_reader(actor):
                continue
            if not (shell.is_unknown(actor) or shell.is_refused(actor)):
                self._alone.pop(number, None)
                continue
            self._alone[number] = self._alone.get(number, 0) + 1
            if self._alone[number] >= LOOKS_ALONE:
                del self._alone[number]
                self._come_in_again(actor)
                shell.ledger.deeds["came in again"] += 1

    def _come_in_again(self, actor: Actor) -> None:
        """By the person's other machine that brought this one in; else by words, or an invite."""
        if actor.links_from is not None and not actor.is_recovering:
            self._shell.replace(actor)
            older = self._member(actor.links_from)
            actor.is_recovering = older is None
            if older is None:
                actor.links_from = None
            return
        actor.is_member = actor.is_recovering = False
        actor.neighbours = sorted({0, *actor.neighbours} - {actor.number})  # whose invite it is
        # The node advises a new invite, since what she was let in by is lost or does not count. Who
        # let her in may be a liar whose log is cut off, and would do the same again.
        if actor.number in self._asked:
            until_ms = self._shell.timeline.now_ms + IN_VAIN_MS
            self._in_vain.setdefault(actor.number, {})[self._asked.pop(actor.number)] = until_ms

    def asks(self, actor: Actor, other: Actor) -> None:
        """Take note of whom a person asks to let her in by her invite."""
        self._asked[actor.number] = other.number

    def asked_in_vain(self, actor: Actor) -> set[int]:
        """Return whom a person does not ask for a while: they let her in, and nobody knew of it."""
        now_ms = self._shell.timeline.now_ms
        return {
            n for n, until_ms in self._in_vain.get(actor.number, {}).items() if until_ms > now_ms
        }

    # --- one deed each

    def _member(self, number: int) -> Actor | None:
        actor = self._shell.machines.get(number)
        return actor if actor is not None and actor.is_up and actor.is_member else None

    def _write_one(self, actor: Actor, draft: Draft) -> bool:
        effects = self._shell.handle(actor.number, Write(self._shell.community, (draft,)))
        return any(isinstance(effect, e.Wrote) for effect in effects)

    def _write(self, event: Event) -> bool:
        actor = self._member(event.machine)
        if actor is None:
            return False
        rng = Random(f"{self._seed} {event.at_ms} {event.machine}")
        drafts = tuple(self._words.draft(rng, actor.number) for _ in range(event.amount))
        effects = self._shell.handle(actor.number, Write(self._shell.community, drafts))
        made = [r for effect in effects if isinstance(effect, e.Wrote) for r in effect.references]
        if actor.is_honest:
            self._words.wrote(actor.number, drafts, made)
        return bool(made)

    def _share(self, event: Event) -> bool:
        actor = self._member(event.machine)
        if actor is None or not actor.is_honest:
            return False
        rng = Random(f"{self._seed} {event.at_ms} {event.machine} file")
        try:
            draft = self.files.share(actor, rng)
        except StoreFailed:
            return False
        return self._write_one(actor, draft)

    def _join(self, event: Event) -> bool:
        self._shell.ledger.wanted.add(event.machine)
        return True

    def _ask(self, event: Event) -> bool:
        self._shell.machines[event.machine].has_invite = False
        return self._join(event)

    def _hear(self, actor: Actor, requested: e.JoinRequested) -> Answer:
        """Answer who asks to be let in: whom nobody here knows, no; else in a while."""
        machines = self._shell.machines_of(requested.root)
        if not actor.is_honest or not self._shell.ledger.wanted.intersection(machines):
            return "declined"
        decide_ms = actor.rng.randint(1, DECIDE_MS_MAX)
        decide = partial(self._let_in, actor.number, requested.root)
        self._shell.timeline.after(decide_ms, decide)
        return "pending"

    def _let_in(self, number: int, root: bytes) -> None:
        actor = self._member(number)
        if actor is None or not self._shell.holds_copy(actor):
            return  # who asked comes again
        membership = self._shell.replica(actor).membership
        is_in = any(member.root == root for member in membership.members())
        if is_in or not membership.may_grant(actor.device.public, root, auth.MEMBER):
            return
        draft = Draft(auth.GRANT, b"", auth.grant_payload(root, auth.MEMBER))
        with suppress(P2PValueError):
            self._shell.ledger.deeds["let in who asked"] += self._write_one(actor, draft)

    def _promote(self, event: Event) -> bool:
        actor, other = self._member(event.machine), self._member(event.other)
        if actor is None or other is None:
            return False
        root = self._shell.root_of(other)
        membership = self._shell.replica(actor).membership
        if not membership.may_grant(actor.device.public, root, auth.ADMIN):
            return False
        if all(member.root != root for member in membership.members()):
            return False
        return self._write_one(actor, Draft(auth.GRANT, b"", auth.grant_payload(root, auth.ADMIN)))

    def _remove(self, event: Event) -> bool:
        actor = self._member(event.machine)
        if actor is None:
            return False
        root = self._shell.root_of(self._shell.machines[event.other])
        if not self._has_put_out(actor, root) and not self._write_one(
            actor, removal_draft(self._shell.replica(actor), root)
        ):
            return False
        ledger = self._shell.ledger
        ledger.put_out.add(root)
        ledger.wanted -= set(self._shell.machines_of(root))
        return True

    def _has_put_out(self, actor: Actor, root: bytes) -> bool:
        """Return whether a person did so before: her machine may die when that is stored."""
        former = self._shell.replica(actor).membership.former_members()
        return any((f.root, f.removed_by) == (root, self._shell.root_of(actor)) for f in former)

    def _readmit(self, event: Event) -> bool:
        actor = self._member(event.machine)
        if actor is None:
            return False
        root = self._shell.root_of(self._shell.machines[event.other])
        if root not in self._shell.ledger.put_out:
            return False
        replica = self._shell.replica(actor)
        if any(member.root == root for member in replica.membership.members()):
            return False  # she has not heard of the removal, which would undo what she writes
        if not self._write_one(actor, return_draft(replica, root, auth.MEMBER)):
            return False
        self._let_back.add(root)
        self._shell.ledger.put_out.discard(root)
        self._shell.ledger.wanted |= set(self._shell.machines_of(root))
        return True

    def _leave(self, event: Event) -> bool:
        """Go, unless nobody else is in who could let others in again: what one has alone is lost.

        Somebody may be without a disk just then, and come back by her words if anybody is there.
        """
        actor = self._member(event.machine)
        shell = self._shell
        if actor is None or not has_company(shell, actor):
            return False
        if not self._has_put_out(actor, shell.root_of(actor)) and not self._write_one(
            actor, leave_draft(shell.replica(actor))
        ):
            return False
        shell.ledger.left.add(shell.root_of(actor))
        for number in shell.machines_of(shell.root_of(actor)):
            shell.ledger.wanted.discard(number)
            shell.timeline.after(TELL_LEAVE_MS, partial(shell.stop, shell.machines[number]))
        return True

    def _policy(self, event: Event) -> bool:
        actor = self._member(event.machine)
        policy = None if actor is None else self._shell.replica(actor).membership.policy()
        if actor is None or policy is None:
            return False
        write = ((need.NUMBER, auth.ADMIN),) if event.amount else ()
        payload = auth.policy_payload(policy.join, policy.invite_rank, write)
        return self._write_one(actor, Draft(auth.POLICY, b"", payload))

    def _vote(self, event: Event) -> bool:
        actor = self._member(event.machine)
        if actor is None:
            return False
        root = self._shell.root_of(self._shell.machines[event.other])
        if not self._write_one(actor, vote_draft(self._shell.replica(actor), root)):
            return False
        self._shell.ledger.voted_on.add(root)
        return True

    def _link(self, event: Event) -> bool:
        older = self._member(event.other)
        if older is None or older.number not in self._shell.ledger.wanted:
            return False
        newer = self._new_machine(event.machine)
        newer.entropy = older.entropy
        newer.links_from = older.number
        newer.neighbours = sorted({older.number, *older.neighbours} - {newer.number})
        self._shell.ledger.wanted.add(newer.number)
        return True

    def _recover(self, event: Event) -> bool:
        actor = self._member(event.machine)
        if actor is None or actor.number not in self._shell.ledger.wanted:
            return False
        if not has_company(self._shell, actor):
            return False
        if not event.amount:  # the machine was lost with its disk
            actor.disk = type(actor.disk)()
        elif not self._shell.has_signed(actor):
            return False
        self._shell.replace(actor)
        return True
