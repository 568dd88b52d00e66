"""One file by which a stranger recomputes what became of a need (spec: proof)."""
