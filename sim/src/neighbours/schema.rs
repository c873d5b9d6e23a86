//! The CHECKs of the shared tables, and what their readers take a row to mean (wire-contracts.md 5.1, 5.2).

use order_manager_core::order::Status;
use order_manager_core::rows::{Figure, OrderRow, RelationshipRow};

/// What of a row of `orders` does not fit; nothing where all does.
#[must_use]
pub fn order_complaints(row: &OrderRow) -> Vec<String> {
    let filled = row.filled_quantity;
    let has_fills = filled > Figure::ZERO;
    let is_priced = row.price.is_some_and(|price| price > Figure::ZERO);
    let laws = [
        ("order_id", (1..=100).contains(&row.order_id.len())),
        ("asset", (1..=20).contains(&row.asset.as_str().len())),
        ("chk_side", ["Buy", "SELL"].contains(&row.side_word())),
        ("chk_quantity_positive", row.quantity > Figure::ZERO),
        ("chk_filled_quantity", filled >= Figure::ZERO && filled <= row.quantity),
        ("chk_price_limit_order", !row.is_limit || is_priced),
        // What Position Manager and the model service read out of a status (1.5.2).
        ("fills by status", has_fills == matches!(row.status, Status::Filled | Status::PartiallyFilled)),
        ("executed_at of a filled order", (row.status == Status::Filled) == row.executed_at.is_some()),
        ("average_price of fills", row.average_price.is_some() == has_fills),
        ("O4: quantity of a filled order", row.status != Status::Filled || row.quantity == filled),
        ("rejection_reason", (row.status == Status::Rejected) == row.rejection_reason.is_some()),
    ];
    laws.iter().filter(|(_, holds)| !holds).map(|(law, _)| format!("{law}: {row:?}")).collect()
}

/// What of a row of `signal_order_relationships` does not fit.
#[must_use]
pub fn relationship_complaints(row: &RelationshipRow) -> Vec<String> {
    let allocated = [row.allocation_amount, row.allocation_quantity];
    let fits = allocated.iter().flatten().all(|figure| *figure > Figure::ZERO);
    if fits { Vec::new() } else { vec![format!("allocation_*: {row:?}")] }
}
