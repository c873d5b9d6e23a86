-- The shared schema (wire-contracts.md 5), for a database that has none: ws-gateway's migrations own these tables.
-- `order-manager migrate --bootstrap-shared` runs the part of each table that is not there, from its CREATE TABLE to
-- the next; a table that is there is never touched.

CREATE TABLE orders (
    id               uuid          NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    order_id         varchar(100)  NOT NULL UNIQUE,
    signal_id        uuid          NOT NULL,
    asset            varchar(20)   NOT NULL,
    side             varchar(10)   NOT NULL,
    order_type       varchar(20)   NOT NULL,
    quantity         numeric(20,8) NOT NULL,
    price            numeric(20,8),
    status           varchar(50)   NOT NULL DEFAULT 'pending',
    filled_quantity  numeric(20,8) NOT NULL DEFAULT 0,
    average_price    numeric(20,8),
    fees             numeric(20,8),
    created_at       timestamp     NOT NULL DEFAULT now(),
    updated_at       timestamp     NOT NULL DEFAULT now(),
    executed_at      timestamp,
    trace_id         varchar(100),
    is_dry_run       boolean       NOT NULL DEFAULT false,
    rejection_reason text,
    CONSTRAINT chk_side CHECK (side IN ('Buy', 'SELL')),
    CONSTRAINT chk_order_type CHECK (order_type IN ('Market', 'Limit')),
    CONSTRAINT chk_status CHECK (status IN ('pending', 'partially_filled', 'filled', 'cancelled', 'rejected', 'dry_run')),
    CONSTRAINT chk_quantity_positive CHECK (quantity > 0),
    CONSTRAINT chk_filled_quantity CHECK (filled_quantity >= 0 AND filled_quantity <= quantity),
    CONSTRAINT chk_price_limit_order CHECK (
        (order_type = 'Limit' AND price IS NOT NULL AND price > 0) OR order_type = 'Market'
    )
);
CREATE INDEX idx_orders_signal_id ON orders (signal_id);
CREATE INDEX idx_orders_asset ON orders (asset);
CREATE INDEX idx_orders_status ON orders (status);
CREATE INDEX idx_orders_created_at ON orders (created_at);
CREATE INDEX idx_orders_order_id ON orders (order_id);

CREATE TABLE signal_order_relationships (
    id                  uuid        NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    signal_id           uuid        NOT NULL,
    order_id            uuid        NOT NULL REFERENCES orders (id) ON DELETE CASCADE,
    relationship_type   varchar(20) NOT NULL,
    execution_sequence  integer,
    allocation_amount   numeric(20,8),
    allocation_quantity numeric(20,8),
    created_at          timestamp   NOT NULL DEFAULT now(),
    CONSTRAINT chk_relationship_type CHECK (relationship_type IN ('one_to_one', 'one_to_many', 'many_to_one')),
    CONSTRAINT chk_execution_sequence CHECK (execution_sequence IS NULL OR execution_sequence >= 1),
    CONSTRAINT chk_allocation_amount CHECK (allocation_amount IS NULL OR allocation_amount > 0),
    CONSTRAINT chk_allocation_quantity CHECK (allocation_quantity IS NULL OR allocation_quantity > 0),
    CONSTRAINT uq_signal_order UNIQUE (signal_id, order_id)
);
CREATE INDEX idx_signal_order_relationships_signal_id ON signal_order_relationships (signal_id);
CREATE INDEX idx_signal_order_relationships_order_id ON signal_order_relationships (order_id);
CREATE INDEX idx_signal_order_relationships_type ON signal_order_relationships (relationship_type);

CREATE TABLE positions (
    id                  uuid          NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    asset               varchar(20)   NOT NULL,
    size                numeric(20,8) NOT NULL,
    average_entry_price numeric(20,8),
    unrealized_pnl      numeric(20,8),
    realized_pnl        numeric(20,8),
    mode                varchar(20)   NOT NULL DEFAULT 'one-way',
    long_size           numeric(20,8),
    short_size          numeric(20,8),
    long_avg_price      numeric(20,8),
    short_avg_price     numeric(20,8),
    last_updated        timestamp     NOT NULL DEFAULT now(),
    last_snapshot_at    timestamp,
    current_price       numeric(20,8),
    version             integer       NOT NULL DEFAULT 1,
    created_at          timestamp,
    closed_at           timestamp,
    CONSTRAINT chk_mode CHECK (mode IN ('one-way', 'hedge')),
    CONSTRAINT chk_avg_price CHECK (average_entry_price IS NULL OR average_entry_price > 0),
    CONSTRAINT chk_long_avg_price CHECK (long_avg_price IS NULL OR long_avg_price > 0),
    CONSTRAINT chk_short_avg_price CHECK (short_avg_price IS NULL OR short_avg_price > 0),
    CONSTRAINT uq_position_asset_mode UNIQUE (asset, mode)
);
CREATE INDEX idx_positions_asset ON positions (asset);
CREATE INDEX idx_positions_mode ON positions (mode);
CREATE INDEX idx_positions_last_updated ON positions (last_updated);
CREATE INDEX idx_positions_current_price ON positions (current_price);
CREATE INDEX idx_positions_version ON positions (version);

CREATE TABLE position_snapshots (
    id                  uuid          NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    position_id         uuid          NOT NULL REFERENCES positions (id) ON DELETE CASCADE,
    asset               varchar(20)   NOT NULL,
    size                numeric(20,8) NOT NULL,
    average_entry_price numeric(20,8),
    unrealized_pnl      numeric(20,8),
    realized_pnl        numeric(20,8),
    mode                varchar(20)   NOT NULL,
    long_size           numeric(20,8),
    short_size          numeric(20,8),
    snapshot_timestamp  timestamp     NOT NULL DEFAULT now(),
    CONSTRAINT chk_snapshot_mode CHECK (mode IN ('one-way', 'hedge')),
    CONSTRAINT chk_snapshot_avg_price CHECK (average_entry_price IS NULL OR average_entry_price > 0)
);
CREATE INDEX idx_position_snapshots_position_id ON position_snapshots (position_id);
CREATE INDEX idx_position_snapshots_asset ON position_snapshots (asset);
CREATE INDEX idx_position_snapshots_timestamp ON position_snapshots (snapshot_timestamp);

CREATE TABLE instrument_info (
    id                  uuid          NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    symbol              varchar(50)   NOT NULL UNIQUE,
    base_coin           varchar(20),
    quote_coin          varchar(20),
    status              varchar(32),
    lot_size            numeric(20,8) NOT NULL,
    min_order_qty       numeric(20,8) NOT NULL,
    max_order_qty       numeric(20,8) NOT NULL,
    min_order_value     numeric(20,8) NOT NULL,
    price_tick_size     numeric(20,8) NOT NULL,
    price_limit_ratio_x numeric(20,8),
    price_limit_ratio_y numeric(20,8),
    raw_response        jsonb         NOT NULL,
    created_at          timestamp     NOT NULL DEFAULT now(),
    updated_at          timestamp     NOT NULL DEFAULT now()
);
CREATE INDEX idx_instrument_info_symbol ON instrument_info (symbol);

CREATE TABLE account_balances (
    id                uuid         NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    coin              varchar(10)  NOT NULL,
    wallet_balance    numeric(20,8) NOT NULL,
    available_balance numeric(20,8) NOT NULL,
    frozen            numeric(20,8) NOT NULL DEFAULT 0,
    event_timestamp   timestamp    NOT NULL,
    received_at       timestamp    NOT NULL DEFAULT now(),
    trace_id          varchar(100),
    equity            numeric(20,8),
    usd_value         numeric(20,8),
    margin_collateral boolean      DEFAULT false,
    total_order_im    numeric(20,8) DEFAULT 0,
    total_position_im numeric(20,8) DEFAULT 0,
    CONSTRAINT chk_balance_sum CHECK (wallet_balance = available_balance + frozen),
    CONSTRAINT chk_balances_not_negative CHECK (wallet_balance >= 0 AND available_balance >= 0 AND frozen >= 0),
    CONSTRAINT chk_equity CHECK (equity IS NULL OR equity >= 0),
    CONSTRAINT chk_usd_value CHECK (usd_value IS NULL OR usd_value >= 0)
);
CREATE INDEX idx_account_balances_coin_received_at ON account_balances (coin, received_at DESC);

CREATE TABLE account_margin_balances (
    id                       uuid          NOT NULL DEFAULT gen_random_uuid() PRIMARY KEY,
    account_type             varchar(20)   NOT NULL,
    total_equity             numeric(20,8) NOT NULL CHECK (total_equity >= 0),
    total_wallet_balance     numeric(20,8) NOT NULL CHECK (total_wallet_balance >= 0),
    total_margin_balance     numeric(20,8) NOT NULL CHECK (total_margin_balance >= 0),
    total_available_balance  numeric(20,8) NOT NULL,
    total_initial_margin     numeric(20,8) NOT NULL DEFAULT 0 CHECK (total_initial_margin >= 0),
    total_maintenance_margin numeric(20,8) NOT NULL DEFAULT 0 CHECK (total_maintenance_margin >= 0),
    total_order_im           numeric(20,8) NOT NULL DEFAULT 0 CHECK (total_order_im >= 0),
    base_currency            varchar(10)   NOT NULL,
    event_timestamp          timestamp     NOT NULL,
    received_at              timestamp     NOT NULL DEFAULT now(),
    trace_id                 varchar(100)
);
CREATE INDEX idx_account_margin_balances_received_at ON account_margin_balances (received_at DESC);
CREATE INDEX idx_account_margin_balances_account_type ON account_margin_balances (account_type);
