"""Every limit of the protocol, with its unit and the reason for its size (spec: limits).

Those in the first block and the places of signatures decide validity. All others delay, never
decide: two nodes with other values still reach the same state from the same operations. The one
exception, branches of a forked log, is a stated limit (spec: limits).
"""

# --- part of validity: the same on every node, for ever
CORE_BYTES_MAX = 1_024  # ten references need 1,005 bytes; one datagram stays one datagram
PAYLOAD_BYTES_MAX = 65_536  # a pasted chapter; larger things are blobs
NESTING_MAX = 32  # maps and arrays in each other; far below what exhausts a stack
PARENTS_MAX = 10  # wider frontiers are gathered by SEEN operations first
SEQ_MAX = 2**53 - 1  # the largest integer that JavaScript holds exactly
TIME_MS_MAX = 2**53 - 1
FOUNDERS_MAX = 7  # as many as can hold a quorum in their heads
KEEPS_MAX = 800  # references that fill one payload
SEEN_MAX = 16  # operations whose pasts a root's revocation of a device knows
CHUNK_BYTES_MAX = 65_536  # of a file, before it is sealed: one fits a frame
BLOB_BYTES_MAX = 64 * 1_024 * 1_024  # the hashes of 1,024 chunks fit a payload
CERTIFICATE_DEPTH_MAX = 16  # from a device up to its root; bounds what one look-up costs

# --- clocks: hold back, never refuse
AHEAD_MS_MAX = 5 * 60 * 1_000  # content from further ahead waits outside the set
NAMED_AHEAD_MS_MAX = 4 * 60 * 1_000  # leaves a minute for clocks slower than ours
CLOCK_BEHIND_MS_MAX = 24 * 3_600 * 1_000  # a clock further behind what is stored holds nothing back

# --- logs
SIGNATURE_EVERY = 64  # seq = 63 mod 64 keeps a signature, so that any run can end in one
UNSIGNED_BYTES_MAX = PAYLOAD_BYTES_MAX + CORE_BYTES_MAX  # between signatures, so a run fits a frame
SIGN_AFTER_BYTES = (
    32_768  # a writer signs at the latest after this much, well inside the rule above
)
BRANCHES_PER_LOG_MAX = 64  # of a forked log; beyond, only while something held waits for it

# --- sync
FRAME_BYTES_MAX = 72 * 1_024
BATCH_BYTES_MAX = 1_024 * 1_024  # unpacked; a compressed batch may not unfold to more
BATCH_BYTES_TARGET = 192 * 1_024  # unpacked; big enough for compression, small enough to interleave
BATCH_OPERATIONS_MAX = 4_096  # of 50 bytes each, compressed to few: what one frame may cost
RUN_OPERATIONS_MAX = 256
UNACKED_FRAMES_MAX = 4  # a stream dies when it is not read for 5 s
HEADS_WITHOUT_BUCKETS_MAX = 64  # up to here listing the heads costs less than asking for buckets
HEADS_PER_FRAME_MAX = 800
WANTS_PER_FRAME_MAX = 800
HEADS_EVERY_MS_MIN = 15_000
HEADS_EVERY_MS_MAX = 60_000
COMPARED_MS_MIN = 5_000  # between two answers to comparisons of a peer; each costs us far more
REPLY_MS_MAX = 10_000  # a peer that takes longer for one answer is as good as gone
TELL_MS_MIN = 50  # between two listings of changes: what happens meanwhile goes into one
HEADS_TOLD_MAX = 16_384  # at once, 1.2 MB; the rest follows when the peer has dealt with these
CLAIMS_MAX = 16_384  # heads of one peer that are missing here; the rest is asked for later
TURN_OPERATIONS_MIN = 256  # missing of one log, from which on one peer is asked at a time
TURN_MS = 5_000  # that each in line waits for those before it, until it looks what came
TURN_SHARE = 64  # of what was missing one part must come in a turn: so all of it in 64 turns
SUMS_PER_FRAME_MAX = 8_000  # 64,000 bytes
SUMS_MAX = 262_144  # in one listing of a peer, 2 MiB
NAMES_ASKED_MAX = 256  # in vain of one peer between two comparisons; the others have their turn
WANTS_QUEUED_MAX = 4_096  # of one peer; who asks for more without taking answers is left
TOPIC_SECRETS_NEWEST = 64  # shown in a handshake; who missed so many changes still meets
TOPIC_SECRETS_STEP = 32  # of the older ones each 32nd, so that any 64 in a row hold one of them
TOPIC_SECRETS_MAX = 96  # shown in all: with weekly changes twenty years
TOPIC_SECRETS_TRIED_MAX = 4_096  # by who is called: 8 ms for a stranger, in a very old community

# --- epochs
EPOCHS_EARLY_MAX = 1_024  # secrets given before their EPOCHs came: what one welcome holds
AUDIENCES_KEPT_MAX = 64  # whose usable epochs are remembered; the others are sought again

# --- devices of a person
LINKED_COMMUNITIES_MAX = 512  # handed over on one link; they fill one frame
NAME_CHARACTERS_MAX = 200  # of a person, as her profile takes it
LABEL_CHARACTERS_MAX = 64  # of a device, as its person calls it
RECORDS_HANDED_MAX = 8  # address records: one of the older device, some of others
KEYS_PER_FRAME_MAX = 64  # secrets of epochs: four KiB
KEYS_ASKED_MAX = 768  # of one peer between two comparisons; it may count five of ours as one
KEYS_WANTED_MAX = 4_096  # by one peer between two comparisons; each costs us a look-up

# --- blobs
CHUNKS_PER_FRAME_MAX = 16  # asked for at once
CHUNKS_UNDER_WAY_MAX = 8  # asked of one peer and not here yet: 512 KiB, on a line that is quick
CHUNKS_QUEUED_MAX = 32  # wanted by one peer; more is asking without taking answers
CHUNKS_IN_VAIN_MAX = 1_024  # asked of one peer that has them not, between two comparisons

# --- joining
PLEA_CHARACTERS_MAX = 1_000  # of what somebody says who asks to be let in
PROOF_FRAMES_MAX = 16  # one MiB shows the past of an admission, some 3,000 auth operations
PROOF_BYTES_TARGET = 49_152  # of runs in one frame, unpacked: keys and signatures do not shrink
OPEN_ADMISSIONS_MAX = 20  # by one node within a day, where everybody may join

# --- addresses
ADDRESSES_MAX = 8  # IPv4 and IPv6 of four interfaces
ADDRESS_BYTES_MAX = 200
PEER_ID_BYTES_MAX = 64
RECORD_BYTES_MAX = 2_048  # 8 addresses of 200 bytes, two keys, a signature
RECORD_AHEAD_MS_MAX = 24 * 3_600 * 1_000  # no clock can pin its record for ever
RECORDS_PER_FRAME_MAX = 32  # 64 KiB
RECORDS_TOLD_MAX = 256  # at the start of a session; other peers have the rest
RECORDS_TAKEN_MAX = 512  # per comparison interval; each costs one signature check

# --- updates by id
UPDATES_SOUGHT_MAX = 256  # in one community: who makes ids up has us ask for so many
UPDATES_PER_FRAME_MAX = 64
UPDATE_PLACES_MAX = 4  # of one update, as peers say; some may lie
UPDATE_QUESTIONS_MAX = 8  # of one peer between two comparisons
UPDATE_ANSWERS_MAX = 40  # to one peer between two comparisons; it may count five spans as one

# --- digests of documents
DIGESTS_MAX = 64  # documents of one community that peers are told of, those that changed last
DIGESTS_TAKEN_MAX = 1_024  # of one peer between two comparisons; beyond that nothing is heard

# --- gossip
GOSSIP_BYTES_MAX = 60_000
GOSSIP_PAYLOAD_BYTES_MAX = 16_384  # larger payloads go by sync only
GOSSIP_OPERATIONS_MAX = 256
GOSSIP_BYTES_TARGET = 48 * 1_024  # unpacked; leaves room for the stretch that crosses it
GOSSIP_EVERY_MS = 10  # of our own content; 500 messages in a row would cost all peers 500 flushes
GOSSIP_SEEN_MAX = 4_096  # messages: minutes of a lively community
PRESENCE_BYTES_MAX = 1_024  # one message, as it travels
PRESENCE_STATE_BYTES_MAX = 800
PRESENCE_EVERY_MS = 100  # between two messages of one device, on average
PRESENCE_BURST_MAX = 20  # messages of one device that may come at once: networks bunch them
PRESENCE_AGE_MS_MAX = 300_000  # how far its time may be from ours, either way
PRESENCE_DEVICES_MAX = 4_096  # devices, and again pairs of device and document, remembered
LIVE_DOCUMENTS_MAX = 32  # heard at once; each is a topic that all our peers are told of
TOPICS_HEARD_MAX = 3  # of one community, newest secrets first: who missed two changes still hears

# --- proofs
PROOF_BYTES_MAX = 16 * 1_024 * 1_024  # of a file, packed
PROOF_PLAIN_BYTES_MAX = 32 * 1_024 * 1_024  # unpacked; a file may not unfold to more
PROOF_OPERATIONS_MAX = 100_000  # some 7 MB, and half a minute of a stranger's computer
PROOF_AUTH_OPERATIONS_MAX = 10_000  # their pasts are bit sets: 12 MB
PROOF_JUDGEMENTS_MAX = 2_000_000  # ranks given and taken; honest files stay far below
PROOF_FRONTIERS_MAX = 1_000_000  # ids in all auth frontiers; honest ones are a few ids wide
