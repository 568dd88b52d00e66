"""All deliberate faults, room by room."""

from __future__ import annotations

from tests.mutants import (
    of_authority,
    of_bytes,
    of_chunks,
    of_digests,
    of_documents,
    of_facts,
    of_folding,
    of_gossip,
    of_joining,
    of_kinds,
    of_links,
    of_needs,
    of_presence,
    of_projects,
    of_proofs,
    of_ranking,
    of_secrets,
    of_standing,
    of_sync,
    of_updates_by_id,
)
from tests.mutants.mutant import Mutant

MUTANTS: tuple[Mutant, ...] = (
    *of_bytes.MUTANTS,
    *of_folding.MUTANTS,
    *of_authority.MUTANTS,
    *of_secrets.MUTANTS,
    *of_links.MUTANTS,
    *of_sync.MUTANTS,
    *of_gossip.MUTANTS,
    *of_presence.MUTANTS,
    *of_joining.MUTANTS,
    *of_kinds.MUTANTS,
    *of_facts.MUTANTS,
    *of_needs.MUTANTS,
    *of_projects.MUTANTS,
    *of_chunks.MUTANTS,
    *of_documents.MUTANTS,
    *of_updates_by_id.MUTANTS,
    *of_digests.MUTANTS,
    *of_ranking.MUTANTS,
    *of_standing.MUTANTS,
    *of_proofs.MUTANTS,
)
