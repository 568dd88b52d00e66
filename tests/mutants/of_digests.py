"""Faults in digests of documents: what is hashed, who is told, who is heard."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_TEST = "protocol/test_digests.py::"
_VECTORS = "vectors/test_digests.py::test_what_is_shown_has_the_digest_of_its_vector"

MUTANTS = (
    Mutant(
        "texts-and-nodes-alike",
        "digests#what-is-shown: a rich document is hashed under a tag of its own",
        "documents/digest",
        'return tagged_hash("document-nodes", canonical(nodes))',
        'return tagged_hash("document-text", canonical(nodes))',
        f"{_VECTORS}[paragraph]",
    ),
    Mutant(
        "runs-as-written",
        "digests#what-is-shown: neighbours with equal marks are one run",
        "documents/digest",
        "            before[0] += plain\n",
        "            joined.append([plain, plain_marks])\n",
        f"{_VECTORS}[pieces]",
    ),
    Mutant(
        "numbers-as-held",
        "digests#what-is-shown: whole numbers are integers",
        "documents/digest",
        "return int(value) if is_whole else",
        "return",
        f"{_VECTORS}[whole-numbers]",
    ),
    Mutant(
        "digests-for-anybody",
        "digests#telling-and-comparing: nobody is heard who is no member's device",
        "exchange",
        "if self.device is not None and self._is_peer_member():  # who is out may not know",
        "if self.device is not None:",
        f"{_TEST}test_who_is_no_member_is_told_nothing_and_not_heard",
    ),
    Mutant(
        "digests-told-again",
        "digests#telling-and-comparing: what changed is told",
        "digests",
        "if self._told.get(each.document) != each]",
        "if True]",
        f"{_TEST}test_members_hear_what_changed_and_only_that",
    ),
    Mutant(
        "digests-without-end",
        "DIGESTS_MAX, digests#telling-and-comparing: of at most 64 documents is told",
        "showing",
        "            del self._shown[document]\n",
        "            pass\n",
        f"{_TEST}test_of_many_documents_those_that_changed_last_are_told",
    ),
    Mutant(
        "digests-heard-without-end",
        "DIGESTS_TAKEN_MAX: who tells too much is heard no more",
        "digests",
        "        self._left -= len(heard)\n",
        "",
        f"{_TEST}test_who_tells_too_much_is_heard_no_more_until_the_next_comparison",
    ),
)
