"""Projects: create, edit, drop, list, show, join, follow, link."""

from __future__ import annotations

from typing import Any

import click

from p2pvalue.amounts import counted
from p2pvalue_cli import connection
from p2pvalue_cli.command import Group, community_option
from p2pvalue_cli.messages import comment as write_comment
from p2pvalue_cli.messages import with_comments, write_comments
from p2pvalue_cli.need_pages import write_needs
from p2pvalue_cli.need_said import say_of_same_name
from p2pvalue_cli.output import ago, one_line, say, short, show, table
from p2pvalue_cli.quoting import write_quoted

_reference = click.argument("reference", metavar="PROJECT")
_TOLD = {
    "member": "you are a member of {}",
    "follower": "you follow {}",
    "none": "you are no member of {} any more, and do not follow it",
}


@click.group(cls=Group)
def project() -> None:
    """What several needs belong to: a garden, a workshop, a festival."""


def _describing(function: Any) -> Any:
    """Give a command the options that describe a project."""
    for option in (
        click.option("--image", metavar="FILE", help="A shared file (blob list); '' for none."),
        click.option("--place", help="Where it is; '' for nowhere."),
        click.option("--body", help="What it is about, in more words."),
    ):
        function = option(function)
    return function


@project.command(example="p2pvalue project create 'Community garden' --place 'Behind the hall'")
@click.argument("title")
@_describing
@community_option
def create(title: str, community: str | None, **given: Any) -> None:
    """Begin a project; `need add --project` says what it needs."""
    made = connection.post("/projects", title=title, community=community, **given)
    show(made, lambda p: say(f"began {one_line(p['title'])} (project {short(p['project'])})"))
    every = connection.get("/projects", community=community)
    say_of_same_name("project", made, [(found, _is(found)) for found in every])


def _is(found: dict[str, Any]) -> str:
    return "dropped" if found["dropped"] else counted(found["needs"], "need")


@project.command(example="p2pvalue project edit 'Community garden' --body 'Open on Saturdays'")
@_reference
@click.option("--title", help="Another title.")
@_describing
@click.option("--open", "opens", is_flag=True, help="It was dropped, and goes on.")
@community_option
def edit(
    reference: str, title: str | None, opens: bool, community: str | None, **given: Any
) -> None:
    """Change a PROJECT: its title, or the beginning of its id."""
    fields = {"title": title, "dropped": False if opens else None, **given}
    if all(value is None for value in fields.values()):
        raise click.UsageError("say what is to change: p2pvalue project edit --help lists what can")
    changed = connection.put(_path(reference), community=community, **fields)
    show(changed, lambda p: say(f"changed {one_line(p['title'])}"))


@project.command(example="p2pvalue project drop 'Community garden'")
@_reference
@community_option
def drop(reference: str, community: str | None) -> None:
    """Give a PROJECT up; its needs stay, and `project edit --open` takes that back."""
    dropped = connection.put(_path(reference), dropped=True, community=community)
    show(dropped, lambda p: say(f"dropped {one_line(p['title'])}; its needs stay as they are"))


def _role_command(name: str, role: str, sentence: str) -> None:
    @project.command(name, example=f"p2pvalue project {name} 'Community garden'", help=sentence)
    @_reference
    @community_option
    def say_role(reference: str, community: str | None) -> None:
        told = connection.post(f"{_path(reference)}/role", role=role, community=community)
        show(told, lambda p: say(_TOLD[role].format(one_line(p["title"]))))


_role_command("join", "member", "Say that you take part in a PROJECT.")
_role_command("leave", "none", "Say that you take part in a PROJECT no more.")
_role_command("follow", "follower", "Say that you follow a PROJECT, without taking part.")
_role_command("unfollow", "none", "Say that you follow a PROJECT no more.")


@project.command(example="p2pvalue project link 'Community garden' Town -c Garden")
@_reference
@click.argument("other", metavar="COMMUNITY")
@click.option(
    "--as",
    "project_there",
    default="",
    metavar="PROJECT",
    help="What it is there; else made new, or asked for.",
)
@click.option("--end", is_flag=True, help="It is the same no more.")
@community_option
def link(reference: str, other: str, project_there: str, end: bool, community: str | None) -> None:
    """Say that a PROJECT is the same as one in another COMMUNITY of yours.

    `project show` then has the needs of both. The members of each community can see that the other
    one exists, and nothing else of it.
    """
    told = connection.post(
        f"{_path(reference)}/also",
        other=other,
        project_there=project_there,
        linked=not end,
        community=community,
    )
    show(told, lambda p: _say_linked(p, other, is_linked=not end))


@project.command("list", example="p2pvalue project list")
@click.option("--all", "every", is_flag=True, help="Also what was dropped.")
@click.option("--mine", is_flag=True, help="Only those that you take part in or follow.")
@community_option
def list_projects(every: bool, mine: bool, community: str | None) -> None:
    """List the projects, and how many of their needs are open or under way."""
    known = connection.get("/projects", community=community)
    found = [
        view
        for view in known
        if (every or not view["dropped"]) and (not mine or view["role"] != "none")
    ]
    show(found, lambda chosen: _write_all(chosen, len(known)))


@project.command("show", example="p2pvalue project show 'Community garden'")
@_reference
@community_option
def show_project(reference: str, community: str | None) -> None:
    """Show a PROJECT and its needs, with those of what it is linked to."""
    page = connection.get(_path(reference), community=community)
    show(with_comments(page, page["project"]["project"], community), _write_one)


@project.command(example="p2pvalue project comment 'Community garden' 'Saturday at ten?'")
@_reference
@click.argument("text")
@community_option
def comment(reference: str, text: str, community: str | None) -> None:
    """Say something about a PROJECT to everybody; `project show` has the newest."""
    found = connection.get(_path(reference), community=community)["project"]
    write_comment(found["project"], found["title"], text, community)


def _path(reference: str) -> str:
    return f"/projects/{connection.quoted(reference)}"


def _say_linked(view: dict[str, Any], other: str, *, is_linked: bool) -> None:
    title = one_line(view["title"])
    if not is_linked:
        say(f"{title} is linked with no project in {one_line(other)} any more")
        return
    say(f"{title} is the same in {one_line(other)}")
    if not all(there["is_mutual"] for there in view["also"] if there["is_here"]):
        say("who began it there has to say so, too: until then only this one names the other")


def _write_all(found: list[dict[str, Any]], count: int) -> None:
    if not found:
        others = f"none of {count}: p2pvalue project list --all shows also what was dropped"
        say(others if count else "no projects yet; begin one with: p2pvalue project create TITLE")
        return
    rows = [
        (
            short(view["project"]),
            view["title"] + (" (dropped)" if view["dropped"] else ""),
            view["needs"],
            len(view["members"]),
            view["place"],
            "" if view["role"] == "none" else view["role"],
        )
        for view in found
    ]
    table(("PROJECT", "TITLE", "NEEDS", "MEMBERS", "PLACE", "YOU"), rows)


def _write_one(page: dict[str, Any]) -> None:
    view = page["project"]
    click.secho(one_line(view["title"]), bold=True)
    state = "dropped; begun" if view["dropped"] else "begun"
    click.echo(f"{state} by {one_line(view['name'])} {ago(view['created'])}")
    if view["place"]:
        click.echo(f"place: {one_line(view['place'])}")
    if view["image"]:
        name = one_line(view["image_file"]) or "(not here)"
        click.echo(f"image: {name} (p2pvalue blob get {short(view['image'])} FILE)")
    for words, role in (("members", "members"), ("followed by", "followers")):
        if view[role]:
            names = ", ".join(person["name"] for person in view[role])
            click.echo(f"{words}: {one_line(names)}")
    if view["body"]:
        click.echo()
        write_quoted(view["body"])
    click.echo()
    _write_needs(page["needs"])
    for linked in page["linked"]:
        there = linked["elsewhere"]
        one_sided = "" if there["is_mutual"] else ", which does not name this one"
        click.echo(f"\nin {one_line(there['community_name'])}{one_sided}:")
        _write_needs(linked["needs"])
    write_comments(page["comments"])


def _write_needs(needs: list[dict[str, Any]]) -> None:
    if needs:
        write_needs(needs)
    else:
        say("no needs yet; add one with: p2pvalue need add TITLE --hours 12h --project PROJECT")
