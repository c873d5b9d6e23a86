//! Things by their ids, for those who watch: they mostly speak of one and the same several times in a row, so the one
//! that was looked up last is found at once. Nothing is taken down again.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Things by their ids.
#[derive(Debug)]
pub(crate) struct Shelf<K, V> {
    places: BTreeMap<K, usize>,
    kept: Vec<(K, V)>,
    /// Where the last one is that was looked up.
    last: AtomicUsize,
}

impl<K: Clone, V: Clone> Clone for Shelf<K, V> {
    fn clone(&self) -> Self {
        let last = AtomicUsize::new(self.last.load(Relaxed));
        Self { places: self.places.clone(), kept: self.kept.clone(), last }
    }
}

impl<K, V> Default for Shelf<K, V> {
    fn default() -> Self {
        Self { places: BTreeMap::new(), kept: Vec::new(), last: AtomicUsize::new(0) }
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
            self.last.store(place, Relaxed);
        }
        &mut self.kept[self.last.load(Relaxed)].1
    }

    /// Puts one in the place of this id.
    pub(crate) fn put(&mut self, id: K, one: V) {
        match self.places.entry(id) {
            Entry::Occupied(known) => {
                self.last.store(*known.get(), Relaxed);
                self.kept[*known.get()].1 = one;
            }
            Entry::Vacant(room) => {
                self.last.store(*room.insert(self.kept.len()), Relaxed);
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
            self.last.store(*self.places.get(&id)?, Relaxed);
        }
        Some(self.last.load(Relaxed))
    }

    fn is_last(&self, id: K) -> bool {
        self.kept.get(self.last.load(Relaxed)).is_some_and(|(of, _)| *of == id)
    }
}
