"""What members see of sealed content depends on the operations and secrets held, in no order."""

from __future__ import annotations

from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.errors import LocalProtocolError
from p2pvalue_protocol.ids import CONTENT
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import need
from p2pvalue_protocol.log import Run
from p2pvalue_protocol.rotation import may_make_epochs
from p2pvalue_protocol.serving import current_heads
from tests.protocol.authoring import key_named
from tests.protocol.replicas import NOW_MS, Copy, founded, joined, said

SEEDS = st.integers(0, 2**32 - 1)
NAMES = ("ben", "cia", "dan", "eve")
LINE = need.NeedLine("hours", "minute", 0, 60)


class Circle:
    """A founder and four members, one of whom may be put out, who write and meet by chance."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.founder = founded("ana", read=auth.READ_MEMBERS)
        self.copies = [self.founder, *(joined(self.founder, name) for name in NAMES)]
        self.founder.give(*self.copies[1:])
        self.now_ms = NOW_MS
        self.out: Copy | None = None
        self.words = 0
        self.said_since: list[str] = []  # by who knew of the removal

    def step(self) -> None:
        """Let somebody do something."""
        self.now_ms += self.rng.randrange(1, 5_000)
        copy = self.rng.choice(self.copies)
        match self.rng.randrange(8):
            case 0 | 1 | 2:
                self.write(copy)
            case 3 | 4:
                self.meet(copy, self.rng.choice(self.copies))
            case 5:
                self.hand_over(copy, self.rng.choice(self.copies))
            case 6:
                self.renew(copy)
            case _:
                self.disturb(copy)

    def write(self, copy: Copy) -> None:
        self.words += 1
        text = f"word {self.words}"
        payload = need.encode_need(f"need {self.words}", [LINE])
        drafts = (said(text), Draft(need.NUMBER, b"", payload))
        if copy is self.out:
            return
        knows = self.out is not None and not copy.replica.membership.is_live(
            self.out.replica.device or b""
        )
        try:
            copy.write(*drafts[: self.rng.randint(1, 2)], now_ms=self.now_ms)
        except LocalProtocolError:
            return
        if knows:
            self.said_since.append(text)

    def meet(self, giver: Copy, taker: Copy) -> None:
        runs = giver.runs()
        if self.rng.random() < 0.3:  # the content does not come through
            runs = [run for run in runs if run.log_class != CONTENT]
        taker.take(*runs, now_ms=self.now_ms)
        if self.rng.random() < 0.5:
            taker.settle()

    def hand_over(self, giver: Copy, taker: Copy) -> None:
        """Answer what a device asks for."""
        device = taker.replica.device or b""
        keys = giver.replica.epochs.secrets_for(device, taker.replica.epochs.missing())
        taker.replica.begin()
        taker.replica.learn((key.record.epoch, key.secret) for key in keys)
        taker.commit()

    def renew(self, copy: Copy) -> None:
        if may_make_epochs(copy.replica) and copy is not self.out:
            copy.replica.begin()
            copy.replica.renew(self.now_ms)
            copy.commit()

    def disturb(self, copy: Copy) -> None:
        if self.rng.random() < 0.5:
            copy.restart()
        elif self.out is None:
            name = self.rng.choice(NAMES)
            root = key_named(f"{name} root").public
            draft = Draft(auth.REVOKE, b"", auth.revoke_payload(root))
            self.founder.write(draft, now_ms=self.now_ms)
            self.out = self.copies[1 + NAMES.index(name)]

    def settle(self) -> list[Copy]:
        """Bring everything and every secret to everybody; return who is a member."""
        members = [copy for copy in self.copies if copy is not self.out]
        for _ in range(3):
            for giver in self.copies:
                for taker in self.copies:
                    taker.take(*everything(giver), now_ms=self.now_ms)
                    taker.settle()
                    self.hand_over(giver, taker)
                    taker.settle()
        return members


def everything(copy: Copy) -> list[Run]:
    """All that is held: also what nobody lists, and is asked for by name where it is named."""
    runs = copy.runs()
    for head in current_heads(copy.replica.branches):
        found, rest = copy.replica.runs(head.log_class, head.device, 0, head.op_id, 10**6)
        assert rest is None
        runs += found
    return runs


def rebuilt(copy: Copy) -> Copy:
    """The same copy, everything folded anew by a process that knows only what is stored."""
    copy.store.clear_views(copy.community)
    copy.restart()
    copy.settle()
    return copy


@settings(max_examples=15)
@given(seed=SEEDS)
def test_members_see_the_same_however_operations_and_secrets_came(seed: int) -> None:
    rng = Random(seed)
    circle = Circle(rng)
    for _ in range(rng.randint(10, 40)):
        circle.step()
    first, *others = circle.settle()
    assert first.replica.sealed_count == 0
    for other in others:
        assert other.seen() == first.seen()
        assert [r.epoch for r in other.replica.epochs.usable()] == [
            r.epoch for r in first.replica.epochs.usable()
        ]
    seen = first.seen()
    assert rebuilt(first).seen() == seen


@settings(max_examples=15)
@given(seed=SEEDS)
def test_who_was_put_out_reads_nothing_that_was_written_knowing_it(seed: int) -> None:
    rng = Random(seed)
    circle = Circle(rng)
    for _ in range(rng.randint(20, 40)):
        circle.step()
    members = circle.settle()
    if circle.out is None:
        return
    out = circle.out
    for member in members:  # with all that they say, and all that anybody would hand over
        circle.hand_over(member, out)
    out.settle()
    assert not set(out.texts()) & set(circle.said_since)
    assert set(members[0].texts()) >= set(circle.said_since)
    seen = out.seen()
    assert rebuilt(out).seen() == seen
