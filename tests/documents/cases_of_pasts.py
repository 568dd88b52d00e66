"""Histories by hand about what follows what broke a rule, about heads, and about forks."""

from __future__ import annotations

from collections.abc import Callable

from p2pvalue_protocol.documents.verdict import VoidReason as Reason
from tests.documents.by_hand import ANA, APPLIES, EVA, KIM, WAITS, Scene, client, string, update
from tests.documents.cases import WORD, A, Case, E, K

A1 = client(ANA, 1)
FORK = 9


def _after_void(scene: Scene) -> str:
    scene.give(ANA, update(A, 5, string("gap")))
    return scene.give(ANA, WORD)


def _deletes_after_void(scene: Scene) -> str:
    scene.give(ANA, WORD)
    scene.give(ANA, b"")
    return scene.give(ANA, update(-1, -1, deletes=((A, 0, 1),)))


def _other_session_after_void(scene: Scene) -> str:
    scene.give(ANA, b"")
    return scene.give(ANA, update(A1, 0, string("a")), session=1)


def _names_void_text(scene: Scene) -> str:
    scene.give(ANA, update(A, 0, string("a"), string("b", origin=(A, 7))))
    return scene.give(ANA, update(A1, 0, string("a", origin=(A, 0))), session=1)


def _head_void(scene: Scene) -> str:
    scene.give(ANA, b"")
    return scene.give(EVA, update(E, 0, string("e")), heads=(0,))


def _past_of_head_void(scene: Scene) -> str:
    scene.give(ANA, b"")
    scene.give(ANA, update(A1, 0, string("a")), session=1)
    return scene.give(EVA, update(E, 0, string("e", origin=(A1, 0))), heads=(1,))


def _head_missing(scene: Scene) -> str:
    return scene.give(EVA, update(E, 0, string("e")), heads=(77,))


def _after_waiting(scene: Scene) -> str:
    scene.give(EVA, update(E, 0, string("e")), heads=(77,))
    return scene.give(EVA, update(client(EVA, 1), 0, string("e")), session=1, heads=())


def _head_comes(scene: Scene) -> str:
    scene.give(EVA, update(E, 0, string("e", origin=(A, 2))), heads=(2,))
    scene.give(KIM, update(K, 0, string("k", origin=(E, 0))), heads=(0,))
    scene.give(ANA, WORD)
    return scene.verdicts[scene.op_id(1)]


FOLLOWING = (
    Case("after-void", "what follows in the session of a void one", Reason.AFTER_VOID, _after_void),
    Case(
        "deletes-after-void",
        "deletions in the session of a void one",
        Reason.AFTER_VOID,
        _deletes_after_void,
    ),
    Case(
        "other-session-after-void",
        "another session of the same device",
        APPLIES,
        _other_session_after_void,
    ),
    Case("names-void-text", "a letter of a void update as origin", Reason.UNSEEN, _names_void_text),
    Case("head-void", "a void update as head", Reason.HEAD_VOID, _head_void),
    Case(
        "head-after-void",
        "a head of a log with a void update before it",
        APPLIES,
        _past_of_head_void,
    ),
    Case("head-missing", "a head that is not here", WAITS, _head_missing),
    Case("after-waiting", "what follows one that waits, in another session", WAITS, _after_waiting),
    Case("head-comes", "those that waited, when the head has come", APPLIES, _head_comes),
)


def _forked(scene: Scene) -> None:
    """Ana's log goes on twice after her first update, both times with the same clocks."""
    scene.give(ANA, WORD)
    scene.fork(FORK, ANA, 0)
    scene.give(ANA, update(A, 3, string("one", origin=(A, 2))), heads=())
    scene.give(ANA, update(A, 3, string("two", origin=(A, 2))), branch=FORK, heads=())


def _both_count(scene: Scene) -> str:
    _forked(scene)
    assert scene.verdicts[scene.op_id(1)] == APPLIES
    return scene.verdicts[scene.op_id(2)]


def _goes_on_after_fork(scene: Scene) -> str:
    _forked(scene)
    return scene.give(ANA, update(A, 6, string("!", origin=(A, 5))), branch=FORK, heads=())


def _knows_of_the_other(scene: Scene) -> str:
    scene.give(ANA, WORD)
    scene.fork(FORK, ANA, 0)
    scene.give(ANA, update(A, 3, string("one", origin=(A, 2))), heads=())
    return scene.give(ANA, update(A, 3, string("two", origin=(A, 2))), branch=FORK, heads=(1,))


def _sees_one_branch(branch_update: int) -> Callable[[Scene], str]:
    def play(scene: Scene) -> str:
        _forked(scene)
        return scene.give(EVA, update(E, 0, string("e", origin=(A, 5))), heads=(branch_update,))

    return play


def _sees_both(scene: Scene) -> str:
    """After both branches are seen, one of them is called otherwise: (A, 5) is in the other."""
    _forked(scene)
    return scene.give(EVA, update(E, 0, string("e", origin=(A, 5))), heads=(1, 2))


def _void_before_fork(scene: Scene) -> str:
    scene.give(ANA, b"")
    scene.fork(FORK, ANA, 0)
    return scene.give(ANA, WORD, branch=FORK, heads=())


def _void_beside_fork(scene: Scene) -> str:
    scene.give(ANA, WORD)
    scene.fork(FORK, ANA, 0)
    scene.give(ANA, b"")
    return scene.give(ANA, update(A, 3, string("d", origin=(A, 2))), branch=FORK, heads=())


FORKS = (
    Case("fork", "the same clocks in two branches of a log", APPLIES, _both_count),
    Case("fork-goes-on", "the next clocks in a branch", APPLIES, _goes_on_after_fork),
    Case(
        "fork-known",
        "a branch that goes on with what it knows another has gone on with",
        Reason.SESSION_TAKEN,
        _knows_of_the_other,
    ),
    Case("sees-one", "a letter after one branch", APPLIES, _sees_one_branch(1)),
    Case("sees-other", "a letter after the other branch", APPLIES, _sees_one_branch(2)),
    Case("sees-both", "a letter after the one that keeps the name", APPLIES, _sees_both),
    Case(
        "void-before-fork",
        "a session that was void before the fork",
        Reason.AFTER_VOID,
        _void_before_fork,
    ),
    Case(
        "void-beside-fork", "a session that is void in the other branch", APPLIES, _void_beside_fork
    ),
)
