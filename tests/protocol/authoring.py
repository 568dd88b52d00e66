"""Authors for tests: they sign operations from names, so that every run writes the same bytes."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from hashlib import sha256

import msgspec

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.acts import OUT
from p2pvalue_protocol.causal import AuthGraph
from p2pvalue_protocol.ids import ZERO32, Reference, op_id_of, payload_hash_of
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

    def grant(
        self, root: bytes, rank: int, *parents: Operation, keeps: tuple[Reference, ...] = ()
    ) -> Operation:
        """Write a GRANT."""
        return self.write(auth.GRANT, auth.grant_payload(root, rank, keeps), parents)

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

    def remove(
        self, root: bytes, *parents: Operation, rank: int = OUT, keeps: tuple[Reference, ...] = ()
    ) -> Operation:
        """Write the REVOKE of a member."""
        return self.write(auth.REVOKE, auth.revoke_payload(root, rank, keeps), parents)

    def vote(
        self, root: bytes, *parents: Operation, keeps: tuple[Reference, ...] = ()
    ) -> Operation:
        """Write a VOTE to remove a member."""
        return self.write(auth.VOTE, auth.vote_payload(root, keeps), parents)

    def withdraw(self, *parents: Operation, secret: bytes = SECRET) -> Operation:
        """Write the REVOKE of an invite key."""
        return self.write(auth.REVOKE, auth.withdraw_payload(invite_key(secret).public), parents)

    def remove_device(
        self, target: Author, *parents: Operation, keeps: tuple[Reference, ...] = ()
    ) -> Operation:
        """Write the DEV_REVOKE of a device of the target's root."""
        payload = auth.dev_revoke_payload(target.root.public, target.device, keeps=keeps)
        return self.write(auth.DEV_REVOKE, payload, parents)

    def carry_removal(
        self,
        target: Author,
        *parents: Operation,
        seen: tuple[bytes, ...] = (),
        keeps: tuple[Reference, ...] = (),
    ) -> Operation:
        """Write the DEV_REVOKE that the target's own root signed."""
        root, device = target.root.public, target.device
        message = auth.revocation_message(NONCE, root, device, seen, keeps)
        certificate = target.root.sign(message)
        payload = auth.dev_revoke_payload(root, device, certificate, seen, keeps)
        return self.write(auth.DEV_REVOKE, payload, parents)

    def prove_fork(
        self,
        first: Operation,
        second: Operation,
        *parents: Operation,
        keeps: tuple[Reference, ...] = (),
    ) -> Operation:
        """Write the FORK that shows two operations."""
        payload = auth.fork_payload(first.reference, second.reference, keeps)
        return self.write(auth.FORK, payload, parents)

    def decide(
        self,
        *parents: Operation,
        invite_rank: int = auth.MEMBER,
        write: tuple[tuple[int, int], ...] = (),
    ) -> Operation:
        """Write a POLICY."""
        payload = auth.policy_payload(auth.JOIN_INVITE, invite_rank, write)
        return self.write(auth.POLICY, payload, parents)

    def branch(self, seq: int) -> Author:
        """The same device, about to write another operation at a seq: it forks its log."""
        twin = copy.copy(self)
        twin.log = self.log[:seq]
        return twin


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
