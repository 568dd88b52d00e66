"""Random histories of a community with honest and hostile members, and random ways to deliver them.

`python -m tests.laws.histories SEED` prints the trace of one history: a hash over everything that
its replicas stored and announced.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from hashlib import sha256
from random import Random

import msgspec

from p2pvalue.store import Store
from p2pvalue_protocol import acts, removal
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.errors import LocalProtocolError, P2PValueError
from p2pvalue_protocol.fork_watch import ForkWatch
from p2pvalue_protocol.ids import AUTH, CONTENT, Reference, subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import card, chat, document, need, pledge, profile
from p2pvalue_protocol.log import Run
from p2pvalue_protocol.operation import Operation
from p2pvalue_protocol.serving import current_heads
from tests.protocol.authoring import key_named
from tests.protocol.replicas import (
    NOW_MS,
    Chain,
    Copy,
    admitted,
    device_added,
    founded,
    frontier_of,
    genesis_of,
    invited,
    run_of,
)

NAMES = ("ana", "ben", "cem", "dua", "eli")
HOSTILE_NAMES = ("dua", "eli")
LINE = need.NeedLine("hours", "minute", 0, 600)
TERMS = need.terms_id(need.Terms((LINE,)))
DELIVERED_MS = NOW_MS + 600_000
SKEW_MS_MAX = 60_000
FUTURE_MS = DELIVERED_MS + 10**9


class History:
    """A community's life: `members` hold parts of it; `logs` is all of it, the hostile included."""

    def __init__(self, rng: Random, steps: int) -> None:
        self.rng = rng
        ana = founded(invite_rank=auth.MEMBER)
        self.community = ana.community
        self.members: dict[str, Copy] = {"ana": ana}
        self.subjects: list[bytes] = [bytes(16)]
        self.hostile: list[Chain] = []
        self.now_ms = NOW_MS
        for _ in range(rng.randint(1, 4)):
            self._join()
        for _ in range(steps):
            self.now_ms += rng.randrange(100)
            self._step()
        self.genesis = genesis_of(ana)
        self.logs = self._collect()

    def _step(self) -> None:
        dice = self.rng.random()
        if dice < 0.06:
            self._join()
        elif dice < 0.08:
            self._add_device()
        elif dice < 0.10:
            self._promote()
        elif dice < 0.15:
            self._remove()
        elif dice < 0.18:
            self._tell_of_forks()
        elif dice < 0.57:
            self._write(self._somebody())
        elif dice < 0.80:
            self._meet()
        elif dice < 0.84:
            self._somebody().restart()
        else:
            self._misbehave()

    def _somebody(self) -> Copy:
        return self.members[self.rng.choice(sorted(self.members))]

    def _join(self) -> None:
        names = [name for name in NAMES if name not in self.members]
        if not names:
            return
        name = self.rng.choice(names)
        admitter = self._somebody()
        own = admitter.replica.membership.standing(admitter.replica.device or b"")
        if own is None or own.rank > auth.MEMBER:
            return
        rank = auth.MEMBER if own.rank < auth.MEMBER else auth.GUEST
        with suppress(LocalProtocolError):
            invite = invited(admitter, rank, now_ms=self.now_ms)
            admitted(admitter, name, invite, now_ms=self.now_ms)
            newcomer = Copy(self.community, key_named(f"{name} device"))
            newcomer.take(*admitter.runs(), now_ms=self.now_ms)
            self.members[name] = newcomer

    def _add_device(self) -> None:
        """A member's second device; her first says that it knows it."""
        name = self.rng.choice(sorted(self.members))
        second = f"{name} too"
        if second in self.members or name not in NAMES or name in HOSTILE_NAMES:
            return
        first = self.members[name]
        if not first.replica.membership.is_live(first.replica.device or b""):
            return
        first.store_first(device_added(self.community, genesis_of(first), second, person=name))
        first.write(Draft(auth.AUTH_SEEN, b"", b""), now_ms=self.now_ms)
        copy = Copy(self.community, key_named(f"{second} device"))
        copy.take(*first.runs(), now_ms=self.now_ms)
        self.members[second] = copy

    def _promote(self) -> None:
        root = key_named(f"{self.rng.choice(NAMES)} root").public
        draft = Draft(auth.GRANT, b"", auth.grant_payload(root, self.rng.randint(1, 3)))
        with suppress(LocalProtocolError):
            self._somebody().write(draft, now_ms=self.now_ms)

    def _remove(self) -> None:
        """Somebody is put out, made weaker, voted on, brought back or loses a device; or tries."""
        rng, by = self.rng, self._somebody()
        name = rng.choice(NAMES)
        key = key_named(f"{name} root")
        device = key_named(f"{rng.choice((name, f'{name} too'))} device").public
        keeps = tuple(rng.sample(by.replica.heads(), min(2, len(by.replica.heads()))))
        rank = rng.choice((acts.OUT, auth.MEMBER, auth.GUEST))
        with suppress(P2PValueError):
            draft = rng.choice(
                (
                    lambda: removal.removal_draft(by.replica, key.public, rank),
                    lambda: removal.removal_draft(by.replica, key.public),
                    lambda: removal.return_draft(by.replica, key.public, rng.randint(1, 3)),
                    lambda: removal.device_removal_draft(by.replica, key.public, device),
                    lambda: removal.device_removal_by_words(by.replica, key, device),
                    lambda: removal.leave_draft(by.replica),
                    lambda: Draft(auth.VOTE, b"", auth.vote_payload(key.public, keeps)),
                    lambda: Draft(auth.REVOKE, b"", auth.revoke_payload(key.public, rank, keeps)),
                )
            )()
            by.write(draft, now_ms=self.now_ms)

    def _tell_of_forks(self) -> None:
        teller = self._somebody()
        teller.replica.begin()
        ForkWatch(lambda: 0.0).tell(teller.replica, self.now_ms)
        teller.commit()

    def _write(self, writer: Copy) -> None:
        now_ms = self.now_ms + self.rng.randint(-SKEW_MS_MAX, SKEW_MS_MAX)
        drafts = [self._draft() for _ in range(self.rng.randint(1, 3))]
        with suppress(LocalProtocolError):
            for draft, reference in zip(drafts, writer.write(*drafts, now_ms=now_ms), strict=True):
                self._remember(draft, reference.op_id)

    def _remember(self, draft: Draft, op_id: bytes) -> None:
        """Know what was written, so that more can be said about it."""
        self.subjects.append(subject_of(op_id))

    def _draft(self) -> Draft:
        rng = self.rng
        number = rng.choice((chat, chat, document, need, pledge, profile, card)).NUMBER
        is_change = rng.random() < 0.5
        subject = rng.choice(self.subjects)
        if number == chat.NUMBER:
            return Draft(number, b"", chat.encode_chat_message(f"text {rng.random()}"))
        if number == document.NUMBER and is_change:
            update = document.encode_document_update(rng.randbytes(20), 1)
            return Draft(document.UPDATE_NUMBER, subject, update)
        if number == profile.NUMBER:
            return Draft(number, b"", profile.encode_profile(f"name {rng.random()}"))
        if number == card.NUMBER:
            return Draft(number, b"", card.encode_card(f"us {rng.random()}"))
        if is_change:
            return Draft(number, subject, self._change(number))
        return Draft(number, b"", self._creation(number))

    def _creation(self, number: int) -> bytes:
        if number == document.NUMBER:
            return document.encode_document(f"title {self.rng.random()}")
        if number == need.NUMBER:
            return need.encode_need(f"need {self.rng.random()}", [LINE])
        return pledge.encode_pledge(
            self.rng.choice(self.subjects), TERMS, 0, self.rng.randint(1, 9)
        )

    def _change(self, number: int) -> bytes:
        if number == document.NUMBER:
            return document.encode_document_title(f"new title {self.rng.random()}")
        if number == need.NUMBER:
            return need.encode_need_change(title=f"changed {self.rng.random()}")
        wanted, promised = self.rng.choices(self.subjects, k=2)
        return pledge.encode_pledge_act(wanted, promised, "withdraw", reason="cannot")

    def _meet(self) -> None:
        runs = self._somebody().runs()
        other = self._somebody()
        some = [run for run in runs if run.log_class == AUTH or self.rng.random() < 0.7]
        other.take(*some, now_ms=self.now_ms)
        for reference in other.replica.missing():
            found, _ = self._somebody().replica.runs_wanted(reference, 0, 100_000)
            other.take(*found, now_ms=self.now_ms)

    # --- what should not happen

    def _misbehave(self) -> None:
        rng = self.rng
        names = [name for name in HOSTILE_NAMES if name in self.members]
        if not names or rng.random() < 0.1:
            log = self._strangers_log()
        else:
            log = self._forked_log(rng.choice(names))
            for _ in range(rng.randint(1, 3)):
                self._add_hostile(log)
        self.hostile.append(log)
        self._somebody().take(log.run(), now_ms=self.now_ms)

    def _strangers_log(self) -> Chain:
        name = f"stranger {self.rng.randrange(2)}"
        device_add = device_added(self.community, genesis_of(self.members["ana"]), name)
        return Chain(key_named(f"{name} device"), self.community, AUTH, [device_add])

    def _forked_log(self, name: str) -> Chain:
        """A log of a hostile member, cut somewhere and to be gone on with."""
        copy, key = self.members[name], key_named(f"{name} device")
        own = [log for log in self.hostile if log.key.public == key.public]
        if own and self.rng.random() < 0.6:
            log = self.rng.choice(own)
        else:
            copy.runs()
            log_class = AUTH if self.rng.random() < 0.2 else CONTENT
            heads = [
                head
                for head in current_heads(copy.replica.branches)
                if (head.device, head.log_class) == (key.public, log_class)
            ]
            before = copy.log_of(self.rng.choice(heads)) if heads else []
            log = Chain(key, self.community, log_class, before)
        length = len(log.operations)
        first = min(length, 1 if log.log_class == AUTH else 0)
        return log.branch(self.rng.choice((length, length, self.rng.randint(first, length))))

    def _add_hostile(self, log: Chain) -> None:
        rng = self.rng
        time = self.now_ms + rng.randint(-SKEW_MS_MAX, SKEW_MS_MAX)
        parents = frontier_of(self._somebody())[:9]
        if rng.random() < 0.3:
            parents = list({parent.op_id: parent for parent in (*parents, self._odd())}.values())
        if log.log_class == AUTH:
            parents = [parent for parent in parents if parent.log_class == AUTH]
            kind = 3 if rng.random() < 0.2 else auth.AUTH_SEEN
            log.add(kind=kind, parents=parents, time=rng.choice((1, time, FUTURE_MS)))
            return
        if rng.random() < 0.5:
            genesis = genesis_of(self.members["ana"]).reference
            parents = [] if log.operations else [genesis]  # before she was a member
        draft = self._draft()
        payload = rng.choice((draft.payload, draft.payload, b"\xc1", draft.payload + b"x"))
        kind = rng.choice((draft.kind, draft.kind, 200, need.NUMBER, pledge.NUMBER))
        subject = rng.choice((draft.subject, rng.choice(self.subjects)))
        last = log.operations[-1].core.time + 1 if log.operations else time
        when = rng.choice((1, time, FUTURE_MS)) if rng.random() < 0.2 else max(time, last)
        op = log.add(payload, kind=kind, parents=parents, time=when, subject=subject)
        self.subjects.append(subject_of(op.op_id))

    def _odd(self) -> Reference:
        """A pointer to hostile operations, to a stranger, or to nothing."""
        dice = self.rng.random()
        if self.hostile and dice < 0.8:
            return self.rng.choice(self.rng.choice(self.hostile).operations).reference
        if dice < 0.9:
            return self._strangers_log().operations[0].reference
        return Reference(self.rng.randbytes(32), CONTENT, 0, self.rng.randbytes(32))

    # --- all of it

    def _collect(self) -> list[list[Operation]]:
        by_leaf: dict[bytes, list[Operation]] = {}
        for _, copy in sorted(self.members.items()):
            copy.runs()
            for head in current_heads(copy.replica.branches):
                by_leaf.setdefault(head.op_id, copy.log_of(head))
        for log in self.hostile:
            by_leaf.setdefault(log.operations[-1].op_id, log.operations)
        return [log for _, log in sorted(by_leaf.items())]


def deliver(
    history: History,
    rng: Random,
    open_store: Callable[[], Store] | None = None,
    *,
    may_restart: bool = True,
) -> Copy:
    """Give a newcomer all of a history in a random order, in pieces, with gaps and duplicates."""
    reader = Copy(history.community, open_store=open_store)
    gap = 0.4
    while True:
        runs = [run for log in history.logs for run in cut(log, rng) if rng.random() >= gap]
        runs += rng.sample(runs, len(runs) // 4)
        rng.shuffle(runs)
        stored = 0
        while runs:
            size = rng.randint(1, 5)
            stored += reader.take(*runs[:size], now_ms=DELIVERED_MS).stored
            runs = runs[size:]
            if may_restart and rng.random() < 0.05:
                reader.restart()
        had_work = reader.replica.has_work
        reader.settle()  # who is known, and what is asked for by name, may depend on it
        if not stored and not gap and not had_work:
            break
        gap = 0.0 if gap < 0.2 or not stored else gap / 2
    return reader


def cut(log: Sequence[Operation], rng: Random) -> list[Run]:
    """Cut a log into runs at signatures; a run may begin before the last one ended."""
    runs = []
    first = 0
    for index, op in enumerate(log):
        is_last = index == len(log) - 1
        if op.signature and (is_last or rng.random() < 0.3 or index - first > 150):
            runs.append(run_of(log[max(0, first - rng.choice((0, 0, 0, 3))) : index + 1]))
            first = index + 1
    return runs


def rebuilt(copy: Copy) -> Copy:
    """The copy after its views were forgotten and made anew."""
    copy.store.clear_views(copy.community)
    copy.restart()
    copy.settle()
    return copy


def spoilt(run: Run, rng: Random) -> Run:
    """A run with one thing in it that its author did not sign, or in a wrong place."""
    replace = msgspec.structs.replace
    at = rng.randrange(len(run.items))
    item = run.items[at]
    last = replace(run.items[-1], signature=rng.randbytes(64))
    other = replace(item, payload=item.payload + b"x")
    unsorted = replace(item, parents=[*item.parents, *item.parents[:1]])
    return rng.choice(
        (
            replace(run, items=[*run.items[:-1], last]),
            replace(run, items=[*run.items[:-1], replace(last, signature=b"")]),
            replace(run, items=[*run.items[:at], other, *run.items[at + 1 :]]),
            replace(run, items=[*run.items[:at], unsorted, *run.items[at + 1 :]]),
            replace(run, items=run.items[:at] + run.items[at + 1 :] or [last]),
            replace(run, first_seq=run.first_seq + 1),
            replace(run, backlink=rng.randbytes(32)),
            replace(run, device=rng.randbytes(32)),
            replace(run, log_class=1 - run.log_class),
        )
    )


def trace_of(seed: int, steps: int = 120) -> str:
    """Everything that happened in one history and one delivery of it, as a hash."""
    rng = Random(seed)
    history = History(rng, steps)
    copies = [*(copy for _, copy in sorted(history.members.items())), deliver(history, rng)]
    digest = sha256()
    for copy in copies:
        digest.update(copy.trace.digest())
        digest.update(repr(copy.seen()).encode())
    return digest.hexdigest()


if __name__ == "__main__":
    print(trace_of(int(sys.argv[1])))
