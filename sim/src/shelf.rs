//! Things by their ids, for those who watch: they mostly speak of one and the same several times in a row, so the one
//! that was looked up last is found at once. Nothing is taken down again.

use std::collections::BTreeMap;
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
        let place = self.place(id).unwrap_or_else(|| self.add(id, V::default()));
        &mut self.kept[place].1
    }

    /// Puts one in the place of this id.
    pub(crate) fn put(&mut self, id: K, one: V) {
        match self.place(id) {
            Some(place) => self.kept[place].1 = one,
            None => _ = self.add(id, one),
        }
    }

    fn add(&mut self, id: K, one: V) -> usize {
        let place = self.kept.len();
        self.places.insert(id, place);
        self.kept.push((id, one));
        self.last.store(place, Relaxed);
        place
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
        let last = self.last.load(Relaxed);
        if self.kept.get(last).is_some_and(|(of, _)| *of == id) {
            return Some(last);
        }
        let place = *self.places.get(&id)?;
        self.last.store(place, Relaxed);
        Some(place)
    }
}
