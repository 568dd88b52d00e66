"""The endpoints that answer with one value: each takes its question to the node."""

from __future__ import annotations

from p2pvalue import types as t
from p2pvalue.api import schema as s
from p2pvalue.node.interface import NodeInterface


async def status(node: NodeInterface, _: s.Question) -> t.StatusView:
    """How the node is: network, communities, memory, disk, warnings."""
    return node.status()


async def whoami(node: NodeInterface, _: s.Question) -> t.WhoAmIView:
    """Who writes here: the person's name, the peer and the device in each community."""
    return node.whoami()


async def doctor(node: NodeInterface, _: s.Question) -> list[t.CheckView]:
    """Look for what commonly goes wrong."""
    return node.doctor()


async def set_profile(node: NodeInterface, question: s.SetProfile) -> t.WhoAmIView:
    """Set the person's name, in all communities and for those joined later."""
    await node.set_profile(question.name)
    return node.whoami()


async def take_words(node: NodeInterface, _: s.Question) -> s.Words:
    """Show the 24 words, once: they are the person, on paper."""
    return s.Words(words=node.keys.take_words())


async def check_words(node: NodeInterface, question: s.GivenWords) -> s.WordsCheck:
    """Tell whether these are the person's 24 words."""
    return s.WordsCheck(is_hers=node.keys.check_words(question.words))


async def forget_words(node: NodeInterface, _: s.Question) -> s.Done:
    """Remove from this machine what the words stand for."""
    node.keys.forget_words()
    return s.Done()


async def protect(node: NodeInterface, question: s.Protect) -> s.Done:
    """Close the keys in another way: under a passphrase, in the system's keyring, or not at all."""
    await node.keys.protect(
        question.protection,
        passphrase=question.passphrase,
        passphrase_before=question.passphrase_before,
    )
    return s.Done()


async def list_communities(node: NodeInterface, _: s.Question) -> list[t.CommunityView]:
    """The communities this node takes part in."""
    return node.communities()


async def use_community(node: NodeInterface, question: s.UseCommunity) -> list[t.CommunityView]:
    """Choose the community that is meant where none is named, among several; return all."""
    return node.use_community(question.community)


async def create_community(node: NodeInterface, question: s.CreateCommunity) -> t.CommunityView:
    """Found a community; the person becomes its founder."""
    community = await node.create_community(
        question.name,
        read=question.read,
        join=question.join,
        description=question.description,
        words=question.words,
    )
    return community.view()


async def join_community(node: NodeInterface, question: s.JoinCommunity) -> t.CommunityView:
    """Start to join by an invite's link; the view says what the join waits for."""
    return (await node.join(question.link, message=question.message, words=question.words)).view()


async def show_community(node: NodeInterface, question: s.InCommunity) -> t.CommunityView:
    """One community."""
    return node.community(question.community).view()


async def community_digest(node: NodeInterface, question: s.InCommunity) -> s.Digest:
    """The hash of everything to be seen in a community: equal on nodes with the same operations."""
    community = node.community(question.community)
    return s.Digest(community=community.view().community, digest=community.digest())


async def create_invite(node: NodeInterface, question: s.CreateInvite) -> t.InviteView:
    """Make a link that admits whoever holds it."""
    return await node.community(question.community).invite(rank=question.rank, uses=question.uses)


async def list_messages(node: NodeInterface, question: s.ListMessages) -> list[t.MessageView]:
    """One page of a channel, oldest first."""
    return node.community(question.community).messages(
        channel=question.channel,
        limit=question.limit,
        before=question.before,
        after=question.after,
    )


async def post_message(node: NodeInterface, question: s.PostMessage) -> t.MessageView:
    """Post a message."""
    return await node.community(question.community).post(
        question.text, channel=question.channel, reply=question.reply
    )


async def list_documents(node: NodeInterface, question: s.ListDocuments) -> list[t.DocumentView]:
    """The documents of a community, or those that were deleted."""
    return node.community(question.community).documents(deleted=question.deleted)


async def rename_document(node: NodeInterface, question: s.RenameDocument) -> t.DocumentView:
    """Give a document another title."""
    community = node.community(question.community)
    return await community.rename_document(question.document, question.title)


async def delete_document(node: NodeInterface, question: s.OfDocument) -> t.DocumentView:
    """Take a document out of sight, for everybody; what was written stays on the disks."""
    return await node.community(question.community).delete_document(question.document)


async def undelete_document(node: NodeInterface, question: s.OfDocument) -> t.DocumentView:
    """Show a deleted document again, with all that was ever written into it."""
    return await node.community(question.community).undelete_document(question.document)


async def create_document(node: NodeInterface, question: s.CreateDocument) -> t.DocumentView:
    """Start a document, with a first text if there is one; that of rich text is Markdown."""
    return await node.community(question.community).create_document(
        question.title, question.text, question.shape
    )


async def show_document(node: NodeInterface, question: s.OfDocument) -> t.TextView:
    """A document's text as this node has it, rich text as Markdown; its version names it."""
    return await node.community(question.community).document_text(question.document)


async def edit_document(node: NodeInterface, question: s.EditDocument) -> t.TextView:
    """Save a text: what differs from what the editor saw becomes edits; others' edits stay."""
    return await node.community(question.community).edit_document(
        question.document,
        question.text,
        base_version=question.base_version,
        base_text=question.base_text,
    )


async def list_peers(node: NodeInterface, _: s.Question) -> list[t.PeerView]:
    """The nodes we know of."""
    return node.peers()


async def add_peer(node: NodeInterface, question: s.AddPeer) -> t.PeerView:
    """Dial a node at an address, and keep the address."""
    return await node.add_peer(question.address, question.community)
