//! Things by their ids, for those who watch: they mostly speak of one and the same several times in a row, so the one
//! that was looked up last is found at once. Nothing is taken down again.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Things by their ids.
#[derive(Clone, Debug)]
pub(crate) struct Shelf<K, V> {
    places: BTreeMap<K, usize>,
    kept: Vec<(K, V)>,
    /// Where the last one is that was looked up.
    last: Cell<usize>,
}

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self { places: BTreeMap::new(), kept: Vec::new(), last: Cell::new(0) }
    }
}

impl<K: Copy + Ord, V> Shelf<K, V> {
    /// The one of this id.
    pub(crate) fn get(&self, id: K) -> Option<&V> {
        self.place(id).map(|place| &self.kept[place].1)
    }

    /// The one of this id, to change.
    pub(crate) fn get_mut(&mut self, id: K) -> Option<&mut V> {
        self.place(id).map(|place| &mut self.kept[place].1)
    }

    /// The one of this id, a fresh one where it is new.
    pub(crate) fn of(&mut self, id: K) -> &mut V
    where
        V: Default,
    {
        if !self.is_last(id) {
            let next = self.kept.len();
            let place = *self.places.entry(id).or_insert(next);
            if place == next {
                self.kept.push((id, V::default()));
            }
            self.last.set(place);
        }
        &mut self.kept[self.last.get()].1
    }

    /// Puts one in the place of this id.
    pub(crate) fn put(&mut self, id: K, one: V) {
        match self.places.entry(id) {
            Entry::Occupied(known) => {
                self.last.set(*known.get());
                self.kept[*known.get()].1 = one;
            }
            Entry::Vacant(room) => {
                self.last.set(*room.insert(self.kept.len()));
                self.kept.push((id, one));
            }
        }
    }

    /// All of them, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        self.places.values().map(|place| &self.kept[*place]).map(|(id, one)| (*id, one))
    }

    /// All of them, to change.
    pub(crate) fn all_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.kept.iter_mut().map(|(_, one)| one)
    }

    fn place(&self, id: K) -> Option<usize> {
        if !self.is_last(id) {
            self.last.set(*self.places.get(&id)?);
        }
        Some(self.last.get())
    }

    fn is_last(&self, id: K) -> bool {
        self.kept.get(self.last.get()).is_some_and(|(of, _)| *of == id)
    }
}
