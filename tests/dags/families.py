"""The villages and vocabularies whose small DAGs are judged without exception."""

from __future__ import annotations

from p2pvalue_protocol.acts import (
    AddDevice,
    Admit,
    Give,
    Nothing,
    OpenInvite,
    Policy,
    ProveFork,
    Remove,
    RemoveDevice,
    SetPolicy,
    Vote,
    WithdrawInvite,
)
from p2pvalue_protocol.ids import CONTENT, Reference
from tests.dags.builder import GENESIS, Builder
from tests.dags.model import CARD, CHAT, DOCUMENT, WRITE
from tests.dags.small import Family, Move

FOUNDER, ADMIN, PEER, MEMBER = b"f1", b"a1", b"b1", b"c1"
ROOTS = {FOUNDER: b"F", ADMIN: b"A", PEER: b"B", MEMBER: b"C"}
KEY = b"key"
TWINS = ProveFork(Reference(PEER, CONTENT, 0, b"twin 1"), Reference(PEER, CONTENT, 0, b"twin 2"))


def settle(builder: Builder, device: bytes, rank: int) -> bytes:
    """Let a founder give a device's member a rank; return that operation."""
    root = ROOTS.get(device, device[:1].upper())
    start = builder.add_device(device, root)
    given = builder.write(FOUNDER, Give(root, rank), [*builder.known, start])
    kind = (CARD, CARD, DOCUMENT, CHAT)[rank]
    first = builder.say(device, [given, start], kind)
    builder.say(device, [given, start], CHAT, after=first)
    return given


def village(
    *ranks: int, founders: int = 1, founder_quorum: int = 0, admin_quorum: int = 0
) -> Builder:
    """Return founders, and members of these ranks who know of each other."""
    listed = [(b"FGH"[n : n + 1], b"fgh"[n : n + 1] + b"1") for n in range(founders)]
    builder = Builder(listed, founder_quorum, admin_quorum)
    for device, rank in zip((ADMIN, PEER, MEMBER), ranks, strict=False):
        settle(builder, device, rank)
    return builder


def peers() -> Builder:
    return village(1, 1)


def ladder() -> Builder:
    return village(1, 2)


def council() -> Builder:
    return village(1, 1, founders=3, founder_quorum=2, admin_quorum=2)


def invited() -> Builder:
    """An admin and a member; the admin has opened an invitation that both know of."""
    builder = village(1, 2)
    opened = builder.write(ADMIN, OpenInvite(KEY, 2), list(builder.known), b"invite")
    builder.write(PEER, Nothing(), [opened])
    builder.add_device(b"x1", b"X")
    return builder


def many_devices() -> Builder:
    """An admin with three devices, each certified by the one before, and a peer."""
    builder = village(1, 1)
    second = builder.add_device(b"a2", b"A", ADMIN)
    third = builder.add_device(b"a3", b"A", b"a2")
    builder.write(ADMIN, Nothing(), [second, third])
    builder.say(b"a2", list(builder.known), CARD)
    builder.say(b"a3", list(builder.known), CARD)
    return builder


def forked() -> Builder:
    """A ladder whose member wrote two different things at one place."""
    builder = village(1, 2)
    settle(builder, MEMBER, 2)
    for name in (b"twin 1", b"twin 2"):
        builder.say(PEER, list(builder.known), op_id=name)
    return builder


def on(target: bytes, *acts: str) -> list[Move]:
    """Return what others may do to a member, as the founder, the admin, the peer or herself."""
    root = ROOTS[target]
    moves = []
    for act in acts:
        author, _, deed = act.partition(" ")
        device = {"founder": FOUNDER, "admin": ADMIN, "peer": PEER, "member": MEMBER}[author]
        match deed.split():
            case ["removes"]:
                moves.append(Move(device, Remove(root)))
            case ["removes", "keeping"]:
                moves.append(Move(device, Remove(root), keeps_of=target))
            case ["demotes", rank]:
                moves.append(Move(device, Remove(root, int(rank))))
            case ["gives", rank]:
                moves.append(Move(device, Give(root, int(rank))))
            case ["gives", rank, "keeping"]:
                moves.append(Move(device, Give(root, int(rank)), keeps_of=target))
            case ["votes"]:
                moves.append(Move(device, Vote(root)))
            case ["votes", "keeping"]:
                moves.append(Move(device, Vote(root), keeps_of=target))
            case _:
                raise ValueError(act)
    return moves


RANKS = Family(
    "ranks",
    ladder,
    (
        *on(ADMIN, "founder removes", "founder removes keeping", "founder demotes 2"),
        *on(ADMIN, "founder demotes 3", "founder gives 1", "founder gives 1 keeping"),
        *on(ADMIN, "founder gives 2", "founder gives 2 keeping", "founder gives 3"),
        *on(ADMIN, "admin removes", "admin demotes 2", "peer removes", "peer removes keeping"),
        *on(PEER, "founder removes", "founder removes keeping", "founder gives 1"),
        *on(PEER, "founder demotes 3", "founder gives 2 keeping", "peer removes"),
        *on(PEER, "admin removes", "admin removes keeping", "admin demotes 3", "admin gives 2"),
        *on(PEER, "admin gives 3", "admin gives 2 keeping", "peer demotes 3"),
        *on(MEMBER, "admin gives 2", "admin gives 3", "peer gives 3", "founder gives 2"),
        *on(MEMBER, "admin removes", "peer removes"),
    ),
    3,
)
PEERS = Family(
    "peers",
    peers,
    (
        *on(ADMIN, "founder demotes 2", "founder removes keeping", "peer removes keeping"),
        *on(ADMIN, "peer removes", "peer demotes 3", "admin demotes 3"),
        *on(PEER, "admin removes", "founder removes", "founder gives 2"),
        *on(MEMBER, "admin gives 2", "peer gives 3"),
    ),
    4,
)
VOTES = Family(
    "votes",
    council,
    (
        *on(ADMIN, "peer votes", "admin votes", "admin removes", "founder removes keeping"),
        *on(ADMIN, "peer votes keeping"),
        *on(PEER, "admin votes", "founder gives 1"),
        Move(FOUNDER, Vote(b"H")),
        Move(b"g1", Vote(b"H")),
        Move(b"h1", Vote(b"F")),
        Move(b"h1", Give(b"A", 1)),
        Move(b"h1", Remove(b"H")),
    ),
    4,
)
AGAIN = Family(
    "again",
    ladder,
    (
        *on(PEER, "founder removes", "admin removes", "admin removes keeping", "peer removes"),
        *on(PEER, "founder gives 2", "founder gives 2 keeping", "admin gives 3 keeping"),
        *on(ADMIN, "founder removes", "founder demotes 2", "founder gives 1"),
        *on(MEMBER, "peer gives 3"),
    ),
    4,
)
LINKS = Family(
    "links",
    invited,
    (
        *(Move(by, Admit(b"X", b"x1", KEY, b"invite")) for by in (ADMIN, PEER, b"x1")),
        *(Move(by, WithdrawInvite(KEY)) for by in (ADMIN, PEER, FOUNDER)),
        Move(FOUNDER, Remove(b"X")),
        Move(PEER, Remove(b"X")),
        Move(FOUNDER, Remove(b"X", 3)),
        Move(FOUNDER, Give(b"X", 3), keeps_of=b"x1"),
        Move(b"x1", Give(b"C", 3)),
        Move(b"x1", Remove(b"X")),
        Move(FOUNDER, Remove(b"A"), keeps_of=PEER),
        Move(FOUNDER, Remove(b"A"), keeps_of=ADMIN),
        Move(FOUNDER, Remove(b"A", 2)),
        Move(FOUNDER, Remove(b"A", 3)),
        Move(FOUNDER, Remove(b"B")),
        Move(ADMIN, Remove(b"B", 3)),
        Move(FOUNDER, SetPolicy(Policy(0, 0, WRITE))),
        Move(FOUNDER, SetPolicy(Policy(0, 2, ((DOCUMENT, 3), (CHAT, 0))))),
        Move(ADMIN, SetPolicy(Policy(0, 1, WRITE))),
        Move(ADMIN, Remove(b"A")),
        Move(ADMIN, OpenInvite(KEY, 3)),
        Move(PEER, Admit(b"X", b"x1", b"other key", b"invite")),
    ),
    3,
)
DEVICES = Family(
    "devices",
    many_devices,
    (
        *(
            Move(author, RemoveDevice(b"A", device))
            for author, device in (
                *((FOUNDER, b"a1"), (FOUNDER, b"a2"), (PEER, b"a2"), (PEER, b"a3")),
                *((ADMIN, b"a2"), (ADMIN, b"a3"), (ADMIN, b"a1")),
                *((b"a2", b"a1"), (b"a2", b"a3"), (b"a2", b"a2"), (b"a3", b"a2")),
            )
        ),
        *(Move(by, RemoveDevice(b"A", b"a2"), keeps_of=b"a2") for by in (ADMIN, FOUNDER)),
        Move(ADMIN, RemoveDevice(b"A", b"a2"), keeps_of=b"a3"),
        Move(FOUNDER, RemoveDevice(b"A", ADMIN, is_by_root=True)),
        Move(b"a3", RemoveDevice(b"A", b"a2", is_by_root=True, seen=(GENESIS,)), keeps_of=b"a2"),
        Move(b"a3", RemoveDevice(b"A", b"a2", is_by_root=True, seen=(b"unseen",))),
        Move(b"a2", Give(b"C", 2)),
        Move(b"a3", Give(b"C", 3)),
        Move(b"a2", Remove(b"A")),
        Move(b"a3", Remove(b"A", 3)),
        Move(FOUNDER, Remove(b"A"), keeps_of=b"a2"),
        Move(FOUNDER, Remove(b"A"), keeps_of=b"a3"),
        Move(FOUNDER, Remove(b"A", 2)),
        Move(PEER, Remove(b"A")),
        Move(b"a4", AddDevice(b"A", b"a2"), is_start=True),
        Move(b"a4", Give(b"C", 3)),
        Move(b"a2", RemoveDevice(b"A", b"a4")),
    ),
    3,
)
FORKS = Family(
    "forks",
    forked,
    (
        *on(MEMBER, "peer gives 3", "admin gives 3", "founder removes"),
        *on(PEER, "founder removes keeping", "founder gives 2 keeping", "admin removes"),
        *(Move(by, Nothing(), proves=PEER) for by in (FOUNDER, ADMIN, MEMBER, PEER)),
        Move(PEER, Nothing()),
        *(Move(by, TWINS) for by in (ADMIN, MEMBER)),
        Move(MEMBER, TWINS, keeps_of=PEER),
        Move(ADMIN, RemoveDevice(b"B", PEER), keeps_of=PEER),
    ),
    4,
)
FAMILIES = (RANKS, PEERS, VOTES, AGAIN, LINKS, DEVICES, FORKS)
