"""The one table of all that can be asked; the application and its reference page follow it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any, Generic, TypeVar, get_type_hints

import msgspec

from p2pvalue.api import answers, streams
from p2pvalue.api import blob_answers as blobs
from p2pvalue.api import device_answers as devices
from p2pvalue.api import editor_answers as editors
from p2pvalue.api import fact_answers as facts
from p2pvalue.api import history_answers as history
from p2pvalue.api import member_answers as members
from p2pvalue.api import need_answers as needs
from p2pvalue.api import notify_answers as notifications
from p2pvalue.api import project_answers as projects
from p2pvalue.api.blob_schema import Shared
from p2pvalue.api.lines import SendLine
from p2pvalue.api.schema import Finished, Opened, Progress, Question, Spliced
from p2pvalue.node.interface import NodeInterface
from p2pvalue.types import EventView

Q = TypeVar("Q", bound=Question)


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[Q]):
    """One question with one answer: a value of `p2pvalue.types` as JSON."""

    method: str
    path: str
    ask: Callable[[NodeInterface, Q], Awaitable[msgspec.Struct | list[Any]]]

    @property
    def question(self) -> type[Q]:
        """What a caller gives, as `ask` takes it."""
        return _question_of(self.ask)


@dataclass(frozen=True, slots=True)
class Stream(Generic[Q]):
    """One question that is answered line by line, with values of the kinds in `lines`."""

    method: str
    path: str
    lines: tuple[type[msgspec.Struct], ...]
    produce: Callable[[NodeInterface, Q, SendLine, AsyncIterator[bytes]], Awaitable[None]]
    is_fed_by_body: bool = False
    """True if the body holds lines to work on, and no fields of the question."""

    @property
    def question(self) -> type[Q]:
        """What a caller gives, as `produce` takes it."""
        return _question_of(self.produce)


def _question_of(answer: Callable[..., Any]) -> type[Any]:
    """Return the type of the second parameter of what answers; asked once, when routes are made."""
    name = list(signature(answer).parameters)[1]
    question: type[Question] = get_type_hints(answer)[name]
    return question


ENDPOINTS: tuple[Endpoint[Any] | Stream[Any], ...] = (
    Endpoint("GET", "/status", answers.status),
    Endpoint("GET", "/whoami", answers.whoami),
    Endpoint("GET", "/doctor", answers.doctor),
    Endpoint("PUT", "/profile", answers.set_profile),
    Endpoint("POST", "/words", answers.take_words),
    Endpoint("POST", "/words/check", answers.check_words),
    Endpoint("POST", "/words/forget", answers.forget_words),
    Endpoint("PUT", "/protection", answers.protect),
    Endpoint("GET", "/communities", answers.list_communities),
    Endpoint("POST", "/communities", answers.create_community),
    Endpoint("PUT", "/communities/used", answers.use_community),
    Endpoint("POST", "/communities/join", answers.join_community),
    Endpoint("GET", "/community", answers.show_community),
    Endpoint("GET", "/digest", answers.community_digest),
    Endpoint("GET", "/members", members.list_members),
    Endpoint("GET", "/about/{member:path}", needs.about_member),
    Endpoint("GET", "/members/{member:path}/removal", members.preview_removal),
    Endpoint("POST", "/members/{member:path}/remove", members.remove_member),
    Endpoint("PUT", "/members/{member:path}/rank", members.give_rank),
    Endpoint("POST", "/members/{member:path}/vote-out", members.vote_out),
    Endpoint("POST", "/members/{member:path}/readmit", members.readmit),
    Endpoint("GET", "/invites", members.list_invites),
    Endpoint("POST", "/invites", answers.create_invite),
    Endpoint("GET", "/invites/{invite}", members.show_invite),
    Endpoint("POST", "/invites/{invite}/revoke", members.revoke_invite),
    Endpoint("GET", "/requests", members.list_requests),
    Endpoint("POST", "/requests/{request:path}/approve", members.approve),
    Endpoint("POST", "/requests/{request:path}/decline", members.decline),
    Endpoint("GET", "/policy", members.show_policy),
    Endpoint("PUT", "/policy", members.set_policy),
    Endpoint("POST", "/leave", members.leave),
    Endpoint("GET", "/link", devices.community_link),
    Endpoint("POST", "/communities/recover", devices.recover),
    Endpoint("GET", "/devices", devices.list_devices),
    Endpoint("GET", "/devices/link", devices.show_link),
    Endpoint("POST", "/devices/link", devices.show_code),
    Endpoint("POST", "/devices/link/cancel", devices.cancel_link),
    Endpoint("POST", "/devices/add", devices.add_device),
    Endpoint("GET", "/devices/{device:path}/revocation", devices.preview_revocation),
    Endpoint("POST", "/devices/{device:path}/revoke", devices.revoke_device),
    Endpoint("GET", "/messages", answers.list_messages),
    Endpoint("POST", "/messages", answers.post_message),
    Endpoint("GET", "/documents", answers.list_documents),
    Endpoint("POST", "/documents", answers.create_document),
    Stream(
        "POST",
        "/documents/{document:path}/edits",
        (Opened, Spliced),
        streams.splice_document,
        is_fed_by_body=True,
    ),
    Endpoint("POST", "/documents/{document:path}/attach", editors.attach_editor),
    Endpoint("POST", "/documents/{document:path}/detach", editors.detach_editor),
    Endpoint("POST", "/documents/{document:path}/rename", answers.rename_document),
    Endpoint("POST", "/documents/{document:path}/delete", answers.delete_document),
    Endpoint("POST", "/documents/{document:path}/undelete", answers.undelete_document),
    Endpoint("POST", "/documents/{document:path}/restore", history.restore),
    Endpoint("POST", "/documents/{document:path}/undo", history.undo),
    Endpoint("POST", "/documents/{document:path}/redo", history.redo),
    Endpoint("GET", "/documents/{document:path}", answers.show_document),
    Endpoint("PUT", "/documents/{document:path}", answers.edit_document),
    Endpoint("GET", "/history/{document:path}", history.list_edits),
    Endpoint("GET", "/versions/{document:path}", history.show_version),
    Endpoint("GET", "/blame/{document:path}", history.blame),
    Endpoint("GET", "/blobs", blobs.list_blobs),
    Stream("POST", "/blobs", (Progress, Shared), blobs.add_blob),
    Stream("POST", "/blobs/{blob:path}/get", (Progress, Shared), blobs.get_blob),
    Endpoint("POST", "/blobs/{blob:path}/remove", blobs.remove_blob),
    Endpoint("GET", "/projects", projects.list_projects),
    Endpoint("POST", "/projects", projects.add_project),
    Endpoint("POST", "/projects/{project:path}/role", projects.set_role),
    Endpoint("POST", "/projects/{project:path}/also", projects.link_project),
    Endpoint("GET", "/projects/{project:path}", projects.show_project),
    Endpoint("PUT", "/projects/{project:path}", projects.change_project),
    Endpoint("GET", "/needs", needs.list_needs),
    Endpoint("POST", "/needs", needs.add_need),
    Endpoint("POST", "/needs/{need:path}/close", needs.close_need),
    Endpoint("POST", "/needs/{need:path}/prove", needs.prove_need),
    Endpoint("POST", "/needs/{need:path}/want", needs.want_need),
    Endpoint("GET", "/needs/{need:path}", needs.show_need),
    Endpoint("PUT", "/needs/{need:path}", needs.change_need),
    Endpoint("GET", "/steps/{need:path}", needs.next_steps),
    Endpoint("GET", "/offers", needs.show_offers),
    Endpoint("PUT", "/offers", needs.set_offers),
    Endpoint("GET", "/plan", needs.show_plan),
    Endpoint("GET", "/proof", needs.show_proof),
    Endpoint("GET", "/featured", needs.featured_needs),
    Endpoint("GET", "/fitting", needs.fitting_needs),
    Endpoint("GET", "/order", needs.show_order),
    Endpoint("GET", "/order/weights", needs.show_weights),
    Endpoint("PUT", "/order/weights", needs.set_weights),
    Endpoint("GET", "/timeline/{need:path}", needs.need_timeline),
    Endpoint("GET", "/explain/{need:path}", needs.explain_need),
    Endpoint("GET", "/pledges", needs.list_pledges),
    Endpoint("POST", "/pledges", needs.make_pledge),
    Endpoint("GET", "/pledges/{pledge}", needs.show_pledge),
    Endpoint("POST", "/pledges/{pledge}/renew", needs.renew_pledge),
    Endpoint("POST", "/pledges/{pledge}/withdraw", needs.withdraw_pledge),
    Endpoint("POST", "/pledges/{pledge}/claim", needs.claim_pledge),
    Endpoint("POST", "/pledges/{pledge}/confirm", needs.confirm_pledge),
    Endpoint("POST", "/pledges/{pledge}/dispute", needs.dispute_pledge),
    Endpoint("POST", "/pledges/{pledge}/settle", needs.settle_pledge),
    Endpoint("GET", "/contributions", facts.list_contributions),
    Endpoint("POST", "/contributions", facts.add_contribution),
    Endpoint(
        "POST",
        "/contributions/{contribution:path}/witness",
        facts.witness_contribution,
    ),
    Endpoint(
        "POST",
        "/contributions/{contribution:path}/withdraw",
        facts.withdraw_contribution,
    ),
    Endpoint("GET", "/suggestions", facts.list_suggestions),
    Endpoint("POST", "/suggestions/{suggestion}/accept", facts.accept_suggestion),
    Endpoint("POST", "/suggestions/{suggestion}/dismiss", facts.dismiss_suggestion),
    Endpoint("GET", "/thanks", facts.list_thanks),
    Endpoint("POST", "/thanks", facts.give_thanks),
    Endpoint("POST", "/thanks/{thanks}/withdraw", facts.withdraw_thanks),
    Endpoint("GET", "/notifications", notifications.list_notifications),
    Endpoint("POST", "/notifications/read", notifications.read_notifications),
    Endpoint("POST", "/notifications/digest", notifications.take_digest),
    Endpoint("PUT", "/notifications/digest", notifications.set_digest),
    Endpoint("GET", "/notifications/rules", notifications.show_rules),
    Endpoint("PUT", "/notifications/rules", notifications.set_rule),
    Endpoint("POST", "/notifications/mute", notifications.mute),
    Endpoint("POST", "/notifications/unmute", notifications.unmute),
    Endpoint("GET", "/peers", answers.list_peers),
    Endpoint("POST", "/peers", answers.add_peer),
    Stream("GET", "/events", (EventView, streams.Heartbeat), streams.events),
    Stream("POST", "/backup", (Progress, Finished), streams.backup),
    Stream("POST", "/export", (Progress, Finished), streams.export),
    Stream("POST", "/verify", (Progress, Finished), streams.verify),
    Stream("POST", "/rebuild", (Progress, Finished), streams.rebuild),
)
