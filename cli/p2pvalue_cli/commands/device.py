"""Your devices: bring in another, list them, put out a lost one."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from p2pvalue_cli import connection
from p2pvalue_cli.asking import confirm
from p2pvalue_cli.command import Group, as_json, community_option
from p2pvalue_cli.failures import Failed
from p2pvalue_cli.output import ago, is_person_reading, one_line, say, short, show, table
from p2pvalue_cli.secret_input import given_words, words_file_option

POLL_S = 0.3
MINUTE_S = 60
ENDINGS = {
    "expired": "the code is older than ten minutes: show a new one with p2pvalue device link",
    "cancelled": "the code was made void",
}


@click.group(cls=Group)
def device() -> None:
    """Use p2pvalue as one person on several devices."""


@device.command(example="p2pvalue device link --label 'My phone'")
@click.option("--label", default="", help="What to call this device; its system's name, if none.")
@click.option("--no-qr", is_flag=True, help="Show the code as text only.")
@click.option(
    "--wait/--no-wait",
    "is_waiting",
    default=True,
    help="Wait until the code was used, or return at once.",
)
def link(label: str, no_qr: bool, is_waiting: bool) -> None:
    """Make this new device one of yours: shows a code to give to a device you have already.

    Begin here with `p2pvalue init --linked` and `p2pvalue run`. On the other device, type:
    p2pvalue device add CODE. The code works once, within ten minutes; your words stay there.
    """
    shown = connection.post("/devices/link", label=label)
    if not as_json():
        _show_code(shown, with_qr=not no_qr)
    elif is_waiting:  # a program reads the answer; the code is for somebody who looks on
        click.echo(shown["code"], err=True)
    if is_waiting:
        shown = _linked()
    elif not as_json():
        return
    show(shown, lambda view: _say_linked(view, "this device is one of"))


@device.command(example="p2pvalue device add p2pvalue-device:1#…")
@click.argument("code", required=False)
@click.option("--yes", is_flag=True, help="Do not ask whether the code is your own device's.")
def add(code: str | None, yes: bool) -> None:
    """Bring in the new device that shows this CODE (or - for standard input)."""
    if code in (None, "-"):
        from p2pvalue_cli.reading import STDIN, text_from

        code = text_from(STDIN)
    if sys.stdin.isatty() and not as_json():
        click.echo("Whoever has that device will read all you read and write as you.", err=True)
        confirm("Is the code shown by a device of your own, in front of you?", is_sure=yes)
    added = connection.post("/devices/add", code=code)
    show(added, lambda view: _say_linked(view, f"{_called(view['label'])} is a device of"))


@device.command("list", example="p2pvalue device list")
@community_option
def list_devices(community: str | None) -> None:
    """List your devices, in all communities or in one."""
    show(connection.get("/devices", community=community), _write_list)


@device.command(example="p2pvalue device revoke 'My phone'")
@click.argument("name")
@click.option("--words", is_flag=True, help="Do it with your 24 words, from whatever device.")
@words_file_option
@click.option("--yes", is_flag=True, help="Do not ask whether you are sure.")
@community_option
def revoke(
    name: str, words: bool, words_file: str | None, yes: bool, community: str | None
) -> None:
    """Put out a lost or stolen device, by its NAME or the beginning of its id.

    What it wrote and is here stays; whatever else it wrote or writes will not count. From a device
    that came later than the lost one, your words are needed.
    """
    path = f"/devices/{connection.quoted(name)}"
    found = connection.get(f"{path}/revocation", community=community)
    _warn(found)
    confirm(f"Revoke {one_line(name)}?", is_sure=yes)
    is_by_words = words or words_file is not None or any(d["needs_words"] for d in found)
    if is_by_words and not (words or words_file):
        say("Only your words put out a device that came before this one.")
    given = given_words(words_file) if is_by_words else ""
    gone = connection.post(f"{path}/revoke", community=community, words=given)
    show(gone, _say_revoked)


def _show_code(shown: dict[str, Any], *, with_qr: bool) -> None:
    if with_qr and is_person_reading():
        import segno

        segno.make_qr(shown["code"], error="l").terminal(compact=True)
    click.echo("On a device you have already, type: p2pvalue device add and this code", err=True)
    # It stands alone on standard output, so that it can be copied or piped.
    click.echo(shown["code"])


def _linked() -> dict[str, Any]:
    """How it ended; a person who no longer waits makes the code void."""
    try:
        while (view := connection.get("/devices/link"))["state"] == "waiting":
            time.sleep(POLL_S)
    except KeyboardInterrupt:
        connection.post("/devices/link/cancel")
        raise Failed(ENDINGS["cancelled"]) from None
    if view["state"] != "linked":
        raise Failed(ENDINGS.get(view["state"], one_line(view["message"])))
    found: dict[str, Any] = view
    return found


def _say_linked(view: dict[str, Any], what: str) -> None:
    names = {c["community"]: c["name"] for c in connection.get("/communities")}
    places = ", ".join(one_line(names.get(c, short(c))) for c in view["communities"])
    say(f"{what} {one_line(view['name'])} now, in {places or 'no community yet'}")


def _called(label: str) -> str:
    return one_line(label) or "the new device"


def _write_list(devices: list[dict[str, Any]]) -> None:
    if not devices:
        say("no devices yet: they come with your first community")
        return
    names = {c["community"]: c["name"] for c in connection.get("/communities")}
    labels = {d["device"]: d["label"] or short(d["device"]) for d in devices}
    rows = [
        (
            short(d["device"]),
            (d["label"] or "?") + (" (this one)" if d["is_this"] else ""),
            names.get(d["community"], short(d["community"])),
            d["state"],
            labels.get(d["added_by"], "your words"),
            ago(d["added"]),
            ago(d["last_seen"]),
        )
        for d in devices
    ]
    table(("DEVICE", "NAME", "COMMUNITY", "STATE", "ADDED BY", "ADDED", "LAST SEEN"), rows)


def _warn(devices: list[dict[str, Any]]) -> None:
    """Say what comes with it: newcomers by that device, and words that nobody here holds."""
    brought_in = sorted({short(other) for d in devices for other in d["brought_in"]})
    if brought_in:
        click.echo(
            f"It brought in other devices, which stay: {', '.join(brought_in)}. Revoke those too "
            "that you do not know.",
            err=True,
        )
    if any(d["is_this"] for d in devices):
        click.echo("That is this very device: it could write no more.", err=True)
    click.echo("What it wrote and has not reached this device will not count.", err=True)


def _say_revoked(gone: list[dict[str, Any]]) -> None:
    names = {c["community"]: c["name"] for c in connection.get("/communities")}
    for view in gone:
        place = one_line(names.get(view["community"], short(view["community"])))
        say(f"revoked {one_line(view['label']) or short(view['device'])} in {place}")
