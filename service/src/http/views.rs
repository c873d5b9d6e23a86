//! What the API shows is what the store shows.

pub use crate::store::{DeadLetterView, OrderFilter, OrderView, Page, SignalView, SortBy, SortOrder};
