"""What somebody sees, byte for byte, who is no member; and what it costs to send her away."""

from __future__ import annotations

import random
from base64 import b32encode, b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256

import pytest

from p2pvalue.network.addresses import encode_base58
from p2pvalue.node.peers.neighbours import blinded_name
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.gossip import Gossip
from p2pvalue_protocol.hello import Transcript, secrets_shown, secrets_tried
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.invitation import invite_key
from p2pvalue_protocol.keys import SigningKey, verify
from p2pvalue_protocol.kinds.profile import encode_profile
from p2pvalue_protocol.removal import withdrawal_draft
from tests.protocol.authoring import NONCE, SECRET, key_named
from tests.protocol.join_link import JoinLink, invite, newcomer
from tests.protocol.meeting import Community, Link, Node

PLAIN = "a plain sentence of a member"
NAME = "Ada Lovelace-Byron"


def lively() -> tuple[Community, Node]:
    """A founder's node of a community in which things were said and done."""
    community = Community("ada", "ben")
    ada = community.node("ada")
    ada.write(Draft(42, b"", encode_profile(NAME)))
    ada.say(PLAIN, times=3)
    invite(ada)
    ada.listen_at("/ip4/192.0.2.77/tcp/4001")
    ada.do(ada._seal)
    return community, ada


def outsider(community: Community, name: str = "eve") -> Node:
    """Somebody who found GENESIS somewhere, and knows a secret of her own making."""
    node = community.node(name, knows_topic=False)
    node.learn([(b"an epoch".ljust(32), b"o" * 32)])
    return node


def shapes_of(secret: bytes) -> list[bytes]:
    """How some bytes may be written into others."""
    texts = [
        secret.hex(),
        b32encode(secret).decode().rstrip("="),
        encode_base58(secret),
        b64encode(secret).decode().rstrip("="),
        urlsafe_b64encode(secret).decode().rstrip("="),
    ]
    lower = [text.lower() for text in texts]
    upper = [text.upper() for text in texts]
    return [secret, *(text.encode() for text in [*texts, *lower, *upper])]


def assert_says_nothing(community: Community, seen: bytes) -> None:
    """Check that what was seen names nobody, no place, and not the community."""
    secrets = [community.community, community.genesis.op_id, community.topic_secret, NONCE]
    secrets += [invite_key(SECRET).public, PLAIN.encode(), NAME.encode(), b"192.0.2.77"]
    for author in community.authors.values():
        secrets += [author.device, author.root.public, author.prekey]
    for epoch, secret in community.keys:
        secrets += [epoch, secret]
    for secret in secrets:
        for shape in shapes_of(secret) if len(secret) == 32 else [secret]:
            assert shape not in seen


def test_the_search_finds_what_it_looks_for() -> None:
    community, ada = lively()
    for shape in shapes_of(community.community):
        with pytest.raises(AssertionError):
            assert_says_nothing(community, b"x" + shape + b"y")
    link = Link(community.node("ben"), ada)
    link.settle()
    with pytest.raises(AssertionError):
        assert_says_nothing(community, b"".join(link.sent[1]))


@pytest.mark.parametrize("caller", [0, 1])
def test_a_sync_session_with_an_outsider_says_nothing_in_either_direction(caller: int) -> None:
    community, ada = lively()
    pair = (outsider(community), ada) if caller == 0 else (ada, outsider(community))
    link = Link(*pair)
    link.wait(60_000)
    assert link.closed
    assert_says_nothing(community, b"".join(link.sent[0] + link.sent[1]))


def test_whatever_an_outsider_sends_she_is_told_a_nonce_and_no_more() -> None:
    community, ada = lively()
    for frame in (
        f.TagsShown([bytes(16)] * limits.TOPIC_SECRETS_MAX),
        f.InitiatorIdentity(bytes(32), bytes(64)),
        f.Heads(bytes(16), 1, []),
        f.KeysWanted([bytes(32)]),
    ):
        link = Link(outsider(community), ada)
        link.wires[0].clear()
        link.wires[0].extend(map(f.encode_frame, (f.NonceOffered(bytes(32)), frame)))
        link.settle()
        assert len(link.sent[1]) == 1
        assert_says_nothing(community, link.sent[1][0])


def withdrawn(ada: Node) -> None:
    ada.write(withdrawal_draft(ada.replica, invite_key(SECRET).public))


def used_up(ada: Node) -> None:
    community = Community("ada", "ben")
    assert community.community == ada.replica.community
    JoinLink(newcomer(community, "first"), ada).run()


@pytest.mark.parametrize("spoil", [withdrawn, used_up])
def test_who_holds_a_stale_invite_is_told_that_and_no_more(spoil: Callable[[Node], None]) -> None:
    community, ada = lively()
    spoil(ada)
    link = JoinLink(newcomer(community), ada).run()
    assert link.joined[-1].state == "failed"
    sent = b"".join(link.sent[1])
    assert len(sent) < 50
    assert_says_nothing(community, sent)


def test_who_holds_no_invite_is_told_a_nonce_and_no_more() -> None:
    community, ada = lively()
    for secret in (bytes(16), b""):
        link = JoinLink(newcomer(community), ada, secret).run()
        assert len(link.sent[1]) == 1
        assert_says_nothing(community, link.sent[1][0])


def test_what_a_relay_carries_says_nothing() -> None:
    """A relay of gossip that is no member sees topics and messages."""
    community, ada = lively()
    gossip = Gossip(random.Random(1).randbytes)
    (secret,) = ada.replica.topic_secrets
    gossip.listen(community.community, [secret], secret, is_sealed=True)
    written: list[list[Reference]] = [ada.say(f"{PLAIN} again")]
    written.append(ada.write(Draft(auth.GRANT, b"", auth.grant_payload(bytes(32), auth.GUEST))))
    ada.do(ada._seal)
    messages = [m for references in written for m in gossip.messages(ada.replica, references)]
    assert len(messages) == 2
    seen = b"".join(topic.encode() + message for topic, message in messages)
    assert_says_nothing(community, seen)


def test_what_is_announced_on_the_local_network_says_nothing() -> None:
    community, ada = lively()
    names = [blinded_name(ada.replica.topic_secrets[0], bytes([n]) * 5) for n in range(8)]
    assert_says_nothing(community, "".join(names).encode())
    assert len({name[:4] for name in names}) == len({name[-16:] for name in names}) == 8


# --- what it costs


class Costs:
    """What one side of a link did."""

    def __init__(self) -> None:
        self.macs = self.verifications = self.reads = 0


@contextmanager
def counted(node: Node, monkeypatch: pytest.MonkeyPatch) -> Iterator[Costs]:
    """Count what a node does for its peer; the other side must be another's."""
    costs = Costs()
    tag = Transcript.tag
    past = node.store.past(node.replica.community)

    def mac(transcript: Transcript, topic_secret: bytes, role: bytes) -> bytes:
        costs.macs += 1
        return tag(transcript, topic_secret, role)

    def check(key: bytes, message: bytes, signature: bytes) -> bool:
        costs.verifications += 1
        return verify(key, message, signature)

    def reading(read: Callable[..., object]) -> Callable[..., object]:
        def reads(*given: object) -> object:
            costs.reads += 1
            return read(*given)

        return reads

    with monkeypatch.context() as patched:
        patched.setattr(Transcript, "tag", mac)
        patched.setattr("p2pvalue_protocol.hello.verify", check)
        for name in ("operations", "state", "subject_operations", "heads", "addresses"):
            patched.setattr(past, name, reading(getattr(past, name)), raising=True)
        yield costs


def knock(node: Node, frames: list[f.Frame]) -> Link:
    """Bring a stranger's frames to a node that she called."""
    sam = Node(node.replica.community, "sam", None)
    link = Link(sam, node)
    link.wires[0].clear()
    for frame in frames:
        link.wires[0].append(f.encode_frame(frame))
        link.deliver(0)
    return link


@pytest.mark.parametrize("generations", [1, 5, 200])
def test_an_outsider_costs_one_mac_for_each_topic_secret_and_no_disk(
    generations: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, ada = lively()
    older = range(generations - 1)
    ada.learn([(n.to_bytes(32, "big"), sha256(bytes([n])).digest()) for n in older])
    tried = len(secrets_tried(ada.replica))
    assert generations <= tried <= limits.TOPIC_SECRETS_TRIED_MAX
    with counted(ada, monkeypatch) as costs:
        link = knock(ada, [f.NonceOffered(bytes(32)), f.TagsShown([bytes(16)])])
    assert link.closed == [("ada", None)]
    assert (costs.macs, costs.verifications, costs.reads) == (tried, 0, 0)


def test_who_knows_an_old_secret_costs_one_check_of_a_signature_besides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    community, ada = lively()
    eve = SigningKey(sha256(b"eve").digest())
    link = Link(Node(community.community, "sam", None), ada)
    link.wires[0].clear()
    with counted(ada, monkeypatch) as costs:
        link.wires[0].append(f.encode_frame(f.NonceOffered(bytes(32))))
        link.deliver(0)
        answered = f.decode_frame(link.sent[1][0])
        assert isinstance(answered, f.NonceAnswered)
        transcript = Transcript((bytes(32), answered.nonce), (link.nodes[0].peer_id, ada.peer_id))
        tag = transcript.tag(community.topic_secret, b"\x00")
        before = costs.macs
        message = transcript.identity_message(community.community, b"\x00")
        for frame in (
            f.TagsShown([tag]),
            f.InitiatorIdentity(eve.public, eve.sign(message)),
        ):
            link.wires[0].append(f.encode_frame(frame))
            link.deliver(0)
    assert (costs.macs - before, costs.verifications, costs.reads) == (2, 1, 0)
    assert key_named("ada device").public not in b"".join(link.sent[1])


@pytest.mark.parametrize("older", [0, 1, 40, 63, 64, 65, 200, 1_000])
def test_two_who_parted_long_ago_always_show_each_other_one_secret(older: int) -> None:
    class Held:
        def __init__(self, secrets: list[bytes]) -> None:
            self.topic_secrets = secrets

    secrets = [n.to_bytes(32, "big") for n in range(1_088)]  # the newest first
    ahead = secrets_shown(Held(secrets))  # type: ignore[arg-type]  # as far as it is asked
    behind = secrets_shown(Held(secrets[older:]))  # type: ignore[arg-type]  # the same
    assert set(ahead) & set(behind)
    assert len(ahead) <= limits.TOPIC_SECRETS_MAX


def test_however_many_secrets_are_held_few_are_shown_and_tried() -> None:
    class Epochs:
        def topic_secrets(self, *, by_turns: bool) -> list[bytes]:
            assert by_turns
            return secrets[::-1]

    class Held:
        def __init__(self) -> None:
            self.topic_secrets = secrets
            self.epochs = Epochs()

    secrets = [n.to_bytes(32, "big") for n in range(2 * limits.TOPIC_SECRETS_TRIED_MAX)]
    shown = secrets_shown(Held())  # type: ignore[arg-type]  # as far as it is asked
    assert len(shown) == limits.TOPIC_SECRETS_MAX
    tried = secrets_tried(Held())  # type: ignore[arg-type]  # the same
    assert tried == secrets[::-1][: limits.TOPIC_SECRETS_TRIED_MAX]
