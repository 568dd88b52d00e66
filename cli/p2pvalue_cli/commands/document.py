"""Documents: create, edit, show, list, follow; their past is in document_history."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Any

import click

from p2pvalue_cli import connection
from p2pvalue_cli.command import (
    Group,
    as_json,
    command_line,
    community_option,
    data_dir,
    until_ctrl_c,
)
from p2pvalue_cli.commands.document_history import COMMANDS as OF_HISTORY
from p2pvalue_cli.output import ago, harmless, one_line, say, short, show, table, write_text
from p2pvalue_cli.reading import SOURCE, STDIN, text_from
from p2pvalue_cli.writing import give_text, to_file_options

SHAPES = ("markdown", "plain", "rich")


@click.group(cls=Group)
def document() -> None:
    """Write texts together; offline edits merge without loss."""


for _command in OF_HISTORY:
    document.add_command(_command)


@document.command(
    example="p2pvalue document create 'Minutes of May' --from minutes.md\n"
    "p2pvalue document create 'Our plan' --shape rich"
)
@click.argument("title")
@click.option(
    "--shape",
    type=click.Choice(SHAPES),
    default=SHAPES[0],
    show_default=True,
    help="How it is edited: as one text, or rich, in blocks.",
)
@click.option("--from", "source", type=SOURCE, metavar="FILE", help="A first text; - is stdin.")
@community_option
def create(title: str, shape: str, source: str | None, community: str | None) -> None:
    """Start a document with this TITLE.

    Rich text is for editors with headings, lists and images; here it is read and edited as
    Markdown.
    """
    from p2pvalue_cli.drafts import kept_if_failed
    from p2pvalue_cli.saving import keep_base, seen_through

    def save(draft: Path) -> str:
        words = ["document", "create", title, "--shape", shape, "--from", str(draft)]
        return command_line(words, community)

    text = "" if source is None else text_from(source)
    with (
        kept_if_failed(text, title, data_dir(), save=save, source=source or STDIN),
        seen_through(title, community),
    ):
        made = connection.post(
            "/documents", title=title, text=text, shape=shape, community=community
        )
    if source not in (None, STDIN):
        path = f"/documents/{made['document']}"
        keep_base(source, text, connection.get(path, community=community))
    show(made, lambda d: say(f"created {one_line(d['title'])} (document {short(d['document'])})"))


@document.command(
    example="EDITOR=nano p2pvalue document edit 'Minutes of May'\n"
    "p2pvalue document edit 'Minutes of May' --from minutes.md"
)
@click.argument("reference", metavar="DOCUMENT")
@click.option("--from", "source", type=SOURCE, metavar="FILE", help="The text; - is stdin.")
@click.option(
    "--base", "version", metavar="VERSION", help="The version that the FILE was made from."
)
@click.option("--replace", is_flag=True, help="Make the FILE the whole text, whoever wrote more.")
@click.option("--empty", is_flag=True, help="Let the text become empty.")
@community_option
def edit(
    reference: str,
    source: str | None,
    version: str | None,
    replace: bool,
    empty: bool,
    community: str | None,
) -> None:
    """Edit a DOCUMENT in your editor ($VISUAL, else $EDITOR), or take its new text from a file.

    Only what you changed is saved, so what others write meanwhile stays; of rich text, which you
    edit as Markdown, block by block. What a file began with is known if `show` wrote it, or if it
    was saved before; of another, name the version. If anything fails, your text is kept in a file,
    and the file is named.
    """
    if source is None and (version is not None or replace):
        raise click.UsageError("--base and --replace go with --from FILE")
    if version is not None and (replace or not version.strip()):
        raise click.UsageError("give --base with a version and without --replace, or leave it out")
    from p2pvalue_cli.saving import Wish, save_file

    if source is None:
        saved, is_changed = _edit_here(reference, community, empties=empty)
    else:
        wish = Wish(version, replaces=replace, empties=empty)
        saved, is_changed = save_file(reference, source, community, wish)
    show(saved, _say_saved if is_changed else lambda _: say("nothing changed"))


def _edit_here(
    reference: str, community: str | None, *, empties: bool
) -> tuple[dict[str, Any], bool]:
    from p2pvalue_cli.bases import Base
    from p2pvalue_cli.editing import edited
    from p2pvalue_cli.saving import refuse_empty, save_text

    path = f"/documents/{connection.quoted(reference)}"
    before = connection.get(path, community=community)
    with edited(before, data_dir(), community) as text:
        # An editor that adds a last line end to a text without one has not changed the text.
        if text == before["text"] or text == before["text"] + "\n":
            return before, False
        refuse_empty(before, text, empties=empties)
        base = Base(before["document"], before["version"], before["text"])
        return save_text(path, base, text, before["title"], community), True


@document.command(example="p2pvalue document drafts")
def drafts() -> None:
    """List your texts that could not be saved, each with the command that saves it."""
    from p2pvalue_cli.drafts import all_drafts

    kept = [
        {"file": str(path), "time": int(path.stat().st_mtime * 1000), "save": save}
        for path, save in all_drafts(data_dir())
    ]
    show(kept, _write_drafts)


@document.command(
    "show",
    example="p2pvalue document show 'Minutes of May'\n"
    "p2pvalue document show 'Minutes of May' --to minutes.md",
)
@click.argument("reference", metavar="DOCUMENT")
@to_file_options
@community_option
def show_document(reference: str, target: Path | None, force: bool, community: str | None) -> None:
    """Print the text of a DOCUMENT as this node has it; rich text as Markdown.

    Of a file that this made, by --to or by your shell, `edit --from` knows what it began with.
    """
    path = f"/documents/{connection.quoted(reference)}"
    give_text(connection.get(path, community=community), target, is_forced=force)


@document.command("list", example="p2pvalue document list\np2pvalue document list --deleted")
@click.option("--deleted", is_flag=True, help="Those that were deleted, and can be brought back.")
@community_option
def list_documents(deleted: bool, community: str | None) -> None:
    """List the documents, with their shapes and who started them."""
    asked = "true" if deleted else None
    found = connection.get("/documents", deleted=asked, community=community)
    show(found, lambda documents: _write_list(documents, is_of_deleted=deleted))


@document.command(example="p2pvalue document rename 'Minutes of May' 'Minutes of June'")
@click.argument("reference", metavar="DOCUMENT")
@click.argument("title")
@community_option
def rename(reference: str, title: str, community: str | None) -> None:
    """Give a DOCUMENT another TITLE, for everybody."""
    path = f"/documents/{connection.quoted(reference)}/rename"
    renamed = connection.post(path, title=title, community=community)
    show(renamed, lambda view: say(f"it is called {one_line(view['title'])} now"))


@document.command(example="p2pvalue document delete 'Minutes of May'")
@click.argument("reference", metavar="DOCUMENT")
@community_option
def delete(reference: str, community: str | None) -> None:
    """Take a DOCUMENT out of sight, for everybody; nothing that was written is lost.

    Who started it may, and admins. `undelete` brings it back.
    """
    path = f"/documents/{connection.quoted(reference)}/delete"
    show(connection.post(path, community=community), lambda view: _say_deleted(view, community))


@document.command(example="p2pvalue document undelete 'Minutes of May'")
@click.argument("reference", metavar="DOCUMENT")
@community_option
def undelete(reference: str, community: str | None) -> None:
    """Bring back a DOCUMENT that was deleted, with all that was ever written into it."""
    path = f"/documents/{connection.quoted(reference)}/undelete"
    brought = connection.post(path, community=community)
    show(brought, lambda view: say(f"{one_line(view['title'])} is back"))


@document.command(example="p2pvalue document follow 'Minutes of May'")
@click.argument("reference", metavar="DOCUMENT")
@community_option
@until_ctrl_c()
def follow(reference: str, community: str | None) -> None:
    """Print the text of a DOCUMENT, then the lines that change, until Ctrl-C."""
    path = f"/documents/{connection.quoted(reference)}"
    seen: dict[str, Any] | None = None
    # The stream is open before the text is read, so that nothing falls between the two.
    for event in connection.get_lines("/events", community=community):
        is_news = event["event"] == "document" and seen and event["subject"] == seen["document"]
        if seen is not None and not is_news:
            continue
        now = connection.get(path, community=community)
        if seen is not None and now["version"] == seen["version"]:
            continue
        if as_json() or seen is None:
            show(now, lambda view: write_text(view["text"]))
        else:
            _write_difference(seen["text"], now["text"])
        seen = now


@document.command(
    example="p2pvalue document attach 'Minutes of May' --origin http://localhost:5173"
)
@click.argument("reference", metavar="DOCUMENT")
@click.option("--origin", default="", metavar="URL", help="Where the editor's page comes from.")
@click.option(
    "--schema",
    type=click.IntRange(1),
    default=1,
    metavar="NUMBER",
    help="What of rich texts it knows.",
)
@community_option
def attach(reference: str, origin: str, schema: int, community: str | None) -> None:
    """Attach an editor that speaks the y-websocket protocol to a DOCUMENT.

    Prints what one tab of it needs; each tab takes its own. Keep the token to yourself.
    """
    path = f"/documents/{connection.quoted(reference)}/attach"
    made = connection.post(path, origin=origin, schema=schema, community=community)
    show(made, lambda view: _say_attached(view, reference, community))


@document.command(example="p2pvalue document detach 'Minutes of May' 3221225472")
@click.argument("reference", metavar="DOCUMENT")
@click.argument("session", type=int)
@community_option
def detach(reference: str, session: int, community: str | None) -> None:
    """Take back the SESSION of an editor, which can be lent again then."""
    path = f"/documents/{connection.quoted(reference)}/detach"
    done = connection.post(path, session=session, community=community)
    show(done, lambda _: say("detached"))


def _say_attached(view: dict[str, Any], reference: str, community: str | None) -> None:
    say(f"attached in session {view['session']}" + (", to read" if view["read_only"] else ""))
    for name in ("url", "room", "token", "client"):
        say(f"{name:7}{view[name]}")
    detach = command_line(["document", "detach", reference, str(view["session"])], community)
    say(f"to take it back: {detach}")


def _say_saved(view: dict[str, Any]) -> None:
    say(f"saved {one_line(view['title'])}")


def _write_drafts(kept: list[dict[str, Any]]) -> None:
    if not kept:
        say("no texts wait to be saved")
    for draft in kept:
        say(f"{draft['file']} ({ago(draft['time'])})")
        if draft["save"]:
            say(f"  save it with: {draft['save']}")


def _say_deleted(view: dict[str, Any], community: str | None) -> None:
    back = command_line(["document", "undelete", short(view["document"])], community)
    say(f"deleted {one_line(view['title'])}; to bring it back: {back}")


def _write_list(documents: list[dict[str, Any]], *, is_of_deleted: bool) -> None:
    if not documents:
        started = "no documents yet; start one with: p2pvalue document create TITLE"
        say("no document was deleted" if is_of_deleted else started)
        return
    rows = [
        (short(d["document"]), d["title"], d["shape"], d["name"], ago(d["time"])) for d in documents
    ]
    table(("DOCUMENT", "TITLE", "SHAPE", "BY", "SINCE"), rows)


def _write_difference(before: str, after: str) -> None:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    for line in list(lines)[2:]:
        if not line.startswith("@@"):
            click.secho(harmless(line), fg="green" if line.startswith("+") else "red")
