"""Peers that say what no honest node would, over the real network, to a real daemon."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

import trio
from trio.testing import wait_all_tasks_blocked

from p2pvalue.config import Config
from p2pvalue.keystore import Keystore
from p2pvalue.network import (
    JOIN_PROTOCOL,
    SYNC_PROTOCOL,
    Libp2pNetwork,
    Link,
    LinkClosed,
    Timeouts,
)
from p2pvalue.node.node import DATABASE_NAME
from p2pvalue.node.opening import init, open_node
from p2pvalue.node.running import RunningNode
from p2pvalue.store import SqliteStore
from p2pvalue_protocol import frames as f
from p2pvalue_protocol.hello import Transcript
from p2pvalue_protocol.ids import CONTENT, Reference
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.log import Run, encode_batch
from p2pvalue_protocol.replica import Replica
from tests.network.recorder import Recorder
from tests.patience import WAIT_S
from tests.system.person import Person

F = TypeVar("F", bound=f.Frame)
Seen = TypeVar("Seen")
INITIATOR = b"\x00"

# A hostile peer is patient, so that what ends its links is the daemon and not a busy machine.
PATIENT = Timeouts(
    upgrade_s=WAIT_S, negotiate_s=WAIT_S, open_link_s=WAIT_S, stall_s=WAIT_S, ping_answer_s=WAIT_S
)


async def until(look: Callable[[], Seen]) -> Seen:
    """Return what `look` finds once that is true; fails after a long while."""
    with trio.fail_after(WAIT_S):
        while not (found := look()):
            await wait_all_tasks_blocked(0.01)
    return found


async def asked(call: Callable[..., Seen], *arguments: object) -> Seen:
    """Return what a person's daemon answers, while this process goes on with its network."""
    return await trio.to_thread.run_sync(partial(call, *arguments))


class Spoken:
    """A link on which a test says, frame by frame, what it likes."""

    def __init__(self, link: Link) -> None:
        self.link = link
        self.said: list[bytes] = []
        self.heard: list[bytes] = []

    async def say(self, *frames: f.Frame) -> None:
        for frame in frames:
            await self.say_raw(f.encode_frame(frame))

    async def say_raw(self, data: bytes) -> None:
        self.said.append(data)
        await self.link.send(data)

    async def hear_raw(self) -> bytes:
        with trio.fail_after(WAIT_S):
            self.heard.append(await self.link.receive())
        return self.heard[-1]

    async def hear(self, kind: type[F]) -> F:
        """Return the next frame of a kind; what comes before it is passed over."""
        with trio.fail_after(WAIT_S):
            while True:
                frame = f.decode_frame(await self.hear_raw())
                if isinstance(frame, kind):
                    return frame

    async def until_closed(self) -> None:
        """Return when the daemon has ended the link."""
        with trio.fail_after(WAIT_S):
            try:
                while True:
                    await self.hear_raw()
            except LinkClosed:
                return


class Stranger:
    """A peer connected with a daemon under a key of its own."""

    def __init__(self, network: Libp2pNetwork, victim_id: str) -> None:
        self.network = network
        self.victim_id = victim_id

    async def open(self, protocol: str = SYNC_PROTOCOL) -> Spoken:
        return Spoken(await self.network.open_link(self.victim_id, protocol))

    async def open_join(self) -> Spoken:
        return await self.open(JOIN_PROTOCOL)

    async def greet(self, insider: Insider) -> Spoken:
        """Return a sync link after the whole handshake as a member."""
        spoken = await self.open()
        await handshake(spoken, insider, (self.network.peer_id, self.victim_id))
        return spoken


async def handshake(spoken: Spoken, insider: Insider, peer_ids: tuple[str, str]) -> None:
    """Show to be a member on a fresh sync link."""
    nonce = os.urandom(32)
    await spoken.say(f.NonceOffered(nonce))
    answered = await spoken.hear(f.NonceAnswered)
    transcript = Transcript((nonce, answered.nonce), peer_ids)
    await spoken.say(f.TagsShown([transcript.tag(insider.secret, INITIATOR)]))
    await spoken.hear(f.TagAnswered)
    message = transcript.identity_message(insider.community, INITIATOR)
    signer = insider.signer
    await spoken.say(f.InitiatorIdentity(signer.public, signer.sign(message)))
    assert (await spoken.hear(f.ResponderIdentity)).device


@asynccontextmanager
async def stranger(address: str) -> AsyncIterator[Stranger]:
    """Connect with a daemon under a key never used before."""
    network = Libp2pNetwork(os.urandom(32), [], timeouts=PATIENT)
    recorder = Recorder()
    recorder.echoes = False
    async with trio.open_nursery() as nursery:
        await nursery.start(network.run, recorder)
        yield Stranger(network, await _connected(network, address))
        nursery.cancel_scope.cancel()


async def _connected(network: Libp2pNetwork, address: str) -> str:
    """Call until it works: of many handshakes at once from one address some give way."""
    with trio.fail_after(WAIT_S):
        while True:
            with suppress(ConnectionError):
                return await network.connect([address])


class Insider:
    """A member whose keys and copy are in the hands of a test; its own node has ended."""

    def __init__(self, folder: Path) -> None:
        keystore = Keystore.open(folder)
        (self.community,) = keystore.communities()
        keys = keystore.keys(self.community)
        assert keys is not None
        self.keys = keys
        self.signer = keys.device
        self.store = SqliteStore(folder / DATABASE_NAME, key=keystore.database_key)
        self.load()

    @property
    def secret(self) -> bytes:
        """The newest topic secret."""
        return self.replica.topic_secrets[0]

    def load(self) -> None:
        """Forget what was not stored."""
        past = self.store.past(self.community)
        self.replica = Replica(
            self.community,
            past,
            signer=self.signer,
            prekey_private=self.keys.prekey_private,
            random_bytes=os.urandom,
        )

    def write(self, *drafts: Draft, now_ms: int) -> tuple[Reference, list[Run]]:
        """Return valid operations of ours, stored, with their head."""
        head, runs = self._write(drafts, now_ms)
        self.store.commit([self.replica.finish()])
        return head, runs

    def imagine(self, *drafts: Draft, now_ms: int) -> tuple[Reference, list[Run]]:
        """Return valid operations that are then forgotten, for a test to spoil."""
        head, runs = self._write(drafts, now_ms)
        self.load()
        return head, runs

    def _write(self, drafts: Sequence[Draft], now_ms: int) -> tuple[Reference, list[Run]]:
        self.replica.begin()
        device = self.signer.public
        before = self.replica.branches.of(device, CONTENT)
        first = before[0].head_seq + 1 if before else 0
        self.replica.write(drafts, now_ms)
        self.replica.seal()
        branch = self.replica.branches.of(device, CONTENT)[0]
        runs, rest = self.replica.runs(CONTENT, device, first, branch.head_id, 1 << 20)
        assert rest is None
        return Reference(device, CONTENT, branch.head_seq, branch.head_id), runs


async def offer(spoken: Spoken, head: Reference, runs: Sequence[Run]) -> None:
    """Claim a head, wait until the daemon asks for it, and send runs as the answer."""
    await spoken.say(f.Heads(b"", 0, [f.head_entry(head)]))
    wants = await spoken.hear(f.Wants)
    await spoken.say(f.Ops(len(wants.wants), encode_batch(list(runs))))


async def brought(peer: Stranger, member: Insider, head: Reference, runs: Sequence[Run]) -> None:
    """Let the daemon take operations run by run, with patience."""
    spoken = await peer.greet(member)
    await spoken.say(f.Heads(b"", 0, [f.head_entry(head)]))
    wants = await spoken.hear(f.Wants)
    for number, run in enumerate(runs, 1):
        finished = len(wants.wants) if number == len(runs) else 0
        await spoken.say(f.Ops(finished, encode_batch([run])))
        await spoken.hear(f.Ack)


@asynccontextmanager
async def honest(folder: Path, name: str) -> AsyncIterator[RunningNode]:
    """Run an honest newcomer's node in this process."""
    init(folder, name, listen=())
    config = Config(data_dir=folder, listen=(), lan_discovery=False)
    network = Libp2pNetwork(os.urandom(32), [])
    async with open_node(folder, config, network=network) as node:
        yield node


async def joined(node: RunningNode, link: str) -> None:
    """Return when a node is a member."""
    community = await node.join(link)
    await until(lambda: community.view().state == "active")


async def insider(folder: Path, victim: Person) -> Insider:
    """Join a community as an honest newcomer would, and take what that taught."""
    async with honest(folder, "Mallory") as node:
        await joined(node, await asked(victim.invite))
        # What the node wrote by itself must be with the daemon: the test goes on from there.
        await until(lambda: node.community().has_my_name() and not node.community().view().unshared)
    return Insider(folder)


class Watch:
    """Looks whether a daemon serves as it did when the watch began."""

    def __init__(self, victim: Person, root: Path, rss_growth_bytes_max: int) -> None:
        self.victim = victim
        self._root = root
        self._visits = 0
        self._link = victim.invite()
        self._generation = victim.status()["network_detail"]["generation"]
        self._rss_bytes_max = victim.rss_bytes() + rss_growth_bytes_max

    def new_folder(self) -> Path:
        """Return where another visitor may live."""
        self._visits += 1
        return self._root / f"visitor-{self._visits}"

    async def check_serves(self) -> None:
        """Join as a newcomer, read and be read; check the daemon's memory and its network."""
        folder = self.new_folder()
        text = f"visit of {folder.name}"
        async with honest(folder, "Vera") as node:
            await joined(node, self._link)
            await node.community().post(text)
            await asked(self.victim.until_reads, text)
            answer = f"welcome, {text}"
            await asked(self.victim.post, answer)
            await until(lambda: answer in {m.text for m in node.community().messages(limit=5)})
        status = await asked(self.victim.status)
        assert status["network"] == "up"
        assert status["network_detail"]["generation"] == self._generation, "the network died"
        assert status["rss_bytes"] < self._rss_bytes_max


async def at_once(
    watch: Watch, attacks: Mapping[str, Callable[[], Awaitable[None]]]
) -> dict[str, BaseException | None]:
    """Run all attacks together, and check that others are served meanwhile and afterwards.

    An attack that the daemon leaves to wait for long is shown as one that failed.
    """
    outcomes: dict[str, BaseException | None] = {}

    async def attempt(name: str, attack: Callable[[], Awaitable[None]]) -> None:
        try:
            with trio.fail_after(WAIT_S):
                await attack()
        except Exception as error:  # noqa: BLE001 - told by the attack's own test
            outcomes[name] = error
        else:
            outcomes[name] = None

    async with trio.open_nursery() as nursery:
        for name, attack in attacks.items():
            nursery.start_soon(attempt, name, attack)
        await watch.check_serves()
    await watch.check_serves()
    return outcomes
