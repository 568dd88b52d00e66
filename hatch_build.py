"""Puts the locked, unmodified libp2p into the wheel, where only p2pvalue.network looks for it.

Why a copy inside: docs/decisions/0001-one-wheel-that-needs-no-compiler.md. An editable install and
a source distribution are left alone.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

LOCK = Path("requirements", "all.txt")
TARGET = "p2pvalue/_vendor"


class VendorLibp2p(BuildHookInterface[Any]):
    """Fetches the wheel the lock names, checks its hash, and adds its package and its licences."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add libp2p's files to a wheel that is going to be shipped."""
        if self.target_name != "wheel" or version == "editable":
            return
        self._folder = tempfile.TemporaryDirectory(prefix="p2pvalue-wheel-")
        folder = Path(self._folder.name)
        wheel = _download(_locked_lines(Path(self.root) / LOCK), folder)
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder / "unpacked")
        # Its other folders (docs, examples, interop, newsfragments, stubs) run nothing.
        for name in ("libp2p", wheel.name.split("-py3-")[0] + ".dist-info"):
            build_data["force_include"][str(folder / "unpacked" / name)] = f"{TARGET}/{name}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the unpacked copy."""
        if hasattr(self, "_folder"):
            self._folder.cleanup()


def _locked_lines(lock: Path) -> str:
    """libp2p's requirement with its hashes, as the lock has it."""
    lines = lock.read_text(encoding="utf-8").splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith("libp2p==")]
    if len(starts) != 1:
        raise RuntimeError(f"{LOCK} must pin libp2p once. Run `make lock`.")
    end = starts[0]
    while lines[end].endswith("\\"):
        end += 1
    return "\n".join(lines[starts[0] : end + 1]) + "\n"


def _download(requirement: str, folder: Path) -> Path:
    """The path of the wheel, whose hash pip has compared with the lock."""
    listed = folder / "libp2p.txt"
    listed.write_text(requirement, encoding="utf-8")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", "--only-binary", ":all:"]
    command += ["--dest", str(folder), "--requirement", str(listed)]
    outcome = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = list(folder.glob("libp2p-*.whl"))
    if outcome.returncode or len(wheels) != 1:
        raise RuntimeError(
            "The wheel of p2pvalue carries libp2p, and the locked libp2p could not be downloaded. "
            "Check that the package index can be reached, then build again. pip said:\n"
            + outcome.stderr.strip()
        )
    return wheels[0]
