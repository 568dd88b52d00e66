"""Prove to people who are no members what became of a need, and check what others prove."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from p2pvalue.amounts import counted, written
from p2pvalue_cli import connection
from p2pvalue_cli.command import Command
from p2pvalue_cli.failures import Failed, NoDaemon, NotHere, NotWhole
from p2pvalue_cli.output import day, one_line, show, table

_KEY_DIGITS = 16
_WHOLE_ID = re.compile("[0-9a-fA-F]{64}")


@click.command(cls=Command, example="p2pvalue pledge verify 'Fix the fence' --file fence.proof")
@click.argument("need", metavar="NEED|FILE")
@click.option(
    "-f",
    "--file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Leave the proof of a need here, to be given to others.",
)
@click.option(
    "-c",
    "--community",
    metavar="NAME",
    help="Which community: its name or the beginning of its id. Of a FILE: the whole id of the"
    " community it must be about.",
)
def verify(need: str, file: Path | None, community: str | None) -> None:
    """Prove what became of a NEED, or check a FILE that does, and print what it proves.

    Of a NEED the proof is made, and checked as a stranger would: what became of the need is
    computed from what is in the proof. `--file` leaves it in a file, which anybody can check:
    no member, no daemon, no network. It discloses all words about this need and its pledges, the
    profiles of the people concerned, and of all members their keys and ranks, and when each of
    their devices wrote what kind of thing; no other words.

    Exit code 0: it holds. 1: it does not. 7: it holds, and does not show all that it points to.
    """
    path = Path(need)
    if file is not None or not path.is_file():
        _show(_made(need, file, community))
    elif path.name == need and _is_need(need, community):
        raise click.UsageError(
            f"{need} is a file here, and a need is called so, too: for the file type ./{need}, for"
            " the need give --file or the beginning of its id"
        )
    else:
        _show(_checked(path, community))


def _made(need: str, file: Path | None, community: str | None) -> dict[str, Any]:
    """What the proof of a need proves; it is left in a file, if one is named."""
    path = f"/needs/{connection.quoted(need)}/prove"
    target = None if file is None else str(file.absolute())
    try:
        found: dict[str, Any] = connection.post(path, target=target, community=community)
    except (NoDaemon, NotHere) as failure:
        if file is not None:
            raise
        neither = f"there is no file {need}; and for a need of that name: {failure.message}"
        raise type(failure)(neither, name=failure.name) from failure
    return found


def _is_need(need: str, community: str | None) -> bool:
    """Whether a daemon runs here and knows a need by that; a stranger has none."""
    try:
        connection.get(f"/needs/{connection.quoted(need)}", community=community)
    except Failed:
        return False
    return True


def _checked(path: Path, community: str | None) -> dict[str, Any]:
    """What a file proves by itself: nobody is asked, and nothing else is read."""
    import msgspec

    from p2pvalue.node.needs.need_proofs import read_proof_file

    if community is not None and not _WHOLE_ID.fullmatch(community):
        raise click.UsageError(
            f"--community {one_line(community)} is no whole id: of a file give all of its 64 digits"
        )
    found: dict[str, Any] = msgspec.to_builtins(read_proof_file(path))
    if community is not None and community.lower() != found["community"]:
        raise Failed(
            f"{path.name} is about another community, {found['community']}: ask for one about yours"
        )
    return found


def _show(found: dict[str, Any]) -> None:
    show(found, _write)
    if not found["is_whole"]:
        raise NotWhole(f"the file does not show all that it points to: {_left_out(found)}")


def _write(found: dict[str, Any]) -> None:
    need = found["need"]
    click.secho(one_line(need["title"]), bold=True)
    click.echo(f"{need['state']}, asked by {one_line(need['name'])} on {day(need['created'])}")
    for number, line in enumerate(need["lines"], 1):
        goal = written(line["kind"], line["unit"], line["minimum"])
        pledged, delivered = (
            written(line["kind"], line["unit"], line[part]) for part in ("pledged", "delivered")
        )
        click.echo(f"{number}. {pledged} of {goal} pledged, {delivered} confirmed")
    for closing in need["closings"]:
        click.echo(f"closed by {one_line(closing['name'])} on {day(closing['time'])}")
    if found["pledges"]:
        heads = ("BY", "KEY", "AMOUNT", "STATE", "CONFIRMED", "SEEN BY")
        table(heads, (_row(pledge, found["done"]) for pledge in found["pledges"]))
    founders = ", ".join(f"{one_line(f['name'])} {f['member']}" for f in found["founders"])
    click.echo(f"community: {found['community']}")
    click.echo(f"founded by: {founders}")
    until = f"{day(found['as_of'])}, with {found['operations']} operations"
    click.echo(f"as of: {until}; digest {found['digest']}")
    click.echo(
        "Proven: these keys signed these words, and by the rules this is what became of them.\n"
        "Not proven: that nothing was said later or left out, nor what anybody is called. Compare"
        " the community's id with one that you trust."
    )
    others = found["not_shown"]["pledges"]
    if others:
        what = counted(others, "more act on pledges stands", "more acts on pledges stand")
        click.echo(
            f"{what} in the history that this rests on: about which needs is sealed to you, and"
            " takes nothing from what is proven."
        )


def _row(pledge: dict[str, Any], done: list[dict[str, Any]]) -> tuple[str, ...]:
    witnesses = (d["witnesses"] for d in done if d["pledge"] == pledge["pledge"])
    return (
        pledge["name"],
        pledge["member"][:_KEY_DIGITS],
        _amount(pledge, "quantity"),
        pledge["state"],
        _amount(pledge, "delivered") if pledge["delivered"] else "",
        ", ".join(person["name"] for people in witnesses for person in people),
    )


def _amount(pledge: dict[str, Any], field: str) -> str:
    return one_line(written(pledge["kind"] or "material", pledge["unit"], pledge[field]))


def _left_out(found: dict[str, Any]) -> str:
    left = found["not_shown"]
    parts = (
        (len(left["changes"]), "change{} of the need"),
        (left["named"], "word{} named when it closed"),
        (left["kept"], "head{} of logs of who was put out"),
    )
    counted = ", ".join(
        f"{count} {what.format('' if count == 1 else 's')}" for count, what in parts if count
    )
    return f"{counted}; ask who made it, or somebody else, for a whole one"
