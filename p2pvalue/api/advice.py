"""What a field of a question must be, in words, for whoever gave something else."""

from __future__ import annotations

import re

import msgspec

from p2pvalue_protocol.payload_form import limit_in_words

_FIELD = re.compile(r"`\$\.(\w+)`")
_NAME = "give a full id, the beginning of one, or an exact name of at most 1,000 letters"
ADVICE = {
    "community": _NAME,
    "document": _NAME,
    "member": _NAME,
    "need": _NAME,
    "pledge": _NAME,
    "suggestion": _NAME,
    "blob": _NAME,
    "origin": "give the page's address up to its port, such as http://localhost:5173",
    "version": "give at least 4 digits of a version that `p2pvalue document history` lists,"
    " or several with + between them",
}


def in_words(error: msgspec.ValidationError) -> str:
    """What is wrong, and where known what to give instead."""
    found = _FIELD.search(str(error))
    advice = ADVICE.get(found[1]) if found else None
    if found is None or advice is None:
        return limit_in_words(error) or str(error)
    return f"`{found[1]}` cannot be read: {advice}"
