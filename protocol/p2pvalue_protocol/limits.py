"""Every limit of the protocol, with its unit and the reason for its size (spec: limits).

Only the byte sizes in the first block decide validity. All others delay, never decide: two nodes
with other values still reach the same state from the same operations.
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
CERTIFICATE_DEPTH_MAX = 16  # from a device up to its root; bounds what one look-up costs

# --- clocks: hold back, never refuse
AHEAD_MS_MAX = 5 * 60 * 1_000  # content from further ahead waits outside the set
CLOCK_BEHIND_MS_MAX = 24 * 3_600 * 1_000  # a clock further behind what is stored holds nothing back

# --- logs
SIGNATURE_EVERY = 64  # seq = 63 mod 64 keeps a signature, so that any run can end in one
UNSIGNED_BYTES_MAX = PAYLOAD_BYTES_MAX + CORE_BYTES_MAX  # between signatures, so a run fits a frame
SIGN_AFTER_BYTES = (
    32_768  # a writer signs at the latest after this much, well inside the rule above
)
BRANCHES_PER_LOG_MAX = 64  # more branches than this of one forked log are not taken

# --- sync
FRAME_BYTES_MAX = 72 * 1_024
BATCH_BYTES_MAX = 1_024 * 1_024  # unpacked; a compressed batch may not unfold to more
BATCH_BYTES_TARGET = 192 * 1_024  # unpacked; big enough for compression, small enough to interleave
RUN_OPERATIONS_MAX = 256
UNACKED_FRAMES_MAX = 4  # a stream dies when it is not read for 5 s
HEADS_WITHOUT_BUCKETS_MAX = 64  # up to here listing the heads costs less than asking for buckets
HEADS_PER_FRAME_MAX = 800
WANTS_PER_FRAME_MAX = 800
HEADS_EVERY_MS_MIN = 15_000
HEADS_EVERY_MS_MAX = 60_000

# --- gossip
GOSSIP_BYTES_MAX = 60_000
GOSSIP_PAYLOAD_BYTES_MAX = 16_384  # larger payloads go by sync only
GOSSIP_OPERATIONS_MAX = 256
