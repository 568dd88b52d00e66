"""Devices in memory, for a node of straw: a laptop, a phone that it brought in, and their codes."""

from __future__ import annotations

import msgspec

from p2pvalue import types as t
from p2pvalue.keystore import WordsNeeded
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound

CODE = "p2pvalue-device:1#AAAA"


class FakeLinking:
    """Fulfils LinkingInterface; every second look at a code finds it used."""

    def __init__(self) -> None:
        self.shown: t.DeviceLinkView | None = None
        self.looks = 0

    async def show_code(self, label: str = "") -> t.DeviceLinkView:
        self.looks = 0
        self.shown = t.DeviceLinkView(state="waiting", code=CODE, seconds_left=600)
        return self.shown

    def cancel(self) -> t.DeviceLinkView:
        self.shown = msgspec.structs.replace(self.view(), state="cancelled", code="")
        return self.shown

    def view(self) -> t.DeviceLinkView:
        if self.shown is None:
            raise LocalProtocolError("no code was shown: make one with `p2pvalue device link`")
        self.looks += 1
        if self.looks == 2 and self.shown.state == "waiting":
            self.shown = t.DeviceLinkView(state="linked", name="Ana", label="laptop")
        return self.shown

    async def add(self, text: str) -> t.DeviceLinkView:
        if text.strip() != CODE:
            raise LocalProtocolError("the code is cut short or mistyped: paste it whole")
        return t.DeviceLinkView(state="linked", name="Ana", label="phone")


class FakeDevices:
    """Fulfils DevicesInterface."""

    def __init__(self) -> None:
        laptop = t.DeviceView(
            community="c" * 64,
            device="a" * 64,
            label="laptop",
            is_this=True,
            state="live",
            added=1_700_000_000_000,
            last_seen=1_700_000_100_000,
            brought_in=["b" * 64],
            needs_words=True,
        )
        phone = msgspec.structs.replace(
            laptop,
            device="b" * 64,
            label="phone",
            is_this=False,
            added_by="a" * 64,
            brought_in=[],
            needs_words=False,
        )
        self.views = [laptop, phone]
        self.recovered: list[str] = []

    def all(self, community: str | None = None) -> list[t.DeviceView]:
        return self.views

    def named(self, reference: str, community: str | None = None) -> list[t.DeviceView]:
        found = [v for v in self.views if reference == v.label or v.device.startswith(reference)]
        if not found:
            raise NotFound(f'there is no device "{reference}" here')
        return found

    async def revoke(
        self, reference: str, *, community: str | None = None, words: str = ""
    ) -> list[t.DeviceView]:
        (view,) = self.named(reference)
        if view.needs_words and not words:
            raise NotAdmitted("use a device that came before, or the 24 words")
        gone = msgspec.structs.replace(view, state="revoked")
        self.views = [gone if known == view else known for known in self.views]
        return [gone]

    async def link_of(self, community: str | None) -> str:
        return "p2pvalue:1#garden"

    async def recover(self, link: str, *, words: str = "") -> t.CommunityView:
        if not words:
            raise WordsNeeded("this takes your 24 words: give them with --words-file")
        self.recovered.append(link)
        return t.CommunityView(
            community="c" * 64,
            name="Garden",
            read="members",
            join="invite",
            rank=None,
            members=0,
            device="d" * 64,
            state="joining",
            waiting_for="a member of Garden to come online",
        )
