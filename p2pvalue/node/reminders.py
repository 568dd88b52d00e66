"""What waits in a community for somebody to decide: each with the command that does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from p2pvalue.node.context import State

if TYPE_CHECKING:
    from p2pvalue import types as t
    from p2pvalue.node.community import Community


def reminders(community: Community, state: State, now_ms: int) -> list[str]:
    """Return a sentence for each; costs a look at former members and at requests."""
    if state == "removed":
        return [_put_out(member) for member in community.people.former() if member.is_me]
    if state == "left":
        return ["you have left: to come back, join by a new link"]
    found: list[str] = []
    for member in community.people.former():
        if member.state == "voided":
            found.append(
                f"{member.name} is no member any more, because who let her in had been put out: "
                f"`p2pvalue member readmit {member.member[:8]}` heals that"
            )
        elif member.until is not None and member.until <= now_ms:
            found.append(
                f"the term of {member.name}'s removal is over: "
                f"`p2pvalue member readmit {member.member[:8]}` lets her in again"
            )
    waiting = community.requests.all()
    if waiting:
        names = ", ".join(request.name for request in waiting[:3])
        more = f" and {len(waiting) - 3} more" if len(waiting) > 3 else ""
        found.append(f"waiting to be let in: {names}{more}: `p2pvalue request list`")
    return found


def _put_out(own: t.MemberView) -> str:
    by = f" by {own.removed_by}" if own.removed_by else ""
    why = f" ({own.reason})" if own.reason else ""
    return (
        f"you were put out{by}{why}: what came here stays to be read, and nothing can be written; "
        "an admin may let you in again: `p2pvalue member readmit`"
    )
