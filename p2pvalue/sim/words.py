"""What people say: messages, texts, and promises to each other's needs.

Words about needs are about those that were written before, by whoever may say so and by others: how
it stands with each need must be the same on all machines in the end, whatever was said.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import NamedTuple

from p2pvalue_protocol.ids import Reference, subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import chat, close, document, interest, need, pledge, profile

CANARY = "canary"
"""Part of every text that people write: who may not read must never hold it."""

_LINE = need.NeedLine("hours", "minute", 30, 600)
_MINUTES_MAX = 40
_CLOSED_SHARE = 0.5  # of needs, that have a last day
_NAMED_MAX = 8  # pledges that one closes with
_OF_ONESELF: tuple[pledge.Act, ...] = ("withdraw", "claim")
_OF_OTHERS: tuple[pledge.Act, ...] = ("confirm", "dispute", "settle")


class _Need(NamedTuple):
    subject: bytes
    machine: int  # of who asks
    terms: bytes
    pledges: list[tuple[bytes, bytes, int]]  # subject, name and machine of each


class Words:
    """What the people of one world may speak of; `start_ms` is when it begins."""

    def __init__(self, start_ms: int, busy_ms: int) -> None:
        self._start_ms = start_ms
        self._busy_ms = busy_ms
        self._subjects = [bytes(16)]
        self._needs: list[_Need] = []
        self._terms: dict[bytes, bytes] = {}  # of needs, by the payload that makes them

    def draft(self, rng: Random, machine: int) -> Draft:
        """Return something for somebody to write, perhaps about what was written before.

        Who closes a need may name what her machine never held, or what no one is sent any more: no
        software that keeps the rules does, and it must part nobody.
        """
        subject = rng.choice(self._subjects)
        number = rng.randrange(1_000_000)
        match rng.randrange(10):
            case 0:
                update = document.encode_document_update(rng.randbytes(30), 1)
                return Draft(document.UPDATE_NUMBER, subject, update)
            case 1:
                title = f"{CANARY} text {number}"
                return Draft(document.NUMBER, b"", document.encode_document(title))
            case 2:
                change = document.encode_document_title(f"{CANARY} title {number}")
                return Draft(document.NUMBER, subject, change)
            case 3:
                return Draft(profile.NUMBER, b"", profile.encode_profile(f"{CANARY} {number}"))
            case 4:
                change = need.encode_need_change(title=f"{CANARY} other {number}")
                return Draft(need.NUMBER, subject, change)
            case 5 | 6 | 7:
                return self._about_needs(rng, machine, number)
            case _:
                said = chat.encode_chat_message(f"{CANARY} hello {number}")
                return Draft(chat.NUMBER, b"", said)

    def wrote(self, machine: int, drafts: Iterable[Draft], written: Iterable[Reference]) -> None:
        """Take note of what came of drafts: others may speak of it."""
        for draft, reference in zip(drafts, written, strict=False):
            subject = subject_of(reference.op_id)
            self._subjects.append(subject)
            if draft.payload in self._terms:
                self._needs.append(_Need(subject, machine, self._terms[draft.payload], []))
            elif draft.kind == pledge.NUMBER:
                said = pledge.read_pledge(draft.payload)
                name = close.operation_name(reference.op_id)
                about = [each for each in self._needs if each.subject == said.need]
                if said.act is None and about:
                    about[0].pledges.append((subject, name, machine))

    def _about_needs(self, rng: Random, machine: int, number: int) -> Draft:
        if not self._needs or rng.random() < 1 / (1 + 2 * len(self._needs)):
            return self._need(rng, number)
        chosen = rng.choice(self._needs)
        what = rng.randrange(8)
        if what < 3 or not chosen.pledges:
            return Draft(pledge.NUMBER, b"", _offer(rng, chosen))
        if what == 3:
            stance: interest.Role = rng.choice(("want", "follower", "none"))
            return Draft(interest.NUMBER, b"", interest.encode_interest(chosen.subject, stance))
        if what < 6:
            return Draft(pledge.NUMBER, b"", _act(rng, machine, chosen))
        own = [each for each in self._needs if each.machine == machine and each.pledges]
        return _close(rng, rng.choice(own or [chosen]))

    def _need(self, rng: Random, number: int) -> Draft:
        trigger: need.Trigger = rng.choice(("all", "any", "none"))
        is_closed = rng.random() < _CLOSED_SHARE
        closes = self._start_ms + rng.randrange(self._busy_ms // 2) if is_closed else 0
        title = f"{CANARY} need {number}"
        made = need.encode_need(title, [_LINE], trigger=trigger, closes=closes)
        self._terms[made] = need.terms_id(need.Terms((_LINE,), trigger, closes=closes))
        return Draft(need.NUMBER, b"", made)


def _offer(rng: Random, chosen: _Need) -> bytes:
    conditions = [pledge.Condition(others=1)] if rng.random() < 0.3 else []
    minutes = rng.randint(1, _MINUTES_MAX)
    return pledge.encode_pledge(chosen.subject, chosen.terms, 0, minutes, conditions=conditions)


def _close(rng: Random, chosen: _Need) -> Draft:
    count = min(len(chosen.pledges), _NAMED_MAX)
    names = [name for _, name, _ in rng.sample(chosen.pledges, count)]
    return Draft(close.NUMBER, b"", close.encode_close(chosen.subject, chosen.terms, names))


def _act(rng: Random, machine: int, chosen: _Need) -> bytes:
    """Return what somebody says of a pledge: mostly what is hers to say."""
    subject, _, author = rng.choice(chosen.pledges)
    is_own = (machine == author) == (rng.random() < 0.9)
    act: pledge.Act = rng.choice(_OF_ONESELF if is_own else _OF_OTHERS)
    quantity = None if act in ("withdraw", "dispute") else rng.randint(1, _MINUTES_MAX)
    return pledge.encode_pledge_act(chosen.subject, subject, act, quantity=quantity, reason=CANARY)
