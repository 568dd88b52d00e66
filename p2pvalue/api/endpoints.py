"""The one table of all that can be asked; the application and its reference page follow it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from p2pvalue import types as t
from p2pvalue.api import answers as a
from p2pvalue.api import blob_answers as b
from p2pvalue.api import blob_schema as bs
from p2pvalue.api import device_answers as d
from p2pvalue.api import device_schema as ds
from p2pvalue.api import editor_answers as e
from p2pvalue.api import editor_schema as es
from p2pvalue.api import fact_answers as f
from p2pvalue.api import fact_schema as fs
from p2pvalue.api import history_answers as h
from p2pvalue.api import history_schema as hs
from p2pvalue.api import member_answers as m
from p2pvalue.api import member_schema as ms
from p2pvalue.api import need_answers as n
from p2pvalue.api import need_schema as ns
from p2pvalue.api import notify_answers as o
from p2pvalue.api import notify_schema as no
from p2pvalue.api import project_answers as p
from p2pvalue.api import project_schema as ps
from p2pvalue.api import schema as s
from p2pvalue.api import streams
from p2pvalue.api.lines import SendLine
from p2pvalue.node.interface import NodeInterface

Q = TypeVar("Q", bound=s.Question)


@dataclass(frozen=True, slots=True)
class Endpoint(Generic[Q]):
    """One question with one answer: a value of `p2pvalue.types` as JSON."""

    method: str
    path: str
    question: type[Q]
    ask: Callable[[NodeInterface, Q], Awaitable[msgspec.Struct | list[Any]]]


@dataclass(frozen=True, slots=True)
class Stream(Generic[Q]):
    """One question that is answered line by line, with values of the kinds in `lines`."""

    method: str
    path: str
    question: type[Q]
    lines: tuple[type[msgspec.Struct], ...]
    produce: Callable[[NodeInterface, Q, SendLine, AsyncIterator[bytes]], Awaitable[None]]
    is_fed_by_body: bool = False
    """True if the body holds lines to work on, and no fields of the question."""


ENDPOINTS: tuple[Endpoint[Any] | Stream[Any], ...] = (
    Endpoint("GET", "/status", s.Question, a.status),
    Endpoint("GET", "/whoami", s.Question, a.whoami),
    Endpoint("GET", "/doctor", s.Question, a.doctor),
    Endpoint("PUT", "/profile", s.SetProfile, a.set_profile),
    Endpoint("POST", "/words", s.Question, a.take_words),
    Endpoint("POST", "/words/check", s.GivenWords, a.check_words),
    Endpoint("POST", "/words/forget", s.Question, a.forget_words),
    Endpoint("PUT", "/protection", s.Protect, a.protect),
    Endpoint("GET", "/communities", s.Question, a.list_communities),
    Endpoint("POST", "/communities", s.CreateCommunity, a.create_community),
    Endpoint("POST", "/communities/join", s.JoinCommunity, a.join_community),
    Endpoint("GET", "/community", s.InCommunity, a.show_community),
    Endpoint("GET", "/digest", s.InCommunity, a.community_digest),
    Endpoint("GET", "/members", ms.ListMembers, m.list_members),
    Endpoint("GET", "/about/{member:path}", ms.OfMember, n.about_member),
    Endpoint("GET", "/members/{member:path}/removal", ms.OfMember, m.preview_removal),
    Endpoint("POST", "/members/{member:path}/remove", ms.RemoveMember, m.remove_member),
    Endpoint("PUT", "/members/{member:path}/rank", ms.GiveRank, m.give_rank),
    Endpoint("POST", "/members/{member:path}/vote-out", ms.OfMember, m.vote_out),
    Endpoint("POST", "/members/{member:path}/readmit", ms.Readmit, m.readmit),
    Endpoint("GET", "/invites", s.InCommunity, m.list_invites),
    Endpoint("POST", "/invites", s.CreateInvite, a.create_invite),
    Endpoint("GET", "/invites/{invite}", ms.OfInvite, m.show_invite),
    Endpoint("POST", "/invites/{invite}/revoke", ms.RevokeInvite, m.revoke_invite),
    Endpoint("GET", "/requests", s.InCommunity, m.list_requests),
    Endpoint("POST", "/requests/{request:path}/approve", ms.Approve, m.approve),
    Endpoint("POST", "/requests/{request:path}/decline", ms.OfRequest, m.decline),
    Endpoint("GET", "/policy", s.InCommunity, m.show_policy),
    Endpoint("PUT", "/policy", ms.SetPolicy, m.set_policy),
    Endpoint("POST", "/leave", ms.Leave, m.leave),
    Endpoint("GET", "/link", s.InCommunity, d.community_link),
    Endpoint("POST", "/communities/recover", ds.Recover, d.recover),
    Endpoint("GET", "/devices", s.InCommunity, d.list_devices),
    Endpoint("GET", "/devices/link", s.Question, d.show_link),
    Endpoint("POST", "/devices/link", ds.ShowCode, d.show_code),
    Endpoint("POST", "/devices/link/cancel", s.Question, d.cancel_link),
    Endpoint("POST", "/devices/add", ds.AddDevice, d.add_device),
    Endpoint("GET", "/devices/{device:path}/revocation", ds.OfDevice, d.preview_revocation),
    Endpoint("POST", "/devices/{device:path}/revoke", ds.RevokeDevice, d.revoke_device),
    Endpoint("GET", "/messages", s.ListMessages, a.list_messages),
    Endpoint("POST", "/messages", s.PostMessage, a.post_message),
    Endpoint("GET", "/documents", s.ListDocuments, a.list_documents),
    Endpoint("POST", "/documents", s.CreateDocument, a.create_document),
    Stream(
        "POST",
        "/documents/{document:path}/edits",
        s.SpliceDocument,
        (s.Opened, s.Spliced),
        streams.splice_document,
        is_fed_by_body=True,
    ),
    Endpoint("POST", "/documents/{document:path}/attach", es.AttachEditor, e.attach_editor),
    Endpoint("POST", "/documents/{document:path}/detach", es.DetachEditor, e.detach_editor),
    Endpoint("POST", "/documents/{document:path}/rename", s.RenameDocument, a.rename_document),
    Endpoint("POST", "/documents/{document:path}/delete", s.OfDocument, a.delete_document),
    Endpoint("POST", "/documents/{document:path}/undelete", s.OfDocument, a.undelete_document),
    Endpoint("POST", "/documents/{document:path}/restore", hs.AtVersion, h.restore),
    Endpoint("POST", "/documents/{document:path}/undo", s.OfDocument, h.undo),
    Endpoint("POST", "/documents/{document:path}/redo", s.OfDocument, h.redo),
    Endpoint("GET", "/documents/{document:path}", s.OfDocument, a.show_document),
    Endpoint("PUT", "/documents/{document:path}", s.EditDocument, a.edit_document),
    Endpoint("GET", "/history/{document:path}", hs.ListEdits, h.list_edits),
    Endpoint("GET", "/versions/{document:path}", hs.AtVersion, h.show_version),
    Endpoint("GET", "/blame/{document:path}", hs.Blame, h.blame),
    Endpoint("GET", "/blobs", s.InCommunity, b.list_blobs),
    Stream("POST", "/blobs", bs.AddBlob, (s.Progress, bs.Shared), b.add_blob),
    Stream("POST", "/blobs/{blob:path}/get", bs.GetBlob, (s.Progress, bs.Shared), b.get_blob),
    Endpoint("POST", "/blobs/{blob:path}/remove", bs.OfBlob, b.remove_blob),
    Endpoint("GET", "/projects", s.InCommunity, p.list_projects),
    Endpoint("POST", "/projects", ps.AddProject, p.add_project),
    Endpoint("POST", "/projects/{project:path}/role", ps.SetRole, p.set_role),
    Endpoint("POST", "/projects/{project:path}/also", ps.LinkProject, p.link_project),
    Endpoint("GET", "/projects/{project:path}", ps.OfProject, p.show_project),
    Endpoint("PUT", "/projects/{project:path}", ps.ChangeProject, p.change_project),
    Endpoint("GET", "/needs", s.InCommunity, n.list_needs),
    Endpoint("POST", "/needs", ns.AddNeed, n.add_need),
    Endpoint("POST", "/needs/{need:path}/close", ns.OfNeed, n.close_need),
    Endpoint("POST", "/needs/{need:path}/prove", ns.ProveNeed, n.prove_need),
    Endpoint("POST", "/needs/{need:path}/want", ns.WantNeed, n.want_need),
    Endpoint("GET", "/needs/{need:path}", ns.OfNeed, n.show_need),
    Endpoint("PUT", "/needs/{need:path}", ns.ChangeNeed, n.change_need),
    Endpoint("GET", "/steps/{need:path}", ns.OfNeed, n.next_steps),
    Endpoint("GET", "/offers", s.Question, n.show_offers),
    Endpoint("PUT", "/offers", ns.SetOffers, n.set_offers),
    Endpoint("GET", "/plan", s.Question, n.show_plan),
    Endpoint("GET", "/proof", ns.ReadProof, n.show_proof),
    Endpoint("GET", "/featured", s.InCommunity, n.featured_needs),
    Endpoint("GET", "/fitting", ns.Fitting, n.fitting_needs),
    Endpoint("GET", "/order", ns.AsOf, n.show_order),
    Endpoint("GET", "/order/weights", s.InCommunity, n.show_weights),
    Endpoint("PUT", "/order/weights", ns.SetWeights, n.set_weights),
    Endpoint("GET", "/timeline/{need:path}", ns.OfNeed, n.need_timeline),
    Endpoint("GET", "/explain/{need:path}", ns.ExplainNeed, n.explain_need),
    Endpoint("GET", "/pledges", ns.ListPledges, n.list_pledges),
    Endpoint("POST", "/pledges", ns.MakePledge, n.make_pledge),
    Endpoint("GET", "/pledges/{pledge}", ns.OfPledge, n.show_pledge),
    Endpoint("POST", "/pledges/{pledge}/renew", ns.OfPledge, n.renew_pledge),
    Endpoint("POST", "/pledges/{pledge}/withdraw", ns.WithdrawPledge, n.withdraw_pledge),
    Endpoint("POST", "/pledges/{pledge}/claim", ns.DeliverPledge, n.claim_pledge),
    Endpoint("POST", "/pledges/{pledge}/confirm", ns.DeliverPledge, n.confirm_pledge),
    Endpoint("POST", "/pledges/{pledge}/dispute", ns.DisputePledge, n.dispute_pledge),
    Endpoint("POST", "/pledges/{pledge}/settle", ns.SettlePledge, n.settle_pledge),
    Endpoint("GET", "/contributions", fs.ListContributions, f.list_contributions),
    Endpoint("POST", "/contributions", fs.AddContribution, f.add_contribution),
    Endpoint(
        "POST",
        "/contributions/{contribution:path}/witness",
        fs.OfContribution,
        f.witness_contribution,
    ),
    Endpoint(
        "POST",
        "/contributions/{contribution:path}/withdraw",
        fs.OfContribution,
        f.withdraw_contribution,
    ),
    Endpoint("GET", "/suggestions", s.InCommunity, f.list_suggestions),
    Endpoint("POST", "/suggestions/{suggestion}/accept", fs.AcceptSuggestion, f.accept_suggestion),
    Endpoint("POST", "/suggestions/{suggestion}/dismiss", fs.OfSuggestion, f.dismiss_suggestion),
    Endpoint("GET", "/thanks", fs.ListThanks, f.list_thanks),
    Endpoint("POST", "/thanks", fs.GiveThanks, f.give_thanks),
    Endpoint("POST", "/thanks/{thanks}/withdraw", fs.OfThanks, f.withdraw_thanks),
    Endpoint("GET", "/notifications", no.ListNotifications, o.list_notifications),
    Endpoint("POST", "/notifications/read", no.ReadNotifications, o.read_notifications),
    Endpoint("POST", "/notifications/digest", s.Question, o.take_digest),
    Endpoint("PUT", "/notifications/digest", no.SetDigest, o.set_digest),
    Endpoint("GET", "/notifications/rules", s.Question, o.show_rules),
    Endpoint("PUT", "/notifications/rules", no.SetNotificationRule, o.set_rule),
    Endpoint("POST", "/notifications/mute", no.Mute, o.mute),
    Endpoint("POST", "/notifications/unmute", no.Unmute, o.unmute),
    Endpoint("GET", "/peers", s.Question, a.list_peers),
    Endpoint("POST", "/peers", s.AddPeer, a.add_peer),
    Stream("GET", "/events", s.InCommunity, (t.EventView, streams.Heartbeat), streams.events),
    Stream("POST", "/backup", s.Backup, (s.Progress, s.Finished), streams.backup),
    Stream("POST", "/export", ms.Export, (s.Progress, s.Finished), streams.export),
    Stream("POST", "/verify", s.Question, (s.Progress, s.Finished), streams.verify),
    Stream("POST", "/rebuild", s.Question, (s.Progress, s.Finished), streams.rebuild),
)
