//! Which instruction set runs: found once, forced lower on request.

use crate::arch;
use crate::simd::{Kernel, Simd};
use std::fmt;

/// An instruction set that this CPU has. Copy it freely; it is one byte.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Isa(Level);

#[derive(Clone, Copy)]
enum Level {
    Portable(arch::portable::Portable),
    #[cfg(target_arch = "x86_64")]
    Avx2(arch::avx2::Avx2),
    #[cfg(target_arch = "x86_64")]
    Avx512(arch::avx512::Avx512),
}

impl PartialEq for Level {
    fn eq(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl Eq for Level {}

/// The environment variable that forces an instruction set by name.
pub const ISA_VARIABLE: &str = "GRISTMILL_ISA";

impl Isa {
    /// Every instruction set that this CPU can run, slowest first. Never empty.
    pub fn available() -> Vec<Isa> {
        #[allow(unused_mut)]
        let mut all = vec![Isa(Level::Portable(arch::portable::Portable))];
        #[cfg(target_arch = "x86_64")]
        {
            all.extend(arch::avx2::Avx2::detect().map(|t| Isa(Level::Avx2(t))));
            all.extend(arch::avx512::Avx512::detect().map(|t| Isa(Level::Avx512(t))));
        }
        all
    }

    /// The fastest instruction set of this CPU.
    pub fn best() -> Isa {
        *Isa::available().last().expect("portable is always there")
    }

    /// The one named by `GRISTMILL_ISA`, else the best.
    ///
    /// # Errors
    /// The variable names no instruction set, or one that this CPU lacks.
    pub fn from_env() -> Result<Isa, UnknownIsa> {
        match std::env::var(ISA_VARIABLE) {
            Ok(name) if !name.is_empty() => Isa::named(&name),
            _ => Ok(Isa::best()),
        }
    }

    /// The one of this name: `portable`, `avx2` or `avx512`.
    ///
    /// # Errors
    /// No such instruction set, or this CPU lacks it.
    pub fn named(name: &str) -> Result<Isa, UnknownIsa> {
        Isa::available()
            .into_iter()
            .find(|isa| isa.name() == name)
            .ok_or_else(|| UnknownIsa(name.to_owned()))
    }

    /// Its name, as [`named`](Self::named) takes it.
    pub fn name(self) -> &'static str {
        match self.0 {
            Level::Portable(_) => "portable",
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(_) => "avx2",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(_) => "avx512",
        }
    }

    /// Runs a kernel with this instruction set.
    #[inline]
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        match self.0 {
            Level::Portable(simd) => simd.vectorize(kernel),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2(simd) => simd.vectorize(kernel),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512(simd) => simd.vectorize(kernel),
        }
    }
}

impl fmt::Debug for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no instruction set of this CPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownIsa(pub String);

impl fmt::Display for UnknownIsa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Isa::available().iter().map(|isa| isa.name()).collect();
        write!(
            f,
            "instruction set {:?} is not available on this CPU; it has: {}",
            self.0,
            names.join(", ")
        )
    }
}

impl std::error::Error for UnknownIsa {}
