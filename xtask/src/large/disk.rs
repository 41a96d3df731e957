//! A file larger than memory, under a limit that the system enforces: rows that need more than the disk
//! gives.

use super::group::Group;
use super::{Bench, Line, data, measure};
use crate::process;
use crate::report::{median, percent};
use crate::workload::{Loss, Optimizer, Workload};
use anyhow::Result;
use gristmill_io::{Dtype, SynthOptions};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

/// Features of a row, a byte each: trained on in some nanoseconds per byte by a network this narrow.
const LAYERS: [usize; 3] = [3072, 8, 1];

const ROUNDS: usize = 3;

/// Rows of a file that stays in the cache.
const CACHED: u64 = 300_000;

/// Measures the disk and the training in turn.
pub(super) fn run(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let arguments = bench.arguments;
    let Some(group) = Group::new(arguments.limit << 20) else {
        eprintln!("disk: skipped: no memory controller of version 1 that may be used here");
        return Ok(Vec::new());
    };
    let (features, dtype) = (LAYERS[0], Dtype::U8);
    let rows = data::rows_of(arguments.gigabytes, features, dtype);
    let file = bench.data("wide", SynthOptions { rows, features, dtype, ..Default::default() })?;
    let (adam, loss) = (Optimizer::Adam, Loss::BinaryCrossEntropy);
    let workload =
        Workload { threads: arguments.threads, ..Workload::new("wide", &LAYERS, 1024, adam, loss) };
    let seconds = (2.0 * arguments.slice).to_string();
    let memory = format!("{}M", arguments.limit);
    let (mut disk, mut rates, mut waits) = (vec![], vec![], vec![]);
    let mut peak = 0;
    for _ in 0..ROUNDS {
        data::forget(&file)?;
        disk.push(disk_rate(&file)?);
        group.empty()?;
        group.take_peak()?;
        let options = ["--memory", &memory, "--shuffle", "window", "--seconds", &seconds];
        let fit = measure(&mut group.wrap(&bench.fit(&file, &options, &workload)?))?;
        rates.push(fit.rate() * features as f64);
        waits.push(fit.waited / fit.seconds);
        peak = peak.max(group.take_peak()?);
    }
    bench.finish(&file)?;
    // What the cores could take without the disk.
    let small = SynthOptions { rows: CACHED, features, dtype, ..Default::default() };
    let file = bench.data("wide-cached", small)?;
    let options = ["--shuffle", "window", "--seconds", &seconds];
    let cached = measure(&mut bench.fit(&file, &options, &workload)?)?.rate() * features as f64;
    bench.finish(&file)?;
    let gigabytes = |rate: f64| format!("{:.2} GB/s", rate / 1e9);
    let (disk, rate) = (median(&disk), median(&rates));
    let compared =
        format!("{} of the disk; waited {}", percent(rate / disk), percent(median(&waits)));
    let peak = format!("{} MiB", peak >> 20);
    Ok(vec![
        Line::new("the disk, read past the cache", gigabytes(disk), String::new()),
        Line::new("u8 rows in windows", gigabytes(rate), compared),
        Line::new("u8 rows from the cache", gigabytes(cached), String::new()),
        Line::new("peak of memory and cache, u8 rows", peak, String::new()),
    ])
}

/// Bytes per second of large reads in order that leave the cache aside.
fn disk_rate(file: &Path) -> Result<f64> {
    const BLOCK: u64 = 1 << 20;
    let blocks = (fs::metadata(file)?.len() / BLOCK).min(4096);
    let mut command = Command::new("dd");
    command.arg(format!("if={}", file.display())).args(["of=/dev/null", "iflag=direct"]);
    command.args([format!("bs={BLOCK}"), format!("count={blocks}"), "status=none".to_owned()]);
    let began = Instant::now();
    process::run(&mut command)?;
    Ok((blocks * BLOCK) as f64 / began.elapsed().as_secs_f64())
}
