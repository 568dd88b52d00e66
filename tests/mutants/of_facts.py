"""Faults in what counts as done, who saw it, and when."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        "disputed-and-done",
        "needs#what-was-done: what is disputed is not done",
        "needs/facts",
        ' or word.state == "disputed":',
        ":",
        "needs/test_facts.py::test_what_is_disputed_is_none_until_it_is_settled",
    ),
    Mutant(
        "witness-of-less",
        "needs#what-was-done: witnesses say as much",
        "needs/keeping",
        "for m, much in self.confirmed.items() if much == self.delivered",
        "for m in self.confirmed",
        "needs/test_facts.py::test_who_confirmed_less_is_no_witness_of_more",
    ),
    Mutant(
        "done-when-last-touched",
        "needs#what-was-done: its time is when it changed",
        "needs/keeping",
        "if word.delivered != before:",
        "if word.delivered:",
        "needs/test_facts.py::test_a_second_confirmation_adds_a_witness_and_leaves_the_time",
    ),
)
