//! Rows of replies and pushes: one JSON object to one of our types, or the field that hinders it.

mod account;
mod market;
mod order;

#[cfg(test)]
pub(super) mod samples;
#[cfg(test)]
mod tests;

pub(super) use account::{position, wallet};
pub(super) use market::{instrument, ticker};
pub(super) use order::{execution, order};

use super::json::{Fields, Unreadable, Value};
use super::reply::BadRow;
use crate::unit::Text;
use alloc::borrow::Cow;
use alloc::vec::Vec;

/// Reads each row for itself: one that cannot be read is set aside and the others still count (spec O4). The
/// streams bring every product of the account under one topic; rows of another one than ours are none of ours.
pub(super) fn read<T>(rows: &[Value<'_>], one: fn(&Fields<'_>) -> Result<T, Unreadable>) -> (Vec<T>, Vec<BadRow>) {
    let mut good = Vec::with_capacity(rows.len());
    let mut bad = Vec::new();
    for (index, row) in (0_u32..).zip(rows) {
        let fields = row.object("row");
        if fields.as_ref().is_ok_and(|fields| is_of_another_product(fields)) {
            continue;
        }
        match fields.as_ref().map_err(Clone::clone).and_then(|fields| one(fields)) {
            Ok(row) => good.push(row),
            Err(why) => {
                let link = fields.ok().and_then(|fields| link(&fields).ok().flatten());
                bad.push(BadRow { index, why: why.text(), link });
            }
        }
    }
    (good, bad)
}

/// Queries name the product once and not in each row; pushes name it in each.
fn is_of_another_product(row: &Fields<'_>) -> bool {
    matches!(row.scalar("category"), Ok(Some(category)) if category != "linear")
}

/// The order link id as it came. One that is longer than any of ours can be is clipped: still none of ours.
pub(super) fn link(row: &Fields<'_>) -> Result<Option<Text<64>>, Unreadable> {
    Ok(row.scalar("orderLinkId")?.map(|link: Cow<'_, str>| Text::clipped(&link)))
}
