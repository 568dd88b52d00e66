"""What auth operations say, and the messages that certificates sign (spec: membership).

Auth payloads are canonical MessagePack arrays of fixed length without any text: what is needed to
know who is a member can be kept for ever without keeping anything that a person wrote. The
functions that make payloads check what a caller passes; the structures check what a peer sends.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeVar

import msgspec

from p2pvalue_protocol import limits
from p2pvalue_protocol.encoding import decode_canonical, encode
from p2pvalue_protocol.errors import LocalProtocolError, Refused
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.keys import SigningKey, hkdf, is_valid_public_key

GENESIS: Final = 0
GRANT: Final = 1
INVITE: Final = 4
ADMIT: Final = 5
DEV_ADD: Final = 6
AUTH_SEEN: Final = 10

AUTH_KINDS: Final = frozenset((GENESIS, GRANT, INVITE, ADMIT, DEV_ADD, AUTH_SEEN))
"""The auth kinds that this version can judge."""

FOUNDER: Final = 0
ADMIN: Final = 1
MEMBER: Final = 2
GUEST: Final = 3

READ_PUBLIC: Final = 0
READ_MEMBERS: Final = 1

JOIN_INVITE: Final = 0
JOIN_OPEN: Final = 1
JOIN_REQUEST: Final = 2

WRITE_DEFAULT: Final = ((46, ADMIN),)
"""Write rules of a GENESIS that names none: the community card is for admins."""

_KINDS_OF_GUESTS = frozenset((35, 36, 38, 42, 45, 66))

Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Bytes64 = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
Rank = Annotated[int, msgspec.Meta(ge=FOUNDER, le=GUEST)]
GivenRank = Annotated[int, msgspec.Meta(ge=ADMIN, le=GUEST)]
ContentKind = Annotated[int, msgspec.Meta(ge=32, le=255)]
U53 = Annotated[int, msgspec.Meta(ge=0, le=limits.SEQ_MAX)]
Quorum = Annotated[int, msgspec.Meta(ge=0, le=255)]
Keep = tuple[Bytes32, Annotated[int, msgspec.Meta(ge=0, le=1)], U53, Bytes32]
"""A reference whose sizes are checked."""

P = TypeVar("P", bound=msgspec.Struct)


class _Payload(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    pass


class Founder(_Payload, frozen=True):
    """A root key that founds, with its first device, which the root certifies."""

    root: Bytes32
    device: Bytes32
    certificate: Bytes64


class GenesisPayload(_Payload, frozen=True):
    """What founds a community."""

    nonce: Bytes32
    founders: Annotated[
        tuple[Founder, ...], msgspec.Meta(min_length=1, max_length=limits.FOUNDERS_MAX)
    ]
    founder_quorum: Quorum
    admin_quorum: Quorum
    read: Annotated[int, msgspec.Meta(ge=READ_PUBLIC, le=READ_MEMBERS)]
    join: Annotated[int, msgspec.Meta(ge=JOIN_INVITE, le=JOIN_REQUEST)]
    invite_rank: Rank
    write: Annotated[tuple[tuple[ContentKind, Rank], ...], msgspec.Meta(max_length=224)]


class GrantPayload(_Payload, frozen=True):
    """Gives a root a rank; `keeps` acts on removals, which do not exist yet."""

    root: Bytes32
    rank: GivenRank
    keeps: Annotated[tuple[Keep, ...], msgspec.Meta(max_length=limits.KEEPS_MAX)]


class InvitePayload(_Payload, frozen=True):
    """Lets the holder of a key in, with a rank."""

    invite_key: Bytes32
    rank: GivenRank
    uses_max: U53


class AdmitPayload(_Payload, frozen=True):
    """Admits a root by an INVITE; the signature is the invite key's."""

    root: Bytes32
    device: Bytes32
    invite_key: Bytes32
    signature: Bytes64
    invite: Bytes32


class DevAddPayload(_Payload, frozen=True):
    """Begins a device's auth log; an empty certifier stands for the root."""

    root: Bytes32
    certificate: Bytes64
    certifier: Annotated[bytes, msgspec.Meta(max_length=32)]
    countersignature: Bytes64


_decoders: dict[type[msgspec.Struct], msgspec.msgpack.Decoder[msgspec.Struct]] = {
    payload_type: msgspec.msgpack.Decoder(payload_type)
    for payload_type in (GenesisPayload, GrantPayload, InvitePayload, AdmitPayload, DevAddPayload)
}


def read_payload(payload_type: type[P], data: bytes | None) -> P | None:
    """Return an auth payload, or None if the bytes are not its one encoding. About 2 µs."""
    if data is None:
        return None
    try:
        payload = decode_canonical(_decoders[payload_type], data)
    except Refused:
        return None
    assert isinstance(payload, payload_type)
    return payload


class Policy(msgspec.Struct, frozen=True):
    """What the founders decided (spec: membership, "Policy")."""

    nonce: bytes
    founder_quorum: int
    admin_quorum: int
    read: int
    join: int
    invite_rank: int  # the weakest rank that may bring people in
    write: tuple[tuple[int, int], ...]

    def weakest_writer(self, kind: int) -> int:
        """Return the weakest rank that may write a kind; every rank may write auth operations."""
        if kind <= 31:
            return GUEST
        for listed, rank in self.write:
            if listed == kind:
                return rank
        return GUEST if kind in _KINDS_OF_GUESTS else MEMBER


def policy_of(genesis: GenesisPayload) -> Policy:
    """Return the policy that a GENESIS sets."""
    return Policy(
        nonce=genesis.nonce,
        founder_quorum=genesis.founder_quorum,
        admin_quorum=genesis.admin_quorum,
        read=genesis.read,
        join=genesis.join,
        invite_rank=genesis.invite_rank,
        write=genesis.write,
    )


def certificate_message(nonce: bytes, device: bytes) -> bytes:
    """Return what a root or a device of the same member signs to add `device`."""
    return b"p2pv1/cert\x00" + nonce + b"add" + device


def countersignature_message(nonce: bytes, root: bytes) -> bytes:
    """Return what a device signs to say that it belongs to `root`."""
    return b"p2pv1/device\x00" + nonce + root


def admit_message(community: bytes, root: bytes, device: bytes) -> bytes:
    """Return what the invite key signs for the person it brings in."""
    return b"p2pv1/admit\x00" + community + root + device


def root_seed(entropy: bytes, nonce: bytes) -> bytes:
    """Return the Ed25519 seed of a person's root key in the community with this nonce.

    `entropy` is the 32 bytes behind the 24 words. One person's roots in two communities are
    unlinkable.
    """
    if len(entropy) != 32 or len(nonce) != 32:
        raise LocalProtocolError("the words stand for 32 bytes and a nonce has 32: check both")
    return hkdf(entropy, nonce, b"p2pv1/root")


def founder(root: SigningKey, device: bytes, nonce: bytes) -> Founder:
    """Return the GENESIS entry of a founder, certified by her root key."""
    return Founder(root.public, device, root.sign(certificate_message(nonce, device)))


def genesis_payload(
    nonce: bytes,
    founders: list[Founder],
    *,
    read: int = READ_MEMBERS,
    join: int = JOIN_INVITE,
    invite_rank: int = MEMBER,
    write: tuple[tuple[int, int], ...] = WRITE_DEFAULT,
    founder_quorum: int | None = None,
    admin_quorum: int = 0,
) -> bytes:
    """Return the payload that founds a community; the founders' quorum is a majority by default."""
    quorum = len(founders) // 2 + 1 if founder_quorum is None else founder_quorum
    payload = GenesisPayload(
        nonce=nonce,
        founders=tuple(sorted(founders, key=lambda entry: entry.root)),
        founder_quorum=quorum,
        admin_quorum=admin_quorum,
        read=read,
        join=join,
        invite_rank=invite_rank,
        write=tuple(sorted(write)),
    )
    if not is_well_formed_genesis(payload):
        raise LocalProtocolError(
            "founders, their devices and the kinds of the write policy must each be named once"
        )
    return _checked(payload)


def is_well_formed_genesis(payload: GenesisPayload) -> bool:
    """Return whether founders and write rules ascend without repetition and no device is shared."""
    roots = [entry.root for entry in payload.founders]
    devices = {entry.device for entry in payload.founders}
    kinds = [kind for kind, _ in payload.write]
    return (
        roots == sorted(set(roots)) and len(devices) == len(roots) and kinds == sorted(set(kinds))
    )


def grant_payload(root: bytes, rank: int, keeps: tuple[Reference, ...] = ()) -> bytes:
    """Return the payload that gives `root` a rank from 1 admin to 3 guest."""
    return _checked(GrantPayload(root, rank, tuple(map(msgspec.structs.astuple, keeps))))


def invite_payload(invite_key: bytes, rank: int, uses_max: int) -> bytes:
    """Return the payload that lets an invite key in, `uses_max` times (0: no limit)."""
    if not is_valid_public_key(invite_key):
        raise LocalProtocolError("this is no public key: pass invite_key(secret).public")
    return _checked(InvitePayload(invite_key, rank, uses_max))


def admit_payload(
    root: bytes, device: bytes, invite_key: bytes, signature: bytes, invite: bytes
) -> bytes:
    """Return the payload that admits `root`; `invite` is the op id of the INVITE."""
    return _checked(AdmitPayload(root, device, invite_key, signature, invite))


def dev_add_payload(
    root: bytes, certificate: bytes, countersignature: bytes, certifier: bytes = b""
) -> bytes:
    """Return the payload that begins a device's auth log; no `certifier` means the root itself."""
    if len(certifier) not in (0, 32):
        raise LocalProtocolError("a certifier is a 32-byte device key, or empty for the root")
    return _checked(DevAddPayload(root, certificate, certifier, countersignature))


def _checked(payload: msgspec.Struct) -> bytes:
    data = encode(payload)
    if len(data) > limits.PAYLOAD_BYTES_MAX:
        raise LocalProtocolError("the payload is over 64 KiB: name fewer heads to keep")
    try:
        _decoders[type(payload)].decode(data)
    except msgspec.ValidationError as error:
        raise LocalProtocolError(f"this cannot be written: {error}; check the value") from None
    return data
