-- What a store is made of. `application_id` and `user_version` (the format) are set beside it.

-- Whose it is: the stream, and what the last program that wrote to it knew of its events (an encoded `Schema`).
CREATE TABLE stream (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    name    TEXT    NOT NULL,
    schema  BLOB    NOT NULL
) STRICT;

-- Where it stopped: one row, as soon as there is a block. Written in the transaction that it speaks of.
CREATE TABLE checkpoint (
    id      INTEGER PRIMARY KEY CHECK (id = 1),
    next    INTEGER NOT NULL,  -- the first sequence that is not in the store
    height  INTEGER NOT NULL,
    time    INTEGER NOT NULL,  -- nanoseconds since the beginning of 1970
    hash    BLOB    NOT NULL,
    blocks  INTEGER NOT NULL,
    records INTEGER NOT NULL
) STRICT;

-- Every layout that payloads have had: a `Schema` with this one event, encoded.
CREATE TABLE layouts (
    kind    INTEGER NOT NULL,
    version INTEGER NOT NULL,
    name    TEXT    NOT NULL,
    schema  BLOB    NOT NULL,
    PRIMARY KEY (kind, version)
) STRICT, WITHOUT ROWID;

-- The applications' own tables.
CREATE TABLE projections (
    name    TEXT    PRIMARY KEY,
    version INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- In the order of the stream. A height may stand here several times; a number does not.
CREATE TABLE blocks (
    number         INTEGER PRIMARY KEY,  -- counted from 1
    height         INTEGER NOT NULL,
    hash           BLOB    NOT NULL,     -- the trace of the record that ended it
    time           INTEGER NOT NULL,     -- nanoseconds since the beginning of 1970
    first_sequence INTEGER NOT NULL,
    next_sequence  INTEGER NOT NULL,     -- the first behind it
    events         INTEGER NOT NULL
) STRICT;
CREATE INDEX blocks_by_height ON blocks (height);

-- The records, as they stood on the ring; their height and time are the block's.
CREATE TABLE events (
    sequence       INTEGER PRIMARY KEY,
    block          INTEGER NOT NULL,     -- blocks.number
    order_number   INTEGER NOT NULL,     -- within the block, from 1
    kind           INTEGER NOT NULL,
    topic          INTEGER NOT NULL,
    source         INTEGER NOT NULL,
    trigger_kind   INTEGER NOT NULL,
    trigger_reason INTEGER NOT NULL,
    version        INTEGER NOT NULL,     -- of the payload's layout: see `layouts`
    flags          INTEGER NOT NULL,
    len            INTEGER NOT NULL,     -- of the payload's first fragment
    trace          BLOB    NOT NULL,     -- the transaction's hash; outside of transactions, the block's
    payload        BLOB    NOT NULL
) STRICT;

-- Where each transaction has caused something, and each block outside of transactions: a row for each block. An index of `events` would
-- have a row for each event, in no order: it would halve the speed of the store, or worse.
CREATE TABLE traces (
    hash           BLOB    NOT NULL,     -- events.trace
    block          INTEGER NOT NULL,     -- blocks.number
    first_sequence INTEGER NOT NULL,     -- the first event there
    last_sequence  INTEGER NOT NULL,     -- the last: between them stand others' too
    events         INTEGER NOT NULL,     -- how many there are there
    PRIMARY KEY (hash, block)
) STRICT, WITHOUT ROWID;

-- How many events there are of each kind.
CREATE TABLE kinds (
    kind           INTEGER PRIMARY KEY,
    events         INTEGER NOT NULL
) STRICT;
