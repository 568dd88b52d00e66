"""Faults in the rules of document updates: which count, and what they are called."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

RULES = "documents/test_rules.py::test_an_update_counts_or_is_void_for_its_reason"
HISTORIES = "documents/test_histories.py"
CHAINS = (
    "documents/test_chains.py::"
    "test_what_may_stand_beside_each_other_is_what_walking_along_the_chain_says"
)

MUTANTS = (
    Mutant(
        "after-a-void-update",
        "after-void: what follows a void update in its session is void",
        "documents/facts",
        "        if branch.is_void(entry.session):\n            raise "
        "UpdateInvalid(VoidReason.AFTER_VOID)\n",
        "",
        f"{RULES}[deletes-after-void]",
    ),
    Mutant(
        "void-in-one-branch",
        "after-void: a session that was void before a fork stays so",
        "documents/strands",
        "        return any(branch.void.get(session, count) < count for branch, count in "
        "self._bases())",
        "        return False",
        f"{RULES}[void-before-fork]",
    ),
    Mutant(
        "void-heads",
        "head-void: an update with a void head is void",
        "documents/facts",
        "            if not other.is_valid[at]:",
        "            if at < 0:",
        f"{RULES}[head-void]",
    ),
    Mutant(
        "heads-that-begin-alike",
        "kinds/document-update: an update waits for the update that its head names, for no other",
        "documents/op_ids",
        "            if not beside and self[place] == op_id:",
        "            if not beside:",
        "documents/test_op_ids.py::test_a_head_that_begins_like_an_update_is_waited_for",
    ),
    Mutant(
        "bytes-after-the-end",
        "malformed: nothing follows the end",
        "documents/update_form",
        "    if at != len(data):\n        raise Malformed\n",
        "",
        f"{RULES}[goes-on]",
    ),
    Mutant(
        "long-strings",
        "too-large: a String has at most 16,384 units",
        "documents/update_form",
        "        if length > string_units:\n            raise "
        "UpdateInvalid(VoidReason.TOO_LARGE)\n",
        "",
        f"{RULES}[string-long]",
    ),
    Mutant(
        "deep-types",
        "too-deep: types are nested at most 24 deep",
        "documents/rules",
        "    if node.depth >= TYPE_DEPTH_MAX:",
        "    if node.depth > TYPE_DEPTH_MAX:",
        f"{RULES}[types-too-deep]",
    ),
    Mutant(
        "links",
        "content-refused: types that link are refused",
        "documents/update_form",
        "    if type_ref not in _TYPES:",
        "    if type_ref not in (*_TYPES, 7):",
        f"{RULES}[weak-link]",
    ),
    Mutant(
        "anybodys-client",
        "client-foreign: a session writes as its own client",
        "documents/facts",
        "        if update.client != past.name:\n            raise "
        "UpdateInvalid(VoidReason.CLIENT_FOREIGN)\n",
        "",
        f"{RULES}[others-clock]",
    ),
    Mutant(
        "known-fork",
        "session-taken: nobody goes on where she knows that another line does",
        "documents/past",
        "        if owner is not None and owner is not strand and self.limit(owner) > end:",
        "        if owner is None and owner is not strand:",
        f"{RULES}[fork-known]",
    ),
    Mutant(
        "gaps",
        "out-of-turn: clocks leave no gap",
        "documents/facts",
        "        if update.first_clock + past.shift != past.first:",
        "        if update.first_clock + past.shift < past.first:",
        f"{RULES}[gap]",
    ),
    Mutant(
        "what-is-here-is-seen",
        "unseen: a struct names what is in its past",
        "documents/past",
        "            count = self.foreign.get(strand.branch.number, 0)",
        "            count = len(strand.branch.ids)",
        f"{RULES}[origin-unseen]",
    ),
    Mutant(
        "deleted-in-advance",
        "deletes-unseen: what is deleted was seen",
        "documents/past",
        "            if char is None or self.char(client, stop - 1) is None:",
        "            if char is None:",
        f"{RULES}[deletes-later]",
    ),
    Mutant(
        "any-parent",
        "parent-invalid: a parent is a root of the shape or a type",
        "documents/rules",
        "    if node is None:\n        raise UpdateInvalid(VoidReason.PARENT_INVALID)",
        '    if node is None:\n        return roots["meta"]',
        f"{RULES}[parent-a-letter]",
    ),
    Mutant(
        "one-on-both-sides",
        "sides-differ: the sides are two units",
        "documents/rules",
        "    if origin == right:\n        raise UpdateInvalid(VoidReason.SIDES_DIFFER)\n",
        "",
        f"{RULES}[one-on-both-sides]",
    ),
    Mutant(
        "beside-collected",
        "names-collected: nothing stands beside what was collected",
        "documents/rules",
        "    if node is None or (before is not None and before.node is None):\n"
        "        raise UpdateInvalid(VoidReason.NAMES_COLLECTED)",
        "    if node is None:\n        node = Node(PLAIN_TEXT, 0)",
        f"{RULES}[beside-collected]",
    ),
    Mutant(
        "text-in-an-array",
        "content-misplaced: an array holds no text",
        "documents/rules",
        "    form.ARRAY: (form.ANY, form.BINARY, form.TYPE, form.DELETED),",
        "    form.ARRAY: (form.ANY, form.BINARY, form.TYPE, form.DELETED, form.STRING),",
        f"{RULES}[text-in-an-array]",
    ),
    Mutant(
        "half-an-emoji",
        "splits-character: nothing is written between the halves of a character",
        "documents/rules",
        "    if right is not None and right[1] in right[0].lows:",
        "    if right is not None and right[1] < 0:",
        f"{RULES}[right-in-emoji]",
    ),
    Mutant(
        "left-not-in-chain",
        "not-adjacent: what the right side stood after is in the chain of the left",
        "documents/chains",
        "    if reached is None or reached < left[1]:\n",
        "    if reached is None:\n",
        CHAINS,
    ),
    Mutant(
        "left-in-another-run",
        "not-adjacent: the chain of the left comes by what the right side stood after",
        "documents/chains",
        "    if reached is None or reached < left[1]:\n        return False\n",
        "    if reached is None:\n        return True\n"
        "    if reached < left[1]:\n        return False\n",
        CHAINS,
    ),
    Mutant(
        "right-in-chain",
        "not-adjacent: the right side is not in the chain of the left",
        "documents/chains",
        "    return below is not run if is_first else reached == left[1]\n",
        "    return True\n",
        f"{RULES}[tangled-and-apart]",
    ),
    Mutant(
        "right-at-the-top",
        "not-adjacent: what began what it is in is in no chain of the left",
        "documents/chains",
        "        return _upwards(run_of(origin), 0) is not run\n",
        "        return True\n",
        CHAINS,
    ),
    Mutant(
        "jump-too-far",
        "not-adjacent: no jump goes above the run that is looked for",
        "documents/chains",
        "        if jump is not None and jump.depth >= depth:\n",
        "        if jump is not None:\n",
        CHAINS,
    ),
    Mutant(
        "mended-to-the-end",
        "kinds/document-update: who signs for an editor gives what has no neighbours the right "
        "origin on the way from the one told",
        "documents/mending",
        "        if met is not None:",
        "        if met is char:",
        "documents/test_mending.py::test_sides_that_are_no_neighbours_become_those_of_who_wrote_it"
        "[right-side-is-behind-the-neighbour]",
    ),
    Mutant(
        "names-by-arrival",
        "kinds/document-update: the line with the lowest op id keeps the name",
        "documents/naming",
        "            goes_on, *others = sorted(points[strand][at])",
        "            goes_on, *others = points[strand][at]",
        f"{HISTORIES}::test_the_branch_of_the_lowest_update_keeps_the_name_and_the_other_has_its_own",
    ),
    Mutant(
        "hidden-deletions",
        "kinds/document-update: a hidden update deletes nothing but itself",
        "documents/facts",
        "        if is_hidden:\n            update = update._replace(deletions=())\n",
        "",
        f"{HISTORIES}::test_a_hidden_update_deletes_nothing_but_itself",
    ),
)
