"""Honest inputs to begin with: what the vectors hold, and what machines said to each other."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from p2pvalue_protocol import inputs as i
from tests.protocol.authoring import SECRET
from tests.protocol.desk import Cable, Computer
from tests.vectors.files import VECTORS

LINK_SECRET = bytes(range(16))


@cache
def in_vectors(file: str, field: str) -> tuple[bytes, ...]:
    """All values of one field in the inputs of a vector file: hex as bytes, texts as UTF-8."""
    document = json.loads((VECTORS / f"{file}.json").read_text(encoding="utf-8"))
    inputs = [vector["input"] for vector in document["vectors"]]
    found = dict.fromkeys(_named(inputs, field))
    return tuple(text.encode() if field == "text" else _bytes(text) for text in found)


def _bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return text.encode()


def _named(value: Any, field: str) -> Iterator[str]:
    if isinstance(value, dict):
        for name, item in value.items():
            if name == field and isinstance(item, str):
                yield item
            yield from _named(item, field)
    elif isinstance(value, list):
        for item in value:
            yield from _named(item, field)


@cache
def kind_payloads() -> tuple[bytes, ...]:
    """The payloads in the vectors of every content kind, and of EPOCH."""
    files = sorted((VECTORS / "kinds").glob("*.json"))
    found = [data for file in files for data in in_vectors(f"kinds/{file.stem}", "payload")]
    return (*found, *in_vectors("epochs", "payload"), *in_vectors("encoding", "payload"))


class Talk(NamedTuple):
    """The frames that machines say to each other, by protocol."""

    sync: tuple[bytes, ...]
    join: tuple[bytes, ...]
    link: tuple[bytes, ...]


@cache
def talk() -> Talk:
    """What is said while Ana founds, Ben joins, a phone is linked, and Ben loses his machine."""
    ana, ben, phone = Computer("ana", "ana"), Computer("ben", "ben"), Computer("phone", "ana")
    garden = ana.found("garden")
    ana.say(garden, "hello")
    ana.invite(garden)
    joining = joined(ben, ana, garden, 1)
    syncs = [synced(ben, ana, garden, 2)]
    ben.say(garden, "hello yourself")
    ana.handle(i.AddressesChanged(("/ip4/192.0.2.1/tcp/4001",)))
    syncs.append(synced(ana, ben, garden, 3))
    person = i.PersonHere("Ana", "laptop", b"c" * 32, b"b" * 32)
    links = [
        Cable(ana, phone, 4).carry(
            i.LinkStarted(4, phone.peer_id, LINK_SECRET, person),
            i.LinkAsked(4, ana.peer_id, LINK_SECRET),
        )
    ]
    syncs.append(synced(phone, ben, garden, 5))
    tablet = Computer("tablet", "ben")
    links.append(
        Cable(tablet, ana, 6).carry(
            i.RecoveryStarted(6, ana.peer_id, tablet.keys(garden), tablet.entropy),
            i.RecoveryAsked(6, tablet.peer_id),
        )
    )
    return Talk(_said(*syncs), _said(joining), _said(*links))


def synced(one: Computer, other: Computer, community: bytes, session: int) -> Cable:
    """Let two computers compare and end the link."""
    cable = Cable(one, other, session).carry(
        i.PeerJoined(session, other.peer_id, True, community),
        i.PeerJoined(session, one.peer_id, False, None),
    )
    for computer in (one, other):
        computer.handle(i.PeerLeft(session))
    return cable


def joined(newcomer: Computer, member: Computer, community: bytes, session: int) -> Cable:
    """Let a newcomer in by the invite of `Computer.invite`."""
    keys, entropy = newcomer.keys(community), newcomer.entropy
    return Cable(newcomer, member, session).carry(
        i.JoinStarted(
            *(session, member.peer_id, community, SECRET, keys.signer, keys.prekey, entropy)
        ),
        i.JoinAsked(session, newcomer.peer_id),
    )


def _said(*cables: Cable) -> tuple[bytes, ...]:
    return tuple(frame for cable in cables for side in cable.sent for frame in side)
