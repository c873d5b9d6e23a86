//! Where items are put together before they are appended: most of a record's are of a few bytes, and one at a time each
//! would ask whether there is room and call for its copy.

use super::{BYTES, TEXT, UNSIGNED};
use alloc::vec::Vec;

/// Appends to these bytes, through a buffer.
pub(in crate::journal) struct Sink<'a> {
    out: &'a mut Vec<u8>,
    buffer: [u8; 256],
    used: usize,
    /// What bytes are put down as.
    pub(super) kind: u8,
}

impl<'a> Sink<'a> {
    #[inline]
    pub(in crate::journal) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, buffer: [0; 256], used: 0, kind: BYTES }
    }

    /// All that was put in is in the bytes.
    #[inline]
    pub(in crate::journal) fn flush(&mut self) {
        self.out.extend_from_slice(self.buffer.get(..self.used).unwrap_or_default());
        self.used = 0;
    }

    #[inline]
    pub(super) fn byte(&mut self, byte: u8) {
        match self.buffer.get_mut(self.used) {
            Some(room) => {
                *room = byte;
                self.used = self.used.saturating_add(1);
            }
            None => self.slice_after_flush(&[byte]),
        }
    }

    /// So many of these bytes. All are copied, and what comes next goes over the rest: a copy of known length needs no call.
    #[inline]
    pub(super) fn put(&mut self, bytes: [u8; 16], used: usize) {
        match self.buffer.get_mut(self.used..).and_then(<[u8]>::first_chunk_mut) {
            Some(room) => {
                *room = bytes;
                self.used = self.used.saturating_add(used);
            }
            None => self.put_after_flush(bytes, used),
        }
    }

    #[inline]
    pub(super) fn slice(&mut self, bytes: &[u8]) {
        let end = self.used.saturating_add(bytes.len());
        match self.buffer.get_mut(self.used..end) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.used = end;
            }
            None => self.slice_after_flush(bytes),
        }
    }

    #[cold]
    fn put_after_flush(&mut self, bytes: [u8; 16], used: usize) {
        self.slice_after_flush(bytes.get(..used).unwrap_or_default());
    }

    #[cold]
    fn slice_after_flush(&mut self, bytes: &[u8]) {
        self.flush();
        self.out.extend_from_slice(bytes);
    }

    /// An item's first bytes: its major type with its value or length, as short as can be. Most lengths are short.
    #[inline]
    pub(super) fn head(&mut self, major: u8, value: u64) {
        match u8::try_from(value) {
            Ok(small) if small <= 0x17 => self.byte(major | small),
            _ => self.long_head(major, value),
        }
    }

    fn long_head(&mut self, major: u8, value: u64) {
        let (low, length, idle) = match value {
            0..=0xff => (24, 1, 56),
            0x100..=0xffff => (25, 2, 48),
            0x1_0000..=0xffff_ffff => (26, 4, 32),
            _ => (27, 8, 0),
        };
        let value = u128::from(value.wrapping_shl(idle)) << 56;
        self.put((u128::from(major | low) << 120 | value).to_be_bytes(), 1_usize.saturating_add(length));
    }

    #[inline]
    pub(super) fn length(&mut self, major: u8, length: usize) {
        self.head(major, u64::try_from(length).unwrap_or(u64::MAX));
    }

    #[inline]
    pub(super) fn text(&mut self, text: &str) {
        self.length(TEXT, text.len());
        self.slice(text.as_bytes());
    }

    #[inline]
    pub(super) fn index(&mut self, index: u32) {
        self.head(UNSIGNED, index.into());
    }

    /// A number as bytes, the lowest first and none idle but one of zero. Most are of 64 bits.
    #[inline]
    pub(super) fn number(&mut self, number: u128) {
        let idle = match u64::try_from(number) {
            Ok(few) => (few | 1).leading_zeros().saturating_add(u64::BITS),
            Err(_) => number.leading_zeros(),
        };
        let length = 16_u8.saturating_sub(u8::try_from(idle / 8).unwrap_or_default());
        if length < 16 {
            let bytes = (number << 8 | u128::from(BYTES | length)).to_le_bytes();
            self.put(bytes, usize::from(length).saturating_add(1));
        } else {
            self.byte(BYTES | length);
            self.put(number.to_le_bytes(), 16);
        }
    }
}
