//! One file per instruction set. Each only translates [`Simd`](crate::Simd) into instructions;
//! no algorithm lives here. Beside them, the floating-point mode of threads
//! and the pages of buffers.
#![allow(unsafe_code)]

pub(crate) mod float_mode;
pub(crate) mod pages;
pub(crate) mod portable;

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;

/// Asks the cache for these items; a hint without effect on any result.
#[inline(always)]
pub(crate) fn prefetch<T>(items: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for line in items.chunks((64 / size_of::<T>()).max(1)) {
        use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: SSE is part of the target's baseline, and a prefetch never faults.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = items;
}
