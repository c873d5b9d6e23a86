-- Our own tables, version 1, in the schema order_manager; the same tables as migrations/sqlite has with the prefix
-- order_manager_. Texts that are sorted by are COLLATE "C", so that every database sorts alike. JSON is kept as json,
-- not jsonb: what is published is published byte by byte. No foreign key leads to the shared tables: it would put
-- triggers on tables that are not ours.

-- The versions that were applied, the last of them the schema's.
CREATE TABLE order_manager.version (
    version    bigint    NOT NULL PRIMARY KEY,
    applied_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')
);

-- One row for each step: what came in and what is true since. sha256 closes each batch that was committed: the hash
-- of the batch before it, then of each record's number, digest and bytes.
CREATE TABLE order_manager.journal (
    seq    bigint NOT NULL PRIMARY KEY CHECK (seq > 0),
    at     bigint NOT NULL,
    record bytea  NOT NULL,
    digest bytea  NOT NULL CHECK (length(digest) = 16),
    sha256 bytea  CHECK (length(sha256) = 32)
);

-- Where a restore begins; safe to delete. The manager's state as of record seq, and what the rows of later events
-- need as of record rows_seq.
CREATE TABLE order_manager.checkpoint (
    id           bigint NOT NULL PRIMARY KEY CHECK (id = 1),
    seq          bigint NOT NULL CHECK (seq >= 0),
    state        bytea  NOT NULL,
    rows_version bigint NOT NULL,
    rows_seq     bigint NOT NULL,
    rows_state   bytea  NOT NULL,
    CHECK (rows_seq >= seq)
);

-- How far somebody who follows the messages has come: every message up to position was taken.
CREATE TABLE order_manager.cursor (
    name     text   COLLATE "C" NOT NULL PRIMARY KEY,
    position bigint NOT NULL CHECK (position >= 0),
    repeated bigint NOT NULL CHECK (repeated >= 0)
);

CREATE TABLE order_manager.orders_own (
    order_link_id      text      COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(order_link_id) BETWEEN 1 AND 36),
    id                 uuid      NOT NULL UNIQUE, -- of the shared table orders
    signal_id          uuid      NOT NULL,
    leg                bigint    NOT NULL,
    attempt            bigint    NOT NULL,
    order_id           text,
    requested_quantity numeric   NOT NULL,
    price              numeric   NOT NULL,
    time_in_force      text      NOT NULL CHECK (time_in_force IN ('GTC', 'IOC', 'FOK', 'PostOnly')),
    reduce_only        boolean   NOT NULL,
    state              text      NOT NULL CHECK (state IN ('intended', 'sending', 'unknown', 'acked', 'open', 'closed',
                                                           'refused', 'absent', 'aged_out', 'expired')),
    certainty          text      NOT NULL CHECK (certainty IN ('certain', 'in_flight', 'unknown')),
    since              timestamp NOT NULL,
    evidence           bigint,
    signed_at          bigint,
    cancel_reason      text,
    reason             text      NOT NULL,
    remainder          text
);
CREATE INDEX idx_orders_own_uncertain ON order_manager.orders_own (certainty) WHERE certainty <> 'certain';

CREATE TABLE order_manager.signals (
    signal_id        uuid      NOT NULL PRIMARY KEY,
    asset            text      NOT NULL,
    side             text      NOT NULL CHECK (side IN ('buy', 'sell')),
    trace_id         text      NOT NULL,
    state            text      NOT NULL CHECK (state IN ('waiting', 'active', 'settled')),
    outcome          text      CHECK (outcome IN ('placed', 'rejected')),
    code             text,
    text             text      NOT NULL,
    tries            bigint    NOT NULL,
    received_at      timestamp NOT NULL,
    updated_at       timestamp NOT NULL,
    settled_at       timestamp,
    verdicts         json      NOT NULL,
    notes            json      NOT NULL,
    cancelled        json      NOT NULL,
    planned_quantity numeric,
    planned_price    numeric,
    drift            numeric,
    fingerprint      bytea     CHECK (length(fingerprint) = 16),
    amount           numeric,
    confidence       numeric,
    timestamp        timestamp,
    strategy_id      text,
    model_version    text,
    is_warmup        boolean,
    price            numeric,
    spread           numeric,
    volume_24h       numeric,
    volatility       numeric,
    is_urgent        boolean,
    is_exit          boolean,
    CHECK ((state = 'settled') = (outcome IS NOT NULL)),
    CHECK ((outcome IS NOT DISTINCT FROM 'rejected') = (code IS NOT NULL))
);
CREATE INDEX idx_signals_received_at ON order_manager.signals (received_at);

CREATE TABLE order_manager.executions (
    exec_id       text      COLLATE "C" NOT NULL PRIMARY KEY,
    order_id      text      NOT NULL,
    order_link_id text      COLLATE "C",
    asset         text      NOT NULL,
    side          text      NOT NULL CHECK (side IN ('Buy', 'SELL')),
    exec_type     text      NOT NULL,
    quantity      numeric   NOT NULL,
    price         numeric   NOT NULL,
    value         numeric   NOT NULL,
    fee           numeric   NOT NULL,
    fee_coin      text      NOT NULL,
    is_maker      boolean   NOT NULL,
    executed_at   timestamp NOT NULL,
    evidence      bigint    NOT NULL
);
CREATE INDEX idx_executions_order_link_id ON order_manager.executions (order_link_id);

CREATE TABLE order_manager.dead_letters (
    id          bigint    GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    seq         bigint    NOT NULL,
    idx         bigint    NOT NULL,
    received_at timestamp NOT NULL,
    reason      text      NOT NULL,
    body        bytea     NOT NULL,
    UNIQUE (seq, idx)
);

-- The positions of our own books (spec T4). The shared table of this name is Position Manager's.
CREATE TABLE order_manager.positions (
    asset               text          COLLATE "C" NOT NULL PRIMARY KEY CHECK (length(asset) BETWEEN 1 AND 20),
    size                numeric(20,8) NOT NULL,
    average_entry_price numeric(20,8) CHECK (average_entry_price > 0),
    realized_pnl        numeric(20,8) NOT NULL,
    fees                numeric(20,8) NOT NULL,
    unexplained         text,
    created_at          timestamp     NOT NULL,
    updated_at          timestamp     NOT NULL,
    closed_at           timestamp
);

CREATE TABLE order_manager.position_snapshots (
    id                  uuid          NOT NULL PRIMARY KEY,
    asset               text          COLLATE "C" NOT NULL,
    size                numeric(20,8) NOT NULL,
    average_entry_price numeric(20,8) CHECK (average_entry_price > 0),
    realized_pnl        numeric(20,8) NOT NULL,
    fees                numeric(20,8) NOT NULL,
    unexplained         text,
    snapshot_timestamp  timestamp     NOT NULL
);
CREATE INDEX idx_position_snapshots_asset ON order_manager.position_snapshots (asset, snapshot_timestamp);
CREATE INDEX idx_position_snapshots_snapshot_timestamp ON order_manager.position_snapshots (snapshot_timestamp);

-- What is published, in order: id grows without gaps, event_id is the same however often the event is sent.
CREATE TABLE order_manager.messages (
    id         bigint NOT NULL PRIMARY KEY,
    event_id   uuid   NOT NULL UNIQUE,
    seq        bigint NOT NULL,
    idx        bigint NOT NULL,
    asset      text   NOT NULL,
    event_type text   NOT NULL,
    trace_id   text   NOT NULL,
    body       json   NOT NULL
);
