"""All targets, in the order in which a campaign runs them: what reaches furthest first."""

from __future__ import annotations

from tests.fuzz.api import API
from tests.fuzz.core_decoders import CORE_DECODERS
from tests.fuzz.core_texts import CORE_TEXTS
from tests.fuzz.document_facts import DOCUMENT_FACTS
from tests.fuzz.documents import DOCUMENTS
from tests.fuzz.editors import EDITORS
from tests.fuzz.files import FILES
from tests.fuzz.gossip_door import GOSSIP_DOOR
from tests.fuzz.histories import HISTORIES
from tests.fuzz.machines import MACHINES
from tests.fuzz.needs import NEEDS
from tests.fuzz.proofs import PROOFS
from tests.fuzz.streams import STREAMS
from tests.fuzz.target import Target

TARGETS: tuple[Target, ...] = (
    *HISTORIES,
    *MACHINES,
    *CORE_DECODERS,
    *CORE_TEXTS,
    *FILES,
    *STREAMS,
    *GOSSIP_DOOR,
    *DOCUMENTS,
    *DOCUMENT_FACTS,
    *NEEDS,
    *PROOFS,
    *EDITORS,
    *API,
)


def target_named(name: str) -> Target:
    """The target of that name."""
    return next(target for target in TARGETS if target.name == name)
