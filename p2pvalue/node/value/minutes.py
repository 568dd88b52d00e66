"""Which minutes of meetings we wrote: who keeps them is seldom thanked for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from p2pvalue import fact_types as ft
from p2pvalue.node.documents.titles import document_state
from p2pvalue.node.references import every_state
from p2pvalue.store import Store
from p2pvalue_protocol.kinds import document

MINUTES: Final = "minutes"
CHANGES_MAX: Final = 500  # of one document that are looked at, the newest
_TITLES: Final = re.compile(
    r"(?<!\d)(?<!\d[ -])\bminutes\b"  # and not "5 minutes"
    r"|\bmeeting[ -]notes\b|\bnotes (?:of|from) (?:the |our )?meeting\b"
    r"|protokoll\b|\bactas?\b|\bcomptes?[ -]rendus?\b"
    r"|^verbal[ei]\b",  # elsewhere in a title the word is an adjective
    re.IGNORECASE,
)


def is_title_of_minutes(title: str) -> bool:
    """Return whether a title says, in one of a few languages, that these are minutes."""
    return _TITLES.search(title) is not None


def minutes_kept(
    store: Store, community: bytes, me: bytes, since_ms: int
) -> Iterator[ft.SuggestionView]:
    """Yield the minutes that we began and wrote in, or wrote most of, and wrote in since then.

    Looks at the titles of all documents, and at the newest `CHANGES_MAX` changes of minutes.
    """
    for row in every_state(store, community, document.NUMBER):
        state = document_state(row)
        if state.removed or not is_title_of_minutes(state.title):
            continue
        changes = store.entries(
            community,
            row.subject,
            document.UPDATE_NUMBER,
            limit=CHANGES_MAX,
            newest_first=True,
        )
        ours = [change.order.time for change in changes if change.member == me]
        if not ours or max(ours) < since_ms:
            continue
        if 2 * len(ours) > len(changes):
            all_made = f"{len(ours)} of the {len(changes)} newest changes"
            why = f"you made {'the only change' if len(changes) == 1 else all_made}"
        elif state.author == me:
            why = "you began these minutes and wrote in them"
        else:
            continue
        yield ft.SuggestionView(
            suggestion=row.subject.hex(),
            source=MINUTES,
            title=state.title,
            why=why,
            day=max(ours),
        )
