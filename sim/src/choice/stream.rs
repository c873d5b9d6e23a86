//! Streams of numbers under one seed: ChaCha with eight rounds.
//!
//! Most labels draw once or twice in a world, so a stream makes one block at a time, and the key of a seed is made
//! once for all its streams; generators for much data make four blocks ahead.

/// Numbers of a block.
const NUMBERS: usize = 8;

/// All streams of one seed.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    key: [u32; 8],
    /// By number.
    places: Vec<(u64, usize)>,
    streams: Vec<Stream>,
}

#[derive(Clone, Debug)]
struct Stream {
    drawn: u64,
    block: [u64; NUMBERS],
}

impl Streams {
    /// The key is the seed spread out (PCG32), as `rand_core` does it.
    pub(super) fn of(mut seed: u64) -> Self {
        let mut key = [0; 8];
        for word in &mut key {
            seed = seed.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(0xa176_54e4_6fbe_17f3);
            *word = ((((seed >> 18) ^ seed) >> 27) as u32).rotate_right((seed >> 59) as u32);
        }
        Self { key, places: Vec::new(), streams: Vec::new() }
    }

    /// The next number of this stream.
    pub(super) fn next(&mut self, stream: u64) -> u64 {
        let at = match self.places.binary_search_by_key(&stream, |(number, _)| *number) {
            Ok(place) => self.places[place].1,
            Err(place) => {
                let at = self.streams.len();
                self.places.insert(place, (stream, at));
                self.streams.push(Stream { drawn: 0, block: [0; NUMBERS] });
                at
            }
        };
        let Stream { drawn, block } = &mut self.streams[at];
        let place = (*drawn % NUMBERS as u64) as usize;
        if place == 0 {
            *block = block_of(&self.key, stream, *drawn / NUMBERS as u64);
        }
        *drawn += 1;
        block[place]
    }
}

#[inline(never)] // seldom needed, and it would make every draw save what it uses
fn block_of(key: &[u32; 8], stream: u64, count: u64) -> [u64; NUMBERS] {
    let mut start = [0; 16];
    start[..4].copy_from_slice(&[0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]); // "expand 32-byte k"
    start[4..12].copy_from_slice(key);
    start[12..].copy_from_slice(&[count as u32, (count >> 32) as u32, stream as u32, (stream >> 32) as u32]);
    let mut words = start;
    for _ in 0..4 {
        quarter(&mut words, [0, 4, 8, 12]);
        quarter(&mut words, [1, 5, 9, 13]);
        quarter(&mut words, [2, 6, 10, 14]);
        quarter(&mut words, [3, 7, 11, 15]);
        quarter(&mut words, [0, 5, 10, 15]);
        quarter(&mut words, [1, 6, 11, 12]);
        quarter(&mut words, [2, 7, 8, 13]);
        quarter(&mut words, [3, 4, 9, 14]);
    }
    let mut numbers = [0; NUMBERS];
    for (at, (word, start)) in words.iter().zip(start).enumerate() {
        numbers[at / 2] |= u64::from(word.wrapping_add(start)) << (at % 2 * 32);
    }
    numbers
}

#[inline(always)] // where the places are known it is twelve instructions
fn quarter(words: &mut [u32; 16], [a, b, c, d]: [usize; 4]) {
    let mut step = |a: usize, b: usize, d: usize, by| {
        words[a] = words[a].wrapping_add(words[b]);
        words[d] = (words[d] ^ words[a]).rotate_left(by);
    };
    step(a, b, d, 16);
    step(c, d, b, 12);
    step(a, b, d, 8);
    step(c, d, b, 7);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::ChaCha8Rng;
    use rand_chacha::rand_core::SeedableRng as _;

    proptest! {
        #[test]
        fn streams_are_those_of_chacha8(seed: u64, numbers: [u64; 3]) {
            let known = |number| {
                let mut known = ChaCha8Rng::seed_from_u64(seed);
                known.set_stream(number);
                known
            };
            let (mut known, mut streams) = (numbers.map(known), Streams::of(seed));
            for at in 0..300 {
                prop_assert_eq!(streams.next(numbers[at % 3]), known[at % 3].next_u64());
            }
        }
    }
}
