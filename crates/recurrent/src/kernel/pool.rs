//! Memory that one run leaves to the next.
//!
//! A training step writes tens of megabytes that live until its way back is done. Fresh from the system, each page of them
//! costs a fault, together as much time as a third of the arithmetic; from here, nothing.

use std::sync::{Mutex, PoisonError};

/// Values that start on a cache line, so that no vector load straddles two. Dropped, they go back to the pool.
pub(super) struct Buffer {
    values: Vec<f32>,
    start: usize,
    len: usize,
}

/// What is kept unused at most, in values: 256 MiB.
const LIMIT: usize = 64 << 20;
/// Smaller ones are the allocator's business.
const SMALLEST: usize = 1 << 12;
/// Values to a cache line.
pub(super) const LINE: usize = 16;

static POOL: Mutex<Pool> = Mutex::new(Pool { free: Vec::new(), held: 0 });

struct Pool {
    /// In the order in which they came back.
    free: Vec<Vec<f32>>,
    held: usize,
}

impl Pool {
    /// The latest that came back of those that hold `len` values and not much more.
    fn take(&mut self, len: usize) -> Option<Vec<f32>> {
        let index = self.free.iter().rposition(|values| (len..=len + len / 4).contains(&values.len()))?;
        let values = self.free.remove(index);
        self.held -= values.len();
        Some(values)
    }

    /// Takes `values` back; the oldest go where that would be too much. Gives what is to be freed, outside the lock.
    fn put(&mut self, values: Vec<f32>) -> Vec<Vec<f32>> {
        self.held += values.len();
        self.free.push(values);
        let mut count = 0;
        while self.held > LIMIT && count < self.free.len() {
            self.held -= self.free[count].len();
            count += 1;
        }
        self.free.drain(..count).collect()
    }
}

fn with<R>(act: impl FnOnce(&mut Pool) -> R) -> R {
    act(&mut POOL.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Buffer {
    /// `len` values, whatever they are: to be written before they are read.
    pub(super) fn any(len: usize) -> Self {
        let room = len + LINE;
        let found = if room < SMALLEST { None } else { with(|pool| pool.take(room)) };
        // A little more than asked for, so that lengths close to one another share buffers.
        let fresh = || vec![0.0; room.next_multiple_of((room / 8).next_power_of_two())];
        #[cfg_attr(not(test), expect(unused_mut, reason = "tests fill it"))]
        let mut values = found.unwrap_or_else(fresh);
        // A test that read what nobody wrote would see it.
        #[cfg(test)]
        values.fill(f32::NAN);
        let start = values.as_ptr().align_offset(LINE * size_of::<f32>()).min(LINE);
        Self { values, start, len }
    }

    pub(super) fn zeros(len: usize) -> Self {
        let mut buffer = Self::any(len);
        buffer.fill(0.0);
        buffer
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        if self.values.len() >= SMALLEST {
            let values = std::mem::take(&mut self.values);
            drop(with(|pool| pool.put(values)));
        }
    }
}

impl std::ops::Deref for Buffer {
    type Target = [f32];

    #[inline(always)]
    fn deref(&self) -> &[f32] {
        &self.values[self.start..][..self.len]
    }
}

impl std::ops::DerefMut for Buffer {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[self.start..][..self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_back_is_lent_again() {
        let mut pool = Pool { free: Vec::new(), held: 0 };
        assert!(pool.put(vec![0.0; 1000]).is_empty() && pool.put(vec![0.0; 5000]).is_empty());
        assert!(pool.take(1001).is_none() && pool.take(700).is_none(), "too small, and too large by far");
        assert_eq!(pool.take(900).map(|values| values.len()), Some(1000));
        assert_eq!((pool.free.len(), pool.held), (1, 5000));
    }

    #[test]
    fn no_more_is_held_than_the_limit() {
        let mut pool = Pool { free: Vec::new(), held: 0 };
        for len in [LIMIT / 2, LIMIT / 4, LIMIT / 2, LIMIT + 1] {
            pool.put(vec![0.0; len]);
            assert!(pool.held <= LIMIT && pool.held == pool.free.iter().map(Vec::len).sum::<usize>());
        }
        assert!(pool.free.is_empty(), "the last one alone was more than the limit");
    }

    #[test]
    fn buffers_begin_on_a_cache_line() {
        for len in [0, 1, 5000, 100_000] {
            let buffer = Buffer::zeros(len);
            assert!(buffer.len() == len && buffer.as_ptr().align_offset(64) == 0 && buffer.iter().all(|value| *value == 0.0));
        }
    }
}
