"""A node without peers, store or keys: what a test of the API or the CLI needs to talk to."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import trio

from p2pvalue import types as t
from p2pvalue.config import Config
from p2pvalue.keystore import Keystore
from p2pvalue.node.interface import CommunityInterface, NodeInterface
from p2pvalue.node.value.capacity import Capacity
from p2pvalue_protocol.errors import ConfigError, LocalProtocolError, NotFound
from tests.api.fake_blobs import FakeBlobs
from tests.api.fake_community import FakeCommunity
from tests.api.fake_devices import FakeDevices, FakeLinking
from tests.api.fake_editors import FakeEditors
from tests.api.fake_keys import FakeKeys
from tests.api.fake_notifications import FakeNotifications

FOLLOWERS_BEHIND_MAX = 100


class FakeNode:
    """Fulfils NodeInterface in memory; a link that ends in `later` or `never` is joined so."""

    def __init__(self, data_dir: Path = Path("/nowhere"), name: str = "Ana") -> None:
        self.data_dir = data_dir
        self.name = name
        self.held: dict[str, FakeCommunity] = {}
        self.used = ""
        self.followers: list[trio.MemorySendChannel[t.EventView]] = []
        self.dialled: list[t.PeerView] = []
        self.times = 1_700_000_000_000
        self.looks = 0
        self.keys = FakeKeys()
        self.devices = FakeDevices()
        self.linking = FakeLinking()
        self.editors = FakeEditors(self)
        self.files = FakeBlobs()
        self.notifications = FakeNotifications(self.tell)

    def now(self) -> int:
        self.times += 1000
        return self.times

    def status(self) -> t.StatusView:
        return t.StatusView(
            version="0.1.0",
            data_dir=str(self.data_dir),
            pid=os.getpid(),
            uptime_s=1.5,
            peer="12D3KooWFake",
            network="up",
            network_detail={},
            addresses=["/ip4/127.0.0.1/tcp/4801"],
            communities=self.communities(),
            peers=len(self.dialled),
            rss_bytes=50_000_000,
            database_bytes=12_288,
            durability="power-cut",
            warnings=[],
            protection=self.keys.protection,
        )

    def whoami(self) -> t.WhoAmIView:
        return t.WhoAmIView(
            name=self.name, peer="12D3KooWFake", devices=dict.fromkeys(self.held, "d" * 64)
        )

    def doctor(self) -> list[t.CheckView]:
        return [t.CheckView(check="clock", is_ok=True, detail="within a second of our peers")]

    def communities(self) -> list[t.CommunityView]:
        self.looks += 1
        for community in self.held.values():
            if community.joins_at_look and self.looks >= community.joins_at_look:
                community.state = "active"
        return [
            msgspec.structs.replace(community.view(), is_used=community.community == self.used)
            for community in self.held.values()
        ]

    def use_community(self, reference: str) -> list[t.CommunityView]:
        self.used = self.community(reference).view().community if reference else ""
        return self.communities()

    def blobs(self, community: str | None = None) -> FakeBlobs:
        self.community(community)
        return self.files

    def community(self, reference: str | None = None) -> CommunityInterface:
        reference = self.used if reference is None and self.used else reference
        if reference is None and len(self.held) != 1:
            names = ", ".join(c.name for c in self.held.values()) or "none yet"
            raise NotFound(f"say which community is meant: {names}")
        for community in self.held.values():
            if reference in (None, community.community, community.name):
                return community
        raise NotFound(f"there is no community {reference!r} here; list them: community list")

    async def create_community(
        self,
        name: str,
        *,
        read: t.Read = "members",
        join: t.Join = "invite",
        description: str = "",
        words: str = "",
    ) -> CommunityInterface:
        self.keys.lend(words)
        made = FakeCommunity(self, name, read, join, description, "active")
        self.held[made.community] = made
        self.tell(t.EventView(event="community", community=made.community, subject="", time=1))
        return made

    async def join(self, link: str, *, message: str = "", words: str = "") -> CommunityInterface:
        self.keys.lend(words)
        if not link.startswith("p2pvalue:"):
            raise LocalProtocolError("this is no invite: a link begins with p2pvalue:")
        made = FakeCommunity(self, "Garden", "members", "invite", "", "joining")
        self.held[made.community] = made
        if not link.endswith("never"):
            made.joins_at_look = self.looks + 1
        if not link.endswith(("later", "never")):
            made.state = "active"
        return made

    @property
    def capacity(self) -> Capacity:
        return Capacity(lambda: [held.rooms for held in self.held.values()], self.now)

    async def set_profile(self, name: str) -> None:
        for community in self.held.values():
            community.people.rename(self.name, name)
        self.name = name

    @contextlib.asynccontextmanager
    async def events(
        self, community: str | None = None
    ) -> AsyncIterator[AsyncIterator[t.EventView]]:
        self.community(community) if community else None
        send, receive = trio.open_memory_channel[t.EventView](FOLLOWERS_BEHIND_MAX)
        self.followers.append(send)
        try:
            async with receive:
                yield receive
        finally:
            if send in self.followers:
                self.followers.remove(send)

    def tell(self, event: t.EventView) -> None:
        for follower in list(self.followers):
            try:
                follower.send_nowait(event)
            except trio.WouldBlock:
                follower.close()
                self.followers.remove(follower)

    def peers(self) -> list[t.PeerView]:
        return self.dialled

    async def add_peer(self, address: str, community: str | None = None) -> t.PeerView:
        view = t.PeerView(
            peer="12D3KooWOther", is_connected=False, communities=[], addresses=[address]
        )
        self.dialled.append(view)
        return view

    async def leave(self, community: str | None = None, *, wipe: bool = False) -> t.LeaveView:
        left = self.community(community).view()
        del self.held[left.community]
        return t.LeaveView(community=left.community, name=left.name, told=not wipe, wiped=wipe)

    async def export(
        self,
        target: Path,
        progress: Callable[[int, int], None],
        *,
        community: str | None = None,
        is_forced: bool = False,
    ) -> Path:
        folder = target / self.community(community).view().name.lower()
        if folder.exists() and not is_forced:
            raise ConfigError(f"{folder} holds something already: use --force")
        folder.mkdir(parents=True, exist_ok=True)
        progress(1, 1)
        return folder

    async def backup(self, target: Path, progress: Callable[[int, int], None]) -> None:
        for step in range(3):
            progress(step + 1, 3)
            if not target.parent.exists():
                raise ConfigError(f"there is no folder {target.parent}")
            await trio.lowlevel.checkpoint()
        target.write_bytes(b"backup")

    async def verify(self, progress: Callable[[int, int], None]) -> list[t.CheckView]:
        progress(1, 1)
        return [t.CheckView(check="hashes", is_ok=True, detail="3 operations")]

    async def rebuild(self, progress: Callable[[int, int], None]) -> list[t.CheckView]:
        raise RuntimeError("the fake cannot rebuild")


@contextlib.asynccontextmanager
async def open_fake_node(
    data_dir: Path, _config: Config, *, keystore: Keystore
) -> AsyncIterator[NodeInterface]:
    """What `p2pvalue.node.open_node` does, without a network."""
    yield FakeNode(data_dir)
