//! One file per instruction set. Each only translates [`Simd`](crate::Simd) into instructions;
//! no algorithm lives here.

pub(crate) mod portable;

#[cfg(target_arch = "x86_64")]
pub(crate) mod avx2;
#[cfg(target_arch = "x86_64")]
pub(crate) mod avx512;
