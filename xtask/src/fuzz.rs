//! `cargo xtask fuzz`: looks for files that a reader does not survive, by cargo-fuzz.

use crate::{paths, process};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::process::Command;

/// Look for files that a reader does not survive.
///
/// Needs cargo-fuzz (`cargo install cargo-fuzz`), and no nightly toolchain. What it finds is kept in
/// crates/io/fuzz/artifacts, inputs worth keeping in crates/io/fuzz/corpus; it begins with those in
/// crates/io/fuzz/seeds.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// A file of crates/io/fuzz/fuzz_targets without its ending, or `all`.
    target: String,
    /// How long to look, for each target.
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,
}

/// Fuzzes one target, or each.
///
/// # Errors
/// There is no such target, cargo-fuzz is not installed, or something was found.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let targets = targets()?;
    let chosen: Vec<&String> =
        targets.iter().filter(|name| ["all", name].contains(&arguments.target.as_str())).collect();
    ensure!(
        !chosen.is_empty(),
        "there is no target {:?}; there are all, {}",
        arguments.target,
        targets.join(", ")
    );
    chosen.into_iter().try_for_each(|target| fuzz(target, arguments.seconds))
}

fn targets() -> Result<Vec<String>> {
    let folder = paths::repository().join("crates/io/fuzz/fuzz_targets");
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        names.extend(path.file_stem().and_then(|name| name.to_str()).map(str::to_owned));
    }
    names.sort();
    Ok(names)
}

fn fuzz(target: &str, seconds: u32) -> Result<()> {
    let folder = paths::repository().join("crates/io/fuzz");
    let corpus = folder.join("corpus").join(target);
    fs::create_dir_all(&corpus)?;
    eprintln!("fuzzing {target} for {seconds} s");
    process::run(
        Command::new("cargo")
            .args(["fuzz", "run", target])
            .arg(corpus)
            .arg(folder.join("seeds").join(target))
            .arg("--")
            .arg(format!("-max_total_time={seconds}"))
            .args(["-rss_limit_mb=1024", "-timeout=10", "-max_len=4096", "-print_final_stats=1"])
            // The address sanitizer is an unstable option of the compiler.
            .env("RUSTC_BOOTSTRAP", "1")
            .env_remove("CARGO_TARGET_DIR")
            .current_dir(paths::repository().join("crates/io")),
    )
}
