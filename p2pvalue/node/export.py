"""Everything that a person can read in a community, as files: to leave with, or to keep.

Texts become Markdown for people and JSON for programs; `operations.msgpack` holds what they were
made from, as it travels: a sequence of arrays `[core, signature, payload]` (spec: operation), with
nil for a payload that is not here. Names and titles come from strangers, so no file name is theirs.
"""

from __future__ import annotations

import re
import unicodedata
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
import trio

from p2pvalue import need_types as nt
from p2pvalue import types as t
from p2pvalue.amounts import written
from p2pvalue.folder import new_file
from p2pvalue.node.blobs.blobs import Blobs
from p2pvalue.node.community import Community
from p2pvalue.store import Store, StoreFailed
from p2pvalue_protocol.chunks import chunk_count
from p2pvalue_protocol.encoding import encode
from p2pvalue_protocol.errors import ConfigError, LocalProtocolError, P2PValueError
from p2pvalue_protocol.kind import NO_SUBJECT, Order
from p2pvalue_protocol.kinds import chat
from p2pvalue_protocol.kinds.blob import BlobState

if TYPE_CHECKING:
    from p2pvalue_protocol.past import OperationRow

Progress = Callable[[int, int], None]

_PAGE: Final = 500
_SLUG_CHARS_MAX: Final = 48
_BEGINNING: Final = urlsafe_b64encode(encode(Order(0, b"", 0, b""))).decode()


class _Steps:
    """Counts what is done of what there is to do; others have a turn after each step."""

    def __init__(self, total: int, progress: Progress) -> None:
        self._done = 0
        self._total = total
        self._progress = progress

    async def did(self, count: int) -> None:
        self._done = min(self._done + count, self._total)
        self._progress(self._done, self._total)
        await trio.lowlevel.checkpoint()


async def export(
    community: Community,
    blobs: Blobs,
    store: Store,
    target: Path,
    progress: Progress,
    *,
    is_forced: bool = False,
) -> Path:
    """Write all of one community that this node can read to a new folder in `target`; return it.

    Costs a pass over everything; memory for the lists of documents, needs and pledges, and a page
    of messages. Raises ConfigError if the folder holds something and `is_forced` is false: then
    nothing was written. With it, files of the same name are replaced and others stay.
    """
    view = community.view()
    folder = target / f"{slug(view.name)}-{view.community[:8]}"
    try:
        if not is_forced and folder.exists() and any(folder.iterdir()):
            raise ConfigError(
                f"{folder} holds something already: name another folder, or use --force"
            )
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        channels = store.containers(community.id, chat.NUMBER)
        documents = community.documents()
        messages = sum(store.entry_count(community.id, c, chat.NUMBER) for c in channels)
        files = blobs.whole()
        steps = _Steps(view.operations + messages + len(documents) + len(files) + 1, progress)
        await _write_overview(folder, community, view)
        await steps.did(1)
        await _write_documents(folder, community, documents, steps)
        await _write_blobs(folder, blobs, files, steps)
        titles = {need.need: need.title for need in await community.needs.all()}
        titles |= {project.project: project.title for project in await community.projects.all()}
        for channel in channels:
            await _write_channel(folder, community, channel, titles, steps)
        await _write_operations(folder, store.operations_in_order(community.id), steps)
    except OSError as error:
        raise ConfigError(
            f"{error.filename or folder} was not written ({error.strerror}): make room, or name "
            "another folder"
        ) from error
    except StoreFailed as error:
        raise ConfigError(f"the export is not complete: {error}") from error
    return folder


def slug(text: str) -> str:
    """Return a name as the beginning of a file name: letters, digits and `-`, never empty.

    >>> slug("../Minutes of 3 May?"), slug("???")
    ('minutes-of-3-may', 'unnamed')
    """
    words = re.findall(r"\w+", unicodedata.normalize("NFC", text).lower().replace("_", "-"))
    return "-".join(words)[:_SLUG_CHARS_MAX].strip("-") or "unnamed"


async def _write_overview(folder: Path, community: Community, view: t.CommunityView) -> None:
    members = community.members()
    needs, pledges = await community.needs.all(), await community.pledges.all()
    _write_json(folder / "community.json", view)
    _write_json(folder / "members.json", members)
    _write_json(folder / "needs.json", needs)
    _write_json(folder / "pledges.json", pledges)
    _write_json(folder / "projects.json", await community.projects.all())
    _write_json(folder / "contributions.json", community.contributions.all())
    _write_json(folder / "thanks.json", community.thanks.all())
    _write_lines(folder / "members.md", _members_page(view, members))
    _write_lines(folder / "needs.md", _needs_page(needs, pledges))


def _members_page(view: t.CommunityView, members: Iterable[t.MemberView]) -> Iterator[str]:
    yield f"# Members of {view.name}"
    yield ""
    for member in members:
        yield f"- {member.name}, {member.rank} ({member.member[:8]})"


def _needs_page(needs: Iterable[nt.NeedView], pledges: Iterable[nt.PledgeView]) -> Iterator[str]:
    of_need: dict[str, list[nt.PledgeView]] = {}
    for pledge in pledges:
        of_need.setdefault(pledge.need, []).append(pledge)
    yield "# Needs"
    for need in needs:
        yield f"\n## {need.title}\n"
        yield f"{need.state}, asked by {need.name}"
        if need.body:
            yield f"\n{_quoted(need.body)}"
        yield ""
        for line in need.lines:
            yield f"- {_pledged(line)} ({line.kind})"
        for pledge in of_need.get(need.need, ()):
            much = written(pledge.kind or "", pledge.unit, pledge.quantity).strip()
            yield f"- {pledge.name}: {much}, {pledge.state}"


def _pledged(line: nt.LineView) -> str:
    pledged, minimum, optimum = (
        written(line.kind, line.unit, quantity)
        for quantity in (line.pledged, line.minimum, line.optimum)
    )
    return f"{pledged} of {minimum}" + (f" to {optimum}" if optimum != minimum else "")


async def _write_documents(
    folder: Path, community: Community, documents: list[t.DocumentView], steps: _Steps
) -> None:
    _write_json(folder / "documents.json", documents)
    if documents:
        (folder / "documents").mkdir(mode=0o700, exist_ok=True)
    for document in documents:
        try:
            text = (await community.document_text(document.document)).text
        except P2PValueError as error:  # one that cannot be read must not hold up the rest
            text = f"This document could not be read: {error}\n"
        name = f"{slug(document.title)}-{document.document[:8]}.md"
        with new_file(folder / "documents" / name) as file:
            file.write(text.encode())
        await steps.did(1)


async def _write_blobs(
    folder: Path, blobs: Blobs, files: Iterable[tuple[bytes, BlobState]], steps: _Steps
) -> None:
    """Write the shared files that are here; the list names the others too."""
    _write_json(folder / "files.json", blobs.all())
    for subject, state in files:
        (folder / "files").mkdir(mode=0o700, exist_ok=True)
        stem, _, ending = state.name.rpartition(".")
        is_plain = re.fullmatch("[A-Za-z0-9]{1,8}", ending) and stem
        name = f"{slug(stem or ending)}-{subject.hex()[:8]}" + (f".{ending}" if is_plain else "")
        with suppress(LocalProtocolError), new_file(folder / "files" / name) as file:
            for number in range(chunk_count(state.size)):
                piece = blobs.piece_of(state, number)
                if piece is None:
                    raise LocalProtocolError("a damaged file is left out")
                file.write(piece)
                await trio.lowlevel.checkpoint()
        await steps.did(1)


async def _write_channel(
    folder: Path, community: Community, channel: bytes, titles: Mapping[str, str], steps: _Steps
) -> None:
    """Write the messages of a channel; comments are named after the need or project as well."""
    title = titles.get(channel.hex())
    about = "" if title is None else f"-{slug(title)}"
    name = "chat" if channel == NO_SUBJECT else f"chat{about}-{channel.hex()[:8]}"
    with new_file(folder / f"{name}.jsonl") as lines, new_file(folder / f"{name}.md") as page:
        cursor = _BEGINNING
        while True:
            messages = community.messages(channel=channel.hex(), limit=_PAGE, after=cursor)
            if not messages:
                return
            for message in messages:
                lines.write(msgspec.json.encode(message) + b"\n")
                page.write(f"**{message.name}** {_day(message.time)}\n\n".encode())
                page.write(f"{_quoted(message.text)}\n\n".encode())
            cursor = messages[-1].cursor
            await steps.did(len(messages))


async def _write_operations(folder: Path, rows: Iterator[OperationRow], steps: _Steps) -> None:
    encoder = msgspec.msgpack.Encoder()
    with new_file(folder / "operations.msgpack") as file:
        unreported = 0
        for row in rows:
            file.write(encoder.encode((row.core, row.signature, row.payload)))
            unreported += 1
            if unreported == _PAGE:
                await steps.did(unreported)
                unreported = 0
        await steps.did(unreported)


def _write_json(path: Path, value: object) -> None:
    with new_file(path) as file:
        file.write(msgspec.json.format(msgspec.json.encode(value), indent=1) + b"\n")


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    with new_file(path) as file:
        file.writelines(f"{line}\n".encode() for line in lines)


def _quoted(text: str) -> str:
    """A text as a Markdown quotation, so that none of its lines passes for ours."""
    return "\n".join(f"> {line}" for line in text.splitlines())


def _day(time_ms: int) -> str:
    try:
        return datetime.fromtimestamp(time_ms / 1_000, UTC).isoformat(" ", "minutes")
    except (ValueError, OverflowError, OSError):  # an author may write any time
        return f"{time_ms} ms"
