//! Files larger than memory, under a limit that the system enforces.

use super::fit::Fit;
use super::group::Group;
use super::{Bench, Line, data, measure};
use crate::report::{percent, thousands};
use crate::workload::{Loss, Optimizer, Workload};
use anyhow::Result;
use gristmill_io::{Dtype, SynthOptions};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// Features of the wide data set.
const WIDE: usize = 3072;

/// Rows that are trained on in memory.
const COPIED: &str = "4000000";

/// Steps after which parameters are compared: some windows.
const COMPARED_STEPS: u64 = 6000;

pub(super) fn run(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let limit = bench.arguments.limit << 20;
    let Some(group) = Group::new(limit) else {
        eprintln!("memory: skipped: no memory controller of version 1 that may be used here");
        return Ok(Vec::new());
    };
    let mut lines = Vec::new();
    narrow(bench, &group, &mut lines)?;
    wide(bench, &group, &mut lines)?;
    Ok(lines)
}

/// Rows that need less than the disk gives.
fn narrow(bench: &Bench<'_>, group: &Group, lines: &mut Vec<Line>) -> Result<()> {
    let arguments = bench.arguments;
    let rows = data::rows_of(arguments.gigabytes, 28, Dtype::F32);
    let file = data::make(bench.folder, "narrow", SynthOptions { rows, ..Default::default() })?;
    let memory = format!("{}M", arguments.limit);
    let seconds = (8.0 * arguments.slice).to_string();
    let limited = |shuffle, until: &[&str]| -> Result<Fit> {
        data::forget(&file)?;
        group.empty()?;
        group.take_peak()?;
        let options = [&["--memory", &memory, "--shuffle", shuffle], until].concat();
        measure(&mut group.wrap(&bench.fit(&file, &options, &bench.higgs)?))
    };
    let copied = ["--shuffle", "full", "--copy", COPIED, "--seconds", &seconds];
    let in_memory = measure(&mut bench.fit(&file, &copied, &bench.higgs)?)?;
    let hits = group.hits()?;
    let window = limited("window", &["--seconds", &seconds])?;
    let (peak, hits) = (group.take_peak()?, group.hits()? - hits);
    let full = limited("full", &["--seconds", &seconds])?;

    let steps = COMPARED_STEPS.to_string();
    let with = limited("window", &["--steps", &steps])?;
    let free = ["--memory", &memory, "--shuffle", "window", "--steps", &steps];
    let without = measure(&mut bench.fit(&file, &free, &bench.higgs)?)?;
    fs::remove_file(&file)?;

    let rate = |fit: &Fit| format!("{} rows/s", thousands(fit.rate()));
    let of_memory = |fit: &Fit| format!("{} of in memory", percent(fit.rate() / in_memory.rate()));
    let waited = |fit: &Fit| format!("waited {} for data", percent(fit.waited / fit.seconds));
    let name = |what: &str| format!("{:.0} GB in {} MiB, {what}", arguments.gigabytes, arguments.limit);
    lines.push(Line::new("the same steps in memory", rate(&in_memory), String::new()));
    for (what, fit) in [("windows", &window), ("full shuffle", &full)] {
        let compared = format!("{}; {}", of_memory(fit), waited(fit));
        lines.push(Line::new(&name(what), rate(fit), compared));
    }
    let peak = format!("{} MiB", peak >> 20);
    let hits = format!("the limit was hit {hits} times");
    lines.push(Line::new("peak of memory and cache, windows", peak, hits));
    let same = if with.digest == without.digest { "equal" } else { "DIFFERENT" };
    let compared = format!("limited and not, after {steps} steps");
    lines.push(Line::new("parameters", same.to_owned(), compared));
    Ok(())
}

/// Rows that need more than the disk gives.
fn wide(bench: &Bench<'_>, group: &Group, lines: &mut Vec<Line>) -> Result<()> {
    let arguments = bench.arguments;
    let rows = data::rows_of(arguments.gigabytes, WIDE, Dtype::U8);
    let dtype = Dtype::U8;
    let options = SynthOptions { rows, features: WIDE, dtype, ..Default::default() };
    let file = data::make(bench.folder, "wide", options)?;
    let layers = [WIDE, 8, 1];
    let mut workload =
        Workload::new("wide u8", &layers, 1024, Optimizer::Adam, Loss::BinaryCrossEntropy);
    workload.threads = arguments.threads;
    let seconds = (4.0 * arguments.slice).to_string();
    let memory = format!("{}M", arguments.limit);
    let mut disk = Vec::new();
    let mut rates = Vec::new();
    let mut peaks = Vec::new();
    for _ in 0..3 {
        data::forget(&file)?;
        disk.push(disk_rate(&file)?);
        data::forget(&file)?;
        group.empty()?;
        group.take_peak()?;
        let options = ["--memory", &memory, "--shuffle", "window", "--seconds", &seconds];
        let fit = measure(&mut group.wrap(&bench.fit(&file, &options, &workload)?))?;
        rates.push(fit.rate() * WIDE as f64);
        peaks.push(group.take_peak()?);
    }
    fs::remove_file(&file)?;
    let (disk, rate) = (crate::report::median(&disk), crate::report::median(&rates));
    let gigabytes = |rate: f64| format!("{:.2} GB/s", rate / 1e9);
    lines.push(Line::new("the disk, read past the cache", gigabytes(disk), String::new()));
    let compared = format!("{} of the disk", percent(rate / disk));
    lines.push(Line::new("u8 rows faster than the disk, windows", gigabytes(rate), compared));
    let peak = peaks.into_iter().max().unwrap_or(0) >> 20;
    lines.push(Line::new("peak of memory and cache, u8 rows", format!("{peak} MiB"), String::new()));
    Ok(())
}

/// Bytes per second of large reads in order that leave the cache aside.
fn disk_rate(file: &Path) -> Result<f64> {
    const BLOCK: u64 = 8 << 20;
    let blocks = (fs::metadata(file)?.len() / BLOCK).min(512);
    let mut command = Command::new("dd");
    command.arg(format!("if={}", file.display())).args(["of=/dev/null", "iflag=direct"]);
    command.args([format!("bs={BLOCK}"), format!("count={blocks}")]).stderr(Stdio::null());
    let began = Instant::now();
    crate::process::run(&mut command)?;
    Ok((blocks * BLOCK) as f64 / began.elapsed().as_secs_f64())
}
