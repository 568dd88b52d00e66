"""Histories by hand about what may stand beside each other."""

from __future__ import annotations

from collections.abc import Callable

from p2pvalue_protocol.documents import update_form as form
from p2pvalue_protocol.documents.verdict import VoidReason as Reason
from tests.documents.by_hand import (
    ANA,
    APPLIES,
    EVA,
    KIM,
    Scene,
    string,
    struct,
    type_of,
    update,
)
from tests.documents.cases import HEAD, WORD, A, Case, E, K, after, raw

EMOJI = update(A, 0, string("x😀y"))
ANY_ONE = b"\x01\x78"
_TWO_LISTS = update(
    A,
    0,
    type_of(form.ARRAY, parent="meta", key="one"),
    type_of(form.ARRAY, parent="meta", key="two"),
    struct(form.ANY, parent=(A, 0), body=ANY_ONE),
    struct(form.ANY, parent=(A, 1), body=ANY_ONE),
)
_ENTRY = update(A, 0, struct(form.ANY, parent="meta", key="k", body=ANY_ONE))

SIDES = (
    after(
        "between",
        "a letter between two",
        APPLIES,
        WORD,
        update(E, 0, string("x", origin=(A, 0), right=(A, 1))),
    ),
    after(
        "one-on-both-sides",
        "one letter on both sides",
        Reason.SIDES_DIFFER,
        WORD,
        update(E, 0, string("x", origin=(A, 0), right=(A, 0))),
    ),
    after(
        "sides-in-two-lists",
        "sides that are in different types",
        Reason.SIDES_DIFFER,
        _TWO_LISTS,
        update(E, 0, struct(form.ANY, origin=(A, 2), right=(A, 3), body=ANY_ONE)),
    ),
    after(
        "entry-again",
        "a new value of a key",
        APPLIES,
        _ENTRY,
        update(E, 0, struct(form.ANY, origin=(A, 0), is_keyed=True, body=ANY_ONE)),
    ),
    after(
        "entry-with-a-right-side",
        "an entry of a map with a right side",
        Reason.SIDES_DIFFER,
        _ENTRY,
        update(E, 0, struct(form.ANY, right=(A, 0), is_keyed=True, body=ANY_ONE)),
    ),
    after(
        "entry-without-its-flag",
        "an entry of a map that does not say so",
        Reason.SIDES_DIFFER,
        _ENTRY,
        update(E, 0, struct(form.ANY, origin=(A, 0), body=ANY_ONE)),
    ),
    after(
        "flag-without-a-key",
        "a letter that says that it has a key",
        Reason.SIDES_DIFFER,
        WORD,
        update(E, 0, string("x", origin=(A, 2), is_keyed=True)),
    ),
    after(
        "beside-collected",
        "a letter beside what was collected",
        Reason.NAMES_COLLECTED,
        raw(HEAD, b"\x00", 3, 0),
        update(E, 0, string("x", origin=(A, 1))),
    ),
    after(
        "after-emoji",
        "a letter after an emoji",
        APPLIES,
        EMOJI,
        update(E, 0, string("z", origin=(A, 2), right=(A, 3))),
    ),
    after(
        "in-emoji",
        "a letter within an emoji",
        Reason.SPLITS_CHARACTER,
        EMOJI,
        update(E, 0, string("z", origin=(A, 1), right=(A, 2))),
    ),
    after(
        "right-in-emoji",
        "half an emoji on the right",
        Reason.SPLITS_CHARACTER,
        EMOJI,
        update(E, 0, string("z", right=(A, 2))),
    ),
    after(
        "deletes-emoji", "an emoji deleted", APPLIES, EMOJI, update(-1, -1, deletes=((A, 1, 2),))
    ),
    after(
        "deletes-first-half",
        "the first half of an emoji deleted",
        Reason.SPLITS_CHARACTER,
        EMOJI,
        update(-1, -1, deletes=((A, 0, 2),)),
    ),
    after(
        "deletes-second-half",
        "the second half of an emoji deleted",
        Reason.SPLITS_CHARACTER,
        EMOJI,
        update(-1, -1, deletes=((A, 2, 1),)),
    ),
)


def _with_one_between(data: bytes) -> Callable[[Scene], str]:
    def play(scene: Scene) -> str:
        scene.give(ANA, WORD)
        scene.give(EVA, update(E, 0, string("x", origin=(A, 0), right=(A, 1))))
        return scene.give(KIM, data)

    return play


RUNS = form.STRUCTS_MAX // 2


def _tangled(count: int, right: int = 1) -> Callable[[Scene], str]:
    """Eva writes so many times between letters that have 2,047 runs between them."""

    def play(scene: Scene) -> str:
        structs = [string("a"), string("z", origin=(A, 0))]
        for at in range(1, RUNS):  # each second letter goes on from the second before it
            structs += [string("a", origin=(A, 2 * at - 2)), string("z", origin=(A, 2 * at))]
        scene.give(ANA, update(A, 0, *structs))
        far = string("x", origin=(A, 2 * RUNS - 2), right=(A, right))
        return scene.give(EVA, update(E, 0, *[far] * count))

    return play


ADJACENT = (
    Case(
        "inside-a-gap",
        "between two that have one between them, which came later",
        APPLIES,
        _with_one_between(update(K, 0, string("y", origin=(E, 0), right=(A, 1)))),
    ),
    Case(
        "around",
        "from the far side of what came between",
        APPLIES,
        _with_one_between(update(K, 0, string("y", origin=(A, 0), right=(A, 1)))),
    ),
    Case(
        "backwards",
        "right before left",
        Reason.NOT_ADJACENT,
        _with_one_between(update(K, 0, string("y", origin=(A, 2), right=(A, 0)))),
    ),
    Case(
        "over-a-letter",
        "sides that were never neighbours",
        Reason.NOT_ADJACENT,
        _with_one_between(update(K, 0, string("y", origin=(A, 0), right=(A, 2)))),
    ),
    Case(
        "at-the-start",
        "at the very start, left of what began there",
        APPLIES,
        _with_one_between(update(K, 0, string("y", right=(A, 0)))),
    ),
    Case(
        "at-a-wrong-start",
        "at the very start, left of what has something before it",
        Reason.NOT_ADJACENT,
        _with_one_between(update(K, 0, string("y", right=(A, 1)))),
    ),
    Case("tangled", "2,047 runs between the sides, 33 times", APPLIES, _tangled(33)),
    Case(
        "tangled-and-apart",
        "2,047 runs between the sides, the right one begun after the first of them",
        Reason.NOT_ADJACENT,
        _tangled(1, right=2),
    ),
)
