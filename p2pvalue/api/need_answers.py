"""The endpoints about needs and pledges."""

from __future__ import annotations

import trio

from p2pvalue import need_types as nt
from p2pvalue.api import need_schema as s
from p2pvalue.api.member_schema import OfMember
from p2pvalue.api.schema import InCommunity, Question
from p2pvalue.api.streams import absolute
from p2pvalue.node.interface import NodeInterface
from p2pvalue.node.needs.need_interface import NeedsInterface, OrderInterface, PledgesInterface
from p2pvalue.node.needs.need_proofs import read_proof_file
from p2pvalue.proof_types import ProofView


def _needs(node: NodeInterface, question: InCommunity) -> NeedsInterface:
    return node.community(question.community).needs


def _pledges(node: NodeInterface, question: InCommunity) -> PledgesInterface:
    return node.community(question.community).pledges


def _order(node: NodeInterface, question: InCommunity) -> OrderInterface:
    return node.community(question.community).order


async def list_needs(node: NodeInterface, question: InCommunity) -> list[nt.NeedView]:
    """The needs of a community, and where each stands."""
    return await _needs(node, question).all()


async def add_need(node: NodeInterface, question: s.AddNeed) -> nt.NeedView:
    """Say what the community needs."""
    return await _needs(node, question).add(_draft(question))


async def show_need(node: NodeInterface, question: s.OfNeed) -> nt.NeedView:
    """One need, and where it stands."""
    return _needs(node, question).named(question.need)


async def next_steps(node: NodeInterface, question: s.OfNeed) -> list[nt.StepView]:
    """What the person at this node may do next about a need."""
    return _needs(node, question).steps(question.need)


async def change_need(node: NodeInterface, question: s.ChangeNeed) -> nt.NeedView:
    """Change what is given of a need; pledges made under other terms must be renewed."""
    return await _needs(node, question).change(question.need, _draft(question))


async def close_need(node: NodeInterface, question: s.OfNeed) -> nt.NeedView:
    """Close a need, with every pledge and withdrawal held here that was in time."""
    needs = _needs(node, question)
    meant = needs.named(question.need).need
    with node.notifications.by_hand(meant):
        return await needs.close(meant)


async def need_timeline(node: NodeInterface, question: s.OfNeed) -> list[nt.HappeningView]:
    """What happened to a need and to the pledges to it, in order, and by whom."""
    return _needs(node, question).timeline(question.need)


async def prove_need(node: NodeInterface, question: s.ProveNeed) -> ProofView:
    """What strangers recompute of a need by one file; it is left at `target`, if given."""
    target = None if question.target is None else absolute(question.target, "target")
    return await _needs(node, question).prove(question.need, target)


async def show_proof(_: NodeInterface, question: s.ReadProof) -> ProofView:
    """What a file proves about a need, by itself, of whatever community."""
    path = absolute(question.path, "path")
    return await trio.to_thread.run_sync(read_proof_file, path)


async def list_pledges(node: NodeInterface, question: s.ListPledges) -> list[nt.PledgeView]:
    """The pledges of a community, those to one need, or one's own."""
    return await _pledges(node, question).all(need=question.need, mine=question.mine)


async def about_member(node: NodeInterface, question: OfMember) -> nt.AboutView:
    """How a member keeps her word, and what she says of herself; only members are told."""
    return _pledges(node, question).about(question.member)


async def make_pledge(node: NodeInterface, question: s.MakePledge) -> nt.PledgeView:
    """Promise a quantity to one line of a need."""
    return await _pledges(node, question).make(
        question.need,
        question.quantity,
        line=question.line,
        when=question.when,
        where=question.where,
        conditions=question.conditions,
        takes=question.takes,
    )


async def show_pledge(node: NodeInterface, question: s.OfPledge) -> nt.PledgeView:
    """One pledge, and what became of it."""
    return _pledges(node, question).named(question.pledge)


async def renew_pledge(node: NodeInterface, question: s.OfPledge) -> nt.PledgeView:
    """Promise again what one promised under terms that have changed."""
    return await _pledges(node, question).renew(question.pledge)


async def withdraw_pledge(node: NodeInterface, question: s.WithdrawPledge) -> nt.PledgeView:
    """Take back one's pledge, or release what binds already."""
    return await _pledges(node, question).withdraw(
        question.pledge, reason=question.reason, to=question.to
    )


async def claim_pledge(node: NodeInterface, question: s.DeliverPledge) -> nt.PledgeView:
    """Say how much of one's pledge is delivered."""
    return await _pledges(node, question).claim(
        question.pledge, quantity=question.quantity, note=question.note
    )


async def confirm_pledge(node: NodeInterface, question: s.DeliverPledge) -> nt.PledgeView:
    """Confirm how much of another's pledge was delivered."""
    return await _pledges(node, question).confirm(
        question.pledge, quantity=question.quantity, note=question.note
    )


async def dispute_pledge(node: NodeInterface, question: s.DisputePledge) -> nt.PledgeView:
    """Say that another's pledge was not delivered as claimed."""
    return await _pledges(node, question).dispute(question.pledge, reason=question.reason)


async def settle_pledge(node: NodeInterface, question: s.SettlePledge) -> nt.PledgeView:
    """Say what counts as delivered of a pledge that is disputed."""
    return await _pledges(node, question).settle(
        question.pledge, question.quantity, reason=question.reason
    )


async def want_need(node: NodeInterface, question: s.WantNeed) -> nt.NeedView:
    """Say that one needs it, too, or no more."""
    return await _order(node, question).want(question.need, wants=question.wants)


async def show_order(node: NodeInterface, question: s.AsOf) -> nt.OrderView:
    """In which order the needs stand that are open or under way."""
    return await _order(node, question).all(as_of=question.as_of)


async def explain_need(node: NodeInterface, question: s.ExplainNeed) -> nt.ExplanationView:
    """Why a need stands where it does, and what would lift it."""
    return await _order(node, question).explain(question.need, as_of=question.as_of)


async def show_weights(node: NodeInterface, question: InCommunity) -> nt.WeightsView:
    """How much each part counts in the order of needs."""
    return _order(node, question).weights()


async def set_weights(node: NodeInterface, question: s.SetWeights) -> nt.WeightsView:
    """Change how much each part counts."""
    names = ("voices", "hours", "quadratic", "closeness", "urgency", "age", "floor")
    given = {name: getattr(question, name) for name in names}
    chosen = {name: weight for name, weight in given.items() if weight is not None}
    return await _order(node, question).set_weights(chosen)


async def show_offers(node: NodeInterface, _: Question) -> nt.OffersView:
    """What one said that one can and likes to do."""
    return node.capacity.offers()


async def set_offers(node: NodeInterface, question: s.SetOffers) -> nt.OffersView:
    """Say in every community what one can and likes to do."""
    return await node.capacity.set_offers(
        skills=question.skills,
        interests=question.interests,
        hours_per_week=question.hours_per_week,
    )


async def show_plan(node: NodeInterface, _: Question) -> nt.PlanView:
    """What one promised in all communities of this node; told to nobody."""
    return await node.capacity.plan()


async def fitting_needs(node: NodeInterface, question: s.Fitting) -> list[nt.FittingView]:
    """What one could do something for in the time one has."""
    return await node.capacity.fitting(question.minutes)


async def featured_needs(node: NodeInterface, question: InCommunity) -> list[nt.FittingView]:
    """What is good to begin with, in the community named, else in all."""
    reference = question.community
    named = "" if reference is None else node.community(reference).view().community
    return await node.capacity.featured(named)


def _draft(question: s.AddNeed) -> nt.NeedDraft:
    given = {field: getattr(question, field) for field in nt.NeedDraft.__struct_fields__}
    if question.lines is not None:
        given["lines"] = [
            nt.LineView(
                kind=line.kind,
                unit=line.unit,
                minimum=line.minimum,
                optimum=line.minimum if line.optimum is None else line.optimum,
            )
            for line in question.lines
        ]
    return nt.NeedDraft(**given)
