//! `cargo xtask asm`: proves from the machine code that the matrix products are what they should be.
//!
//! A kernel that is not inlined into the function compiled for its instruction set still gives the
//! right result, only many times slower, and a scalar `mul_add` becomes a call of libm. No test of
//! results sees either, so this reads the release binary.

use crate::{paths, process};
use anyhow::{Result, bail, ensure};
use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

/// Check the machine code of the matrix products in the release binary.
///
/// Fails if a product kernel's AVX-512 instance does not multiply and add in zmm registers, or its
/// AVX2 instance in ymm registers, if either calls libm, or if sums that belong in registers go to the
/// stack and back. Needs objdump; only for x86-64.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The binary to look into, built with `-C symbol-mangling-version=v0` [default: builds one]
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Kernels whose demangled name contains this are looked at.
    #[arg(long, value_name = "TEXT", default_value = "product")]
    symbols: String,
}

/// Disassembles and judges.
///
/// # Errors
/// The binary cannot be built or read, or its kernels are not as they should be.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if !cfg!(target_arch = "x86_64") {
        bail!("the instructions that are looked for exist on x86-64 only");
    }
    let binary = match &arguments.binary {
        Some(file) => file.clone(),
        None => {
            // Names in the other mangling leave out which kernel a function is an instance for.
            let target = paths::repository().join("target/asm");
            process::run(
                Command::new("cargo")
                    .current_dir(paths::repository())
                    .env("RUSTFLAGS", "-C symbol-mangling-version=v0")
                    .args(["build", "--release", "-p", "gristmill", "--target-dir"])
                    .arg(&target),
            )?;
            target.join("release/gristmill")
        }
    };
    let listing = process::output(
        Command::new("objdump")
            .args(["--disassemble", "--demangle", "--no-show-raw-insn", "-M", "intel"])
            .arg(&binary),
    )?;
    let kernels: Vec<Function> =
        functions(&listing).filter(|f| is_kernel(f.name, &arguments.symbols)).collect();
    let mut report = std::io::stdout().lock();
    for kernel in &kernels {
        let Function { name, zmm, ymm, spills, libm } = kernel;
        writeln!(
            report,
            "{zmm:5} zmm FMA  {ymm:5} ymm FMA  {spills:4} spills  {:2} libm  {name}",
            libm.len()
        )?;
    }
    judge(&kernels, &arguments.symbols)
}

/// What matters of a function's machine code.
#[derive(Debug, Default, Clone)]
struct Function<'a> {
    name: &'a str,
    /// Fused multiply-adds of packed f32 in zmm registers.
    zmm: usize,
    /// The same in ymm registers.
    ymm: usize,
    /// Stores of vectors to the stack.
    spills: usize,
    /// The libm functions called.
    libm: Vec<&'a str>,
}

/// What a scalar operation without an instruction of its own is compiled to.
const LIBM: &[&str] =
    &["fma", "fmaf", "exp", "expf", "tanh", "tanhf", "log", "logf", "sqrtf", "roundevenf"];

/// The functions of a listing by objdump.
fn functions(listing: &str) -> impl Iterator<Item = Function<'_>> {
    // A function is a paragraph whose first line is `0000000000001234 <name>:`.
    listing.split("\n\n").filter_map(|paragraph| {
        let (head, body) = paragraph.trim_start().split_once('\n')?;
        let name = head.split_once('<')?.1.strip_suffix(">:")?;
        let mut function = Function { name, ..Function::default() };
        for instruction in body.lines().filter_map(|line| line.split_once('\t')).map(|(_, i)| i) {
            let fused = instruction.starts_with("vfmadd") || instruction.starts_with("vfnmadd");
            if fused && instruction.contains("ps ") {
                function.zmm += usize::from(instruction.contains("zmm"));
                function.ymm += usize::from(instruction.contains("ymm"));
            }
            let to_stack = instruction.starts_with("vmov") && instruction.contains("WORD PTR [rsp");
            let stored = instruction.split_once(',').map_or("", |(_, from)| from);
            function.spills += usize::from(to_stack && stored.contains("mm"));
            if let Some(callee) = callee(instruction).filter(|callee| LIBM.contains(callee)) {
                function.libm.push(callee);
            }
        }
        Some(function)
    })
}

/// The name that a call or a jump to another function goes to, without its version or section.
fn callee(instruction: &str) -> Option<&str> {
    if !instruction.starts_with("call") && !instruction.starts_with("jmp") {
        return None;
    }
    let target = instruction.split_once('<')?.1.strip_suffix('>')?;
    target.split(['@', '+']).next()
}

/// A tile of sums that is not in registers is stored at every multiply-add. Sixteen registers of AVX2 are
/// few, so what a tile starts from and finishes with is stored now and then, outside of its loop.
const LEAST_FMA_PER_SPILL: usize = 2;

/// The functions that are compiled for an instruction set, one instance per kernel.
const COMPILED_FOR: [&str; 2] = ["avx512::with_features::<", "avx2::with_features::<"];

fn is_kernel(name: &str, symbols: &str) -> bool {
    COMPILED_FOR.iter().any(|function| {
        name.split_once(function).is_some_and(|(_, kernel)| kernel.contains(symbols))
    })
}

fn judge(kernels: &[Function], symbols: &str) -> Result<()> {
    for (function, registers) in COMPILED_FOR.iter().zip(["zmm", "ymm"]) {
        let instances: Vec<_> = kernels.iter().filter(|k| k.name.contains(function)).collect();
        ensure!(
            !instances.is_empty(),
            "no function is called {function}...{symbols}...: was the kernel renamed, or the \
             binary built without `-C symbol-mangling-version=v0`?"
        );
        for Function { name, zmm, ymm, spills, libm } in instances {
            let fused = if registers == "zmm" { zmm } else { ymm };
            ensure!(*fused > 0, "{name} has no FMA in {registers} registers");
            ensure!(libm.is_empty(), "{name} calls {}", libm.join(", "));
            ensure!(
                spills * LEAST_FMA_PER_SPILL <= *fused,
                "{name} stores vectors to the stack {spills} times, and has {fused} FMA: its sums are \
                 not in registers"
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "\nf:     file format elf64-x86-64\n\n\n\
        0000000000001000 <k::arch::avx512::with_features::<k::product::P>>:\n\
        \x20   1000:\tvfmadd231ps zmm0,zmm1,zmm2\n\
        \x20   1006:\tvfmadd231ss xmm0,xmm1,xmm2\n\
        \x20   100c:\tret\n\n\
        0000000000002000 <k::arch::avx2::with_features::<k::product::P>>:\n\
        \x20   2000:\tvfmadd231ps ymm0,ymm1,YMMWORD PTR [rax]\n\
        \x20   2006:\tcall   3000 <memcpy@plt>\n\n\
        0000000000003000 <k::arch::avx2::with_features::<k::product::Q>>:\n\
        \x20   3000:\tvfmadd231ps ymm0,ymm1,ymm2\n\
        \x20   3006:\tcall   QWORD PTR [rip+0x1]        # 4000 <fmaf@GLIBC_2.27>\n\n\
        0000000000004000 <k::arch::avx512::with_features::<k::product::R>>:\n\
        \x20   4000:\tvfmadd231ss xmm0,xmm1,xmm2\n\n\
        0000000000004800 <k::arch::avx512::with_features::<k::product::S>>:\n\
        \x20   4800:\tvfmadd231ps zmm0,zmm1,zmm2\n\
        \x20   4806:\tvmovups ZMMWORD PTR [rsp+0x40],zmm0\n\n\
        0000000000005000 <k::product::multiply>:\n\
        \x20   5000:\tret\n";

    #[test]
    fn instructions_are_counted_per_function() {
        let found: Vec<_> = functions(LISTING).collect();
        let counts: Vec<_> = found.iter().map(|f| (f.zmm, f.ymm, f.libm.as_slice())).collect();
        let none: &[&str] = &[];
        let libm: &[&str] = &["fmaf"];
        let expected =
            [(1, 0, none), (0, 1, none), (0, 1, libm), (0, 0, none), (1, 0, none), (0, 0, none)];
        assert_eq!(counts, expected);
        assert_eq!(found.iter().map(|f| f.spills).collect::<Vec<_>>(), [0, 0, 0, 0, 1, 0]);
        assert!(is_kernel(found[0].name, "product"));
        assert!(!is_kernel(found[0].name, "gather"));
        assert!(!is_kernel(found[5].name, "product"));
    }

    #[test]
    fn each_fault_is_told() {
        let judged = |picked: &[usize]| {
            let all: Vec<_> = functions(LISTING).collect();
            let kernels: Vec<_> = picked.iter().map(|&index| all[index].clone()).collect();
            judge(&kernels, "product").map_err(|error| error.to_string())
        };
        assert_eq!(judged(&[0, 1]), Ok(()));
        assert!(judged(&[0]).unwrap_err().contains("avx2::with_features"));
        assert!(judged(&[1]).unwrap_err().contains("avx512::with_features"));
        assert!(judged(&[0, 1, 2]).unwrap_err().contains("calls fmaf"));
        assert!(judged(&[0, 1, 3]).unwrap_err().contains("no FMA in zmm"));
        assert!(judged(&[0, 1, 4]).unwrap_err().contains("not in registers"));
    }
}
