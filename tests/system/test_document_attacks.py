"""A member who lies in a document wastes her own words: real daemons show one text and go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from p2pvalue.node.node import wall_clock_ms
from p2pvalue.texts.edits import Edit
from p2pvalue.texts.shared import SharedDocument
from p2pvalue_protocol.documents.clients import client_of
from p2pvalue_protocol.ids import Reference, subject_of
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import document
from p2pvalue_protocol.log import Run
from tests.node.hostile_updates import hostile_updates
from tests.system.hostile import Insider, Watch, asked, brought, honest, joined, stranger, until
from tests.system.person import Person, Refused, gathered, people


async def spy(folder: Path, link: str, title: str) -> Insider:
    """Join as an honest newcomer would, read a document, and take what that taught."""
    async with honest(folder, "Mallory") as node:
        await joined(node, link)
        community = node.community()
        await until(lambda: [d for d in community.documents() if d.title == title])
        subject = bytes.fromhex(community.documents()[0].document)
        await until(
            lambda: updates_in(node.store, bytes.fromhex(community.view().community), subject)
        )
    return Insider(folder)


def updates_in(store: Any, community: bytes, subject: bytes) -> list[Any]:
    found: list[Any] = store.entries(community, subject, document.UPDATE_NUMBER)
    return found


def all_attacks(mallory: Insider, subject: bytes) -> list[Draft]:
    """Each attack in a session of its own, the first of them after all that Mallory has read."""
    (first,) = updates_in(mallory.store, mallory.community, subject)
    victim = client_of(first.order.device, subject, 0)
    drafts, heads = [], [first.order.op_id]
    for session in range(1, len(hostile_updates(1, 2)) + 1):
        own = client_of(mallory.signer.public, subject, session)
        attack = list(hostile_updates(own, victim).values())[session - 1]
        payload = document.encode_document_update(attack.update, session, heads)
        drafts.append(Draft(document.UPDATE_NUMBER, subject, payload))
        heads = []
    return drafts


def honest_words(mallory: Insider, subject: bytes, text: str, *, session: int = 0) -> Draft:
    """What her editor would write in a new session, had she read nothing."""
    client = client_of(mallory.signer.public, subject, session)
    (update,) = SharedDocument("plain", client).edit([Edit(0, 0, text)])
    payload = document.encode_document_update(update, session)
    return Draft(document.UPDATE_NUMBER, subject, payload)


def written(mallory: Insider, drafts: list[Draft]) -> tuple[Reference, list[Run]]:
    """Write drafts, and return them in runs that fit a frame each, with their head."""
    runs: list[Run] = []
    for draft in drafts:
        head, more = mallory.write(draft, now_ms=wall_clock_ms())
        runs += more
    return head, runs


def shown(person: Person, path: str) -> dict[str, Any]:
    """What a person's daemon says of a document, of an empty one if it has not come yet."""
    try:
        found: dict[str, Any] = person.ask("GET", path)
    except Refused:
        return {"text": "", "skipped": 0}
    return found


def until_alike(ana: Person, ben: Person, path: str) -> dict[str, Any]:
    ben.until(lambda: shown(ben, path) == shown(ana, path), "one text on both machines")
    return shown(ben, path)


async def test_two_machines_that_hear_lies_at_different_times_show_one_text(tmp_path: Path) -> None:
    with people(tmp_path, "Ana", "Ben") as (ana, ben):
        await asked(gathered, ana, ben)
        made = await asked(lambda: ana.ask("POST", "/documents", title="Plan", text="abc"))
        path, subject = f"/documents/{made['document']}", bytes.fromhex(made["document"])
        await asked(ben.until, lambda: shown(ben, path)["text"] == "abc", "the text at Ben's")
        mallory = await spy(tmp_path / "mallory", await asked(ana.invite), "Plan")
        attacks = all_attacks(mallory, subject)
        words = honest_words(mallory, subject, "mine ")
        head, runs = written(mallory, [*attacks, words])
        async with stranger(await asked(lambda: ben.address)) as peer:  # Ana hears it of Ben
            await brought(peer, mallory, head, runs)
            # She may have read Mallory's words by now: without a base she would delete them.
            await asked(lambda: ana.ask("PUT", path, text="abcd", base_text="abc"))
        await asked(ben.until, lambda: "d" in shown(ben, path)["text"], "Ana's letter")
        for person in (ana, ben):  # her words are the last that she wrote
            await asked(
                person.until,
                lambda p=person: sorted(shown(p, path)["text"]) == sorted("abcdmine "),
                "honest words among the lies",
            )
        seen = await asked(until_alike, ana, ben, path)
        assert seen["skipped"] == len(attacks)
        assert sum(w["updates"] for w in seen["without_effect"]) == len(attacks)
        assert len({w["member"] for w in seen["without_effect"]}) == 1

        # She writes on while Ana is away, who puts her out without having read that.
        await asked(ana.stop)
        head, runs = written(mallory, [honest_words(mallory, subject, "LATE", session=100)])
        async with stranger(await asked(lambda: ben.address)) as peer:
            await brought(peer, mallory, head, runs)
        await asked(ben.until, lambda: "LATE" in shown(ben, path)["text"], "her late words")
        text = shown(ben, path)["text"].replace("LATE", "LA[Ben]TE")
        await asked(lambda: ben.ask("PUT", path, text=text))
        await asked(ben.stop)
        await asked(ana.start)
        await asked(ana.until_up)
        liar = seen["without_effect"][0]["member"]
        await asked(lambda: ana.ask("POST", f"/members/{liar}/remove"))
        await asked(ben.start)
        left = text.replace("LA[Ben]TE", "[Ben]")
        for person in (ana, ben):
            await asked(person.until, lambda p=person: shown(p, path)["text"] == left, left)
        await asked(lambda: ben.ask("PUT", path, text=f"{left}!"))
        await asked(ana.until, lambda: shown(ana, path)["text"] == f"{left}!", "Ben's mark")


@pytest.mark.usefixtures("victim")
async def test_lies_in_one_document_cost_no_other_and_nobody_elses_time(
    watch: Watch, mallory: Insider
) -> None:
    victim = watch.victim
    other = await asked(lambda: victim.ask("POST", "/documents", title="Other", text="water"))
    made, runs = written(mallory, [Draft(document.NUMBER, b"", document.encode_document("Trap"))])
    subject = subject_of(made.op_id)
    runs += written(mallory, [honest_words(mallory, subject, "dig")])[1]
    attacks = all_attacks(mallory, subject)
    head, more = written(mallory, attacks)
    runs += more
    async with stranger(await asked(lambda: victim.address)) as peer:
        await brought(peer, mallory, head, runs)
    trap = f"/documents/{subject.hex()}"
    await asked(
        victim.until, lambda: shown(victim, trap)["skipped"] == len(attacks), "what was skipped"
    )
    for path, text in ((trap, "dig"), (f"/documents/{other['document']}", "water")):
        assert (await asked(shown, victim, path))["text"] == text
        await asked(lambda p=path, t=text: victim.ask("PUT", p, text=f"{t} deep"))
        assert (await asked(shown, victim, path))["text"] == f"{text} deep"
    await watch.check_serves()
