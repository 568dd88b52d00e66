"""Finds libp2p: beside us in a checkout, inside us in an installed wheel.

Why a copy inside the wheel: docs/decisions/0001-one-wheel-that-needs-no-compiler.md. Nothing is
added to `sys.path`: the finder answers for the one name `libp2p`, so no other program's imports
change.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import Distribution, DistributionFinder, MetadataPathFinder
from pathlib import Path
from types import ModuleType

from p2pvalue_protocol.errors import ConfigError

VENDOR = Path(__file__).resolve().parent.parent / "_vendor"


def ensure_libp2p_importable() -> None:
    """Make `import libp2p` find the copy this release was built and tested with.

    Call it before the first import of libp2p; calling it again costs nothing. A libp2p that the
    embedding program has already imported stays. Raises `ConfigError` where there is none at all.
    """
    if "libp2p" in sys.modules or any(isinstance(f, _VendoredLibp2p) for f in sys.meta_path):
        return
    if (VENDOR / "libp2p").is_dir():
        sys.meta_path.insert(0, _VendoredLibp2p())
    elif importlib.util.find_spec("libp2p") is None:
        raise ConfigError(
            "libp2p is not installed. In a checkout run `make test` once; "
            "otherwise install p2pvalue again from its wheel."
        )


class _VendoredLibp2p(DistributionFinder):
    """Answers for libp2p and its version, for nothing else."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "libp2p":
            return None
        return PathFinder.find_spec(fullname, [str(VENDOR)], target)

    def find_distributions(
        self, context: DistributionFinder.Context | None = None
    ) -> Iterable[Distribution]:
        if context is None or context.name != "libp2p":
            return ()
        inside = DistributionFinder.Context(name="libp2p", path=[str(VENDOR)])
        return MetadataPathFinder.find_distributions(inside)
