"""The endpoints about what was done, and about thanks."""

from __future__ import annotations

from p2pvalue import fact_types as ft
from p2pvalue.api import fact_schema as s
from p2pvalue.api.schema import InCommunity
from p2pvalue.node.interface import NodeInterface
from p2pvalue.node.value.fact_interface import ContributionsInterface, ThanksInterface


def _done(node: NodeInterface, question: InCommunity) -> ContributionsInterface:
    return node.community(question.community).contributions


def _thanks(node: NodeInterface, question: InCommunity) -> ThanksInterface:
    return node.community(question.community).thanks


async def list_contributions(
    node: NodeInterface, question: s.ListContributions
) -> list[ft.ContributionView]:
    """What members did, by its day: written down by them, or pledged and confirmed."""
    return _done(node, question).all(
        member=question.member,
        class_name=question.class_name,
        need=question.need,
        since=question.since,
    )


async def add_contribution(node: NodeInterface, question: s.AddContribution) -> ft.ContributionView:
    """Write down what one did."""
    return await _done(node, question).add(
        question.title,
        question.quantity,
        unit=question.unit,
        class_name=question.class_name,
        need=question.need,
        day=question.day,
    )


async def witness_contribution(
    node: NodeInterface, question: s.OfContribution
) -> ft.ContributionView:
    """Say that one saw what another did."""
    return await _done(node, question).witness(question.contribution)


async def withdraw_contribution(
    node: NodeInterface, question: s.OfContribution
) -> ft.ContributionView:
    """Take back what one wrote down."""
    return await _done(node, question).withdraw(question.contribution)


async def list_suggestions(node: NodeInterface, question: InCommunity) -> list[ft.SuggestionView]:
    """Care that one did and did not write down; told to nobody else."""
    return _done(node, question).suggested()


async def accept_suggestion(
    node: NodeInterface, question: s.AcceptSuggestion
) -> ft.ContributionView:
    """Write down what was suggested, as so many minutes of care."""
    return await _done(node, question).accept(question.suggestion, question.minutes)


async def dismiss_suggestion(node: NodeInterface, question: s.OfSuggestion) -> ft.SuggestionView:
    """Never suggest this again on this device."""
    return _done(node, question).dismiss(question.suggestion)


async def list_thanks(node: NodeInterface, question: s.ListThanks) -> list[ft.ThanksView]:
    """The thanks of a community, or one's own."""
    return _thanks(node, question).all(mine=question.mine)


async def give_thanks(node: NodeInterface, question: s.GiveThanks) -> ft.ThanksView:
    """Thank a member."""
    return await _thanks(node, question).give(question.member, question.text, about=question.about)


async def withdraw_thanks(node: NodeInterface, question: s.OfThanks) -> ft.ThanksView:
    """Take back thanks of one's own."""
    return await _thanks(node, question).withdraw(question.thanks)
