//! A tensor that several tasks fill at once.

use std::marker::PhantomData;
use std::mem::MaybeUninit;

use pulp::Simd;

/// Room for a tensor's values, of which each task writes its own places.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    start: *mut f32,
    len: usize,
    room: PhantomData<&'a mut [MaybeUninit<f32>]>,
}

#[expect(unsafe_code, reason = "both directions write into every step of the output, and neither should wait or copy")]
// SAFETY: it is a pointer into memory borrowed for 'a that is written through `write` and `clear` alone; who calls those
// answers for no two of them meeting.
unsafe impl Send for Shared<'_> {}
#[expect(unsafe_code, reason = "as above")]
// SAFETY: as above.
unsafe impl Sync for Shared<'_> {}

impl<'a> Shared<'a> {
    pub(super) fn new(room: &'a mut [MaybeUninit<f32>]) -> Self {
        Self { start: room.as_mut_ptr().cast(), len: room.len(), room: PhantomData }
    }

    pub(super) fn of(values: &'a mut [f32]) -> Self {
        Self { start: values.as_mut_ptr(), len: values.len(), room: PhantomData }
    }

    /// Writes `values` from place `at` on.
    ///
    /// # Safety
    ///
    /// No other thread may write these places at the same time.
    #[inline(always)]
    #[expect(unsafe_code, reason = "writes beside other tasks")]
    pub(super) unsafe fn write<S: Simd>(self, at: usize, values: &[f32]) {
        assert!(at + values.len() <= self.len, "inside the tensor");
        let (vectors, rest) = S::as_simd_f32s(values);
        let start = self.start.wrapping_add(at);
        let mut k = 0;
        while k < vectors.len() {
            // SAFETY: inside by the assertion, vector by vector; any place of f32 will do for an unaligned write.
            unsafe { start.add(k * S::F32_LANES).cast::<S::f32s>().write_unaligned(vectors[k]) };
            k += 1;
        }
        let start = start.wrapping_add(values.len() - rest.len());
        let mut k = 0;
        while k < rest.len() {
            // SAFETY: inside by the assertion.
            unsafe { start.add(k).write(rest[k]) };
            k += 1;
        }
    }

    /// Asks for the places to be brought to the cache.
    #[inline(always)]
    pub(super) fn prefetch(self, at: usize, len: usize) {
        prefetch_from(self.start.wrapping_add(at), len);
    }

    /// Writes `count` zeros from place `at` on.
    ///
    /// # Safety
    ///
    /// No other thread may write these places at the same time.
    #[expect(unsafe_code, reason = "writes beside other tasks")]
    pub(super) unsafe fn clear(self, at: usize, count: usize) {
        assert!(at + count <= self.len, "inside the tensor");
        // SAFETY: inside by the assertion; all bits zero is 0.0.
        unsafe { self.start.add(at).write_bytes(0, count) }
    }
}

/// Asks for `values` to be brought to the cache; says nothing of when.
#[inline(always)]
pub(super) fn prefetch(values: &[f32]) {
    prefetch_from(values.as_ptr(), values.len());
}

#[inline(always)]
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "the caches don't foresee a dozen rows far apart"))]
fn prefetch_from(start: *const f32, len: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let mut at = 0;
        while at < len {
            // SAFETY: every x86-64 has the instruction, and it may be given any address.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(start.wrapping_add(at).cast()) };
            at += super::pool::LINE;
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (start, len);
}

/// A vector of `len` values, all of which `fill` writes.
///
/// # Safety
///
/// `fill` must write every place.
#[expect(unsafe_code, reason = "zeroing what is written in full costs a pass over memory")]
pub(super) unsafe fn filled(len: usize, fill: impl FnOnce(Shared<'_>)) -> Vec<f32> {
    let mut values = Vec::with_capacity(len);
    fill(Shared::new(&mut values.spare_capacity_mut()[..len]));
    // SAFETY: `len` places were reserved, and the caller says that all have been written.
    unsafe { values.set_len(len) };
    values
}
