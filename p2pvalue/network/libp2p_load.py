"""Loads the parts of py-libp2p that we use, and only those.

`import libp2p` as shipped costs 1.1 s and 63 MB over trio: the `__init__` of four of its packages
pull in QUIC, WebSocket, DHT, TLS certificates, HTTP clients and more. We speak TCP, Noise, Yamux
and meshsub. So these four packages get a door that stays closed: a module with the right
`__path__`, whose `__init__` runs only when somebody asks it for a name. Modules below it load as
they always do, and another program in this process that imports `new_host` still gets it. Measured:
32 MB and 0.4 s less.

Nothing here runs at import time; `load_libp2p` is called in a thread while the daemon already
answers.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import importlib.metadata
import importlib.util
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from p2pvalue.network.vendored import ensure_libp2p_importable

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

SUPPORTED_VERSION = "0.8.1"
_QUIC_STREAM = "libp2p.transport.quic.stream"
_DOORS = ("libp2p", "libp2p.transport", "libp2p.security", "libp2p.network")


class LibraryUnusable(Exception):
    """The installed libp2p is not the one whose private parts we know."""


def load_libp2p() -> ModuleType:
    """Return the module that builds a generation; raises LibraryUnusable. Takes about 0.6 s."""
    _make_importable()
    if "libp2p" not in sys.modules:
        for name in _DOORS:
            _close_door(name)
        _import_types_without_quic()
    module = importlib.import_module("p2pvalue.network.libp2p_generation")
    _return_freed_memory()
    return module


def _make_importable() -> None:
    ensure_libp2p_importable()
    try:
        version = importlib.metadata.version("libp2p")
    except importlib.metadata.PackageNotFoundError:
        raise LibraryUnusable("libp2p is not installed; install p2pvalue anew") from None
    if version != SUPPORTED_VERSION:
        raise LibraryUnusable(
            f"libp2p {version} is installed; this release works with {SUPPORTED_VERSION} only"
        )


def _import_types_without_quic() -> None:
    """Import the library's type aliases; one of them names a QUIC stream and costs 0.3 s of TLS.

    The stand-in is gone when this returns, so whoever imports QUIC later gets the real module.
    """
    stand_in = ModuleType(_QUIC_STREAM)
    stand_in.__dict__["QUICStream"] = type("QUICStream", (), {})
    sys.modules[_QUIC_STREAM] = stand_in
    try:
        importlib.import_module("libp2p.custom_types")
    finally:
        del sys.modules[_QUIC_STREAM]


def _return_freed_memory() -> None:
    """Loading leaves 6 MB of freed heap behind, which glibc gives back only when asked."""
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if trim is not None:
            trim(0)


class _ClosedDoor(ModuleType):
    """A package whose `__init__` has not run yet; the first name asked of it runs it."""

    def __getattr__(self, name: str) -> Any:
        spec: ModuleSpec | None = self.__dict__.get("__spec__")
        if name.startswith("__") or spec is None or spec.loader is None:
            raise AttributeError(name)
        object.__setattr__(self, "__class__", ModuleType)
        spec.loader.exec_module(self)
        return getattr(self, name)


def _close_door(name: str) -> None:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.submodule_search_locations is None:
        raise LibraryUnusable(f"{name} is missing; install p2pvalue anew")
    door = _ClosedDoor(name)
    door.__spec__ = spec
    door.__path__ = list(spec.submodule_search_locations)
    door.__file__ = spec.origin
    door.__package__ = name
    door.__loader__ = spec.loader
    sys.modules[name] = door
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, door)
