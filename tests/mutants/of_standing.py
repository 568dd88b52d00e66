"""Faults in what becomes of needs and their pledges."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        "pledges-under-any-terms",
        "needs#terms: an offer counts under the terms that it names",
        "needs/outcome",
        "if offer.said.terms != closed.terms_id or offer.said.line >= len(closed.terms.lines):",
        "if offer.said.line >= len(closed.terms.lines):",
        "needs/test_standing.py::test_a_word_is_not_turned_into_another_by_a_change_of_the_terms",
    ),
    Mutant(
        "terms-closed-last",
        "needs#terms: the terms that were closed first stand",
        "needs/closing",
        "return min(found, key=lambda closed: closed.closings[0].order)",
        "return max(found, key=lambda closed: closed.closings[0].order)",
        "needs/test_closing.py::test_terms_that_were_replaced_are_not_closed_after_others_were",
    ),
    Mutant(
        "terms-changed-after-the-last-day",
        "kinds/need, needs#terms: nobody changes the terms after the last day",
        "kinds/need",
        "return () if own is not None and closes and placed.order.time > closes else own",
        "return own",
        "protocol/test_need_kinds.py::test_after_the_last_day_nobody_changes_the_terms",
    ),
    Mutant(
        "others-close-for-ever",
        "needs#closing: others close for a month",
        "needs/closing",
        "is_late = not is_steward and act.order.time > terms.closes + PEERS_MAY_CLOSE_MS",
        "is_late = False",
        "needs/test_closing.py::test_others_close_for_a_month_and_stewards_at_any_time",
    ),
    Mutant(
        "closes-without-end",
        "needs#closing: four CLOSEs of a member count",
        "needs/closing",
        "CLOSES_OF_ONE_MAX: Final = 4",
        "CLOSES_OF_ONE_MAX: Final = 9",
        "needs/test_closing.py::test_four_closes_of_one_member_count",
    ),
    Mutant(
        "release-turned-into-a-withdrawal",
        "needs#who-is-in: who was counted once releases later",
        "needs/outcome",
        "if (end_ms := counted_ms[pledge]) is None or act.order.time <= end_ms",
        "if True",
        "needs/test_closing.py::test_a_release_stays_one_when_a_later_close_names_it",
    ),
    Mutant(
        "closed-before-its-time",
        "needs#closing: no CLOSE counts before the closing time",
        "needs/closing",
        "if act.is_hidden or act.order.time < terms.closes or is_late:",
        "if act.is_hidden or is_late:",
        "needs/test_standing.py::test_nothing_closes_before_its_time",
    ),
    Mutant(
        "one-who-has-no-part-closes-alone",
        "needs#closing: two others can close, one cannot",
        "needs/closing",
        "_PEERS_NEEDED: Final = 2",
        "_PEERS_NEEDED: Final = 1",
        "needs/test_standing.py::"
        "test_two_who_have_no_part_in_it_can_close_after_its_time_and_one_cannot",
    ),
    Mutant(
        "a-pledger-closes",
        "needs#closing: who is named by her own CLOSE is a party",
        "needs/closing",
        "authors.get(name) == closing.member for name in closing.names",
        "False for name in closing.names",
        "needs/test_standing.py::test_who_pledged_cannot_close_with_her_own_word",
    ),
    Mutant(
        "late-ones-counted",
        "needs#closing: what is later than the cut is not counted",
        "needs/closing",
        "if time is None or time > closing.cut_ms:",
        "if time is None:",
        "needs/test_standing.py::"
        "test_what_comes_after_the_closing_time_is_late_even_if_a_close_names_it",
    ),
    Mutant(
        "removed-from-the-closed-set",
        "needs#closing: the closed set goes on counting",
        "needs/standing",
        "if not o.act.is_hidden or o.act.name in counted)",
        "if not o.act.is_hidden)",
        "needs/test_standing.py::test_the_closed_set_goes_on_counting_when_its_author_is_removed",
    ),
    Mutant(
        "a-person-is-company-for-herself",
        "needs#who-is-in: others are other members",
        "needs/conditions",
        "in_company[-1][0] + 1 > len(self._standing)",
        "in_company[-1][0] > len(self._standing)",
        "needs/test_standing.py::test_i_will_if_five_others_do",
    ),
    Mutant(
        "who-leaves-leaves-alone",
        "needs#who-is-in: the greatest fixpoint",
        "needs/conditions",
        "            self._gone.append(offer.member)\n",
        "            pass\n",
        "needs/test_laws.py::"
        "test_of_the_sets_in_which_all_conditions_hold_the_one_that_stands_holds_every_other",
    ),
    Mutant(
        "forgotten-offers-bind",
        "needs#who-is-in: an offer expires",
        "needs/outcome",
        "if cut_ms > offer.act.order.time + EXPIRY_MS:",
        "if False:",
        "needs/test_standing.py::test_an_offer_that_was_forgotten_for_half_a_year_is_expired",
    ),
    Mutant(
        "own-word-confirmed",
        "needs#how-words-are-kept: nobody confirms her own word",
        "needs/keeping",
        "return _may_judge(confirmers_of(need, terms) - pledger, pledger, member)",
        "return _may_judge(confirmers_of(need, terms), pledger, member)",
        "needs/test_keeping.py::"
        "test_who_alone_could_confirm_her_own_word_leaves_it_to_anybody_else",
    ),
    Mutant(
        "more-taken-over-than-released",
        "needs#how-words-are-kept: a release is taken over once",
        "needs/keeping",
        "        source.taken += quantity\n",
        "",
        "needs/test_keeping.py::"
        "test_what_was_released_binds_who_takes_it_over_as_far_as_it_reaches",
    ),
    Mutant(
        "settled-by-a-party",
        "needs#how-words-are-kept: parties do not settle",
        "needs/keeping",
        "parties = {word.offer.member} | word.disputed_by",
        "parties = {word.offer.member}",
        "needs/test_keeping.py::test_a_steward_who_is_no_party_settles_a_dispute",
    ),
    Mutant(
        "done-although-too-little-is-bound",
        "needs#states: a need with too little bound is not done",
        "needs/standing",
        'if "binding" in states or not is_met(found.terms, totals):',
        'if "binding" in states:',
        "needs/test_keeping.py::test_a_release_leaves_what_was_claimed_already",
    ),
)
