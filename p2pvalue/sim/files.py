"""Files that people share: their chunks lie on the machines' disks, and whoever sees one wants it.

What the node's keeper of chunks does on a real machine is done here in short: everybody fetches
everything, and looks every few seconds for what is missing.
"""

from __future__ import annotations

from contextlib import suppress
from random import Random

from p2pvalue.sim.damage import ask
from p2pvalue.sim.member import Actor, is_reader
from p2pvalue.sim.network import peer_name
from p2pvalue.sim.shell import Shell
from p2pvalue.store import Store, StoreFailed
from p2pvalue_protocol import effects as e
from p2pvalue_protocol.chunks import chunk_hash, seal_chunk
from p2pvalue_protocol.inputs import ChunkRead, Draft, Fetch
from p2pvalue_protocol.kinds import blob, decode_state
from p2pvalue_protocol.limits import CHUNK_BYTES_MAX

_LARGE_SHARE = 0.2  # of files: two chunks, of which one is as large as may be
_SMALL_BYTES_MAX = 2_000
_FILES_MAX = 1_000  # more than any world has


class Files:
    """The shared files of one world; what is wrong with them is told to the ledger."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        shell.on_chunk_asked = self._read
        shell.on_chunk_brought = self._keep

    def share(self, actor: Actor, rng: Random) -> Draft:
        """Cut and seal a file, put it on a machine's disk, and return what tells others of it.

        Raises StoreFailed if the disk takes nothing.
        """
        size = rng.randint(1, _SMALL_BYTES_MAX) + CHUNK_BYTES_MAX * (rng.random() < _LARGE_SHARE)
        key, whole = rng.randbytes(blob.KEY_BYTES), rng.randbytes(size)
        pieces = [whole[at : at + CHUNK_BYTES_MAX] for at in range(0, size, CHUNK_BYTES_MAX)]
        sealed = [seal_chunk(key, number, piece) for number, piece in enumerate(pieces)]
        named = [(chunk_hash(each), each) for each in sealed]
        actor.store.chunks.put(self._shell.community, named)
        hashes = [chunk for chunk, _ in named]
        name = f"file {rng.randrange(1_000)}"
        return Draft(blob.NUMBER, b"", blob.encode_blob(name, "text/plain", size, key, hashes))

    def look(self) -> None:
        """Let every machine fetch what it sees and has not."""
        for number in sorted(self._shell.machines):
            actor = self._shell.machines[number]
            if actor.is_up and self._shell.holds_copy(actor):
                missing = ask(self._shell, actor, self._missing)
                if missing is not None:
                    given = Fetch(self._shell.community, tuple(missing))
                    self._shell.handle(number, given)

    def difference(self, settled: list[Actor]) -> str:
        """Return the first machine that lacks what another one has and both see; empty if none."""
        members = [actor for actor in settled if not is_reader(actor)]
        here = {chunk for a in members for chunk in ask(self._shell, a, self._here) or ()}
        for actor in settled:
            missing = ask(self._shell, actor, self._missing)
            if missing is None:
                return f"{peer_name(actor.number)} finds its disk damaged"
            lacks = sum(chunk in here for chunk in missing)
            if lacks:
                return f"{peer_name(actor.number)} lacks {lacks} chunks that others have"
        return ""

    def count(self, actor: Actor) -> int:
        """Return how many chunks of files that it sees a machine has."""
        return len(self._here(actor))

    def _here(self, actor: Actor) -> set[bytes]:
        return actor.store.chunks.here(self._shell.community, self._named(actor.store))

    def _missing(self, actor: Actor) -> list[bytes]:
        here = self._here(actor)
        return [chunk for chunk in self._named(actor.store) if chunk not in here]

    def _named(self, store: Store) -> list[bytes]:
        """Return the chunks of all files that a store shows, each once."""
        rows = store.states(self._shell.community, blob.NUMBER, limit=_FILES_MAX)
        states = (decode_state(row.kind, row.state) for row in rows)
        files = (f for f in states if isinstance(f, blob.BlobState) and not f.removed)
        return list(dict.fromkeys(chunk for file in files for chunk in file.hashes()))

    # --- between machines

    def _read(self, actor: Actor, asked: e.ChunkAsked) -> ChunkRead:
        """Read a chunk for a peer; a machine that gives one to who is out has failed."""
        peer = self._shell.network.other_end(actor.number, asked.session)
        if actor.is_honest and peer is not None and self._shell.is_sealed:
            root = self._shell.root_of(self._shell.machines[peer])
            members = self._shell.replica(actor).membership.members()
            if all(member.root != root for member in members):
                names = f"{peer_name(actor.number)} gives {peer_name(peer)}"
                self._shell.ledger.fail(f"{names} a file, though she is out")
        sealed = None
        with suppress(StoreFailed):
            sealed = actor.store.chunks.read(asked.community, asked.chunk)
        return ChunkRead(asked.session, sealed or b"")

    def _keep(self, actor: Actor, brought: e.ChunkBrought) -> None:
        name = peer_name(actor.number)
        if chunk_hash(brought.sealed) != brought.chunk:
            self._shell.ledger.fail(f"{name} takes a chunk that is another")
        with suppress(StoreFailed):  # it is asked for again
            actor.store.chunks.put(brought.community, [(brought.chunk, brought.sealed)])
            self._shell.ledger.deeds["chunk fetched"] += actor.is_honest
