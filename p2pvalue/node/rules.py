"""What the founders of a community decided, and how they change it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from p2pvalue import types as t
from p2pvalue.node.context import Context
from p2pvalue.node.people import JOINS, RANKS
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import KINDS

_NUMBERS: Final = {kind.name: kind.number for kind in KINDS}


class Rules:
    """The policy of one community."""

    def __init__(self, context: Context, community: bytes) -> None:
        self._context = context
        self._community = community

    def view(self) -> t.PolicyView:
        """Return the policy by everything held; raises NotFound before the founding is here."""
        membership = self._context.membership(self._community)
        genesis, policy = membership.genesis, membership.policy()
        if genesis is None or policy is None:
            raise NotFound("the community's rules have not arrived yet: wait until you have joined")
        return t.PolicyView(
            read="public" if genesis.read == auth.READ_PUBLIC else "members",
            join=JOINS[policy.join],
            invite_rank=RANKS[policy.invite_rank],
            write={name: RANKS[policy.weakest_writer(n)] for name, n in _NUMBERS.items()},
            founder_quorum=genesis.founder_quorum,
            admin_quorum=genesis.admin_quorum,
        )

    async def change(
        self,
        *,
        join: t.Join | None = None,
        invite_rank: t.Rank | None = None,
        write: Mapping[str, t.Rank] | None = None,
    ) -> t.PolicyView:
        """Change what is given and keep the rest; nothing is written if nothing changes."""
        before = self.view()
        membership = self._context.membership(self._community)
        policy = membership.policy()
        standing = membership.standing(self._context.device(self._community))
        if policy is None or standing is None or standing.rank != auth.FOUNDER:
            raise NotAdmitted("the rules are changed by founders: ask one of them")
        unknown = sorted(set(write or ()) - set(_NUMBERS))
        if unknown:
            raise LocalProtocolError(
                f"there is no kind {unknown[0]}: choose among {', '.join(sorted(_NUMBERS))}"
            )
        if (join or before.join) == "open" and before.read != "public":
            raise LocalProtocolError(
                "a community that anybody may join has nothing to hide, and this one is for "
                "members only: let people in by request or by invite"
            )
        ranks = dict(policy.write)
        ranks.update((_NUMBERS[name], RANKS.index(rank)) for name, rank in (write or {}).items())
        wanted = (
            JOINS.index(join or before.join),
            RANKS.index(invite_rank or before.invite_rank),
            tuple(sorted(ranks.items())),
        )
        if wanted != (policy.join, policy.invite_rank, policy.write):
            draft = Draft(auth.POLICY, b"", auth.policy_payload(*wanted))
            await self._context.write(self._community, [draft])
        return self.view()
