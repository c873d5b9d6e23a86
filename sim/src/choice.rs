//! Labelled draws: the only source of chance in the simulator.
//!
//! A draw names what it decides. From a seed each label has a stream of its own, so that a new draw
//! under one label leaves the draws under all others as they were and old seeds keep their meaning.
//! From a tape (a fuzzer's bytes) draws take the bytes in order; a zero byte, and the end of the tape,
//! is the tamest choice, so that a shorter tape is a simpler world.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng as _};
use std::collections::BTreeMap;

/// Where draws come from.
#[derive(Clone, Debug)]
enum Source {
    /// Streams by the hash of their label, which is the number of the stream.
    Seed {
        seed: u64,
        streams: BTreeMap<u64, ChaCha8Rng>,
    },
    Tape {
        bytes: Vec<u8>,
        next: usize,
    },
}

/// A maker of choices. The same seed or tape gives the same choices on every machine and build.
#[derive(Clone, Debug)]
pub struct Choices {
    source: Source,
    record: Option<Vec<u8>>,
}

impl Choices {
    /// Choices from a seed, one stream per label.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self { source: Source::Seed { seed, streams: BTreeMap::new() }, record: None }
    }

    /// Choices from bytes, in order; 0 after their end.
    #[must_use]
    pub fn from_tape(bytes: &[u8]) -> Self {
        Self { source: Source::Tape { bytes: bytes.to_vec(), next: 0 }, record: None }
    }

    /// The same choices, written down as they are made: see [`Choices::tape`].
    #[must_use]
    pub fn recording(self) -> Self {
        Self { record: Some(Vec::new()), ..self }
    }

    /// The tape of all draws so far, where they are recorded: [`Choices::from_tape`] of it makes the same
    /// choices, so that a failure found by a seed can be shrunk as bytes.
    #[must_use]
    pub fn tape(&self) -> Option<&[u8]> {
        self.record.as_deref()
    }

    /// Has the tape been read to its end? A seed has none.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(&self.source, Source::Tape { bytes, next } if *next >= bytes.len())
    }

    /// A number from 0 to `bound - 1`; 0 where `bound` is 0. On a tape 0 is the tamest.
    pub fn below(&mut self, label: &'static str, bound: u64) -> u64 {
        if bound <= 1 {
            return 0;
        }
        let value = match &mut self.source {
            Source::Seed { seed, streams } => {
                let number = fnv1a(label.as_bytes());
                let stream = streams.entry(number).or_insert_with(|| stream_of(*seed, number));
                scaled(stream.next_u64(), bound)
            }
            Source::Tape { bytes, next } => read(bytes, next, width(bound)) % bound,
        };
        if let Some(record) = &mut self.record {
            record.extend_from_slice(&value.to_le_bytes()[..width(bound)]);
        }
        value
    }

    /// True `per_mille` times in a thousand. On a tape 0 is false.
    pub fn chance(&mut self, label: &'static str, per_mille: u32) -> bool {
        let per_mille = u64::from(per_mille.min(1_000));
        per_mille > 0 && self.below(label, 1_000) >= 1_000 - per_mille
    }

    /// A number from `low` to `high`, both possible; `low` where `high` is not above it. On a tape 0 is `low`.
    pub fn between(&mut self, label: &'static str, low: u64, high: u64) -> u64 {
        low + self.below(label, high.saturating_sub(low).saturating_add(1))
    }

    /// One of `items`; on a tape 0 is the first, so put the tamest there.
    ///
    /// # Panics
    /// Where there is nothing to choose from.
    pub fn pick<'a, T>(&mut self, label: &'static str, items: &'a [T]) -> &'a T {
        assert!(!items.is_empty(), "nothing to pick from under `{label}`");
        &items[self.below(label, items.len() as u64) as usize]
    }
}

/// A stream under one seed.
fn stream_of(seed: u64, number: u64) -> ChaCha8Rng {
    let mut stream = ChaCha8Rng::seed_from_u64(seed);
    stream.set_stream(number);
    stream
}

/// FNV-1a, 64 bits: fixed for ever, unlike the hashes of the standard library.
pub(crate) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, b| (hash ^ u64::from(*b)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Spreads the bits of a number evenly (the finalizer of SplitMix64).
pub(crate) const fn mix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// `word` scaled into `0..bound`. The bias is below `bound / 2^64`; rejecting would make a draw cost a
/// number of words that depends on its value.
fn scaled(word: u64, bound: u64) -> u64 {
    ((u128::from(word) * u128::from(bound)) >> 64) as u64
}

/// Bytes of a tape that a draw below `bound` takes: a small choice takes a small piece of a fuzzer's input.
const fn width(bound: u64) -> usize {
    match bound {
        0..=0x100 => 1,
        0x101..=0x1_0000 => 2,
        0x1_0001..=0x1_0000_0000 => 4,
        _ => 8,
    }
}

fn read(bytes: &[u8], next: &mut usize, width: usize) -> u64 {
    let mut word = [0; 8];
    for slot in word.iter_mut().take(width) {
        *slot = bytes.get(*next).copied().unwrap_or(0);
        *next += 1;
    }
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A new release of the generator that changed these would change every recorded seed in silence.
    #[test]
    fn the_generator_under_all_seeds_is_pinned() {
        let mut rng = ChaCha8Rng::seed_from_u64(42);
        assert_eq!([rng.next_u64(), rng.next_u64()], [12_578_764_544_318_200_737, 17_529_487_244_874_322_312]);
    }

    #[test]
    fn the_draws_of_a_seed_are_pinned() {
        let mut choices = Choices::seeded(42);
        let latency: Vec<u64> = (0..4).map(|_| choices.below("latency", 1_000)).collect();
        let jitter: Vec<u64> = (0..4).map(|_| choices.below("jitter", u64::MAX)).collect();
        assert_eq!(latency, LATENCY);
        assert_eq!(jitter, JITTER);
    }
    const LATENCY: [u64; 4] = [635, 696, 263, 391];
    const JITTER: [u64; 4] = [15261408528867222501, 4936598811339855253, 5057843024006001152, 8862397396741699290];

    #[test]
    fn a_new_label_leaves_the_others_alone() {
        let draws = |also: bool| -> Vec<u64> {
            let mut choices = Choices::seeded(7);
            (0..50)
                .map(|_| {
                    if also {
                        choices.chance("new", 500);
                    }
                    choices.below("old", 1 << 40)
                })
                .collect()
        };
        assert_eq!(draws(false), draws(true));
    }

    #[test]
    fn the_end_of_a_tape_is_tame() {
        let mut choices = Choices::from_tape(&[]);
        assert!(!choices.chance("fault", 999));
        assert_eq!(choices.between("delay", 3, 9), 3);
        assert_eq!(*choices.pick("kind", &["calm", "wild"]), "calm");
        assert!(choices.chance("certain", 1_000));
        assert!(!Choices::from_tape(&[255, 255]).chance("never", 0));
        assert!(choices.is_over() && !Choices::from_tape(&[0]).is_over() && !Choices::seeded(1).is_over());
    }

    #[test]
    fn chances_come_about_as_often_as_asked() {
        let mut choices = Choices::seeded(3);
        let hits = (0..10_000).filter(|_| choices.chance("fault", 250)).count();
        assert!((2_300..2_700).contains(&hits), "{hits}");
    }

    proptest! {
        #[test]
        fn a_recorded_tape_makes_the_same_choices(seed: u64, bounds in proptest::collection::vec(any::<u64>(), 0..50)) {
            let mut first = Choices::seeded(seed).recording();
            let drawn: Vec<u64> = bounds.iter().map(|b| first.below("any", *b)).collect();
            let mut again = Choices::from_tape(first.tape().unwrap());
            let replayed: Vec<u64> = bounds.iter().map(|b| again.below("any", *b)).collect();
            prop_assert_eq!(drawn, replayed);
        }

        #[test]
        fn draws_stay_below_their_bound(seed: u64, tape: Vec<u8>, bound in 1_u64.., low: u64, high: u64) {
            for mut choices in [Choices::seeded(seed), Choices::from_tape(&tape)] {
                prop_assert!(choices.below("any", bound) < bound);
                let drawn = choices.between("range", low, high);
                prop_assert!(drawn == low || (low..=high).contains(&drawn));
            }
        }
    }
}
