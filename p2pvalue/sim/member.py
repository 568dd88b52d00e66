"""A member's machine with what outlives it, and what members write."""

from __future__ import annotations

from random import Random

from p2pvalue.sim.network import peer_name
from p2pvalue.store import MemoryStore
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.keys import SigningKey, exchange_key_of
from p2pvalue_protocol.kinds import chat, document, need, pledge, profile
from p2pvalue_protocol.machine import Machine


class Node:
    """One machine; its store and its keys outlive it."""

    def __init__(self, number: int, seed: int, skew_ms: int) -> None:
        self.number = number
        self.rng = Random(seed)
        self.skew_ms = skew_ms
        self.device = SigningKey(self.rng.randbytes(32))
        self.entropy = self.rng.randbytes(32)
        self.prekey_private = self.rng.randbytes(32)
        self.prekey = exchange_key_of(self.prekey_private)
        self.store = MemoryStore()
        self.is_known = False  # whether the community has let this machine in as far as GENESIS
        self.is_member = False
        self.neighbours: list[int] = []
        self.lives = 0
        self.start([])

    def start(self, communities: list[bytes]) -> None:
        """Begin a life with nothing but the store and the keys."""
        self.lives += 1
        self.is_dying = False
        self.wakes_at_ms: int | None = None
        self.machine = Machine(
            open_past=self.store.past,
            random_bytes=self.rng.randbytes,
            peer_id=peer_name(self.number),
        )
        for community in communities:
            self.machine.add_replica(community, self.device, self.prekey_private)


def draft_of(rng: Random, subjects: list[bytes]) -> Draft:
    """Return something to write, perhaps about one of the subjects."""
    subject = rng.choice(subjects)
    match rng.randrange(6):
        case 0:
            update = document.encode_document_update(rng.randbytes(30), 1)
            return Draft(document.UPDATE_NUMBER, subject, update)
        case 1:
            line = need.NeedLine("hours", "minute", 0, 600)
            return Draft(need.NUMBER, b"", need.encode_need(f"need {rng.random()}", [line]))
        case 2:
            return Draft(pledge.NUMBER, b"", pledge.encode_pledge(subject, 0, 1))
        case 3:
            return Draft(profile.NUMBER, b"", profile.encode_profile(f"me {rng.random()}"))
        case 4:
            return Draft(need.NUMBER, subject, need.encode_need_change(title="changed"))
        case _:
            return Draft(chat.NUMBER, b"", chat.encode_chat_message(f"hello {rng.random()}"))
