//! `order-manager migrate`.

use super::{runtime, store_place};
use crate::store::{self, Place};
use std::process::ExitCode;

pub(super) fn run(bootstrap_shared: bool, store: Option<String>) -> anyhow::Result<ExitCode> {
    let server = match store_place(store) {
        Ok(Place::Server(server)) => server,
        Ok(Place::File(path)) => {
            println!("{} is a SQLite file: nothing to do, serve makes it and brings it up to date", path.display());
            return Ok(ExitCode::SUCCESS);
        }
        Err(code) => return Ok(code),
    };
    let done = runtime()?.block_on(store::migrate(&server, bootstrap_shared))?;
    done.made.iter().for_each(|table| println!("made the shared table {table}"));
    match (done.from, done.to) {
        (from, to) if from == to => println!("{server}: the schema order_manager is up to date, version {to}"),
        (0, to) => println!("{server}: made the schema order_manager, version {to}"),
        (from, to) => println!("{server}: brought the schema order_manager from version {from} to {to}"),
    }
    Ok(ExitCode::SUCCESS)
}
