"""Faults in how chunks of blobs are asked for and given."""

from __future__ import annotations

from tests.mutants.mutant import Mutant

_CHECKS = "protocol/test_chunk_requests.py::"
_OWED = "protocol/test_chunks_owed.py::"

MUTANTS = (
    Mutant(
        "wrong-chunk-taken",
        "sync#chunks, unasked: a chunk has the hash that was asked for",
        "chunk_requests",
        "if frame.sealed and chunk_hash(frame.sealed) != chunk:",
        "if frame.sealed and not chunk:",
        _CHECKS + "test_wrong_bytes_end_the_session_and_another_peer_is_asked",
    ),
    Mutant(
        "chunks-for-anybody",
        "sync#chunks, sync#who-may-see-and-bring-what: chunks are given to whom all is given",
        "exchange",
        "ChunkSupply(lambda: self._gives() is EVERYTHING)",
        "ChunkSupply(lambda: True)",
        _CHECKS + "test_who_is_no_member_gets_nothing_and_the_disk_is_left_alone",
    ),
    Mutant(
        "chunks-asked-of-anybody",
        "sync#chunks: only members' devices are asked, but for public communities",
        "exchange",
        "ChunkRequests(replica.community, fetching, lambda: self._is_ready)",
        "ChunkRequests(replica.community, fetching, lambda: True)",
        _CHECKS + "test_who_is_no_member_is_not_asked",
    ),
    Mutant(
        "chunk-kept-from-others",
        "sync#chunks: what one peer has not, another is asked for",
        "chunk_requests",
        "            self._fetching.give_back(self._community, self, [chunk])\n",
        "",
        _CHECKS + "test_what_one_peer_owes_or_has_not_another_is_asked_for",
    ),
    Mutant(
        "chunk-of-who-is-gone",
        "sync#chunks: what a peer owes that is gone, another is asked for",
        "exchange",
        "        self._wanting.end()\n        self._chunks.end()\n",
        "        self._wanting.end()\n",
        _CHECKS + "test_wrong_bytes_end_the_session_and_another_peer_is_asked",
    ),
    Mutant(
        "chunk-asked-of-two",
        "sync#chunks: each chunk is asked of one peer at a time",
        "fetching",
        "{chunk: before.get(chunk) for chunk in chunks}",
        "dict.fromkeys(chunks)",
        "protocol/test_fetching.py::test_what_is_wanted_still_is_asked_of_no_other",
    ),
    Mutant(
        "chunk-owed-by-who-writes",
        "sync#chunks: what a peer owes for 10 s, another is asked for",
        "chunk_requests",
        "        self._fetching.give_back(self._community, self, late)\n",
        "",
        _OWED + "test_who_brings_words_and_no_chunk_keeps_it_from_nobody",
    ),
    Mutant(
        "chunk-asked-again-of-who-owes-it",
        "sync#chunks: what a peer owes for 10 s, another is asked for",
        "chunk_requests",
        "without = self._vain.union(chunk for chunk, _ in self._asked)",
        "without = self._vain",
        _OWED + "test_who_brings_words_and_no_chunk_keeps_it_from_nobody",
    ),
    Mutant(
        "kept-alive-by-nothing",
        "sync#chunks: who owes a chunk and brings no operations that were missing is left",
        "exchange",
        "        if receipt.stored:\n            self._chunks.is_alive(now_ms)\n",
        "        self._chunks.is_alive(now_ms)\n",
        _OWED + "test_frames_that_bring_nothing_do_not_keep_alive_who_owes_a_chunk",
    ),
    Mutant(
        "chunks-before-operations",
        "sync#chunks: chunks are sent when no operations wait",
        "exchange",
        "may_read=self._supply.is_idle)",
        "may_read=True)",
        _CHECKS + "test_operations_go_before_chunks",
    ),
    Mutant(
        "chunks-without-end",
        "CHUNKS_UNDER_WAY_MAX: at most eight chunks are under way",
        "chunk_requests",
        "self._under_way_max = min(most, limits.CHUNKS_UNDER_WAY_MAX)",
        "self._under_way_max = most",
        _CHECKS
        + "test_more_and_more_are_under_way_while_they_come_at_once_and_one_when_they_do_not",
    ),
    Mutant(
        "chunks-wanted-without-end",
        "CHUNKS_QUEUED_MAX: a peer takes answers before it asks for more",
        "chunk_requests",
        "        if len(self._queue) > limits.CHUNKS_QUEUED_MAX:\n"
        "            raise Refused(Reason.OVER_LIMIT)\n",
        "",
        _CHECKS + "test_who_asks_without_taking_answers_is_left",
    ),
    Mutant(
        "chunks-in-vain-without-end",
        "CHUNKS_IN_VAIN_MAX: who has nothing is not asked for all that was ever named",
        "chunk_requests",
        "            self._vain_left -= 1\n",
        "",
        _CHECKS + "test_no_more_are_asked_in_vain_than_a_peer_is_asked_and_the_rest_comes_first",
    ),
    Mutant(
        "chunks-in-one-question",
        "CHUNKS_PER_FRAME_MAX: a question names at most 16 chunks",
        "frames",
        "msgspec.Meta(min_length=1, max_length=limits.CHUNKS_PER_FRAME_MAX)",
        "msgspec.Meta(min_length=1)",
        "vectors/test_sessions.py::test_a_frame_is_what_its_vectors_say"
        "[sync-frame-chunks-wanted-17]",
    ),
)
