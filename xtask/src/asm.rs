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
/// Fails if no product kernel multiplies and adds in zmm registers (AVX-512), or none in ymm
/// registers (AVX2), or if one calls libm. Needs objdump; only for x86-64.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The binary to look into; by default target/release/gristmill is built.
    #[arg(long, value_name = "FILE")]
    binary: Option<PathBuf>,
    /// Functions whose demangled name contains this are product kernels.
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
            process::run(Command::new("cargo").current_dir(paths::repository()).args([
                "build",
                "--release",
                "-p",
                "gristmill",
            ]))?;
            paths::repository().join("target/release/gristmill")
        }
    };
    let listing = process::output(
        Command::new("objdump")
            .args(["--disassemble", "--demangle", "--no-show-raw-insn", "-M", "intel"])
            .arg(&binary),
    )?;
    let kernels: Vec<Function> =
        functions(&listing).filter(|f| f.name.contains(&arguments.symbols)).collect();
    let mut report = std::io::stdout().lock();
    for kernel in &kernels {
        let Function { name, zmm, ymm, libm } = kernel;
        writeln!(report, "{zmm:5} zmm FMA  {ymm:5} ymm FMA  {:2} libm  {name}", libm.len())?;
    }
    judge(&kernels, &arguments.symbols)
}

/// What matters of a function's machine code.
#[derive(Debug, Default, PartialEq)]
struct Function<'a> {
    name: &'a str,
    /// Fused multiply-adds of packed f32 in zmm registers.
    zmm: usize,
    /// The same in ymm registers.
    ymm: usize,
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

fn judge(kernels: &[Function], symbols: &str) -> Result<()> {
    ensure!(!kernels.is_empty(), "no function is called anything with {symbols:?}");
    for kernel in kernels {
        ensure!(kernel.libm.is_empty(), "{} calls {}", kernel.name, kernel.libm.join(", "));
    }
    ensure!(kernels.iter().any(|k| k.zmm > 0), "no product kernel has an FMA in zmm registers");
    ensure!(kernels.iter().any(|k| k.ymm > 0), "no product kernel has an FMA in ymm registers");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LISTING: &str = "\nf:     file format elf64-x86-64\n\n\n\
        0000000000001000 <k::product::avx512>:\n\
        \x20   1000:\tvfmadd231ps zmm0,zmm1,zmm2\n\
        \x20   1006:\tvfmadd231ss xmm0,xmm1,xmm2\n\
        \x20   100c:\tret\n\n\
        0000000000002000 <k::product::avx2>:\n\
        \x20   2000:\tvfmadd231ps ymm0,ymm1,YMMWORD PTR [rax]\n\
        \x20   2006:\tcall   3000 <memcpy@plt>\n\n\
        0000000000003000 <k::product::bad>:\n\
        \x20   3000:\tcall   4000 <fmaf@plt>\n";

    #[test]
    fn instructions_are_counted_per_function() {
        let found: Vec<_> = functions(LISTING).collect();
        let counts: Vec<_> = found.iter().map(|f| (f.zmm, f.ymm, f.libm.as_slice())).collect();
        assert_eq!(counts, [(1, 0, &[][..]), (0, 1, &[]), (0, 0, &["fmaf"])]);
        assert_eq!(found[0].name, "k::product::avx512");
    }

    #[test]
    fn each_fault_is_told() {
        let found: Vec<_> = functions(LISTING).collect();
        judge(&found[..2], "product").unwrap();
        let message = |kernels| judge(kernels, "product").unwrap_err().to_string();
        assert!(message(&found[..0]).contains("product"));
        assert!(message(&found[..1]).contains("ymm"));
        assert!(message(&found[1..2]).contains("zmm"));
        assert!(message(&found).contains("fmaf"));
    }
}
