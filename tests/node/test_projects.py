from __future__ import annotations

from pathlib import Path

import pytest

from p2pvalue.need_types import LineView, NeedDraft
from p2pvalue.project_types import ProjectDraft, ProjectView
from p2pvalue_protocol.errors import LocalProtocolError, NotAdmitted, NotFound
from p2pvalue_protocol.inputs import Draft
from p2pvalue_protocol.kinds import project
from tests.node.small_node import SmallNode, exchange
from tests.node.two_communities import TwoCommunities

HOURS = LineView(kind="hours", unit="minute", minimum=120, optimum=600)


def need(title: str, of: str = "") -> NeedDraft:
    return NeedDraft(title=title, lines=[HOURS], project=of or None)


async def begun(node: SmallNode, title: str = "Garden") -> ProjectView:
    return await node.community.projects.add(ProjectDraft(title=title, place="Behind the hall"))


async def test_a_project_has_its_needs_and_the_people_who_take_part(
    ana: SmallNode, eva: SmallNode
) -> None:
    await ana.community.set_my_name("Ana")
    await begun(ana)
    await ana.community.needs.add(need("Fence", "Garden"))
    await ana.community.needs.add(need("Roof"))
    exchange(ana, eva)
    await eva.community.projects.set_role("Garden", "member")
    await ana.community.projects.set_role("Garden", "follower")
    exchange(ana, eva)
    page = ana.community.projects.page("Garden")
    assert [view.title for view in page.needs] == ["Fence"]
    assert page.needs[0].project_title == "Garden"
    assert [view.project_title for view in await ana.community.needs.all()] == ["Garden", ""]
    view = page.project
    assert (view.place, view.needs, view.role) == ("Behind the hall", 1, "follower")
    assert [person.name for person in view.followers] == ["Ana"]
    assert len(view.members) == 1
    assert await ana.community.projects.all() == [view]
    assert (await eva.community.projects.all())[0].role == "member"


async def test_what_is_said_already_is_not_said_again(ana: SmallNode) -> None:
    await begun(ana)
    await ana.community.projects.set_role("Garden", "member")
    written = ana.written
    await ana.community.projects.set_role("Garden", "member")
    await ana.community.projects.change("Garden", ProjectDraft())
    assert ana.written == written
    left = await ana.community.projects.set_role("Garden", "none")
    assert (left.role, left.members) == ("none", [])


async def test_a_project_that_is_dropped_leaves_its_title_to_another(ana: SmallNode) -> None:
    first = await begun(ana)
    dropped = await ana.community.projects.change("Garden", ProjectDraft(dropped=True))
    assert dropped.dropped
    assert ana.community.projects.page("Garden").project.project == first.project
    second = await begun(ana)
    assert ana.community.projects.page("Garden").project.project == second.project
    again = await ana.community.projects.change(first.project, ProjectDraft(dropped=False))
    assert not again.dropped
    with pytest.raises(NotFound, match="may mean"):
        ana.community.projects.page("Garden")


async def test_a_picture_is_a_shared_file_by_its_name(ana: SmallNode, tmp_path: Path) -> None:
    picture = tmp_path / "bed.png"
    picture.write_bytes(b"not much of a picture")
    shared = await ana.blobs.add(picture, lambda done, total: None)
    await begun(ana)
    change = ana.community.projects.change
    view = await change("Garden", ProjectDraft(image="bed.png"))
    assert (view.image, view.image_file) == (shared.blob, "bed.png")
    await ana.blobs.remove("bed.png")
    assert ana.community.projects.page("Garden").project.image_file == ""
    assert (await change("Garden", ProjectDraft(image=""))).image == ""
    with pytest.raises(NotFound, match="no file"):
        await change("Garden", ProjectDraft(image="none.png"))


async def test_a_need_names_a_project_that_is_here(ana: SmallNode) -> None:
    with pytest.raises(NotFound, match="no project"):
        await ana.community.needs.add(need("Fence", "Garden"))
    await begun(ana)
    made = await ana.community.needs.add(need("Fence", "Garden"))
    without = await ana.community.needs.change(made.need, NeedDraft(project=""))
    assert (without.project, without.project_title) == ("", "")


async def test_a_project_without_title_is_refused(ana: SmallNode) -> None:
    with pytest.raises(LocalProtocolError, match="title"):
        await ana.community.projects.add(ProjectDraft(body="Many words"))


# --- the same project in two communities


def linked_needs(node: TwoCommunities, title: str = "Garden") -> list[list[str]]:
    page = node.first.projects.page(title)
    return [[view.title for view in linked.needs] for linked in page.linked]


async def test_a_project_shows_the_needs_of_the_same_one_in_another_community() -> None:
    ana = TwoCommunities("ana", ["ana", "eva"], ["ana"])
    await ana.second.describe("Town")
    await ana.first.projects.add(ProjectDraft(title="Garden", body="Food", place="Hall"))
    view = await ana.first.projects.link("Garden", "Town")
    [there] = view.also
    assert (there.community_name, there.is_here, there.is_mutual) == ("Town", True, True)
    [theirs] = await ana.second.projects.all()
    assert (theirs.title, theirs.body, theirs.place) == ("Garden", "Food", "Hall")
    await ana.second.needs.add(need("Bench", "Garden"))
    assert linked_needs(ana) == [["Bench"]]
    written = [node.written for node in ana.nodes]
    await ana.first.projects.link("Garden", "Town")
    assert [node.written for node in ana.nodes] == written
    ended = await ana.first.projects.link("Garden", "Town", is_linked=False)
    assert (ended.also, (await ana.second.projects.all())[0].also) == ([], [])
    assert linked_needs(ana) == []


async def test_a_link_to_what_another_began_is_one_sided_until_she_says_so_too() -> None:
    ana = TwoCommunities("ana", ["ana"], ["eva", "ana"])
    eva = SmallNode("eva", ["eva", "ana"])
    await eva.community.describe("Town")
    await begun(eva)
    exchange(eva, ana.nodes[1])
    await ana.first.projects.add(ProjectDraft(title="Beds"))
    view = await ana.first.projects.link("Beds", "Town", project_there="Garden")
    assert [there.is_mutual for there in view.also] == [True], "a founder may change both"
    hers = ana.second.projects
    await hers.link("Garden", ana.first.name, project_there="Beds", is_linked=False)
    payload = project.encode_project_change(
        also=(project.Elsewhere(ana.second.id, bytes.fromhex((await hers.all())[0].project)),)
    )
    subject = bytes.fromhex(view.project)
    await ana.write(ana.first.id, [Draft(project.NUMBER, subject, payload)])
    assert [there.is_mutual for there in ana.first.projects.page("Beds").project.also] == [False]
    assert linked_needs(ana, "Beds") == [[]]


async def test_whoever_names_a_project_there_is_not_linked_with_unless_it_is_said() -> None:
    ana = TwoCommunities("ana", ["ana"], ["eva", "ana"])
    eva = SmallNode("eva", ["eva", "ana"])
    await eva.community.set_my_name("Eva")
    await eva.community.describe("Town")
    mine = await ana.first.projects.add(ProjectDraft(title="Garden"))
    ours = (project.Elsewhere(ana.first.id, bytes.fromhex(mine.project)),)
    naming = [
        Draft(project.NUMBER, b"", project.encode_project(title, also=ours))
        for title in ("Not hers", "Nor this")
    ]
    await eva.write(eva.community_id, naming[:1])
    exchange(eva, ana.nodes[1])
    with pytest.raises(LocalProtocolError, match=r'"Not hers" of Eva .* may be meant there'):
        await ana.first.projects.link("Garden", "Town")
    await eva.write(eva.community_id, naming[1:])
    exchange(eva, ana.nodes[1])
    with pytest.raises(LocalProtocolError, match=r" or .* may be meant there"):
        await ana.first.projects.link("Garden", "Town")
    view = await ana.first.projects.link("Garden", "Town", project_there="Nor this")
    assert await ana.first.projects.link("Garden", "Town") == view


async def test_a_project_of_ours_there_that_names_this_one_is_meant() -> None:
    ana = TwoCommunities("ana", ["ana", "eva"], ["ana"])
    await ana.second.describe("Town")
    mine = await ana.first.projects.add(ProjectDraft(title="Garden"))
    ours = (project.Elsewhere(ana.first.id, bytes.fromhex(mine.project)),)
    named = project.encode_project("Beds", also=ours)
    await ana.write(ana.second.id, [Draft(project.NUMBER, b"", named)])
    [there] = (await ana.first.projects.link("Garden", "Town")).also
    assert [view.project for view in await ana.second.projects.all()] == [there.project]


async def test_a_link_into_a_community_that_is_not_ours_shows_nothing_of_it() -> None:
    ana = SmallNode("ana", ["ana"])
    view = await begun(ana)
    payload = project.encode_project_change(also=(project.Elsewhere(bytes(32), bytes(16)),))
    draft = Draft(project.NUMBER, bytes.fromhex(view.project), payload)
    await ana.write(ana.community_id, [draft])
    page = ana.community.projects.page("Garden")
    [there] = page.project.also
    assert (there.community_name, there.is_here, page.linked) == ("", False, [])


async def test_a_project_is_not_linked_with_itself(ana: SmallNode) -> None:
    await begun(ana)
    with pytest.raises(LocalProtocolError, match="another community"):
        await ana.community.projects.link("Garden", ana.community.name)


async def test_a_project_is_changed_by_who_began_it_or_an_admin(
    ana: SmallNode, eva: SmallNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    await begun(ana)
    exchange(ana, eva)
    await eva.community.projects.change("Garden", ProjectDraft(body="A founder may"))
    monkeypatch.setattr("p2pvalue.node.people.People.my_rank", lambda self: "member")
    with pytest.raises(NotAdmitted, match="who began it"):
        await eva.community.projects.change("Garden", ProjectDraft(body="A member may not"))
    await ana.community.projects.change("Garden", ProjectDraft(body="Who began it may"))
