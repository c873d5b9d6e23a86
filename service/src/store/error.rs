//! What can go wrong with a store, in words that say what to do.

use order_manager_core::event::Seq;
use order_manager_core::journal::CodecError;

/// Why the store did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The database refuses a row because of its data, and would again: that step's input belongs to the dead
    /// letters, and only it (spec S4). Nothing of the batch was written.
    #[error("record {} makes a row that the database refuses: {what}", seq.0)]
    Data {
        /// The first record whose rows are refused.
        seq: Seq,
        /// The database's words.
        what: String,
    },
    /// Trouble of the infrastructure: the same call may work later. Nothing of the batch was written.
    #[error("{0}")]
    Unavailable(String),
}

impl StoreError {
    pub(super) fn unavailable(what: impl std::fmt::Display, remedy: &str) -> Self {
        Self::Unavailable(format!("{what}; {remedy}"))
    }
}

impl From<CodecError> for StoreError {
    fn from(error: CodecError) -> Self {
        Self::unavailable(error, "a record is damaged or was written by a newer version: restore a backup")
    }
}

impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        Self::unavailable(format_args!("a row cannot be written as JSON: {error}"), "report it with the journal")
    }
}
