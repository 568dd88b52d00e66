-- Operations are the truth; entries, subject_operations, states and snapshots are made from them.
-- Long identifiers that repeat (community, device, member, container) are stored once and numbered.

CREATE TABLE communities (
    number INTEGER PRIMARY KEY,
    community BLOB NOT NULL UNIQUE
);

CREATE TABLE members (
    number INTEGER PRIMARY KEY,
    member BLOB NOT NULL UNIQUE
);

-- One branch of one log. "log" is the core's number for it within its community.
CREATE TABLE logs (
    number INTEGER PRIMARY KEY,
    community INTEGER NOT NULL,
    log INTEGER NOT NULL,
    device BLOB NOT NULL,
    log_class INTEGER NOT NULL,
    branch BLOB NOT NULL,
    first_seq INTEGER NOT NULL,
    base_id BLOB NOT NULL,
    UNIQUE (community, log)
);

-- place = logs.number << 40 | seq: appends go to one end of one small range of one tree.
CREATE TABLE operations (
    place INTEGER PRIMARY KEY,
    frontier INTEGER NOT NULL,
    signature BLOB NOT NULL,
    op_id BLOB NOT NULL,
    core BLOB NOT NULL,
    payload BLOB
);

-- Almost always empty; tells where each log stops being folded.
CREATE INDEX operations_waiting ON operations (frontier) WHERE frontier = 0;

CREATE TABLE frontiers (
    community INTEGER NOT NULL,
    frontier INTEGER NOT NULL,
    op_ids BLOB NOT NULL,
    PRIMARY KEY (community, frontier)
) WITHOUT ROWID;

-- The logs whose newest folded operation no folded operation names. Which logs these are changes
-- seldom; their heads change with every operation, and are found in the logs.
CREATE TABLE tips (
    community INTEGER PRIMARY KEY,
    logs BLOB NOT NULL
);

-- Logs whose visibility is being judged again, with the seq to go on from.
CREATE TABLE reconsidered (
    community INTEGER PRIMARY KEY,
    logs BLOB NOT NULL
);

-- Auth operations whose payload holds signatures that were found valid: not checked again.
CREATE TABLE proven (
    community INTEGER NOT NULL,
    op_id BLOB NOT NULL,
    PRIMARY KEY (community, op_id)
) WITHOUT ROWID;

CREATE TABLE addresses (
    community INTEGER NOT NULL,
    device BLOB NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (community, device)
) WITHOUT ROWID;

CREATE TABLE lists (
    number INTEGER PRIMARY KEY,
    community INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    container BLOB NOT NULL,
    is_followed INTEGER NOT NULL DEFAULT 0,
    UNIQUE (community, kind, container)
);

-- Sorted by time; the few entries of one millisecond are sorted by device when they are read.
-- What list n keeps hidden is in list -n.
CREATE TABLE entries (
    list INTEGER NOT NULL,
    time INTEGER NOT NULL,
    place INTEGER NOT NULL,
    arrival INTEGER NOT NULL,
    member INTEGER NOT NULL,
    followed INTEGER,
    PRIMARY KEY (list, time, place)
) WITHOUT ROWID;

-- Only of lists that were once read by arrival (documents) and were not short; then followed = n in list n and -n.
CREATE INDEX entries_by_arrival ON entries (followed, arrival) WHERE followed IS NOT NULL;

CREATE TABLE arrivals (
    reserved INTEGER NOT NULL
);
INSERT INTO arrivals VALUES (0);

CREATE TABLE subject_operations (
    community INTEGER NOT NULL,
    subject BLOB NOT NULL,
    time INTEGER NOT NULL,
    place INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    member INTEGER NOT NULL,
    rank INTEGER NOT NULL,
    PRIMARY KEY (community, subject, time, place)
) WITHOUT ROWID;

CREATE TABLE states (
    community INTEGER NOT NULL,
    subject BLOB NOT NULL,
    kind INTEGER NOT NULL,
    group_subject BLOB NOT NULL,
    time INTEGER NOT NULL,
    device BLOB NOT NULL,
    seq INTEGER NOT NULL,
    op_id BLOB NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (community, subject)
) WITHOUT ROWID;
CREATE INDEX states_by_kind ON states (community, kind, time);
CREATE INDEX states_by_group ON states (community, kind, group_subject, time);

-- The valid epochs, as the core keeps them in memory.
CREATE TABLE epochs (
    community INTEGER NOT NULL,
    epoch BLOB NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (community, epoch)
) WITHOUT ROWID;

-- Content that waits for the secret of an epoch: from which seq of which log on, and how much.
CREATE TABLE sealed (
    community INTEGER NOT NULL,
    epoch BLOB NOT NULL,
    log INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (community, epoch, log)
) WITHOUT ROWID;

-- Our keys to what others sealed. No operation holds them in clear: they outlive the views.
CREATE TABLE epoch_secrets (
    community INTEGER NOT NULL,
    epoch BLOB NOT NULL,
    secret BLOB NOT NULL,
    PRIMARY KEY (community, epoch)
) WITHOUT ROWID;
CREATE TABLE prekeys (
    community INTEGER NOT NULL,
    number INTEGER NOT NULL,
    public BLOB NOT NULL,
    private BLOB NOT NULL,
    PRIMARY KEY (community, number)
) WITHOUT ROWID;

CREATE TABLE snapshots (
    community INTEGER NOT NULL,
    subject BLOB NOT NULL,
    covers INTEGER NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (community, subject)
);

-- Sealed pieces of shared files, and since when no blob names them (ms; 0: one does).
CREATE TABLE chunks (
    community INTEGER NOT NULL,
    chunk BLOB NOT NULL,
    size INTEGER NOT NULL,
    unnamed_since INTEGER NOT NULL DEFAULT 0,
    number INTEGER NOT NULL,
    PRIMARY KEY (community, chunk)
) WITHOUT ROWID;
CREATE TABLE chunk_bytes (
    number INTEGER PRIMARY KEY,
    sealed BLOB NOT NULL
);

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
