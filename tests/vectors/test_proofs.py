"""What a file proves, and why another is refused, is what the vectors say."""

from __future__ import annotations

from typing import Any

import pytest

from p2pvalue_protocol.errors import Refused
from p2pvalue_protocol.proof.reading import Proven, read_proof
from tests.vectors.files import Vector, shown, vectors_of
from tests.vectors.test_needs import told


def seen(proven: Proven) -> dict[str, Any]:
    """What two implementations must agree on."""
    left = proven.not_shown
    return {
        "community": proven.community.hex(),
        "founders": [founder.hex() for founder in proven.founders],
        "title": proven.state.title,
        "names": {member.hex(): name for member, name in sorted(proven.names.items())},
        "acts": [[act.name.hex(), act.is_hidden] for act in proven.acts],
        "standing": told(proven.state, proven.standing),
        "digest": proven.digest.hex(),
        "changes": [op_id.hex() for op_id in left.changes],
        "named": left.named,
        "kept": left.kept,
        "pledges": left.pledges,
    }


@pytest.mark.parametrize("vector", vectors_of("proof"), ids=shown)
def test_a_proof_shows_what_its_vector_says(vector: Vector) -> None:
    data = bytes.fromhex(vector["input"]["file"])
    if vector["result"] == "invalid":
        with pytest.raises(Refused) as refused:
            read_proof(data)
        assert str(refused.value.reason) == vector["reason"]
    else:
        assert seen(read_proof(data)) == vector["expect"]
