//! The floating-point mode of a thread: whether it computes with denormal numbers or takes them for zero.
//!
//! A multiplication that meets a denormal (below 1.2e-38 in f32) takes some 150 cycles on many CPUs. The errors of a
//! network that has learned its data well become that small, and training slows down several times.

use std::marker::PhantomData;

/// While it lives, its thread takes denormal inputs for zero and gives zero for denormal results, in f32 and
/// f64 alike; the mode that was there before comes back when it is dropped.
///
/// On x86-64 this is FTZ and DAZ of MXCSR, which rule every SSE and AVX instruction, so the portable
/// instruction set flushes exactly where AVX2 and AVX-512 do; on AArch64 it is FZ of FPCR. Other
/// architectures have no such mode: denormals are computed with there.
///
/// The compiler may fold constants without regard for the mode. What kernels compute comes of data, so
/// nothing there is folded.
#[must_use = "the mode ends when this is dropped"]
pub struct FlushDenormals {
    before: mode::Register,
    /// It belongs to the thread that made it.
    _on_this_thread: PhantomData<*mut ()>,
}

impl FlushDenormals {
    /// Switches the mode on.
    pub fn on_this_thread() -> FlushDenormals {
        let before = mode::read();
        if before & mode::FLUSH != mode::FLUSH {
            mode::write(before | mode::FLUSH);
        }
        FlushDenormals { before, _on_this_thread: PhantomData }
    }
}

impl Drop for FlushDenormals {
    fn drop(&mut self) {
        if self.before & mode::FLUSH != mode::FLUSH {
            mode::write(self.before);
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod mode {
    use core::arch::asm;

    pub(super) type Register = u32;
    /// Flush to zero, and denormals are zero.
    pub(super) const FLUSH: Register = 1 << 15 | 1 << 6;

    pub(super) fn read() -> Register {
        let mut register = 0;
        // SAFETY: SSE is part of the baseline; it writes the four bytes of a local variable.
        unsafe { asm!("stmxcsr [{}]", in(reg) &mut register, options(nostack, preserves_flags)) };
        register
    }

    pub(super) fn write(register: Register) {
        // SAFETY: SSE is part of the baseline; the value is one that was read, with valid bits set or not. Rounding
        // and the masks of exceptions, which compiled code relies on, stay as they are.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &register, options(nostack, preserves_flags)) };
    }
}

#[cfg(target_arch = "aarch64")]
mod mode {
    use core::arch::asm;

    pub(super) type Register = u64;
    /// Flush to zero.
    pub(super) const FLUSH: Register = 1 << 24;

    pub(super) fn read() -> Register {
        let register;
        // SAFETY: reading the register has no effect.
        unsafe {
            asm!("mrs {}, fpcr", out(reg) register, options(nomem, nostack, preserves_flags))
        };
        register
    }

    pub(super) fn write(register: Register) {
        // SAFETY: the value is one that was read, with one valid bit set or not.
        unsafe { asm!("msr fpcr, {}", in(reg) register, options(nomem, nostack, preserves_flags)) };
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod mode {
    pub(super) type Register = u32;
    pub(super) const FLUSH: Register = 0;

    pub(super) fn read() -> Register {
        0
    }

    pub(super) fn write(_: Register) {}
}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::*;
    use crate::{Finish, Isa, LANES, Panels, PanelsMut, Rows, Start, multiply};
    use std::hint::black_box;
    use std::panic::catch_unwind;

    fn half(x: f32) -> f32 {
        black_box(x) * black_box(0.5)
    }

    #[test]
    fn the_mode_begins_and_ends_with_its_guard() {
        let denormal = f32::MIN_POSITIVE / 2.0;
        assert_eq!(half(f32::MIN_POSITIVE), denormal);
        {
            let _outer = FlushDenormals::on_this_thread();
            {
                let _inner = FlushDenormals::on_this_thread();
                assert_eq!(half(f32::MIN_POSITIVE).to_bits(), 0);
            }
            assert_eq!(
                half(f32::MIN_POSITIVE).to_bits(),
                0,
                "the inner guard leaves the outer's mode"
            );
            assert_eq!(
                (black_box(denormal) * black_box(4.0)).to_bits(),
                0,
                "inputs count as zero too"
            );
        }
        assert_eq!(half(f32::MIN_POSITIVE), denormal);
        let panicked = catch_unwind(|| {
            let _guard = FlushDenormals::on_this_thread();
            panic!("within");
        });
        assert!(panicked.is_err());
        assert_eq!(half(f32::MIN_POSITIVE), denormal, "a panic restores it");
    }

    /// Every instruction set flushes the same products.
    #[test]
    fn products_are_flushed_on_every_instruction_set() {
        let small = f32::MIN_POSITIVE * 1.5;
        let filled = |value: f32| {
            let mut rows = Rows::zeroed(1);
            rows[0] = [value; LANES];
            rows
        };
        let product = |isa: Isa, a: f32, b: f32| {
            let (a, b, mut c) = (filled(a), filled(b), filled(1.0));
            let (a, b) = (Panels::new(&a, 1), Panels::new(&b, 1));
            multiply(isa, PanelsMut::new(&mut c, 1), a, b, Start::Zero, Finish::Store);
            c[0][0]
        };
        for isa in Isa::available() {
            assert!(
                product(isa, small, 0.5) > 0.0,
                "{isa}: denormal results exist outside the mode"
            );
            let _guard = FlushDenormals::on_this_thread();
            assert_eq!(product(isa, small, 0.5).to_bits(), 0, "{isa}: a denormal result");
            assert_eq!(product(isa, small / 2.0, 8.0).to_bits(), 0, "{isa}: a denormal input");
            assert_eq!(product(isa, small, 1.0), small, "{isa}: the smallest normal numbers stay");
        }
    }
}
