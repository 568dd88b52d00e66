"""Whether somebody may lose all: who is left must be able to let her in again."""

from __future__ import annotations

from p2pvalue.sim.member import Actor
from p2pvalue.sim.shell import Shell
from p2pvalue_protocol import auth_payloads as auth


def has_company(shell: Shell, actor: Actor) -> bool:
    """Return whether a person who lost all could come back by her words: some other is in.

    So far that it knows that itself: what was told only to a founder who loses all is lost. And so
    by what she holds: it may not have heard yet that it is out. While she is away an admin may put
    all others out, and only she could undo that: who is out lets nobody in. So she is spared where
    a hostile person is an admin; what her word undoes while she has it is tried all the same.
    """
    if actor.number == 0 and _is_usurped(shell, actor):
        return False
    others = (other for other in shell.machines.values() if other is not actor)
    wanted = (o for o in others if o.is_honest and o.number in shell.ledger.wanted)
    copies = (o for o in wanted if o.is_member and shell.holds_copy(o))
    hers = [shell.replica(actor).membership] if shell.holds_copy(actor) else []
    views = ((o.device.public, [shell.replica(o).membership, *hers]) for o in copies)
    return any(all(view.is_live(device) for view in both) for device, both in views)


def _is_usurped(shell: Shell, founder: Actor) -> bool:
    if not shell.holds_copy(founder):
        return False
    membership = shell.replica(founder).membership
    hostile = (other.device.public for other in shell.machines.values() if not other.is_honest)
    standings = [standing for each in hostile if (standing := membership.standing(each))]
    return any(standing.rank <= auth.ADMIN for standing in standings)
