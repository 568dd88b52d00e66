"""Kills two processes that write and sync with each other, again and again.

Each runs the production machine on the production store, and they talk over a socket. Ana and Ben
write, send and receive; some lives begin with making all views anew. First one of them is killed by
signal 9 at a random moment, then the other. Each time both must open again and hold whatever they
had stored, own and received; nobody may be blamed or fork a log. In the end both must show the
same. They are forked from this prepared process, so that a kill costs milliseconds:

    python -m tests.store.crash_sync FOLDER --kills 5000 --seed 7
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import socket
import struct
import time
import traceback
from collections import Counter, deque
from pathlib import Path
from typing import NoReturn

from p2pvalue.store import SqliteStore
from p2pvalue.store.verify import verify_logs
from p2pvalue_protocol import effects as e
from p2pvalue_protocol.auth_payloads import AUTH_SEEN
from p2pvalue_protocol.ids import Reference
from p2pvalue_protocol.inputs import (
    Draft,
    FrameReceived,
    Input,
    PeerJoined,
    PeerLeft,
    Wakeup,
    Write,
)
from p2pvalue_protocol.kinds import chat, profile
from p2pvalue_protocol.machine import Machine
from p2pvalue_protocol.replica import Replica
from tests.kills import kill_command
from tests.protocol.authoring import prekey_private_named
from tests.protocol.meeting import NOW_MS, Community

NAMES = ("Ana", "Ben")
KEY = bytes(range(32))
KILLS_PER_PAIR = 200
LIFE_S_MAX = 0.01
IDLE_S = 0.001
WRITE_SHARE = 0.1
REBUILD_SHARE = 0.15
UNSENT_BYTES_MAX = 1 << 20
SIZE = struct.Struct(">I")
REPORT = struct.Struct(">B32sq32s")  # a head that is durable; or, with class 255, a view made anew
REBUILT = 255

Heads = dict[tuple[bytes, int], Reference]


class Party:
    """One of the two: a production machine on its store, for one life."""

    def __init__(self, village: Community, side: int, path: Path, seed: str) -> None:
        self.rng = random.Random(f"{seed} {NAMES[side]}")
        self.community = village.community
        self.store = SqliteStore(path, key=KEY, durability=self.rng.choice(("power-cut", "kill")))
        self.is_rebuilding = False
        self.out: deque[bytes] = deque()
        self._village = village
        self._side = side

    def start(self) -> None:
        """Read what is stored."""
        self.machine = Machine(
            open_past=self.store.past,
            random_bytes=self.rng.randbytes,
            peer_id=f"peer-{self._side}",
            is_gossiping=False,
        )
        name = NAMES[self._side]
        signer = self._village.authors[name].key
        self.replica = self.machine.add_replica(self.community, signer, prekey_private_named(name))

    def begin_again(self) -> None:
        """Forget all views, so that they are made anew while everything else goes on."""
        self.store.clear_views(self.community)
        self.is_rebuilding = True

    def check_holds(self, heads: Heads) -> None:
        """Raise AssertionError if anything is gone that was stored, or a log is forked."""
        for (device, log_class), head in heads.items():
            assert self.replica.held(head), f"seq {head.seq} of class {log_class} is gone"
            branches = self.replica.branches.of(device, log_class)
            assert len(branches) == 1, "a log is forked"

    def handle(self, given: Input, now_ms: int) -> None:
        """Do what the node does: commit, then send."""
        effects = self.machine.handle(given, now_ms)
        batches = [effect.batch for effect in effects if isinstance(effect, e.Store)]
        if batches:
            self.store.commit(batches)
        for effect in effects:
            match effect:
                case e.SendFrame(_, frame):
                    self.out.append(SIZE.pack(len(frame)) + frame)
                case e.CloseSession(_, reason) | e.Rejected(_, reason):
                    assert reason is None, f"somebody was blamed: {reason}"
                case _:
                    pass

    def meet(self, now_ms: int) -> None:
        """Open a session with the other."""
        wanted = self.community if self._side == 0 else None
        self.handle(PeerJoined(1, f"peer-{1 - self._side}", self._side == 0, wanted), now_ms)

    def write(self, now_ms: int) -> None:
        """Post some messages, or say anew who we are."""
        drafts = []
        for _ in range(self.rng.choice((1, 1, 1, 5, 30))):
            text = f"{self.rng.random()} " + "x" * self.rng.choice((10, 200, 3_000))
            drafts.append(Draft(chat.NUMBER, b"", chat.encode_chat_message(text)))
        if self.rng.random() < 0.2:
            about = profile.encode_profile(f"me {self.rng.random()}")
            drafts = [Draft(profile.NUMBER, b"", about)]
        self.handle(Write(self.community, tuple(drafts)), now_ms)

    def heads(self) -> Heads:
        """The head of each log as it is stored."""
        found: Heads = {}
        for author in self._village.authors.values():
            for log_class in (0, 1):
                for branch in self.replica.branches.of(author.device, log_class):
                    head = Reference(author.device, log_class, branch.head_seq, branch.head_id)
                    found[author.device, log_class] = head
        return found


class Link:
    """A socket to the other; frames go over it whole, each behind its size."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self._received = b""
        self._unsent = b""
        self.is_open = True

    @property
    def is_busy(self) -> bool:
        return len(self._unsent) > UNSENT_BYTES_MAX

    def send(self, out: deque[bytes]) -> None:
        """Send as much as there is room for."""
        self._unsent += b"".join(out)
        out.clear()
        with contextlib.suppress(BlockingIOError):
            try:
                self._unsent = self._unsent[self._end.send(self._unsent) :]
            except OSError as error:
                if isinstance(error, BlockingIOError):
                    raise
                self._unsent = b""  # nobody is there any more: reading will say so

    def receive(self, wait_s: float) -> list[bytes] | None:
        """Return the frames that came, None once the other is gone."""
        ready, _, _ = select.select([self._end], [], [], wait_s)
        if ready:
            try:
                piece = self._end.recv(1 << 18)
            except ConnectionError:
                piece = b""
            if not piece:
                self.is_open = False
                return None
            self._received += piece
        frames = []
        while len(self._received) >= SIZE.size:
            (size,) = SIZE.unpack_from(self._received)
            if len(self._received) < SIZE.size + size:
                break
            frames.append(self._received[SIZE.size : SIZE.size + size])
            self._received = self._received[SIZE.size + size :]
        return frames


def live(party: Party, link: Link, pipe: int, stored: Heads) -> NoReturn:
    """Write and sync until killed; tell each head once it is durable."""
    party.start()
    party.check_holds(stored)
    if party.rng.random() < REBUILD_SHARE:
        party.begin_again()
        party.start()
    party.meet(_now_ms())
    told: Heads = {}
    while True:
        heads = party.heads()
        for name, head in heads.items():
            if told.get(name) != head:
                os.write(pipe, REPORT.pack(head.log_class, head.device, head.seq, head.op_id))
        told = heads
        if party.is_rebuilding and not party.replica.has_work:
            party.is_rebuilding = False
            os.write(pipe, REPORT.pack(REBUILT, bytes(32), 0, bytes(32)))
        link.send(party.out)
        frames = link.receive(IDLE_S) if link.is_open else []
        for frame in frames or []:
            party.handle(FrameReceived(1, frame), _now_ms())
        if frames is None:
            party.handle(PeerLeft(1), _now_ms())
        due_ms = party.machine.next_wakeup_ms()
        if due_ms is not None and due_ms <= _now_ms():
            party.handle(Wakeup(), _now_ms())
        is_reading_anew = party.replica.has_work  # then nothing can be written
        if not (link.is_busy or is_reading_anew) and party.rng.random() < WRITE_SHARE:
            party.write(_now_ms())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Pair:
    """Two folders, and what the two said that is durable in them."""

    def __init__(self, folder: Path, number: int, counts: Counter[str]) -> None:
        self.village = Community(*NAMES)
        self.paths = [folder / f"pair-{number}-{name.lower()}.db" for name in NAMES]
        self.stored: list[Heads] = [{}, {}]
        self._counts = counts
        for side, name in enumerate(NAMES):
            self._prepare(side, name)

    def _prepare(self, side: int, name: str) -> None:
        store = SqliteStore(self.paths[side], key=KEY)
        village = self.village
        replica = Replica(
            village.community,
            store.past(village.community),
            signer=village.authors[name].key,
            prekey_private=prekey_private_named(name),
        )
        replica.begin()
        replica.learn(village.keys)
        replica.receive(village.begun, NOW_MS)
        replica.write([Draft(AUTH_SEEN, b"", b"")], NOW_MS)  # as each device does on entering
        store.commit([replica.finish()])
        store.close()

    def kill_both(self, seed: str) -> None:
        """Let both live for a random time, kill one, and a little later the other."""
        rng = random.Random(seed)
        ends = socket.socketpair()
        pipes = [os.pipe(), os.pipe()]
        children = [self._forked(side, ends, pipes, seed) for side in (0, 1)]
        for end in ends:
            end.close()
        for _, writer in pipes:
            os.close(writer)
        first = rng.choice((0, 1))
        readers = [reader for reader, _ in pipes]
        self._await_reports(readers, rng.choice((0, 1, 2, 5, 10, 20, 40)))
        for side in (first, 1 - first):
            select.select([], [], [], rng.uniform(0, LIFE_S_MAX))
            os.kill(children[side], signal.SIGKILL)
            _, status = os.waitpid(children[side], 0)
            assert os.WIFSIGNALED(status), f"{NAMES[side]} of {seed} ended by itself"
            self._counts[f"kills_of_{NAMES[side]}"] += 1
        for reader in readers:
            while self._hear(readers, reader):
                pass
            os.close(reader)

    def _await_reports(self, readers: list[int], reports: int) -> None:
        """Return when the two have told so much: the kill falls anywhere, on a slow machine too."""
        while reports > 0:
            ready, _, _ = select.select(readers, [], [])
            told = [self._hear(readers, reader) for reader in ready]
            assert all(told), "one of the two ended by itself"
            reports -= sum(told)

    def _forked(
        self,
        side: int,
        ends: tuple[socket.socket, socket.socket],
        pipes: list[tuple[int, int]],
        seed: str,
    ) -> int:
        child = os.fork()
        if child == 0:
            try:
                ends[1 - side].close()
                for reader, writer in (pipes[side], pipes[1 - side]):
                    os.close(reader)
                    if writer != pipes[side][1]:
                        os.close(writer)
                party = Party(self.village, side, self.paths[side], seed)
                live(party, Link(ends[side]), pipes[side][1], self.stored[side])
            except BaseException:  # noqa: BLE001 - whatever it is, it is shown and the process ends
                traceback.print_exc()
            finally:
                os._exit(1)  # an error, not a kill: the parent sees the difference
        return child

    def _hear(self, readers: list[int], reader: int) -> int:
        """Take in what one of the two told; return how many reports that was."""
        told = os.read(reader, 1_000 * REPORT.size)  # a report is written whole
        side = readers.index(reader)
        own = self.village.authors[NAMES[side]].device
        for log_class, device, seq, op_id in REPORT.iter_unpack(told):
            if log_class == REBUILT:
                self._counts["views_made_anew"] += 1
                continue
            former = self.stored[side].get((device, log_class))
            if former is None or former.seq < seq:
                self._counts["heads_of_own" if device == own else "heads_of_received"] += 1
            self.stored[side][device, log_class] = Reference(device, log_class, seq, op_id)
        return len(told) // REPORT.size

    def settle(self, seed: str) -> int:
        """Let both sync to the end; return how many operations each then holds.

        Raises AssertionError unless both hold all that was stored, sound, and show the same.
        """
        parties = [Party(self.village, side, self.paths[side], seed) for side in (0, 1)]
        now_ms = _now_ms()
        for party, stored in zip(parties, self.stored, strict=True):
            party.start()
            party.check_holds(stored)
            party.meet(now_ms)
        while parties[0].heads() != parties[1].heads() or any(p.replica.has_work for p in parties):
            now_ms += 100
            for party, other in (parties, reversed(parties)):
                while party.out:
                    other.handle(FrameReceived(1, party.out.popleft()[SIZE.size :]), now_ms)
                party.handle(Wakeup(), now_ms)
        stores = [party.store for party in parties]
        digests = {store.state_digest(self.village.community) for store in stores}
        assert len(digests) == 1, "they do not show the same"
        for party in parties:
            party.check_holds(self.stored[0] | self.stored[1])
            assert verify_logs(party.store, deep=True).faults == ()
        operations = stores[0].figures().operations
        for store in stores:
            store.close()
        return operations


def kill_many(folder: Path, kills: int, seed: str) -> dict[str, int | str]:
    """Return what happened in so many kills; raises AssertionError on the first thing wrong."""
    counts = Counter[str]()
    for first in range(0, kills, KILLS_PER_PAIR):
        pair = Pair(folder, first, counts)
        for kill in range(first, min(first + KILLS_PER_PAIR, kills), 2):
            pair.kill_both(f"{seed}/{kill}")
        counts["operations"] += pair.settle(f"{seed}/end of {first}")
        for path in pair.paths:
            for file in folder.glob(path.name + "*"):
                file.unlink()
    return {"kills": kills, "seed": seed, **counts}


if __name__ == "__main__":
    kill_command(kill_many, "two processes that sync")
