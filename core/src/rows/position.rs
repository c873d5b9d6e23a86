//! Rows of our own `positions` and `position_snapshots`: the same arithmetic as the manager's, from the same events.

use super::order::Tracked;
use super::projector::Place;
use super::row::{PositionRow, SnapshotRow};
use super::{Figure, Rows};
use crate::event::Event;
use crate::order::Totals;
use crate::position::{self, Position};
use crate::report;
use crate::unit::{OrderLinkId, Side, Symbol};
use alloc::collections::BTreeMap;
use alloc::format;
use serde::{Deserialize, Serialize};

/// Every position so far, with its row as it stands.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Positions {
    sizes: BTreeMap<Symbol, Position>,
    rows: BTreeMap<Symbol, PositionRow>,
}

impl Positions {
    pub(super) fn follow(
        &mut self,
        place: Place,
        event: &Event,
        orders: &BTreeMap<OrderLinkId, Tracked>,
        rows: &mut Rows,
    ) {
        match event {
            Event::OrderTold(told) if !told.increment.quantity.is_zero() => {
                if let Some(spec) = orders.get(&told.link).map(|tracked| &tracked.own.spec) {
                    self.book(place, spec.symbol, spec.side, told.increment, rows);
                }
            }
            Event::ForeignExecuted { row, .. } => {
                let adopted = self.sizes.get(&row.symbol).map(|position| position.adopted).unwrap_or_default();
                if row.time > adopted {
                    let totals = Totals::of(row);
                    self.book(place, row.symbol, row.side, totals, rows);
                }
            }
            Event::PositionAdopted { symbol, was, size, entry, as_of, .. } => {
                position::adopt(&mut self.sizes, *symbol, *size, *entry, *as_of);
                let why = format!("{was} by executions, {size} at the exchange: taken from there");
                self.write(place, *symbol, Some(why), rows);
            }
            Event::PositionsNoted { .. } => self.note(place, rows),
            _ => {}
        }
    }

    fn book(&mut self, place: Place, symbol: Symbol, side: Side, totals: Totals, rows: &mut Rows) {
        // What leaves a decimal's range halts the symbol; its row stays as it was.
        if position::book(&mut self.sizes, symbol, side, totals) {
            self.write(place, symbol, None, rows);
        }
    }

    fn write(
        &mut self,
        Place { at, .. }: Place,
        symbol: Symbol,
        unexplained: Option<alloc::string::String>,
        rows: &mut Rows,
    ) {
        let position = self.sizes.get(&symbol).copied().unwrap_or_default();
        let known = self.rows.get(&symbol);
        let flat = position.size.is_zero();
        let row = PositionRow {
            asset: symbol,
            size: Figure::of(position.size.0),
            average_entry_price: position.entry().and_then(|entry| Figure::positive(entry.0)),
            realized_pnl: Figure::of(position.realised.0),
            fees: Figure::of(position.fees.0),
            // Once flat and explained again, nothing of it is left.
            unexplained: unexplained.or_else(|| known.and_then(|row| row.unexplained.clone()).filter(|_| !flat)),
            created_at: known.map_or(at, |row| row.created_at),
            updated_at: at,
            closed_at: flat.then_some(at),
        };
        self.rows.insert(symbol, row.clone());
        rows.positions.insert(symbol, row);
    }

    fn note(&self, Place { at, .. }: Place, rows: &mut Rows) {
        for row in self.rows.values().filter(|row| row.size != Figure::ZERO) {
            let id = report::id_of(format!("{} {}", row.asset, at.0).as_bytes());
            rows.snapshots.insert(id, SnapshotRow { id, position: row.clone(), at });
        }
    }
}
