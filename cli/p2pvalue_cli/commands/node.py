"""The node itself: status, whoami, profile, doctor, peers."""

from __future__ import annotations

from typing import Any

import click

from p2pvalue import sizes
from p2pvalue.amounts import counted
from p2pvalue_cli import connection
from p2pvalue_cli.amounts import BadAmount, parse_quantity
from p2pvalue_cli.command import Command, Group, community_option, data_dir, run_hint
from p2pvalue_cli.drafts import all_drafts
from p2pvalue_cli.failures import FAILED
from p2pvalue_cli.output import checks, one_line, say, short, show

NETWORK = {
    "starting": "starting",
    "up": "up",
    "off": "off (no listen address is set)",
    "restarting": "restarting after a fault",
}


@click.command(cls=Command, example="p2pvalue status")
def status() -> None:
    """How the daemon is: network, communities, memory, disk."""
    show(connection.get("/status"), _write_status)


@click.command(cls=Command, example="p2pvalue whoami")
def whoami() -> None:
    """Who writes here: your name, your node, your devices."""
    show(connection.get("/whoami"), _write_whoami)


class HoursAWeek(click.IntRange):
    """Whole hours of a week, written as `3`, or as any other time is."""

    def __init__(self) -> None:
        super().__init__(0, 168)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number; refuses what is none, or is more than a week has."""
        try:
            minutes, _ = parse_quantity("hours", str(value))
        except BadAmount:
            return super().convert(value, param, ctx)
        if minutes % 60:
            self.fail(f"{value!r} is no whole number of hours", param, ctx)
        return super().convert(minutes // 60, param, ctx)


@click.group(cls=Group)
def profile() -> None:
    """What others see of you."""


@profile.command("set", example="p2pvalue profile set 'Ana' --skill carpentry --hours 3")
@click.argument("name", required=False)
@click.option("--skill", "skills", multiple=True, help="What you can; replaces what you said.")
@click.option("--interest", "interests", multiple=True, help="What you like; replaces, too.")
@click.option(
    "--hours", type=HoursAWeek(), help="Hours a week that you have, as 3h; 0: say nothing."
)
def set_profile(
    name: str | None, skills: tuple[str, ...], interests: tuple[str, ...], hours: int | None
) -> None:
    """Set your NAME, and what you can and like to do, in every community. All but it is optional.

    `--skill ''` takes back what you said.
    """
    if name is None and not skills and not interests and hours is None:
        raise click.UsageError("say what is to be set: your name, --skill, --interest or --hours")
    told: dict[str, Any] = {}
    if name is not None:
        told = connection.put("/profile", name=name)
    if skills or interests or hours is not None:
        given: dict[str, Any] = {}
        if skills:
            given["skills"] = [skill for skill in skills if skill]
        if interests:
            given["interests"] = [interest for interest in interests if interest]
        if hours is not None:
            given["hours_per_week"] = hours
        told |= connection.put("/offers", **given)
    show(told, _say_profile)


@profile.command("show", example="p2pvalue profile show")
def show_profile() -> None:
    """Show what you said of yourself."""
    show(connection.get("/whoami") | connection.get("/offers"), _say_profile)


def _say_profile(told: dict[str, Any]) -> None:
    if "name" in told:
        say(f"you are {one_line(told['name'])}")
    for what in ("skills", "interests"):
        if told.get(what):
            say(f"{what}: {one_line(', '.join(told[what]))}")
    if told.get("hours_per_week"):
        say(f"hours a week: {told['hours_per_week']}")


@click.command(cls=Command, example="p2pvalue doctor")
@click.pass_context
def doctor(context: click.Context) -> None:
    """Look for what commonly goes wrong; ends with code 1 if something is."""
    found = connection.get("/doctor")
    show(found, checks)
    if not all(check["is_ok"] for check in found):
        context.exit(FAILED)


@click.group(cls=Group)
def peer() -> None:
    """Other nodes and their addresses."""


@peer.command("list", example="p2pvalue peer list")
def list_peers() -> None:
    """List the nodes we know of."""
    show(connection.get("/peers"), _write_peers)


@peer.command(example="p2pvalue peer add /ip4/192.0.2.7/tcp/4801")
@click.argument("address")
@community_option
def add(address: str, community: str | None) -> None:
    """Dial a node at an ADDRESS, and keep the address."""
    added = connection.post("/peers", address=address, community=community)
    show(added, lambda p: say(f"will dial {one_line(p['addresses'][0])}"))


def _write_status(status: dict[str, Any]) -> None:
    click.echo(f"{status['state']} as process {status['pid']} on {status['data_dir']}")
    if status["state"] == "locked":
        click.echo(f"waiting for {status['waiting_for']}")
        return
    if status["protection"] == "none":
        click.echo(f"keys lie open on the disk; {run_hint('passphrase change')} closes them")
    else:
        click.echo(f"keys closed by: {status['protection']}")
    click.echo(f"network {NETWORK.get(status['network'], status['network'])}")
    click.echo(f"peers connected: {status['peers']}")
    for address in status["addresses"]:
        click.echo(f"reachable at {address}")
    click.echo(
        f"memory {sizes.said(status['rss_bytes'])}, "
        f"database {sizes.said(status['database_bytes'])}, "
        f"writes survive a {status['durability'].replace('-', ' ')}"
    )
    for community in status["communities"]:
        state = "" if community["state"] == "active" else f" ({community['state']})"
        if community["state"] == "joining":
            state = f" (waiting for {one_line(community['waiting_for'] or 'a member')})"
        state += ", used without -c" if community["is_used"] else ""
        click.echo(
            f"{one_line(community['name'])}{state}: members {community['members']}, "
            f"operations {community['operations']}, not yet with anybody {community['unshared']}"
        )
        if community["sealed"]:
            changes = counted(community["sealed"], "change waits", "changes wait")
            click.echo(f"  {changes} for the key to read")
        for reminder in community["reminders"]:
            click.secho(f"  {one_line(reminder)}", fg="yellow")
    for warning in status["warnings"]:
        click.secho(f"warning: {one_line(warning)}", fg="yellow")
    if kept := len(all_drafts(data_dir())):
        texts = counted(kept, "text waits", "texts wait")
        click.secho(f"{texts} to be saved: {run_hint('document drafts')}", fg="yellow")


def _write_whoami(who: dict[str, Any]) -> None:
    click.echo(f"name: {one_line(who['name'])}")
    click.echo(f"node: {who['peer']}")
    for community, device in who["devices"].items():
        click.echo(f"device in community {short(community)}: {short(device) or 'none, only reads'}")


def _write_peers(peers: list[dict[str, Any]]) -> None:
    if not peers:
        say("no peers known yet; they come with an invite, or by: p2pvalue peer add ADDRESS")
        return
    for known in peers:
        click.echo(f"{known['peer']}: {_peer_state(known)}")
        for address in known["addresses"]:
            click.echo(f"  {one_line(address)}")
        if known["last_error"] and not known["is_connected"]:
            click.echo(f"  {one_line(known['last_error'])}")


def _peer_state(peer: dict[str, Any]) -> str:
    if peer["is_connected"]:
        return "connected"
    if peer["next_dial_in_s"] is None:
        return "away"
    return f"away, tried again in {peer['next_dial_in_s']:.0f} s"
