"""What a person means by a few digits, a name or a title."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Final

from p2pvalue.store import Entry, Store
from p2pvalue_protocol.errors import NotFound
from p2pvalue_protocol.kind import Order
from p2pvalue_protocol.past import StateRow

DIGITS_MIN: Final = 4
_LISTED_MAX: Final = 5
_COMPARED_MAX: Final = 500  # names that a mistyped one is compared with; some milliseconds
_COMPARED_LETTERS_MAX: Final = 100
_PAGE: Final = 500
_HEX = frozenset("0123456789abcdef")


def resolve(
    reference: str,
    candidates: Iterable[tuple[bytes, str]],
    noun: str,
    *,
    told: Callable[[bytes], str] | None = None,
) -> bytes:
    """Return the id meant by a full id, a unique beginning of one, or a name.

    `candidates` are ids with their names. A name goes before a beginning of an id, and that before
    a name in other capitals. Raises NotFound naming the candidates if there are several, as `told`
    says or by their names, or what is near and what to do if there is none.
    """
    wanted = reference.strip()
    folded = wanted.casefold()
    digits = wanted.lower() if _is_beginning(wanted.lower()) else None
    named: list[tuple[bytes, str]] = []
    begun: list[tuple[bytes, str]] = []
    alike: list[tuple[bytes, str]] = []
    names: list[str] = []
    for candidate in candidates:
        if candidate[1] and len(names) < _COMPARED_MAX:
            names.append(candidate[1])
        digits_of_id = candidate[0].hex()
        if digits == digits_of_id:
            return candidate[0]
        if candidate[1] == wanted:
            named.append(candidate)
        elif digits is not None and digits_of_id.startswith(digits):
            begun.append(candidate)
        elif folded and candidate[1].casefold() == folded:
            alike.append(candidate)
    found = named or begun or alike
    if len(found) == 1:
        return found[0][0]
    if found:
        listed = _listed(found if told is None else [(one, told(one)) for one, _ in found])
        raise NotFound(f'"{wanted}" may mean {listed}: name the {noun} by these digits')
    if near := _near(wanted, names):
        meant = " or ".join(f'"{name}"' for name in near)
        raise NotFound(f'there is no {noun} "{wanted}" here: did you mean {meant}?')
    raise NotFound(
        f'there is no {noun} "{wanted}" here: give {"its exact name, or " if names else ""}'
        f"at least {DIGITS_MIN} digits of its id (has it arrived yet?)"
    )


def every_state(
    store: Store, community: bytes, kind: int, *, group: bytes | None = None
) -> Iterator[StateRow]:
    """Yield all states of a kind (and group) by the operation that last changed them, in pages."""
    after: Order | None = None
    while True:
        page = store.states(community, kind, group=group, after=after, limit=_PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        last = page[-1]
        after = Order(last.time, last.device, last.seq, last.op_id)


def every_entry(store: Store, community: bytes, container: bytes, kind: int) -> Iterator[Entry]:
    """Yield what counts of a list, in its order, in pages."""
    after: Order | None = None
    while True:
        page = store.entries(community, container, kind, after=after, limit=_PAGE)
        yield from page
        if len(page) < _PAGE:
            return
        after = page[-1].order


def full_id(reference: str, size: int) -> bytes | None:
    """Return the id that a reference is in full, for an answer without a search; else None."""
    digits = reference.strip().lower()
    if len(digits) == 2 * size and _HEX.issuperset(digits):
        return bytes.fromhex(digits)
    return None


def _is_beginning(wanted: str) -> bool:
    return len(wanted) >= DIGITS_MIN and _HEX.issuperset(wanted)


def _listed(found: list[tuple[bytes, str]]) -> str:
    shown = [f'{found_id.hex()[:12]} "{name}"' for found_id, name in found[:_LISTED_MAX]]
    more = len(found) - len(shown)
    return " or ".join(shown) + (f" or one of {more} more" if more else "")


def _near(wanted: str, names: Sequence[str]) -> list[str]:
    """Return up to three names that a mistyped one may stand for, the nearest first."""
    if len(wanted) > _COMPARED_LETTERS_MAX:
        return []
    by_letters: dict[str, str] = {}
    for name in names:
        if len(name) <= _COMPARED_LETTERS_MAX:
            by_letters.setdefault(name.casefold(), name)
    return [by_letters[found] for found in get_close_matches(wanted.casefold(), by_letters)]
