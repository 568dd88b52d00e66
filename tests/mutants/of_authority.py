"""Faults in the rules of authority: who may do what, to whom, and what of it stays."""

from __future__ import annotations

from tests.mutants.mutant import DAGS, Mutant

MUTANTS = (
    Mutant(
        "gives-own-rank",
        "R1, membership#authority: a GRANT needs a rank stronger than what it gives",
        "verdicts",
        "stronger = min(act.rank - 1, level)",
        "stronger = min(act.rank, level)",
        DAGS,
    ),
    Mutant(
        "anybody-removes",
        "R2: a removal needs an author stronger than the giving",
        "verdicts",
        "if self._acts_as(index, giving.rank - 1):\n            return giving.rank - 1",
        "if self._acts_as(index, giving.rank):\n            return giving.rank - 1",
        DAGS,
    ),
    Mutant(
        "removal-heard-of-only",
        "R3: a removal acts on what does not know of it",
        "verdicts",
        "        if case.at >= 0 and record.precedes(case.at, index):\n            return False\n"
        "        return self.strength_for(",
        "        if not case.before >> index & 1:\n            return False\n"
        "        return self.strength_for(",
        DAGS,
    ),
    Mutant(
        "removal-of-the-past",
        "R3: what the remover knew of stays",
        "verdicts",
        "        if case.at >= 0 and record.precedes(case.at, index):\n            return False\n"
        "        return self.strength_for(",
        "        return self.strength_for(",
        DAGS,
    ),
    Mutant(
        "never-again",
        "R2: a GRANT that knows of the removal brings back",
        "verdicts",
        "if self.holds(index) and not giving.past >> index & 1",
        "if self.holds(index)",
        DAGS,
    ),
    Mutant(
        "votes-of-all-equals",
        "R4: a voter's own rank looks at equals' votes in its past only",
        "verdicts",
        "._replace(votes=self.record.before(index), votes_rank=rank)",
        "._replace(votes=0, votes_rank=rank)",
        DAGS,
    ),
    Mutant(
        "votes-without-the-clause",
        "R4: without looking at earlier votes only, judging would not end",
        "verdicts",
        "._replace(votes=self.record.before(index), votes_rank=rank)",
        "",
        DAGS,
    ),
    Mutant(
        "weaker-vote",
        "R4: a vote counts from exactly the rank",
        "verdicts",
        "        if self.at_most(index, rank - 1):\n            return None\n",
        "",
        DAGS,
    ),
    Mutant(
        "votes-without-quorum",
        "R4: a quorum is needed",
        "verdicts",
        "len(voters) >= quorum\n",
        "len(voters) >= 1\n",
        DAGS,
    ),
    Mutant(
        "leave-on-the-past",
        "R5: leaving acts on the future only",
        "verdicts",
        "return is_leave and bool(case.before >> index & 1) and self.leaves(giving, index)",
        "return is_leave and self.leaves(giving, index)",
        DAGS,
    ),
    Mutant(
        "demotion-is-removal",
        "R6: a demotion leaves the weaker rank",
        "verdicts",
        "rank = None if act.rank == OUT else max(rank, act.rank)",
        "rank = None",
        DAGS,
    ),
    Mutant(
        "demotion-forgotten",
        "R6: after a demotion, who is stronger than what it left may remove",
        "verdicts",
        "for strength in range(giving.rank, level + 1):",
        "for strength in range(giving.rank, giving.rank):",
        DAGS,
    ),
    Mutant(
        "dormant-removal-wakes",
        "R9: a removal that the writer knew of is judged by her past alone",
        "visibility",
        "place=place, excluded=past",
        "place=place",
        DAGS,
    ),
    Mutant(
        "own-past-only",
        "R9: content counts only if its giving outlives later removals",
        "visibility",
        "return rank is not None and rank <= limit",
        "return True",
        DAGS,
    ),
    Mutant(
        "leave-hides-content",
        "R9: a leave hides nothing written before",
        "verdicts",
        "return is_leave and bool(case.before >> index & 1) and",
        "return is_leave and",
        DAGS,
    ),
    Mutant(
        "grant-lifts-without-keep",
        "R7, membership#keeps: only what a GRANT keeps is lifted",
        "verdicts",
        "if self.holds(index) and self.record.keeps(index, place, self.mask)",
        "if self.holds(index) and (self.record.keeps(index, place, self.mask)\n"
        "            or isinstance(self.record.events[index].act, acts.Give))",
        DAGS,
    ),
    Mutant(
        "any-keep-counts",
        "R7: a keep counts only from somebody stronger than the giving",
        "verdicts",
        "self.strength_for(carrier, giving, demotions, level) is not None\n"
        "            for carrier in self.carriers_of(place, giving)",
        "True\n            for carrier in self.carriers_of(place, giving)",
        DAGS,
    ),
    Mutant(
        "no-keep-counts",
        "R7: what was kept stays",
        "verdicts",
        "return place is not None and any(\n            self.strength_for(carrier,",
        "return place is None and any(\n            self.strength_for(carrier,",
        DAGS,
    ),
    Mutant(
        "keep-lifts-its-own-demotion",
        "R7: who is strong by a demotion alone spares nothing from it",
        "verdicts",
        ") == strength and not self.is_spared(case.place, giving, demotions, strength)",
        ") == strength and not self.is_spared(case.place, giving, demotions, 2)",
        DAGS,
    ),
    Mutant(
        "sleeping-certificate",
        "R8, membership#devices: a certificate falls with the device that signed it",
        "device_tree",
        "                ) and not self._is_removed(\n"
        "                    giving,\n"
        "                    certificate.certifier,\n"
        "                    links - 1,\n"
        "                    certificate.at,\n"
        "                    self._record.place(certificate.at),\n"
        "                    demotions,\n"
        "                    case.excluded,\n"
        "                )",
        "                )",
        DAGS,
    ),
    Mutant(
        "any-device-revokes",
        "R8: only a device nearer to the root takes one away",
        "device_tree",
        "self._judge.case_of(index), (), links - 1)",
        "self._judge.case_of(index), ())",
        DAGS,
    ),
    Mutant(
        "root-revokes-unseen",
        "R8: the root takes a device only from what its carrier had seen",
        "auth_record",
        "if op_id not in self.graph or not self.precedes(self.graph.index(op_id), index):\n"
        "                    return",
        "if op_id not in self.graph or not self.precedes(self.graph.index(op_id), index):\n"
        "                    continue",
        DAGS,
    ),
    Mutant(
        "root-sees-all",
        "R8: the root's removal acts on what it says that it had not seen",
        "device_tree",
        "if index >= 0 and removal.known >> index & 1:",
        "if index >= 0 and self._record.before(removal.at) >> index & 1:",
        DAGS,
    ),
    Mutant(
        "undoing-afterwards",
        "R8: who was removed takes nothing back that the remover let stand",
        "device_tree",
        "        return index >= 0 and any(\n            self._judge.holds(revoke)",
        "        return index < 0 and any(\n            self._judge.holds(revoke)",
        DAGS,
    ),
    Mutant(
        "nobody-is-told",
        "R9: what may have changed is looked at again",
        "visibility",
        "if any(now.get(giving) != facts for giving, facts in before.items()):",
        "if now.keys() < before.keys():",
        DAGS,
    ),
    Mutant(
        "two-founders-needed",
        "membership#genesis-and-policy: every founder of GENESIS has rank 0",
        "auth_record",
        "            self._give(Giving(index, self.past(index), root, 0, act))",
        "            if root == act.founders[0][0]:\n"
        "                self._give(Giving(index, self.past(index), root, 0, act))",
        DAGS,
    ),
    Mutant(
        "fork-voids",
        "FORK: without authority it takes no rank from anybody",
        "device_tree",
        "level = self.strength_of(removal, giving, demotions)\n            if",
        "level = 0 if removal.root is None else self.strength_of(removal, giving, demotions)\n"
        "            if",
        DAGS,
    ),
    Mutant(
        "smaller-id-wins",
        "FORK: of two operations at one place, both stand",
        "verdicts",
        "self.best(self.case_of(index), level) is not None",
        "self.best(self.case_of(index), level) is not None and not any(\n"
        "                (other.device, other.seq) == self.record.events[index][1:3]\n"
        "                and other.op_id < self.record.events[index].op_id\n"
        "                for other in self.record.events.values()\n"
        "            )",
        DAGS,
    ),
    Mutant(
        "fork-hides-nothing",
        "FORK, R10: a proof hides content until somebody with authority says more",
        "visibility",
        "            if self._is_hidden_by_fork(giving, device, frontier, place):\n"
        "                return False\n",
        "",
        DAGS,
    ),
    Mutant(
        "fork-needs-no-proof",
        "FORK, R10: both operations must be held",
        "visibility",
        "            and self._authority.is_proven(removal.at)\n",
        "",
        DAGS,
    ),
    Mutant(
        "fork-of-any-rank",
        "FORK, R10: only members' proofs hide",
        "visibility",
        "            and self._authority.view().verdicts.at_most(removal.at, 2)\n",
        "",
        DAGS,
    ),
    Mutant(
        "admins-set-policy",
        "POLICY: only founders set it",
        "verdicts",
        "if held >> p & 1 and self.at_most(p, 0)]",
        "if held >> p & 1 and self.at_most(p, 1)]",
        DAGS,
    ),
    Mutant(
        "policy-of-greatest-id",
        "POLICY: of several, the smallest id",
        "verdicts",
        "act = min(last, key=lambda found: found[0])[1]",
        "act = max(last, key=lambda found: found[0])[1]",
        DAGS,
    ),
    Mutant(
        "link-brings-back",
        "ADMIT: an old link does not bring back who was removed",
        "verdicts",
        "if record.puts_out(removal) and self.at_most(removal, level):",
        "if record.puts_out(removal) and self.at_most(removal, -1):",
        DAGS,
    ),
    Mutant(
        "withdrawn-link-admits",
        "ADMIT: a withdrawn invitation admits nobody",
        "verdicts",
        "if is_late and self.at_most(withdrawal, level):",
        "if is_late and self.at_most(withdrawal, -1):",
        DAGS,
    ),
    Mutant(
        "withdrawal-of-the-past",
        "ADMIT: who was admitted before a withdrawal stays",
        "verdicts",
        "is_late = self.holds(withdrawal) and not record.precedes(index, withdrawal)",
        "is_late = self.holds(withdrawal)",
        DAGS,
    ),
    Mutant(
        "inviter-forgotten",
        "ADMIT: the inviter must still be who she was",
        "verdicts",
        "        return self.best(inviter, level) is not None",
        "        return inviter.at >= 0",
        DAGS,
    ),
    Mutant(
        "strangers-admit",
        "ADMIT: only who has a standing admits",
        "verdicts",
        "if not self._static[index] or not self.gives(invite, WEAKEST):",
        "if not self.gives(invite, WEAKEST):",
        DAGS,
    ),
)
