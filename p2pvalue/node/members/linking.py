"""Bringing in another device: the code that a new one shows, and the older one that is given it.

A code is held in memory only, for ten minutes, and works once. Keys are made and kept before the
core hears of them: an operation that is stored must never be without its author.
"""

from __future__ import annotations

import logging
import platform
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import msgspec
import trio

from p2pvalue import types as t
from p2pvalue.kept_keys import CommunityKeys
from p2pvalue.network.interface import LINK_PROTOCOL, LinkClosed
from p2pvalue.node.members.devices import give_up_device
from p2pvalue.node.peers.dialing import peer_id_of
from p2pvalue.store import StoreFailed
from p2pvalue_protocol import device_code as code
from p2pvalue_protocol.device_code import DeviceCode, format_code, parse_code
from p2pvalue_protocol.effects import DevicesWanted, Joined, Linked
from p2pvalue_protocol.errors import ConfigError, LocalProtocolError
from p2pvalue_protocol.inputs import DeviceKeys, DevicesMade, LinkStarted, PersonHere
from p2pvalue_protocol.limits import LABEL_CHARACTERS_MAX
from p2pvalue_protocol.link_frames import LinkRefusal

if TYPE_CHECKING:
    from p2pvalue.node.running import RunningNode

log = logging.getLogger(__name__)

CODE_S_MAX: Final = 600.0
LINK_S_MAX: Final = 40.0  # with calling, less than a caller of the API waits

LinkState = Literal["waiting", "linked", "failed", "expired", "cancelled"]


@dataclass
class _Offer:
    """One code that was shown, and what became of it."""

    text: str
    secret: bytes
    ends_s: float
    state: LinkState = "waiting"
    session: int = 0  # of who showed to know the secret; 0: nobody yet
    name: str = ""
    label: str = ""
    communities: tuple[bytes, ...] = ()
    message: str = ""


@dataclass
class _Call:
    """One device that we call by its code."""

    linked: Linked | None = None


class Linking:
    """The links between this device and others of its person."""

    def __init__(self, node: RunningNode) -> None:
        self._node = node
        self._offer: _Offer | None = None
        self._calls: dict[int, _Call] = {}
        self._wanted, self._wants = trio.open_memory_channel[DevicesWanted](4)

    async def run(self) -> None:
        """Make keys for whoever showed to know our code, one after the other, until cancelled."""
        async for wanted in self._wants:
            try:
                self._make_keys(wanted)
            except StoreFailed as failure:
                log.error("a device could not be linked: %s", failure)
                if self._offer is not None and self._offer.session == wanted.session:
                    self._offer.state, self._offer.message = "failed", str(failure)

    # --- the new device

    async def show_code(self, label: str = "") -> t.DeviceLinkView:
        """Make a code that one older device may use within ten minutes; an earlier one is void."""
        addresses = await self._node.reachable_addresses()
        peer_id = self._node.network.peer_id if self._node.network is not None else ""
        secret = self._node.random_bytes(code.SECRET_BYTES)
        places = [a.rpartition("/p2p/")[0] for a in addresses if peer_id_of(a) == peer_id]
        text = format_code(DeviceCode(peer_id, tuple(places[: code.ADDRESSES_MAX]), secret))
        self._offer = _Offer(text, secret, trio.current_time() + CODE_S_MAX)
        self.set_own_label(label)
        return self.view()

    def cancel(self) -> t.DeviceLinkView:
        """Make the code void that was shown last."""
        offer = self._current()
        if offer.state == "waiting" and not offer.session:
            offer.state = "cancelled"
        return self.view()

    def secret(self) -> bytes | None:
        """Return what a caller must know, or None if no code stands."""
        self._expire()
        offer = self._offer
        if offer is None or offer.state != "waiting" or offer.session:
            return None
        return offer.secret

    def view(self) -> t.DeviceLinkView:
        """Return how it stands with the code that was shown last; raises LocalProtocolError."""
        offer = self._current()
        self._expire()
        return t.DeviceLinkView(
            state=offer.state,
            code=offer.text if offer.state == "waiting" else "",
            seconds_left=max(0, round(offer.ends_s - trio.current_time())),
            name=offer.name,
            label=offer.label,
            communities=[community.hex() for community in offer.communities],
            message=offer.message,
        )

    def _current(self) -> _Offer:
        if self._offer is None:
            raise LocalProtocolError("no code was shown: make one with `p2pvalue device link`")
        return self._offer

    def _expire(self) -> None:
        offer = self._offer
        is_late = offer is not None and trio.current_time() > offer.ends_s and not offer.session
        if offer is not None and is_late and offer.state == "waiting":
            offer.state = "expired"

    def _make_keys(self, wanted: DevicesWanted) -> None:
        offer = self._offer
        if offer is None or self.secret() is None:  # another caller was faster
            self._answer(wanted, (), LinkRefusal.INVALID)
            return
        offer.session = wanted.session
        offer.name, offer.label = wanted.person.name, wanted.person.label
        keystore = self._node.keystore
        if not keystore.follows(wanted.person.words_check):
            self._answer(wanted, (), LinkRefusal.OTHER_PERSON)
            return
        made: list[DeviceKeys] = []
        try:
            keystore.follow(offer.name, wanted.person.words_check, wanted.person.backup_key)
            for community, nonce, root in wanted.communities:
                keys = self._keys_for(community, nonce, root)
                if keys is not None:
                    made.append(DeviceKeys(community, keys.device, keys.prekey_private))
        except (ConfigError, LocalProtocolError) as error:
            offer.message = str(error)
            made = []
        is_refused = bool(wanted.communities) and not made
        self._answer(wanted, tuple(made), LinkRefusal.OTHER_PERSON if is_refused else None)

    def _answer(
        self,
        wanted: DevicesWanted,
        made: tuple[DeviceKeys, ...],
        refusal: LinkRefusal | None,
    ) -> None:
        label = self.own_label()
        self._node.handle(DevicesMade(wanted.session, label, made, refusal or 0))

    def _keys_for(self, community: bytes, nonce: bytes, root: bytes) -> CommunityKeys | None:
        """Return kept keys of ours for a community; None if we are somebody else there."""
        keystore = self._node.keystore
        held = keystore.keys(community)
        if held is not None and held.root not in (b"", root):
            return None
        if keystore.entropy is not None and keystore.root_for(nonce).public != root:
            return None
        if held is not None and not self._node.is_given_up(community):
            keystore.put(community, msgspec.structs.replace(held, nonce=nonce, root=root))
            return keystore.keys(community)
        keys = msgspec.structs.replace(keystore.new_keys(nonce=nonce), root=root)
        if held is None:
            keystore.put(community, keys)
        else:
            give_up_device(self._node, community, keys)
        return keys

    def on_joined(self, joined: Joined) -> bool:
        """Keep what the core learned on a link of ours; return whether it was one."""
        offer = self._offer
        if offer is None or joined.session != offer.session:
            return False
        if joined.state == "admitted":
            self._node.joining.expect_history(joined.community)
            if self._node.dialer is not None:
                self._node.dialer.look_again()
        return True

    # --- the older device

    async def add(self, text: str) -> t.DeviceLinkView:
        """Call the device that showed this code, and make it one of ours; done on return.

        Raises LocalProtocolError with what to do if it cannot be reached or does not take the code.
        """
        read = parse_code(text)
        network = self._node.network
        if network is None:
            raise LocalProtocolError("this node has no network: set `listen` in config.toml")
        if read.peer_id == network.peer_id:
            raise LocalProtocolError(
                "this is the code of this very device: give it to one that is in your communities"
            )
        if not any(map(self._node.is_admitted, self._node.machine.communities())):
            raise LocalProtocolError(
                "this device is in no community yet, so it cannot bring another one in: show the "
                "code on the new device, and give it to one that is"
            )
        await self._node.is_network_up.wait()
        try:
            await network.connect([f"{address}/p2p/{read.peer_id}" for address in read.addresses])
            stream = await network.open_link(read.peer_id, LINK_PROTOCOL)
        except (ConnectionError, LinkClosed) as error:
            raise LocalProtocolError(
                f"the new device cannot be reached: leave it on, in the same network ({error})"
            ) from None
        session = self._node.links.number()
        call = self._calls[session] = _Call()
        started = LinkStarted(session, read.peer_id, read.secret, self._person())
        try:
            with trio.move_on_after(LINK_S_MAX):
                await self._node.links.carry(stream, session, started)
        finally:
            del self._calls[session]
        return self._view_of(call)

    def _person(self) -> PersonHere:
        keystore = self._node.keystore
        return PersonHere(
            keystore.name, self.own_label(), keystore.words_check, keystore.backup_key_if_known
        )

    def _view_of(self, call: _Call) -> t.DeviceLinkView:
        linked = call.linked
        if linked is None or linked.state == "failed":
            message = linked.message if linked is not None else "the new device did not answer"
            raise LocalProtocolError(f"the device was not added: {message}")
        return t.DeviceLinkView(
            state="linked",
            name=self._node.keystore.name,
            label=linked.label,
            communities=[community.hex() for community, _ in linked.devices],
        )

    # --- both

    def on_linking(self, told: DevicesWanted | Linked) -> None:
        """Take note of what the core says of a link; called while its effects are performed."""
        if isinstance(told, DevicesWanted):
            with suppress(trio.WouldBlock):  # only who knows a code that stands comes this far
                self._wanted.send_nowait(told)
            return
        self._keep_labels(told)
        call, offer = self._calls.get(told.session), self._offer
        if call is not None:
            call.linked = told
        elif offer is not None and offer.session == told.session:
            offer.state = told.state
            offer.label = told.label or offer.label
            offer.communities = tuple(community for community, _ in told.devices)
            offer.message = offer.message or told.message
            offer.secret = b""
            self._node.tell_addresses()

    # --- what devices are called, by their person alone

    def _keep_labels(self, linked: Linked) -> None:
        """Remember what a linked device calls itself; one without a name works as well."""
        try:
            for _, device in linked.devices:
                self.set_label(device, linked.label)
        except StoreFailed as failure:
            log.error("what a linked device is called was not kept: %s", failure)

    def own_label(self) -> str:
        """Return what this device is called: as it was named, or as its system calls it."""
        kept = self._node.store.meta("device-label")
        return (kept.decode() if kept else platform.node())[:LABEL_CHARACTERS_MAX]

    def set_own_label(self, label: str) -> None:
        """Name this device for its person's others; an empty name changes nothing."""
        if len(label) > LABEL_CHARACTERS_MAX:
            raise LocalProtocolError(f"a device's name has up to {LABEL_CHARACTERS_MAX} characters")
        if label:
            self._node.store.put_meta("device-label", label.encode())

    def label(self, device: bytes) -> str:
        """Return what another device of ours called itself when they were linked; may be empty."""
        kept = self._node.store.meta(f"device-label:{device.hex()}")
        return kept.decode() if kept else ""

    def set_label(self, device: bytes, label: str) -> None:
        """Remember what another device of ours is called."""
        if label:
            self._node.store.put_meta(f"device-label:{device.hex()}", label.encode())
