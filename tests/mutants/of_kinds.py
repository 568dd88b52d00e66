"""Faults in the kinds of content: what a payload may say, and what it folds to."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

MUTANTS = (
    Mutant(
        "blob-removed-by-another",
        "kinds/blob: only its author removes a blob",
        "kinds/blob",
        "placed.payload.removed and placed.member == state.author:",
        "placed.payload.removed:",
        "protocol/test_kinds.py::test_a_blob_is_removed_by_its_author_alone[bbbbbbbbbbbbbbbb"
        "bbbbbbbbbbbbbbbb-0-False]",
    ),
    Mutant(
        "blob-named-by-a-path",
        "kinds/blob: a blob's name is no path",
        "kinds/blob",
        'if name in (".", "..") or "/" in name or "\\\\" in name:',
        'if name in (".", ".."):',
        "vectors/test_kinds.py::test_kind[kinds/blob-name-path]",
    ),
    Mutant(
        "chunks-that-do-not-fit-the-size",
        "CHUNK_BYTES_MAX, kinds/blob: a blob has as many chunks as its size takes",
        "kinds/blob",
        "if len(blob.chunks) == HASH_BYTES * chunk_count(blob.size)",
        "if len(blob.chunks) <= HASH_BYTES * chunk_count(blob.size)",
        "vectors/test_kinds.py::test_kind[kinds/blob-chunks-none]",
    ),
    Mutant(
        "blob-without-end",
        "BLOB_BYTES_MAX: a blob has at most 64 MiB",
        "kinds/blob",
        "_Size = Annotated[int, msgspec.Meta(ge=0, le=BLOB_BYTES_MAX)]",
        "_Size = Annotated[int, msgspec.Meta(ge=0, le=2 * BLOB_BYTES_MAX)]",
        "protocol/test_kinds.py::test_a_blob_has_at_most_64_mib",
    ),
    Mutant(
        "chunks-in-any-place",
        "kinds/blob: a chunk opens in its own place only",
        "chunks",
        'return number.to_bytes(_NONCE_BYTES, "big")',
        "return bytes(_NONCE_BYTES)",
        "vectors/test_kinds.py::test_chunks_are_sealed_as_their_vectors_say[chunk-elsewhere]",
    ),
    Mutant(
        "newest-card-forgotten",
        "kinds/card: the newest card replaces those before it",
        "kinds/card",
        "card: Card = operations[-1].payload",
        "card: Card = operations[0].payload",
        "protocol/test_kinds.py::test_a_community_has_one_card_the_newest",
    ),
    Mutant(
        "empty-message",
        "kinds/chat: a message says something",
        "kinds/chat",
        'None if message.text.strip(" \\t\\n") else "the message is empty: write something",',
        "None,",
        "protocol/test_kinds.py::"
        "test_a_callers_mistake_is_answered_with_a_next_step[<lambda>-write something]",
    ),
    Mutant(
        "messages-in-one-channel",
        "kinds/chat: a message belongs to the channel that it names",
        "kinds/chat",
        "return payload.channel or NO_SUBJECT",
        "return NO_SUBJECT",
        "protocol/test_kinds.py::test_a_message_goes_to_its_channel_or_to_the_communitys_own",
    ),
    Mutant(
        "document-renamed-before-it-is-made",
        "kinds/document: what creates a document gives its shape",
        "kinds/document",
        "            if document.shape is not None:\n",
        "            if document.title:\n",
        "protocol/test_kinds.py::test_a_document_created_without_a_shape_is_none",
    ),
    Mutant(
        "document-keeps-its-title",
        "kinds/document: whoever may write renames it",
        "kinds/document",
        "state = msgspec.structs.replace(state, title=document.title)",
        "state = msgspec.structs.replace(state, title=state.title)",
        "protocol/test_kinds.py::test_a_document_is_renamed_by_the_last_writer",
    ),
    Mutant(
        "update-of-any-session",
        "kinds/document-update: a session is a number of 32 bits",
        "kinds/document",
        "msgspec.Meta(ge=0, le=2**32 - 1)",
        "msgspec.Meta(ge=0)",
        "protocol/test_kinds.py::"
        "test_a_callers_mistake_is_answered_with_a_next_step[<lambda>-correct the value2]",
    ),
    Mutant(
        "undoes-anything",
        "kinds/document-update: what is taken back is named by an op id",
        "kinds/document",
        "    undoes: _OpId | None = None",
        "    undoes: bytes | None = None",
        "protocol/test_kinds.py::"
        "test_a_callers_mistake_is_answered_with_a_next_step[<lambda>-correct the value4]",
    ),
    Mutant(
        "continues-by-number",
        "kinds/document-update: that an update continues an edit is true or false",
        "kinds/document",
        "_OpId | None = None\n    continues: bool = False",
        "_OpId | None = None\n    continues: bool | int = False",
        "vectors/test_kinds.py::test_kind[kinds/document-update-continues-1]",
    ),
    Mutant(
        "updates-of-all-documents",
        "kinds/document-update: an update belongs to the document that it names",
        "kinds/document",
        "container=lambda payload, subject: subject or NO_SUBJECT",
        "container=lambda payload, subject: NO_SUBJECT",
        "protocol/test_kinds.py::test_an_update_belongs_to_the_document_it_names",
    ),
    Mutant(
        "hidden-update-forgotten",
        "kinds/document-update: a hidden update stays in its list",
        "folding",
        "if not is_visible and not keeps_hidden(op.core.kind):",
        "if not is_visible:",
        "protocol/test_reconsideration.py::"
        "test_an_update_that_is_hidden_before_it_comes_is_listed_and_told_of_without_words",
    ),
    Mutant(
        "hidden-update-moved",
        "kinds/document-update: a hidden update keeps its place when it counts again",
        "folding",
        "(batch.entries_turned if is_listed else batch.entries_again).append(row)",
        "batch.entries_again.append(row)",
        "protocol/test_reconsideration.py::"
        "test_an_update_that_is_hidden_stays_in_its_list_and_is_announced",
    ),
    Mutant(
        "epoch-of-half-seals",
        "kinds/epoch: all parts but the last are full",
        "kinds/epoch",
        "is_whole = rest == 0 and (count == SEALS_PER_PART or epoch.is_last)",
        "is_whole = rest == 0",
        "vectors/test_epochs.py::test_epoch_payloads[first-part-not-full]",
    ),
    Mutant(
        "one-profile-for-all",
        "kinds/profile: each member has one",
        "kinds/profile",
        'return tagged_hash("profile", member)[:16]',
        'return tagged_hash("profile", b"")[:16]',
        "protocol/test_kinds.py::test_a_member_has_one_profile_the_newest",
    ),
    Mutant(
        "first-prekey-for-ever",
        "kinds/prekey: the newest key of a device counts",
        "kinds/prekey",
        "        newest[device] = DevicePrekey(device, prekey.key, placed.order.time)\n",
        "        newest.setdefault(device, DevicePrekey(device, prekey.key, placed.order.time))\n",
        "protocol/test_keeper.py::"
        "test_a_device_changes_its_prekey_after_thirty_days_and_opens_what_the_last_three_got",
    ),
    Mutant(
        "notice-about-nothing",
        "kinds/notice: a notice stands beside an auth operation",
        "kinds/notice",
        "about = [placed for placed in operations if not placed.creates]",
        "about = [*operations]",
        "protocol/test_kinds.py::test_a_notice_about_itself_is_none",
    ),
)
