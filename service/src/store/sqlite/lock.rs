//! One leader for each store (spec A5): a lock on a file beside it, which the system lifts when the process ends,
//! however it ends.

use crate::store::StoreError;
use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

/// The lock, while it lives.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "holds the lock until it is dropped")] File);

impl Lock {
    pub(super) fn take(store: &Path) -> Result<Self, StoreError> {
        // Looked at before anything is made beside it.
        let folder = store.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(missing) = folder.filter(|folder| !folder.is_dir()) {
            let what = format!("cannot open {}: there is no folder {}", store.display(), missing.display());
            return Err(StoreError::unavailable(what, super::REMEDY));
        }
        if store.is_dir() {
            let what = format!("cannot open {}: it is a folder", store.display());
            return Err(StoreError::unavailable(what, super::REMEDY));
        }
        let path = path_of(store);
        let failed = |error: std::io::Error| StoreError::unavailable(cannot_open(&path, &error), super::REMEDY);
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(held(store, &mut file)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let note = |file: &mut File| {
            file.set_len(0)?;
            file.rewind()?;
            write!(file, "{}", std::process::id())
        };
        note(&mut file).map_err(failed)?;
        Ok(Self(file))
    }
}

fn path_of(store: &Path) -> PathBuf {
    let mut path = OsString::from(store);
    path.push(".lock");
    path.into()
}

/// The holder wrote its process id into the file; where it cannot be read the message does without.
fn held(store: &Path, file: &mut File) -> StoreError {
    let mut pid = String::new();
    let who = match file.read_to_string(&mut pid) {
        Ok(1..) => format!(" (process {})", pid.trim()),
        Ok(0) | Err(_) => String::new(),
    };
    let what = format!("{} is in use by another order-manager{who}", store.display());
    StoreError::unavailable(what, "stop it first, or give this one a store of its own with ORDERMANAGER_STORE")
}

pub(super) fn cannot_open(path: &Path, error: &dyn std::fmt::Display) -> String {
    format!("cannot open {}: {error}", path.display())
}
