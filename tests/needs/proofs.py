"""A small community whose members dig a pond, and the files that show what became of it."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from functools import cache

import msgspec

from p2pvalue.node.needs.need_proofs import proof_of
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.errors import Refused
from p2pvalue_protocol.ids import Reference, payload_hash_of, subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import close, need, pledge, profile
from p2pvalue_protocol.kinds.close import operation_name
from p2pvalue_protocol.proof.form import ProofForm, decode_proof, encode_proof
from p2pvalue_protocol.proof.reading import Proven, read_proof
from tests.protocol.authoring import key_named
from tests.protocol.replicas import NOW_MS, Copy, founded, joined

LINE = need.NeedLine("hours", "minute", 60, 600)
TERMS = need.terms_id(need.Terms((LINE,)))


class Pond:
    """Ana, Bea and Carl, each with a copy that holds all that the others hold."""

    def __init__(
        self,
        read: int = auth.READ_MEMBERS,
        confirmers: Sequence[bytes] = (),
        ana: Copy | None = None,
    ) -> None:
        self.ana = ana or founded("ana", read=read)
        self.copies = {"ana": self.ana, "bea": joined(self.ana, "bea")}
        self.copies["carl"] = joined(self.ana, "carl")
        self.now_ms = NOW_MS
        for name in sorted(self.copies):
            self.say(name, Draft(profile.NUMBER, b"", profile.encode_profile(name.title())))
        self.terms = need.terms_id(need.Terms((LINE,), confirmers=tuple(confirmers)))
        asked = need.encode_need("Dig the pond", [LINE], confirmers=tuple(confirmers) or None)
        self.subject = subject_of(self.say("ana", Draft(need.NUMBER, b"", asked)).op_id)

    def say(self, who: str, draft: Draft) -> Reference:
        """Write as somebody, and let all hear of it."""
        self.now_ms += 10
        [reference] = self.copies[who].write(draft, now_ms=self.now_ms)
        self.copies[who].give(*(copy for name, copy in self.copies.items() if name != who))
        return reference

    def offer(self, who: str, minutes: int = 60) -> Reference:
        payload = pledge.encode_pledge(self.subject, self.terms, 0, minutes)
        return self.say(who, Draft(pledge.NUMBER, b"", payload))

    def act(self, who: str, act: pledge.Act, offer: Reference, minutes: int) -> Reference:
        about = subject_of(offer.op_id)
        payload = pledge.encode_pledge_act(self.subject, about, act, quantity=minutes)
        return self.say(who, Draft(pledge.NUMBER, b"", payload))

    def close(self, *counted: Reference) -> Reference:
        names = [operation_name(reference.op_id) for reference in counted]
        payload = close.encode_close(self.subject, self.terms, names)
        return self.say("ana", Draft(close.NUMBER, b"", payload))

    def change(self, title: str) -> Reference:
        payload = need.encode_need_change(title=title)
        return self.say("ana", Draft(need.NUMBER, self.subject, payload))

    def file(self, who: str = "ana") -> bytes:
        """The file that somebody makes now."""
        copy = self.copies[who]
        copy.runs()
        row = copy.store.state(copy.community, self.subject)
        assert row is not None
        return proof_of(copy.replica, copy.store, row)


def root(name: str) -> bytes:
    return key_named(f"{name} root").public


@cache
def dug(read: int = auth.READ_MEMBERS) -> bytes:
    """The file of a pond that Bea and Carl dug, as Ana confirmed."""
    pond = Pond(read)
    bea, carl = pond.offer("bea"), pond.offer("carl", 30)
    pond.change("Dig the pond behind the shed")
    pond.close(bea, carl)
    pond.act("bea", "claim", bea, 60)
    pond.act("ana", "confirm", bea, 60)
    return pond.file()


def unpacked(data: bytes) -> bytes:
    """What a file holds, unpacked."""
    return zlib.decompress(data.partition(b"\n")[2])


def edited(data: bytes, edit: Callable[[ProofForm], ProofForm]) -> bytes:
    """A file with something else in it."""
    return encode_proof(edit(decode_proof(data)))


def with_item(form: ProofForm, place: int, **changes: object) -> ProofForm:
    """A form with one item changed."""
    items = list(form.items)
    items[place] = msgspec.structs.replace(items[place], **changes)
    return msgspec.structs.replace(form, items=items)


def places_of(form: ProofForm, kind: int) -> list[int]:
    """Where the items of a kind stand."""
    return [place for place, item in enumerate(form.items) if item.kind == kind]


def refusal_of(data: bytes) -> str | None:
    """Why a file is refused, None if it is not."""
    try:
        read_proof(data)
    except Refused as refused:
        return str(refused.reason)
    return None


def outcome_of(proven: Proven) -> str:
    """What a reader takes home."""
    standing = proven.standing
    pledges = [(p.offer.pledge, p.state, p.word and p.word.delivered) for p in standing.pledges]
    return f"{proven.state.title} {standing.state} {pledges}"


def without_words(data: bytes, place: int) -> bytes:
    """A file in which one payload is named by its hash alone."""

    def withhold(form: ProofForm) -> ProofForm:
        payload = form.items[place].payload
        hidden = {"withheld": len(payload), "payload": payload_hash_of(payload), "key": b""}
        return with_item(form, place, **hidden)

    return edited(data, withhold)


def repacked(plain: bytes) -> bytes:
    """A file of these bytes, whatever they are."""
    return b"p2pvalue proof 1\n" + zlib.compress(plain)
