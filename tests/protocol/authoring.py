"""Authors for tests: they sign operations from names, so that every run writes the same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.causal import AuthGraph
from p2pvalue_protocol.ids import ZERO32, op_id_of, payload_hash_of
from p2pvalue_protocol.invitation import invite_key
from p2pvalue_protocol.keys import SigningKey, exchange_key_of
from p2pvalue_protocol.membership import Membership
from p2pvalue_protocol.operation import (
    SIGNED,
    Core,
    Operation,
    community_id_of,
    encode_core,
)

NONCE = sha256(b"nonce").digest()
SECRET = sha256(b"secret").digest()[:16]


def key_named(name: str) -> SigningKey:
    """The key that a name stands for."""
    return SigningKey(sha256(name.encode()).digest())


def prekey_private_named(name: str) -> bytes:
    """The private half of the prekey that a name stands for."""
    return sha256(f"{name} prekey".encode()).digest()


def prekey_named(name: str) -> bytes:
    """The public half of the prekey that a name stands for."""
    return exchange_key_of(prekey_private_named(name))


class Author:
    """A device, the root it says it belongs to, and its auth log."""

    def __init__(self, name: str, community: bytes = ZERO32, root: str | None = None) -> None:
        self.root = key_named(f"{root or name} root")
        self.key = key_named(f"{name} device")
        self.device = self.key.public
        self.prekey = prekey_named(name)
        self.community = community
        self.log: list[Operation] = []

    def write(
        self, kind: int, payload: bytes = b"", parents: Sequence[Operation] = ()
    ) -> Operation:
        """Append an operation to the auth log."""
        references = [parent.reference for parent in parents]
        core = Core(
            version=1,
            community=self.community,
            device=self.device,
            seq=len(self.log),
            backlink=self.log[-1].op_id if self.log else ZERO32,
            kind=kind,
            subject=b"",
            parents=tuple(sorted(references, key=lambda r: (r.device, r.log_class, r.op_id))),
            time=1_700_000_000_000 + len(self.log),
            epoch=b"",
            payload_size=len(payload),
            payload_hash=payload_hash_of(payload),
        )
        if kind == auth.GENESIS and self.community == ZERO32:
            self.community = community_id_of(core)
            core = msgspec.structs.replace(core, community=self.community)
        op = signed(core, payload, self.key)
        self.log.append(op)
        return op

    def found(self, *others: Author, **policy: object) -> Operation:
        """Write the GENESIS of a community with these founders."""
        founders = [auth.founder(a.root, a.device, a.prekey, NONCE) for a in (self, *others)]
        genesis = self.write(
            auth.GENESIS,
            auth.genesis_payload(NONCE, founders, **policy),  # type: ignore[arg-type]  # passed on
        )
        for other in others:
            other.community = self.community
        return genesis

    def add_device(
        self, genesis: Operation | None = None, certifier: Author | None = None
    ) -> Operation:
        """Write the DEV_ADD that begins this log, certified by the root or by another device."""
        self.community = genesis.core.community if genesis else self.community
        signer = certifier.key if certifier else self.root
        message = auth.certificate_message(NONCE, self.root.public, self.device, self.prekey)
        payload = auth.dev_add_payload(
            self.root.public,
            self.prekey,
            signer.sign(message),
            certifier.device if certifier else b"",
        )
        return self.write(auth.DEV_ADD, payload, [genesis] if genesis else [])

    def grant(self, root: bytes, rank: int, *parents: Operation) -> Operation:
        """Write a GRANT."""
        return self.write(auth.GRANT, auth.grant_payload(root, rank), parents)

    def invite(self, rank: int, *parents: Operation, secret: bytes = SECRET) -> Operation:
        """Write an INVITE for the holder of a secret."""
        payload = auth.invite_payload(invite_key(secret).public, rank, 1)
        return self.write(auth.INVITE, payload, parents)

    def admit(
        self,
        newcomer: Author,
        invite: Operation,
        *parents: Operation,
        secret: bytes = SECRET,
    ) -> Operation:
        """Write the ADMIT of a newcomer who holds the secret of an INVITE."""
        key = invite_key(secret)
        message = auth.admit_message(self.community, newcomer.root.public, newcomer.device)
        payload = auth.admit_payload(
            newcomer.root.public, newcomer.device, key.public, key.sign(message), invite.op_id
        )
        return self.write(auth.ADMIT, payload, parents)


def signed(core: Core, payload: bytes, key: SigningKey) -> Operation:
    """An operation with its signature."""
    core_bytes = encode_core(core)
    signature = key.sign(SIGNED + core_bytes)
    return Operation(op_id_of(core_bytes), core, core_bytes, signature, payload)


def membership_of(community: bytes, operations: Sequence[Operation]) -> Membership:
    """The membership that operations in a causal order make."""
    membership = Membership(community, AuthGraph())
    for op in operations:
        membership.integrate(op)
    return membership
