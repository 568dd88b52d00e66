"""What a hostile peer sends."""

from __future__ import annotations

from hypothesis import strategies as st


def mutations(frame: bytes) -> st.SearchStrategy[bytes]:
    """Frames with one byte changed, cut, or doubled."""
    places = st.integers(0, len(frame) - 1)
    changed = st.builds(
        lambda at, new: frame[:at] + bytes([new]) + frame[at + 1 :], places, st.integers(0, 255)
    )
    return st.one_of(changed, places.map(lambda at: frame[:at]), st.just(frame + frame))
