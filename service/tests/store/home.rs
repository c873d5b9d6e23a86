//! Where a test's store lives: a file of its own, or a database of its own.

use order_manager_service::store::{self, Place, Store};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection, SqliteConnection};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

/// Makes two tests of each function: on a file and on a database.
macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        $(mod $name {
            #[tokio::test]
            async fn sqlite() {
                Box::pin(super::$name(crate::home::Home::file(concat!(module_path!(), "-file")))).await;
            }
            #[tokio::test]
            async fn postgres() {
                Box::pin(super::$name(crate::home::Home::database().await)).await;
            }
        })+
    };
}
pub(crate) use on_both;

/// An empty folder of this test's own.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("store").join(name.replace("::", "-"));
    if folder.exists() {
        std::fs::remove_dir_all(&folder).expect("the folder of an earlier run");
    }
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

/// A place for stores of one test.
pub(crate) enum Home {
    File(PathBuf),
    Database(Database),
}

/// A database of this test's own; it goes with this.
pub(crate) struct Database {
    server: String,
    pub(crate) name: String,
}

impl Home {
    pub(crate) fn file(name: &str) -> Self {
        Self::File(folder(name).join("om.sqlite"))
    }

    /// With the shared tables, and nothing else.
    pub(crate) async fn database() -> Self {
        let database = Database::new().await;
        let Place::Server(server) = database.place() else { panic!("a server") };
        store::migrate(&server, true).await.expect("the shared tables");
        Self::Database(database)
    }

    /// Another empty place of the same kind.
    pub(crate) async fn another(&self) -> Self {
        match self {
            Self::File(path) => Self::File(path.with_extension("another.sqlite")),
            Self::Database(_) => Box::pin(Self::database()).await,
        }
    }

    pub(crate) fn place(&self) -> Place {
        match self {
            Self::File(path) => path.into(),
            Self::Database(database) => database.place(),
        }
    }

    pub(crate) async fn open(&self) -> Store {
        Store::open(self.place()).await.expect("a store")
    }

    /// Runs a statement on a connection of its own: the file's words, or the database's.
    pub(crate) async fn execute(&self, sqlite: &str, postgres: &str) {
        match self {
            Self::File(path) => execute(path, sqlite).await,
            Self::Database(database) => database.execute(postgres).await,
        }
    }

    /// Every row of every table that is made of events, as text.
    pub(crate) async fn dump(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for table in TABLES {
            lines.extend(match self {
                Self::File(path) => dump_file(path, table).await,
                Self::Database(database) => dump_database(&mut database.connect().await, table).await,
            });
        }
        lines
    }
}

/// Our own with the prefix of a file.
const TABLES: [&str; 10] = [
    "orders",
    "signal_order_relationships",
    "instrument_info",
    "order_manager_orders_own",
    "order_manager_signals",
    "order_manager_executions",
    "order_manager_dead_letters",
    "order_manager_positions",
    "order_manager_position_snapshots",
    "order_manager_messages",
];

async fn dump_file(path: &Path, table: &str) -> Vec<String> {
    let mut connection = raw(path).await;
    let names = format!("SELECT name, type FROM pragma_table_info('{table}') ORDER BY name");
    let names = sqlx::query_as::<_, (String, String)>(AssertSqlSafe(names)).fetch_all(&mut connection).await;
    let shown = names.expect("columns").into_iter().map(|(name, kind)| {
        let value = if kind == "BLOB" { format!("lower(hex({name}))") } else { format!("CAST({name} AS TEXT)") };
        (name, value)
    });
    let text = select(table, table, shown);
    sqlx::query_scalar(AssertSqlSafe(text)).fetch_all(&mut connection).await.expect(table)
}

async fn dump_database(connection: &mut PgConnection, table: &str) -> Vec<String> {
    let (schema, name) = match table.strip_prefix("order_manager_") {
        Some(own) => ("order_manager", own),
        None => ("public", table),
    };
    let names = "SELECT column_name::text, data_type::text FROM information_schema.columns \
                 WHERE table_schema = $1 AND table_name = $2 ORDER BY column_name COLLATE \"C\"";
    let names = sqlx::query_as::<_, (String, String)>(names).bind(schema).bind(name).fetch_all(&mut *connection).await;
    let shown = names.expect("columns").into_iter().map(|(name, kind)| {
        let value = match kind.as_str() {
            "bytea" => format!("encode(\"{name}\", 'hex')"),
            "boolean" => format!("\"{name}\"::int::text"),
            "timestamp without time zone" => format!("to_char(\"{name}\", 'YYYY-MM-DD HH24:MI:SS.US')"),
            _ => format!("\"{name}\"::text"),
        };
        (name, value)
    });
    let text = select(table, &format!("{schema}.{name}"), shown);
    sqlx::query_scalar(AssertSqlSafe(text)).fetch_all(connection).await.expect(table)
}

/// One text for each row. A dead letter's id may skip numbers; `raw_response` is compared for what it says elsewhere.
fn select(table: &str, from: &str, columns: impl Iterator<Item = (String, String)>) -> String {
    let left_out = |name: &str| (table.ends_with("dead_letters") && name == "id") || name == "raw_response";
    let values: Vec<String> = columns
        .filter(|(name, _)| !left_out(name))
        .map(|(name, value)| format!("'{name}=' || coalesce({value}, 'NULL') || ' '"))
        .collect();
    format!("SELECT row FROM (SELECT '{table} ' || {} AS row FROM {from}) AS rows ORDER BY 1", values.join(" || "))
}

pub(crate) async fn raw(path: &Path) -> SqliteConnection {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path).create_if_missing(true);
    SqliteConnection::connect_with(&options).await.expect("a connection")
}

pub(crate) async fn execute(path: &Path, text: &str) {
    let mut connection = raw(path).await;
    sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(&mut connection).await.expect(text);
    connection.close().await.expect("closed");
}

impl Database {
    /// Empty.
    pub(crate) async fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let url = std::env::var("OM_TEST_POSTGRES_URL");
        let url = url.unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".into());
        let (server, _) = url.rsplit_once('/').expect("OM_TEST_POSTGRES_URL = postgres://user@host:port/database");
        let name = format!("om_test_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let database = Self { server: server.to_owned(), name };
        let text = format!("CREATE DATABASE {}", database.name);
        database.at("postgres", &text).await.unwrap_or_else(|error| {
            panic!(
                "no PostgreSQL server for tests ({error}): set OM_TEST_POSTGRES_URL, or run tests/run: it starts one"
            )
        });
        database
    }

    pub(crate) fn url(&self) -> String {
        format!("{}/{}", self.server, self.name)
    }
    pub(crate) fn place(&self) -> Place {
        self.url().parse().expect("a place")
    }
    pub(crate) async fn connect(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.expect("a connection")
    }
    pub(crate) async fn execute(&self, text: &str) {
        self.at(&self.name, text).await.expect(text);
    }

    async fn at(&self, name: &str, text: &str) -> sqlx::Result<()> {
        let mut connection = PgConnection::connect(&format!("{}/{name}", self.server)).await?;
        sqlx::raw_sql(AssertSqlSafe(text.to_owned())).execute(&mut connection).await?;
        connection.close().await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let gone = async {
            let text = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
            self.at("postgres", &text).await
        };
        // A test's own runtime cannot be waited for here.
        std::thread::scope(|scope| {
            let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
            let gone = scope.spawn(move || runtime().map(|runtime| runtime.block_on(gone)));
            if !matches!(gone.join(), Ok(Ok(Ok(())))) {
                eprintln!("the database {} of this test could not be dropped", self.name);
            }
        });
    }
}
