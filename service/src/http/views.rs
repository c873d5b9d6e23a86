//! What the API shows is what the store shows.

pub use crate::store::{DeadLetterView, OrderFilter, OrderView, Page, PositionView, SignalView, SortBy, SortOrder};
