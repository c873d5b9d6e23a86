-- The store, version 1. The first three tables have the columns and CHECKs of the shared PostgreSQL schema, so that
-- a reader written for one reads the other; figures are texts of NUMERIC(20,8), moments are naive UTC with six
-- decimals, ids are UUIDs. Tables with the prefix order_manager_ are our own.

CREATE TABLE orders (
    id               TEXT    NOT NULL PRIMARY KEY,
    order_id         TEXT    NOT NULL UNIQUE CHECK (length(order_id) BETWEEN 1 AND 100),
    signal_id        TEXT    NOT NULL,
    asset            TEXT    NOT NULL CHECK (length(asset) BETWEEN 1 AND 20),
    side             TEXT    NOT NULL,
    order_type       TEXT    NOT NULL,
    quantity         TEXT    NOT NULL,
    price            TEXT,
    status           TEXT    NOT NULL DEFAULT 'pending',
    filled_quantity  TEXT    NOT NULL DEFAULT '0.00000000',
    average_price    TEXT,
    fees             TEXT,
    created_at       TEXT    NOT NULL CHECK (length(created_at) = 26),
    updated_at       TEXT    NOT NULL CHECK (length(updated_at) = 26),
    executed_at      TEXT    CHECK (executed_at IS NULL OR length(executed_at) = 26),
    trace_id         TEXT    CHECK (length(trace_id) <= 100),
    is_dry_run       INTEGER NOT NULL DEFAULT 0 CHECK (is_dry_run IN (0, 1)),
    rejection_reason TEXT,
    CONSTRAINT chk_side CHECK (side IN ('Buy', 'SELL')),
    CONSTRAINT chk_order_type CHECK (order_type IN ('Market', 'Limit')),
    CONSTRAINT chk_status CHECK (status IN ('pending', 'partially_filled', 'filled', 'cancelled', 'rejected', 'dry_run')),
    CONSTRAINT chk_quantity_positive CHECK (CAST(quantity AS REAL) > 0),
    CONSTRAINT chk_filled_quantity CHECK (
        CAST(filled_quantity AS REAL) >= 0 AND CAST(filled_quantity AS REAL) <= CAST(quantity AS REAL)
    ),
    CONSTRAINT chk_price_limit_order CHECK (
        order_type = 'Market' OR (price IS NOT NULL AND CAST(price AS REAL) > 0)
    )
) STRICT;
CREATE INDEX idx_orders_signal_id ON orders (signal_id);
CREATE INDEX idx_orders_asset ON orders (asset);
CREATE INDEX idx_orders_status ON orders (status);
CREATE INDEX idx_orders_created_at ON orders (created_at);

CREATE TABLE signal_order_relationships (
    id                  TEXT NOT NULL PRIMARY KEY,
    signal_id           TEXT NOT NULL,
    order_id            TEXT NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    relationship_type   TEXT NOT NULL CHECK (relationship_type IN ('one_to_one', 'one_to_many', 'many_to_one')),
    execution_sequence  INTEGER CHECK (execution_sequence IS NULL OR execution_sequence >= 1),
    allocation_amount   TEXT CHECK (allocation_amount IS NULL OR CAST(allocation_amount AS REAL) > 0),
    allocation_quantity TEXT CHECK (allocation_quantity IS NULL OR CAST(allocation_quantity AS REAL) > 0),
    created_at          TEXT NOT NULL CHECK (length(created_at) = 26),
    CONSTRAINT uq_signal_order UNIQUE (signal_id, order_id)
) STRICT;
CREATE INDEX idx_signal_order_relationships_order_id ON signal_order_relationships (order_id);

CREATE TABLE instrument_info (
    id                  TEXT NOT NULL PRIMARY KEY,
    symbol              TEXT NOT NULL UNIQUE CHECK (length(symbol) BETWEEN 1 AND 50),
    base_coin           TEXT CHECK (length(base_coin) <= 20),
    quote_coin          TEXT CHECK (length(quote_coin) <= 20),
    status              TEXT CHECK (length(status) <= 32),
    lot_size            TEXT NOT NULL,
    min_order_qty       TEXT NOT NULL,
    max_order_qty       TEXT NOT NULL,
    min_order_value     TEXT NOT NULL,
    price_tick_size     TEXT NOT NULL,
    price_limit_ratio_x TEXT,
    price_limit_ratio_y TEXT,
    raw_response        TEXT NOT NULL CHECK (json_valid(raw_response)),
    created_at          TEXT NOT NULL CHECK (length(created_at) = 26),
    updated_at          TEXT NOT NULL CHECK (length(updated_at) = 26)
) STRICT;

-- One row for each step: what came in and what is true since. sha256 closes each batch that was committed: the hash
-- of the batch before it, then of each record's number, digest and bytes.
CREATE TABLE order_manager_journal (
    seq    INTEGER NOT NULL PRIMARY KEY CHECK (seq > 0),
    at     INTEGER NOT NULL,
    record BLOB    NOT NULL,
    digest BLOB    NOT NULL CHECK (length(digest) = 16),
    sha256 BLOB    CHECK (sha256 IS NULL OR length(sha256) = 32)
) STRICT;

-- Where a restore begins; safe to delete. The manager's state as of record seq, and what the rows of later events
-- need as of record rows_seq.
CREATE TABLE order_manager_checkpoint (
    id           INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    seq          INTEGER NOT NULL CHECK (seq >= 0),
    state        BLOB    NOT NULL,
    rows_version INTEGER NOT NULL,
    rows_seq     INTEGER NOT NULL CHECK (rows_seq >= seq),
    rows_state   BLOB    NOT NULL
) STRICT;

-- How far somebody who follows the messages has come: every message up to position was taken.
CREATE TABLE order_manager_cursor (
    name     TEXT    NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL CHECK (position >= 0),
    repeated INTEGER NOT NULL CHECK (repeated >= 0)
) STRICT;

CREATE TABLE order_manager_orders_own (
    order_link_id      TEXT    NOT NULL PRIMARY KEY CHECK (length(order_link_id) BETWEEN 1 AND 36),
    id                 TEXT    NOT NULL UNIQUE,
    signal_id          TEXT    NOT NULL,
    leg                INTEGER NOT NULL,
    attempt            INTEGER NOT NULL,
    order_id           TEXT,
    requested_quantity TEXT    NOT NULL,
    price              TEXT    NOT NULL,
    time_in_force      TEXT    NOT NULL CHECK (time_in_force IN ('GTC', 'IOC', 'FOK', 'PostOnly')),
    reduce_only        INTEGER NOT NULL CHECK (reduce_only IN (0, 1)),
    state              TEXT    NOT NULL CHECK (state IN ('intended', 'sending', 'unknown', 'acked', 'open', 'closed',
                                                         'refused', 'absent', 'aged_out', 'expired')),
    certainty          TEXT    NOT NULL CHECK (certainty IN ('certain', 'in_flight', 'unknown')),
    since              TEXT    NOT NULL,
    evidence           INTEGER,
    signed_at          INTEGER,
    cancel_reason      TEXT,
    reason             TEXT    NOT NULL,
    remainder          TEXT
) STRICT;
CREATE INDEX idx_order_manager_orders_own_uncertain ON order_manager_orders_own (certainty) WHERE certainty <> 'certain';

CREATE TABLE order_manager_signals (
    signal_id        TEXT    NOT NULL PRIMARY KEY,
    asset            TEXT    NOT NULL,
    side             TEXT    NOT NULL CHECK (side IN ('buy', 'sell')),
    trace_id         TEXT    NOT NULL,
    state            TEXT    NOT NULL CHECK (state IN ('waiting', 'active', 'settled')),
    outcome          TEXT    CHECK (outcome IN ('placed', 'rejected')),
    code             TEXT,
    text             TEXT    NOT NULL,
    tries            INTEGER NOT NULL,
    received_at      TEXT    NOT NULL,
    updated_at       TEXT    NOT NULL,
    settled_at       TEXT,
    verdicts         TEXT    NOT NULL CHECK (json_valid(verdicts)),
    notes            TEXT    NOT NULL CHECK (json_valid(notes)),
    cancelled        TEXT    NOT NULL CHECK (json_valid(cancelled)),
    planned_quantity TEXT,
    planned_price    TEXT,
    drift            TEXT,
    fingerprint      BLOB    CHECK (fingerprint IS NULL OR length(fingerprint) = 16),
    amount           TEXT,
    confidence       TEXT,
    timestamp        TEXT,
    strategy_id      TEXT,
    model_version    TEXT,
    is_warmup        INTEGER CHECK (is_warmup IN (0, 1)),
    price            TEXT,
    spread           TEXT,
    volume_24h       TEXT,
    volatility       TEXT,
    is_urgent        INTEGER CHECK (is_urgent IN (0, 1)),
    is_exit          INTEGER CHECK (is_exit IN (0, 1)),
    CHECK ((state = 'settled') = (outcome IS NOT NULL)),
    CHECK ((outcome IS 'rejected') = (code IS NOT NULL))
) STRICT;
CREATE INDEX idx_order_manager_signals_received_at ON order_manager_signals (received_at);

CREATE TABLE order_manager_executions (
    exec_id       TEXT    NOT NULL PRIMARY KEY,
    order_id      TEXT    NOT NULL,
    order_link_id TEXT,
    asset         TEXT    NOT NULL,
    side          TEXT    NOT NULL CHECK (side IN ('Buy', 'SELL')),
    exec_type     TEXT    NOT NULL,
    quantity      TEXT    NOT NULL,
    price         TEXT    NOT NULL,
    value         TEXT    NOT NULL,
    fee           TEXT    NOT NULL,
    fee_coin      TEXT    NOT NULL,
    is_maker      INTEGER NOT NULL CHECK (is_maker IN (0, 1)),
    executed_at   TEXT    NOT NULL,
    evidence      INTEGER NOT NULL
) STRICT;
CREATE INDEX idx_order_manager_executions_order_link_id ON order_manager_executions (order_link_id);

CREATE TABLE order_manager_dead_letters (
    id          INTEGER NOT NULL PRIMARY KEY,
    seq         INTEGER NOT NULL,
    idx         INTEGER NOT NULL,
    received_at TEXT    NOT NULL,
    reason      TEXT    NOT NULL,
    body        BLOB    NOT NULL,
    UNIQUE (seq, idx)
) STRICT;

-- The positions of our own books (spec T4).
CREATE TABLE order_manager_positions (
    asset               TEXT NOT NULL PRIMARY KEY CHECK (length(asset) BETWEEN 1 AND 20),
    size                TEXT NOT NULL,
    average_entry_price TEXT CHECK (CAST(average_entry_price AS REAL) > 0),
    realized_pnl        TEXT NOT NULL,
    fees                TEXT NOT NULL,
    unexplained         TEXT,
    created_at          TEXT NOT NULL CHECK (length(created_at) = 26),
    updated_at          TEXT NOT NULL CHECK (length(updated_at) = 26),
    closed_at           TEXT CHECK (length(closed_at) = 26)
) STRICT;

CREATE TABLE order_manager_position_snapshots (
    id                  TEXT NOT NULL PRIMARY KEY,
    asset               TEXT NOT NULL,
    size                TEXT NOT NULL,
    average_entry_price TEXT CHECK (CAST(average_entry_price AS REAL) > 0),
    realized_pnl        TEXT NOT NULL,
    fees                TEXT NOT NULL,
    unexplained         TEXT,
    snapshot_timestamp  TEXT NOT NULL CHECK (length(snapshot_timestamp) = 26)
) STRICT;
CREATE INDEX idx_order_manager_position_snapshots_asset ON order_manager_position_snapshots (asset, snapshot_timestamp);
CREATE INDEX idx_order_manager_position_snapshots_timestamp ON order_manager_position_snapshots (snapshot_timestamp);

-- What is published, in order: id grows without gaps, event_id is the same however often the event is sent.
CREATE TABLE order_manager_messages (
    id         INTEGER NOT NULL PRIMARY KEY,
    event_id   TEXT    NOT NULL UNIQUE,
    seq        INTEGER NOT NULL,
    idx        INTEGER NOT NULL,
    asset      TEXT    NOT NULL,
    event_type TEXT    NOT NULL,
    trace_id   TEXT    NOT NULL,
    body       TEXT    NOT NULL CHECK (json_valid(body))
) STRICT;
