"""Members in touch hear what each other's documents show, and nobody else does."""

from __future__ import annotations

from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol import frames as f
from p2pvalue_protocol import limits
from p2pvalue_protocol.digests import DigestTalk
from p2pvalue_protocol.documents.digest import Node, canonical, rich_digest
from p2pvalue_protocol.effects import DigestsHeard, Effect
from p2pvalue_protocol.inputs import ShownDocument
from p2pvalue_protocol.showing import Showing
from tests.protocol.meeting import Community, Link

COMMUNITY = b"c" * 32


def shown(number: int, digest: bytes = bytes(32)) -> ShownDocument:
    return ShownDocument(number.to_bytes(16, "big"), bytes(16), digest)


def frame(*documents: ShownDocument) -> f.Digests:
    return f.Digests([f.DocumentDigest(*document) for document in documents])


class Eavesdropper(Link):
    """A link that remembers what was heard of documents."""

    def __init__(self, *nodes) -> None:  # type: ignore[no-untyped-def]  # as Link's
        self.heard: list[DigestsHeard] = []
        super().__init__(*nodes)

    def act(self, side, call) -> None:  # type: ignore[no-untyped-def]  # as Link's
        def listening(now_ms: int) -> list[Effect]:
            effects: list[Effect] = call(now_ms)
            self.heard += [effect for effect in effects if isinstance(effect, DigestsHeard)]
            return effects

        super().act(side, listening)


def test_members_hear_what_changed_and_only_that() -> None:
    community = Community("ada", "ben")
    ada, ben = community.node("ada"), community.node("ben")
    ada.replica.showing.show([shown(1), shown(2)])
    link = Eavesdropper(ada, ben)
    link.settle()
    device = community.authors["ada"].device
    assert link.heard == [DigestsHeard(community.community, device, (shown(1), shown(2)))]
    ada.replica.showing.show([shown(1), shown(2, b"2" * 32)])
    link.now_ms += limits.TELL_MS_MIN
    link.poke(0)
    link.settle()
    assert [heard.shown for heard in link.heard[1:]] == [(shown(2, b"2" * 32),)]
    assert not link.closed


def test_who_is_no_member_is_told_nothing_and_not_heard() -> None:
    community = Community("ada", "ben", read=auth.READ_PUBLIC)
    ada, sam = community.node("ada"), community.node("sam")
    ada.replica.showing.show([shown(1)])
    link = Eavesdropper(sam, ada)
    link.settle()
    link.wires[0].append(f.encode_frame(frame(shown(2))))
    link.settle()
    assert link.heard == []
    assert not link.closed
    told = [f.decode_frame(sent) for sent in link.sent[1]]
    assert not any(isinstance(each, f.Digests) for each in told)


def test_of_many_documents_those_that_changed_last_are_told() -> None:
    showing = Showing()
    showing.show(shown(n) for n in range(limits.DIGESTS_MAX))
    showing.show([shown(0, b"0" * 32), shown(limits.DIGESTS_MAX)])
    kept = showing.all()
    assert len(kept) == limits.DIGESTS_MAX
    assert kept[-2:] == [shown(0, b"0" * 32), shown(limits.DIGESTS_MAX)]
    assert shown(1) not in kept
    (told,) = DigestTalk(COMMUNITY, showing).next_frames()
    assert f.decode_frame(f.encode_frame(told)) == told


def test_who_tells_too_much_is_heard_no_more_until_the_next_comparison() -> None:
    talk = DigestTalk(COMMUNITY, Showing())
    much = frame(*(shown(n) for n in range(limits.DIGESTS_MAX)))
    counts = [
        len(talk.hear(much, bytes(32)).shown)
        for _ in range(limits.DIGESTS_TAKEN_MAX // limits.DIGESTS_MAX + 1)
    ]
    assert counts[-2:] == [limits.DIGESTS_MAX, 0]
    talk.hear_again()
    assert len(talk.hear(much, bytes(32)).shown) == limits.DIGESTS_MAX


def test_what_a_digest_says_of_lists_bytes_and_empty_pieces() -> None:
    data = {"list": [1.0, b"ab", [2.5]], "bytes": b"ab"}
    written: list[Node] = [("p", data, [[("", {}), ("a", {}), ("b", {}), ("", {"bold": True})]])]
    same: list[Node] = [("p", {"bytes": b"ab", "list": [1, b"ab", [2.5]]}, [[("ab", {})]])]
    other: list[Node] = [("p", {"bytes": b"ab", "list": [1, b"ac", [2.5]]}, [[("ab", {})]])]
    assert canonical(written) == canonical(same)
    assert rich_digest(same) == rich_digest(written) != rich_digest(other)
