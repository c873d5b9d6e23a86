//! The neighbours as pure models: what Position Manager, the model service and Grafana make of our published events
//! and of our rows (wire-contracts.md 1.5, 5, 9). They read the text of a message, not our types, and keep their
//! faults: what they would get wrong, the models get wrong.

mod model_service;
mod position_manager;
mod python;
mod schema;
mod validator;

pub use model_service::{Execution, Reading, mutes, read_execution};
pub use position_manager::{Outcome, Poison, Position, PositionManager};
pub use schema::{order_complaints, relationship_complaints};
pub use validator::{Computed, Validation, computed};
