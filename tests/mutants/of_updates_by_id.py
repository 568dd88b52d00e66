"""Faults in asking by their ids for updates that nobody lists."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_TEST = "protocol/test_updates_sought.py::"

MUTANTS = (
    Mutant(
        "hidden-updates-kept-back",
        "sync#updates-by-id: who holds what is sought says where",
        "update_requests",
        "places = [place for place in hidden if place.op_id in frame.op_ids]",
        "places = hidden[:0]",
        f"{_TEST}test_a_hidden_update_is_found_by_its_id_and_fetched",
    ),
    Mutant(
        "places-unnamed",
        "sync#updates-by-id: what a peer says is asked for as if something held named it",
        "named",
        "        found.update(place for place in self.sought.places() if place.device == device)\n",
        "",
        f"{_TEST}test_a_hidden_update_is_found_by_its_id_and_fetched",
    ),
    Mutant(
        "places-unasked",
        "sync#updates-by-id, unasked: an answer is about what was asked",
        "update_requests",
        "if not asked or not asked.issuperset(place.op_id for place in frame.places):",
        "if not asked:",
        f"{_TEST}test_an_answer_is_about_what_was_asked",
    ),
    Mutant(
        "places-for-anybody",
        "sync#updates-by-id: members' devices alone are told",
        "exchange",
        "self._send([self._updates.answer(frame) if is_member else f.UpdatesFound([])])",
        "self._send([self._updates.answer(frame)])",
        f"{_TEST}test_nobody_but_members_is_told_places",
    ),
    Mutant(
        "updates-asked-for-again-and-again",
        "sync#updates-by-id: the same is asked again after the next comparison",
        "update_requests",
        "        self._asked |= self._open\n",
        "",
        f"{_TEST}test_a_question_is_of_one_document_and_few_are_asked_in_one_interval",
    ),
    Mutant(
        "many-updates-in-a-question",
        "UPDATES_PER_FRAME_MAX: a question names at most 64 updates",
        "update_requests",
        "op_ids[: limits.UPDATES_PER_FRAME_MAX]",
        "op_ids",
        f"{_TEST}test_a_question_is_of_one_document_and_few_are_asked_in_one_interval",
    ),
    Mutant(
        "questions-without-end",
        "UPDATE_QUESTIONS_MAX: few questions are asked between two comparisons",
        "update_requests",
        "        self._questions_left -= 1\n",
        "",
        f"{_TEST}test_a_question_is_of_one_document_and_few_are_asked_in_one_interval",
    ),
    Mutant(
        "answers-without-end",
        "UPDATE_ANSWERS_MAX: who asks too often is told nothing more",
        "update_requests",
        "        if self._answers_left < 0:\n",
        "        if False:\n",
        f"{_TEST}test_who_asks_for_more_and_more_is_told_nothing_more",
    ),
    Mutant(
        "updates-sought-without-end",
        "UPDATES_SOUGHT_MAX: what is sought is bounded",
        "sought",
        "too_many = max(0, len(self._documents) - limits.UPDATES_SOUGHT_MAX)",
        "too_many = 0",
        f"{_TEST}test_what_is_sought_and_where_is_bounded",
    ),
    Mutant(
        "places-without-end",
        "UPDATE_PLACES_MAX: where an update is said to be is bounded",
        "sought",
        "if len(places) < limits.UPDATE_PLACES_MAX and place not in places:",
        "if place not in places:",
        f"{_TEST}test_what_is_sought_and_where_is_bounded",
    ),
)
