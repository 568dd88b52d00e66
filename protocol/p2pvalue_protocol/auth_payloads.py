"""What auth operations say, and the messages that certificates sign (spec: membership).

Auth payloads are canonical MessagePack arrays of fixed length without any text: what is needed to
know who is a member can be kept for ever without keeping anything that a person wrote. The
functions that make payloads check what a caller passes; the structures check what a peer sends.
"""

from __future__ import annotations

from typing import Annotated, Final, TypeVar

import msgspec

from p2pvalue_protocol import limits
from p2pvalue_protocol.acts import OUT, Policy
from p2pvalue_protocol.encoding import decode_canonical, encode
from p2pvalue_protocol.errors import LocalProtocolError, Refused
from p2pvalue_protocol.ids import Reference, tagged_hash
from p2pvalue_protocol.keys import SigningKey, hkdf, is_valid_exchange_key, is_valid_public_key

GENESIS: Final = 0
GRANT: Final = 1
REVOKE: Final = 2
VOTE: Final = 3
INVITE: Final = 4
ADMIT: Final = 5
DEV_ADD: Final = 6
DEV_REVOKE: Final = 7
FORK: Final = 8
POLICY: Final = 9
AUTH_SEEN: Final = 10

AUTH_KINDS: Final = frozenset(range(GENESIS, AUTH_SEEN + 1))
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

MEMBER_KEY: Final = 0
INVITE_KEY: Final = 1
"""What kind of key a REVOKE names."""

Bytes32 = Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
Bytes64 = Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
Rank = Annotated[int, msgspec.Meta(ge=FOUNDER, le=GUEST)]
GivenRank = Annotated[int, msgspec.Meta(ge=ADMIN, le=GUEST)]
ContentKind = Annotated[int, msgspec.Meta(ge=32, le=255)]
U53 = Annotated[int, msgspec.Meta(ge=0, le=limits.SEQ_MAX)]
Quorum = Annotated[int, msgspec.Meta(ge=0, le=255)]
WriteRules = Annotated[tuple[tuple[ContentKind, Rank], ...], msgspec.Meta(max_length=224)]
CheckedReference = tuple[Bytes32, Annotated[int, msgspec.Meta(ge=0, le=1)], U53, Bytes32]
Keeps = Annotated[tuple[CheckedReference, ...], msgspec.Meta(max_length=limits.KEEPS_MAX)]

P = TypeVar("P", bound=msgspec.Struct)


class _Payload(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    pass


class Founder(_Payload, frozen=True):
    """A root key that founds, with its first device, which the root certifies."""

    root: Bytes32
    device: Bytes32
    prekey: Bytes32
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
    write: WriteRules


class GrantPayload(_Payload, frozen=True):
    """Gives a root a rank."""

    root: Bytes32
    rank: GivenRank
    keeps: Keeps


class RevokePayload(_Payload, frozen=True):
    """Takes a member's rank, or all but `rank` (2 or 3); or withdraws an invite key (rank 0)."""

    what: Annotated[int, msgspec.Meta(ge=MEMBER_KEY, le=INVITE_KEY)]
    key: Bytes32
    rank: Rank
    keeps: Keeps


class VotePayload(_Payload, frozen=True):
    """One equal's voice for removing a member."""

    root: Bytes32
    keeps: Keeps


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
    prekey: Bytes32
    certificate: Bytes64
    certifier: Annotated[bytes, msgspec.Meta(max_length=32)]


class DevRevokePayload(_Payload, frozen=True):
    """Takes a device away; `certificate` is the root's, or empty."""

    root: Bytes32
    device: Bytes32
    certificate: Annotated[bytes, msgspec.Meta(max_length=64)]
    seen: Annotated[tuple[Bytes32, ...], msgspec.Meta(max_length=limits.SEEN_MAX)]
    keeps: Keeps


class ForkPayload(_Payload, frozen=True):
    """Shows two operations of one device with one seq."""

    operations: tuple[CheckedReference, CheckedReference]
    keeps: Keeps


class PolicyPayload(_Payload, frozen=True):
    """Sets what founders may change of what GENESIS decided."""

    join: Annotated[int, msgspec.Meta(ge=JOIN_INVITE, le=JOIN_REQUEST)]
    invite_rank: Rank
    write: WriteRules


_decoders: dict[type[msgspec.Struct], msgspec.msgpack.Decoder[msgspec.Struct]] = {
    payload_type: msgspec.msgpack.Decoder(payload_type)
    for payload_type in (
        GenesisPayload,
        GrantPayload,
        RevokePayload,
        VotePayload,
        InvitePayload,
        AdmitPayload,
        DevAddPayload,
        DevRevokePayload,
        ForkPayload,
        PolicyPayload,
    )
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


def policy_of(payload: GenesisPayload | PolicyPayload) -> Policy:
    """Return the policy that a GENESIS or a POLICY sets."""
    return Policy(payload.join, payload.invite_rank, payload.write)


def references_of(keeps: tuple[CheckedReference, ...]) -> tuple[Reference, ...]:
    """Return checked references as what they are."""
    return tuple(Reference(*keep) for keep in keeps)


def certificate_message(nonce: bytes, root: bytes, device: bytes, prekey: bytes) -> bytes:
    """Return what a root, or a device of it, signs to add `device`."""
    return b"p2pv1/cert\x00" + nonce + b"add" + root + device + prekey


def revocation_message(
    nonce: bytes,
    root: bytes,
    device: bytes,
    seen: tuple[bytes, ...],
    keeps: tuple[Reference, ...] = (),
) -> bytes:
    """Return what a root signs to take `device` away, knowing the past of `seen`."""
    terms = tagged_hash("revoke", encode([seen, keeps]))
    return b"p2pv1/cert\x00" + nonce + b"revoke" + root + device + terms


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


def founder(root: SigningKey, device: bytes, prekey: bytes, nonce: bytes) -> Founder:
    """Return the GENESIS entry of a founder, certified by her root key."""
    message = certificate_message(nonce, root.public, device, prekey)
    return Founder(root.public, device, prekey, root.sign(message))


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
    return (
        roots == sorted(set(roots))
        and len(devices) == len(roots)
        and all(is_valid_exchange_key(entry.prekey) for entry in payload.founders)
        and is_ascending(payload.write)
    )


def is_ascending(write: tuple[tuple[int, int], ...]) -> bool:
    """Return whether write rules name each kind once, in order."""
    kinds = [kind for kind, _ in write]
    return kinds == sorted(set(kinds))


def grant_payload(root: bytes, rank: int, keeps: tuple[Reference, ...] = ()) -> bytes:
    """Return the payload that gives `root` a rank from 1 admin to 3 guest."""
    return _checked(GrantPayload(root, rank, _plain(keeps)))


def revoke_payload(root: bytes, rank: int = OUT, keeps: tuple[Reference, ...] = ()) -> bytes:
    """Return the payload that takes a member out, or down to rank 2 or 3."""
    if rank not in (OUT, MEMBER, GUEST):
        raise LocalProtocolError(f"nobody is demoted to {rank}: pass 2 or 3, or 0 for out")
    return _checked(RevokePayload(MEMBER_KEY, root, rank, _plain(keeps)))


def withdraw_payload(invite_key: bytes) -> bytes:
    """Return the payload that ends the use of an invite key."""
    return _checked(RevokePayload(INVITE_KEY, invite_key, OUT, ()))


def vote_payload(root: bytes, keeps: tuple[Reference, ...] = ()) -> bytes:
    """Return the payload that votes for removing a member of the voter's own rank."""
    return _checked(VotePayload(root, _plain(keeps)))


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
    root: bytes, prekey: bytes, certificate: bytes, certifier: bytes = b""
) -> bytes:
    """Return the payload that begins a device's auth log; no `certifier` means the root itself."""
    if len(certifier) not in (0, 32):
        raise LocalProtocolError("a certifier is a 32-byte device key, or empty for the root")
    if not is_valid_exchange_key(prekey):
        raise LocalProtocolError("this is no prekey: pass exchange_key_of(a private key)")
    return _checked(DevAddPayload(root, prekey, certificate, certifier))


def dev_revoke_payload(
    root: bytes,
    device: bytes,
    certificate: bytes = b"",
    seen: tuple[bytes, ...] = (),
    keeps: tuple[Reference, ...] = (),
) -> bytes:
    """Return the payload that takes a device away; `seen` only with the root's certificate."""
    if len(certificate) not in (0, 64) or (seen and not certificate):
        raise LocalProtocolError(
            "a certificate is the root's signature of 64 bytes; without it, what the author knows "
            "is the past of the operation itself: leave `seen` empty"
        )
    return _checked(DevRevokePayload(root, device, certificate, seen, _plain(keeps)))


def fork_payload(first: Reference, second: Reference, keeps: tuple[Reference, ...] = ()) -> bytes:
    """Return the payload that shows two operations, in either order, at one place of a log."""
    one, other = sorted((first, second), key=lambda reference: reference.op_id)
    if one.op_id == other.op_id or place_of(one) != place_of(other):
        raise LocalProtocolError("a fork is two different operations at one place of one log")
    (one_plain, other_plain) = _plain((one, other))
    return _checked(ForkPayload((one_plain, other_plain), _plain(keeps)))


def policy_payload(join: int, invite_rank: int, write: tuple[tuple[int, int], ...]) -> bytes:
    """Return the payload that sets the policy, all of it, from there on."""
    payload = PolicyPayload(join, invite_rank, tuple(sorted(write)))
    if not is_ascending(payload.write):
        raise LocalProtocolError("the kinds of the write policy must each be named once")
    return _checked(payload)


def place_of(reference: Reference) -> tuple[bytes, int, int]:
    """Return what two operations share that fork a log: (device, class, seq)."""
    return reference.device, reference.log_class, reference.seq


def _plain(references: tuple[Reference, ...]) -> tuple[CheckedReference, ...]:
    return tuple((r.device, r.log_class, r.seq, r.op_id) for r in references)


def _checked(payload: msgspec.Struct) -> bytes:
    data = encode(payload)
    if len(data) > limits.PAYLOAD_BYTES_MAX:
        raise LocalProtocolError("the payload is over 64 KiB: name fewer heads to keep")
    try:
        _decoders[type(payload)].decode(data)
    except msgspec.ValidationError as error:
        raise LocalProtocolError(f"this cannot be written: {error}; check the value") from None
    return data
