"""The rules of the protocol by name, as its own pages have them.

A name is a reason for refusing (`too-long`, `not-adjacent`), a rule that a page sets in bold or
defines as a word (`R4`, `Gone`, `FORK`), a limit (`CLAIMS_MAX`), the page of a kind (`kinds/chat`),
or a section (`sync#wants`).
"""

from __future__ import annotations

import re

from p2pvalue_protocol.documents.verdict import VoidReason
from p2pvalue_protocol.errors import Reason
from tests.tidy.tree import ROOT

SPEC = ROOT / "protocol" / "spec"

_SECTION = re.compile(r"^#{2,3} +(.+?) *$", re.M)
_BOLD = re.compile(r"^- \*\*(R\d+)\*\*", re.M)
_WORD = re.compile(r"^\*\*(Gone|Covered)\.\*\*", re.M)
_LIMIT = re.compile(r"^\| ([A-Z][A-Z_]+) \|", re.M)

KINDS_THAT_ACT = ("ADMIT", "FORK", "POLICY")
"""Auth kinds whose own rules are spread over several bold ones."""

NO_RULE = frozenset(
    (
        "epochs#what-this-promises",  # what follows from the rules before it
        "limits#each-nodes-own",  # its limits are named one by one
        "limits#the-same-on-every-node",
        "membership#limits",  # what the rules do not prevent
        "membership#what-follows-and-is-tested",
        "proof#what-is-proven-and-what-is-not",
    )
)


def sections() -> set[str]:
    """Return the sections of all pages that say what is to be."""
    found: set[str] = set()
    for page in sorted(SPEC.glob("*.md")):
        for heading in _SECTION.findall(page.read_text(encoding="utf-8")):
            slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            found.add(f"{page.stem}#{slug}")
    return found


def rule_names() -> set[str]:
    """Return the name of every rule that is to have a deliberate fault."""
    membership = (SPEC / "membership.md").read_text(encoding="utf-8")
    limits = (SPEC / "limits.md").read_text(encoding="utf-8")
    kinds = {f"kinds/{page.stem}" for page in (SPEC / "kinds").glob("*.md")}
    words = {*_BOLD.findall(membership), *_WORD.findall(membership), *KINDS_THAT_ACT}
    reasons = {str(reason) for reason in (*Reason, *VoidReason)}
    return (sections() - NO_RULE) | words | reasons | kinds | set(_LIMIT.findall(limits))
