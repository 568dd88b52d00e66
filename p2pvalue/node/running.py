"""A running node as callers hold it: `NodeInterface` and the context of its communities."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path

import msgspec
import trio

from p2pvalue import sizes
from p2pvalue import types as t
from p2pvalue.config import Config
from p2pvalue.keystore import Keystore
from p2pvalue.network.interface import Network
from p2pvalue.node import overview, upkeep
from p2pvalue.node.backup import backup
from p2pvalue.node.blobs.blobs import Blobs
from p2pvalue.node.blobs.chunk_keeper import ChunkKeeper
from p2pvalue.node.community import Community
from p2pvalue.node.context import Participation
from p2pvalue.node.documents.document_audit import DocumentAudit
from p2pvalue.node.documents.open_documents import OpenDocuments
from p2pvalue.node.editors.editors import Editors
from p2pvalue.node.export import export
from p2pvalue.node.members.device_events import DeviceEvents
from p2pvalue.node.members.devices import Devices, is_forked
from p2pvalue.node.members.forks import Forks
from p2pvalue.node.members.founding import found
from p2pvalue.node.members.introductions import Introductions
from p2pvalue.node.members.joining import Joining
from p2pvalue.node.members.leaving import Leaving
from p2pvalue.node.members.linking import Linking
from p2pvalue.node.members.member_events import MemberEvents
from p2pvalue.node.members.requests import heard
from p2pvalue.node.members.taking_part import TakingPart
from p2pvalue.node.needs.need_boards import NeedBoards
from p2pvalue.node.needs.need_closer import NeedCloser
from p2pvalue.node.node import DATABASE_NAME, Node, wall_clock_ms
from p2pvalue.node.notifications.notifications import Notifications
from p2pvalue.node.own_keys import OwnKeys
from p2pvalue.node.peers import known_peers
from p2pvalue.node.peers.neighbours import Neighbours
from p2pvalue.node.people import RANKS
from p2pvalue.node.references import resolve
from p2pvalue.node.used_community import UsedCommunity
from p2pvalue.node.value.capacity import Capacity
from p2pvalue.node.verification import verify_views
from p2pvalue.store import Store
from p2pvalue.texts.workers import TextWorkers
from p2pvalue_protocol import auth_payloads as auth
from p2pvalue_protocol.effects import Changed, Joined
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.invitation import InviteLink, format_link, invite_key, parse_link
from p2pvalue_protocol.kinds import card, profile
from p2pvalue_protocol.operation import KIND_AUTH_MAX
from p2pvalue_protocol.replica import Replica

log = logging.getLogger(__name__)

INVITE_SECRET_BYTES = 16


class RunningNode(Node):
    """One person's node. `NodeInterface` says what each method promises."""

    def __init__(
        self,
        data_dir: Path,
        config: Config,
        keystore: Keystore,
        store: Store,
        network: Network | None,
        *,
        clock_ms: Callable[[], int] = wall_clock_ms,
    ) -> None:
        super().__init__(
            keystore,
            store,
            network,
            clock_ms=clock_ms,
            announce=config.announce,
            is_gossiping=config.gossip,
        )
        self.data_dir = data_dir
        self.database = data_dir / DATABASE_NAME
        self.config = config
        self.started_s = time.monotonic()
        self.keys = OwnKeys(keystore)
        self.documents = OpenDocuments(TextWorkers())
        self.used_community = UsedCommunity(
            store,
            self.machine.communities,
            lambda community: self.leaving.has_left(community),
            lambda community: self._community(community).name,
        )
        self.boards = NeedBoards()
        self.need_closer = NeedCloser(self, self._rooms)
        self.notifications = Notifications(self, self._rooms, self.hub.publish, config.notify_hook)
        self.capacity = Capacity(self._rooms, self.clock_ms)
        self.editors = Editors(self, come_back=config.editors_come_back)
        self.audit = DocumentAudit(self)
        self.documents.on_used = self.audit.opened
        self.on_digests = self.audit.heard
        self.joining = Joining(self)
        self.neighbours = Neighbours(self, self.joining.is_any_under_way, self.joining.met)
        self.linking = Linking(self)
        self.devices = Devices(self)
        self.links.code_secret = self.linking.secret
        self.on_joined = self._on_joined
        self.on_linking = self.linking.on_linking
        self.on_join_requested = partial(heard, self)
        self.on_changed = self._on_changed
        self.on_topics_changed = self.neighbours.announce_again
        self.chunks = ChunkKeeper(self, config.blobs_quota_mb * sizes.MEBIBYTE)
        self.on_chunk_asked = self.chunks.asked
        self.on_chunk_brought = self.chunks.brought
        self.on_chunk_nowhere = self.chunks.nowhere
        self.on_ready = self.chunks.met
        self.leaving = Leaving(self)
        self.member_events = MemberEvents(self)
        self.forks = Forks(self)
        self.device_events = DeviceEvents(self)
        self._introductions = Introductions(self)
        self._taking_part = TakingPart(self)

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Serve peers and go on with joins until cancelled."""
        async with trio.open_nursery() as nursery:
            await nursery.start(super().run)
            nursery.start_soon(self.joining.run)
            nursery.start_soon(self.chunks.run)
            nursery.start_soon(self._introductions.run)
            self.member_events.start()
            self.forks.start()
            self.device_events.start()
            nursery.start_soon(self.linking.run)
            nursery.start_soon(self.documents.run)
            nursery.start_soon(self.audit.run)
            nursery.start_soon(self.need_closer.run)
            nursery.start_soon(self.notifications.run)
            if self.config.lan_discovery and self.network is not None:
                nursery.start_soon(self._meet_neighbours)
            task_status.started()

    async def _meet_neighbours(self) -> None:
        await self.is_network_up.wait()
        await self.neighbours.run()

    def peer_connected(self, peer_id: str) -> None:
        """Open what sessions we miss with a peer that called us, and ask it to let us in."""
        super().peer_connected(peer_id)
        self.joining.look_again(peer_id)

    async def close(self) -> None:
        """Keep what a quick start needs; call after `run` has ended."""
        self._taking_part.note_confirmed()
        await self.documents.close()
        self.hub.close()

    # --- communities

    def communities(self) -> list[t.CommunityView]:
        """Return the communities of this node by name."""
        chosen = self.used_community.chosen()
        views = [
            msgspec.structs.replace(self._community(community).view(), is_used=community == chosen)
            for community in self.machine.communities()
        ]
        return sorted(views, key=lambda view: (view.name, view.community))

    def community(self, reference: str | None = None) -> Community:
        """Return the community meant; None means the only one, or the one that was chosen."""
        if reference is None:
            return self._community(self.used_community.meant())
        named = [(known, self._community(known).name) for known in self.machine.communities()]
        return self._community(resolve(reference, named, "community"))

    def use_community(self, reference: str) -> list[t.CommunityView]:
        """Choose what is meant where no community is named; empty: none. Return all."""
        self.used_community.choose(self.community(reference).id if reference else None)
        return self.communities()

    def _community(self, community: bytes) -> Community:
        return Community(self, community, self.documents)

    def blobs(self, community: str | None = None) -> Blobs:
        """Return the files shared in the community meant."""
        return Blobs(self, self.community(community).id, self.chunks, self.random_bytes)

    async def create_community(
        self,
        name: str,
        *,
        read: t.Read = "members",
        join: t.Join = "invite",
        description: str = "",
        words: str = "",
    ) -> Community:
        """Found a community of which we are the founder: durable on return, or not at all."""
        first_words = (
            Draft(card.NUMBER, b"", card.encode_card(name, description)),
            Draft(profile.NUMBER, b"", profile.encode_profile(self.keystore.name)),
        )
        if join == "open" and read != "public":
            raise LocalProtocolError(
                "a community that anybody may join has nothing to hide: make it public, "
                "or let people in by invite"
            )
        lent = self.keys.lent(words)
        await trio.lowlevel.checkpoint()
        made = self._community(found(self, read, join, first_words, lent))
        self.listen_to_topics()
        self.tell_addresses()
        self.neighbours.announce_again()
        return made

    async def join(self, link: str, *, message: str = "", words: str = "") -> Community:
        """Start to join and return; the view says what it waits for."""
        lent = self.keys.lent(words)
        community = parse_link(link).community
        keys = self.keystore.keys(community)
        if keys is not None and not keys.link:
            self.leaving.check_return(community)
        self.joining.keep_message(community, message)
        if keys is None:
            keys = self.keystore.new_keys(link=link)
            self.keystore.put(community, keys)
            self.machine.add_replica(community, keys.device, keys.prekey_private)
        else:  # a second link, perhaps with better addresses, for the same device
            self.keystore.put(community, msgspec.structs.replace(keys, link=link))
        self.joining.start(community, lent)
        self.neighbours.announce_again()
        return self._community(community)

    async def invite(self, community: bytes, rank: t.Rank, uses: int) -> str:
        """Write an INVITE and return the link that carries its secret and our addresses."""
        number = RANKS.index(rank)
        replica = self.machine.replica(community)
        if replica.device is None or not replica.membership.may_invite(replica.device, number):
            raise NotAdmitted(
                f"your rank here may not invite a {rank}: invite a lower rank, or ask an admin"
            )
        addresses = await self.reachable_addresses()
        policy = replica.membership.policy()
        if policy is not None and policy.join == auth.JOIN_OPEN and rank == "guest":
            return format_link(InviteLink(community, b"", tuple(addresses)))
        secret = self.random_bytes(INVITE_SECRET_BYTES)
        payload = auth.invite_payload(invite_key(secret).public, number, uses)
        await self.write(community, [Draft(auth.INVITE, b"", payload)])
        return format_link(InviteLink(community, secret, tuple(addresses)))

    async def reachable_addresses(self) -> list[str]:
        """Return where others can call us, once there is a network; raises LocalProtocolError."""
        return await known_peers.reachable_addresses(self)

    async def set_profile(self, name: str) -> None:
        """Set the person's name in every community of this node."""
        for community in self.machine.communities():
            if self.is_admitted(community):
                await self._community(community).set_my_name(name)
        self.keystore.set_name(name)

    # --- what the communities ask (Context)

    def copy_of(self, community: bytes) -> Replica:
        """Return our copy of a community."""
        return self.machine.replica(community)

    def is_silent(self, community: bytes) -> bool:
        """Return whether nothing about a community is exchanged with anybody any more."""
        return self.leaving.is_silent(community)

    def is_admitted(self, community: bytes) -> bool:
        """Return whether our device may write in a community, by everything held."""
        device = self.device(community)
        return bool(device) and self.membership(community).standing(device) is not None

    def is_given_up(self, community: bytes) -> bool:
        """Return whether nobody heeds what the keys' device writes: put out, forked, or unknown."""
        keys = self.keystore.keys(community)
        if keys is None or community not in self.machine.communities():
            return False  # a link that broke half way leaves keys, and nothing that they wrote
        device, replica = keys.device.public, self.machine.replica(community)
        is_out = replica.membership.is_gone(device) or is_forked(replica, device)
        return is_out or self.is_unknown(community)

    def is_unknown(self, community: bytes) -> bool:
        """Return whether our device is in by what is held here alone, as far as we reached."""
        return self.machine.is_unknown(community, self.clock_ms())

    def participation(self, community: bytes) -> Participation:
        """Return how we take part in a community at the moment."""
        return self._taking_part.view(community)

    def _rooms(self) -> list[Community]:
        return [self.community(community.hex()) for community in self.machine.communities()]

    def _on_changed(self, changed: Changed) -> None:
        self.documents.changed(changed.community, changed.changes)
        self.boards.changed(changed.community, changed.changes)
        self.notifications.changed(changed)
        self.audit.changed(changed.community, changed.changes)
        self.member_events.changed(changed)
        self.chunks.changed(changed)
        self.forks.look(changed.community)
        if any(change.kind <= KIND_AUTH_MAX for change in changed.changes):
            self.device_events.look(changed.community)
            keys = self.keystore.keys(changed.community)
            if keys is not None and self.is_admitted(changed.community):
                self.joining.settle(changed.community)
                if keys.link:
                    self._introductions.admitted(changed.community)

    def _on_joined(self, joined: Joined) -> None:
        if not self.linking.on_joined(joined):
            self.joining.on_joined(joined)

    # --- the node itself

    def events(
        self, community: str | None = None
    ) -> AbstractAsyncContextManager[AsyncIterator[t.EventView]]:
        """Open a stream of changes from now on, of one community or of all."""
        return self.hub.open(None if community is None else self.community(community).id.hex())

    def status(self) -> t.StatusView:
        """Return how this node is."""
        return overview.status(self)

    def whoami(self) -> t.WhoAmIView:
        """Return who we are."""
        return overview.whoami(self)

    def doctor(self) -> list[t.CheckView]:
        """Return what is well and what is not, each with what to do."""
        return overview.doctor(self)

    def peers(self) -> list[t.PeerView]:
        """Return the peers that we know."""
        return known_peers.peers(self)

    async def add_peer(self, address: str, community: str | None = None) -> t.PeerView:
        """Remember where a peer is, and call it now."""
        return known_peers.add_peer(self, address, community)

    async def leave(self, community: str | None = None, *, wipe: bool = False) -> t.LeaveView:
        """Leave a community; one of several must be named, whatever was chosen."""
        known = self.used_community.only() if community is None else self.community(community).id
        return await self.leaving.leave(known, wipe=wipe)

    async def export(
        self,
        target: Path,
        progress: Callable[[int, int], None],
        *,
        community: str | None = None,
        is_forced: bool = False,
    ) -> Path:
        """Write all of one community that can be read here to files; return their folder."""
        return await export(
            self.community(community),
            self.blobs(community),
            self.store,
            target,
            progress,
            is_forced=is_forced,
        )

    async def backup(self, target: Path, progress: Callable[[int, int], None]) -> None:
        """Write a copy of what is stored to a new file, closed so that the words open it."""
        self.sign()
        await backup(self.store, target, progress, self.keystore.backup_key)

    async def verify(self, progress: Callable[[int, int], None]) -> list[t.CheckView]:
        """Check every stored operation and every view."""
        checks = await upkeep.verify(self, progress)
        return checks + await verify_views(
            self.store, self.data_dir, progress, self.keystore.database_key
        )

    async def rebuild(self, progress: Callable[[int, int], None]) -> list[t.CheckView]:
        """Make every view anew from the operations."""
        return await upkeep.rebuild(self, progress)
