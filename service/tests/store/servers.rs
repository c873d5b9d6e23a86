//! What only a database on a server has: sessions that are lost, a second process, tables of others.

use super::home::{Database, Home};
use super::{filled, steps};
use order_manager_core::journal;
use order_manager_core::outcome::Outcome;
use order_manager_core::unit::SignalId;
use order_manager_service::store::{self, Place, Reader, Store, StoreError};
use std::time::{Duration, Instant};

/// Ends the session that holds the lock, as a person or a server's restart does.
const END_THE_WRITER: &str = "SELECT pg_terminate_backend(l.pid, 5000) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
     WHERE l.locktype = 'advisory' AND l.granted AND d.datname = current_database()";

fn database(home: &Home) -> &Database {
    let Home::Database(database) = home else { panic!("a database") };
    database
}

fn said(error: StoreError) -> String {
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    error.to_string()
}

async fn migrate(database: &Database, bootstrap_shared: bool) -> Result<store::Migrated, StoreError> {
    let Place::Server(server) = database.place() else { panic!("a server") };
    store::migrate(&server, bootstrap_shared).await
}

#[tokio::test]
async fn a5_a_session_that_is_ended_between_two_commits_loses_nothing() {
    let home = Home::database().await;
    let mut store = filled(&home, &steps()[..100]).await;
    database(&home).execute(END_THE_WRITER).await;
    let error = said(store.commit(&steps()[100..120]).await.expect_err("its session is gone"));
    assert!(error.contains("check the server"), "{error}");
    assert_eq!(store.restore().await.expect("restored").steps.len(), 100);
    store.commit(&steps()[100..120]).await.expect("a commit on a session of its own");
    database(&home).execute(END_THE_WRITER).await;
    let error = store.save_checkpoint(steps()[119].seq, b"x").await.expect_err("its session is gone");
    said(error);
    assert_eq!(store.restore().await.expect("restored").checkpoint, None);
}

/// Sessions are ended at any moment; after each the end is read, and the rest goes on from there.
#[tokio::test]
async fn a5_sessions_that_are_ended_amid_commits_lose_and_double_nothing() {
    let steps = &steps()[..1_200];
    let home = Home::database().await;
    let mut store = home.open().await;
    let mut killer = database(&home).connect().await;
    let (mut at, mut failed, mut landed) = (0, 0, 0);
    while at < steps.len() {
        let batch = &steps[at..(at + 1 + at % 23).min(steps.len())];
        let kill = at % 3 == 0 && failed < 60;
        let turns = (at * 7_919) % 4_001;
        let end = async {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            if kill {
                sqlx::raw_sql(END_THE_WRITER).execute(&mut killer).await.expect("ended");
            }
        };
        let (committed, ()) = tokio::join!(store.commit(batch), end);
        if committed.is_ok() {
            at += batch.len();
            continue;
        }
        failed += 1;
        let end = store.restore().await.expect("restored").steps;
        let durable = end.last().map_or(0, |(bytes, _)| journal::read_record(bytes).expect("a record").seq.0 as usize);
        assert!(durable == at || durable == at + batch.len(), "whole or not at all: {durable} after {at}");
        landed += usize::from(durable > at);
        at = durable;
    }
    assert!(failed > 5, "{failed} commits failed, {landed} of them had landed");
    let verified = store.reader().verify().await.expect("verified");
    assert_eq!((verified.records, verified.broken_at), (steps.len() as u64, None));
    let whole = Home::database().await;
    drop(filled(&whole, steps).await);
    assert!(home.dump().await == whole.dump().await, "rows are those of a run without trouble");
}

/// Fencing: nobody waits for the commit any more, and the server has not noticed. It must not land later.
#[tokio::test]
async fn a5_a_commit_that_nobody_waits_for_cannot_land_behind_the_end() {
    let home = Home::database().await;
    let mut store = filled(&home, &steps()[..100]).await;
    let slow = "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(12); RETURN NULL; END'; \
                CREATE TRIGGER slow AFTER INSERT ON order_manager.journal EXECUTE FUNCTION slow()";
    database(&home).execute(slow).await;
    let mut watcher = database(&home).connect().await;
    let asleep = async {
        let text =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
        while sqlx::query_scalar::<_, i64>(text).fetch_one(&mut watcher).await.expect("a count") == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        committed = store.commit(&steps()[100..110]) => panic!("it sleeps: {committed:?}"),
        () = asleep => {}
    }
    let begun = Instant::now();
    assert_eq!(store.restore().await.expect("restored").steps.len(), 100);
    assert!(begun.elapsed() < Duration::from_secs(8), "the lost session was ended, not waited for");
    database(&home).execute("DROP TRIGGER slow ON order_manager.journal").await;
    store.commit(&steps()[100..110]).await.expect("a commit");
    assert_eq!(store.reader().verify().await.expect("verified").records, 110);
}

#[tokio::test]
async fn a5_one_leader_and_the_second_is_told_who() {
    let home = Home::database().await;
    let store = filled(&home, &steps()[..10]).await;
    let text = said(Store::open(home.place()).await.expect_err("a second writer"));
    for word in ["in use by another order-manager", "server process", "order-manager, from ", "POSTGRES_DB"] {
        assert!(text.contains(word), "{word} in {text}");
    }
    let text = said(migrate(database(&home), false).await.expect_err("a service runs"));
    assert!(text.contains("in use by another order-manager"), "{text}");
    assert!(
        Reader::open(home.place()).await.expect("a reader beside it").order("none").await.expect("a read").is_none()
    );
    drop(store);
    Store::open(home.place()).await.expect("the lock went with its holder");
}

#[tokio::test]
async fn a4_what_cannot_be_opened_is_said_with_a_remedy_and_without_a_password() {
    let place: Place = "postgres://someone:the-secret@127.0.0.1:1/none".parse().expect("a place");
    assert!(!format!("{place} {place:?}").contains("the-secret"), "{place:?}");
    for error in [Store::open(&place).await.map(drop), Reader::open(&place).await.map(drop)] {
        let text = said(error.expect_err("no server"));
        assert!(text.contains("cannot connect to postgres://someone@127.0.0.1:1/none"), "{text}");
        assert!(text.contains("POSTGRES_HOST") && !text.contains("the-secret"), "{text}");
    }
    let text = said("postgres://someone:the-secret@host:port/none".parse::<Place>().map(drop).expect_err("no port"));
    assert!(!text.contains("the-secret"), "{text}");

    let database = Database::new().await;
    let text = said(Reader::open(database.place()).await.map(drop).expect_err("no store"));
    assert!(text.contains("order-manager migrate"), "{text}");
    let text = said(Store::open(database.place()).await.map(drop).expect_err("no shared tables"));
    for word in ["no table orders", "ws-gateway", "migrate --bootstrap-shared"] {
        assert!(text.contains(word), "{word} in {text}");
    }
    said(migrate(&database, false).await.map(drop).expect_err("no shared tables"));
    migrate(&database, true).await.expect("made");
    database.execute("ALTER TABLE signal_order_relationships DROP COLUMN allocation_amount").await;
    let text = said(Store::open(database.place()).await.map(drop).expect_err("a column is missing"));
    assert!(text.contains("signal_order_relationships") && text.contains("no column allocation_amount"), "{text}");

    let newer = Home::database().await;
    drop(filled(&newer, &steps()[..10]).await);
    newer.execute("", "INSERT INTO order_manager.version (version) VALUES (7)").await;
    for error in [Store::open(newer.place()).await.map(drop), Reader::open(newer.place()).await.map(drop)] {
        let text = said(error.expect_err("newer"));
        assert!(text.contains("newer order-manager") && text.contains("schema is 7"), "{text}");
    }
}

#[tokio::test]
async fn a4_shared_tables_are_made_where_they_are_not_and_never_touched_where_they_are() {
    let database = Database::new().await;
    database.execute("CREATE TABLE orders (id uuid PRIMARY KEY, theirs text); CREATE TABLE positions (id uuid PRIMARY KEY, theirs text)").await;
    let shape = "SELECT c.relname || ' ' || a.attname || ' ' || a.atttypid::regtype FROM pg_class c \
                 JOIN pg_attribute a ON a.attrelid = c.oid WHERE c.relname ~ '^(idx_)?(orders|positions)' ORDER BY 1";
    let before: Vec<String> = sqlx::query_scalar(shape).fetch_all(&mut database.connect().await).await.expect("shapes");
    let error = migrate(&database, true).await.map(drop).expect_err("an orders table of something else");
    assert!(said(error).contains("the table orders of"), "what is there is not altered to fit");
    let after: Vec<String> = sqlx::query_scalar(shape).fetch_all(&mut database.connect().await).await.expect("shapes");
    assert_eq!(before, after);

    let database = Database::new().await;
    let made = migrate(&database, true).await.expect("made");
    let all = "orders signal_order_relationships positions position_snapshots instrument_info account_balances \
               account_margin_balances";
    assert_eq!((made.made.join(" "), made.from, made.to), (all.to_owned(), 0, 1));
    let again = migrate(&database, true).await.expect("nothing to do");
    assert_eq!((again.made.len(), again.from, again.to), (0, 1, 1));
}

/// wire-contracts.md 5.1, as the server describes what was made.
#[tokio::test]
async fn a4_the_shared_table_of_orders_is_the_contracts() {
    let home = Home::database().await;
    let mut session = database(&home).connect().await;
    let columns = "SELECT concat_ws(' ', column_name, data_type, character_maximum_length, numeric_precision, numeric_scale, \
                   is_nullable, column_default) FROM information_schema.columns \
                   WHERE table_schema = 'public' AND table_name = 'orders' ORDER BY ordinal_position";
    let columns: Vec<String> = sqlx::query_scalar(columns).fetch_all(&mut session).await.expect("columns");
    let expected = [
        "id uuid NO gen_random_uuid()",
        "order_id character varying 100 NO",
        "signal_id uuid NO",
        "asset character varying 20 NO",
        "side character varying 10 NO",
        "order_type character varying 20 NO",
        "quantity numeric 20 8 NO",
        "price numeric 20 8 YES",
        "status character varying 50 NO 'pending'::character varying",
        "filled_quantity numeric 20 8 NO 0",
        "average_price numeric 20 8 YES",
        "fees numeric 20 8 YES",
        "created_at timestamp without time zone NO now()",
        "updated_at timestamp without time zone NO now()",
        "executed_at timestamp without time zone YES",
        "trace_id character varying 100 YES",
        "is_dry_run boolean NO false",
        "rejection_reason text YES",
    ];
    assert_eq!(columns, expected);
    let rules = "SELECT conname || ' ' || regexp_replace(pg_get_constraintdef(oid), '::(text|numeric|character varying)(\\[\\])?|[()]', '', 'g') \
                 FROM pg_constraint WHERE conrelid = 'public.orders'::regclass ORDER BY conname COLLATE \"C\"";
    let rules: Vec<String> = sqlx::query_scalar(rules).fetch_all(&mut session).await.expect("constraints");
    let expected = [
        "chk_filled_quantity CHECK filled_quantity >= 0 AND filled_quantity <= quantity",
        "chk_order_type CHECK order_type = ANY ARRAY['Market', 'Limit']",
        "chk_price_limit_order CHECK order_type = 'Limit' AND price IS NOT NULL AND price > 0 OR order_type = 'Market'",
        "chk_quantity_positive CHECK quantity > 0",
        "chk_side CHECK side = ANY ARRAY['Buy', 'SELL']",
        "chk_status CHECK status = ANY ARRAY['pending', 'partially_filled', 'filled', 'cancelled', 'rejected', 'dry_run']",
        "orders_order_id_key UNIQUE order_id",
        "orders_pkey PRIMARY KEY id",
    ];
    assert_eq!(rules, expected);
    let indexes = "SELECT indexname::text FROM pg_indexes WHERE schemaname = 'public' AND tablename = 'orders' \
                   ORDER BY indexname COLLATE \"C\"";
    let indexes: Vec<String> = sqlx::query_scalar(indexes).fetch_all(&mut session).await.expect("indexes");
    let expected = [
        "idx_orders_asset",
        "idx_orders_created_at",
        "idx_orders_order_id",
        "idx_orders_signal_id",
        "idx_orders_status",
        "orders_order_id_key",
        "orders_pkey",
    ];
    assert_eq!(indexes, expected);
}

#[tokio::test]
async fn t1_a_symbol_that_somebody_wrote_before_us_is_no_obstacle() {
    let (home, whole) = (Home::database().await, Home::database().await);
    let theirs = "INSERT INTO instrument_info (symbol, lot_size, min_order_qty, max_order_qty, min_order_value, \
                  price_tick_size, raw_response) VALUES ('BTCUSDT', 1, 1, 1, 1, 1, '{}')";
    database(&home).execute(theirs).await;
    drop(filled(&home, steps()).await);
    drop(filled(&whole, steps()).await);
    assert!(home.dump().await == whole.dump().await, "its row is brought up to date");
}

#[tokio::test]
async fn s7_a_signal_that_the_service_before_us_made_an_order_of_is_no_new_one() {
    let home = Home::database().await;
    let theirs = "INSERT INTO orders (order_id, signal_id, asset, side, order_type, quantity, status, filled_quantity) \
                  VALUES ('an-id-of-bybit', '00000000-0000-4000-8000-0000000000aa', 'BTCUSDT', 'Buy', 'Market', 1, \
                  'filled', 1)";
    database(&home).execute(theirs).await;
    let store = home.open().await;
    let done = SignalId::parse("00000000-0000-4000-8000-0000000000aa").expect("a UUID");
    let prior = store.prior(done).await.expect("an answer").expect("known");
    assert_eq!(prior.outcome, Outcome::Placed, "never a new order");
    assert_eq!(store.prior(SignalId(1)).await, Ok(None));
}

/// It was overtaken without a commit that failed: only the lease tells.
#[tokio::test]
async fn a5_who_was_overtaken_restores_nothing_while_another_writes_and_goes_on_after_it() {
    let home = Home::database().await;
    let mut first = filled(&home, &steps()[..10]).await;
    database(&home).execute(END_THE_WRITER).await;
    let mut second = home.open().await;
    second.commit(&steps()[10..20]).await.expect("the second writes");
    said(first.restore().await.map(drop).expect_err("its session is gone"));
    let error = said(first.restore().await.map(drop).expect_err("another writes"));
    assert!(error.contains("in use by another order-manager"), "{error}");
    drop(second);
    assert_eq!(first.restore().await.expect("restored").steps.len(), 20);
    first.commit(&steps()[20..30]).await.expect("the first writes again");
}
