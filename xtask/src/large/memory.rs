//! A file larger than memory, under a limit that the system enforces: rows that need less than the disk
//! gives.

use super::fit::Fit;
use super::group::Group;
use super::{Bench, Line, data, measure};
use crate::report::{percent, thousands};
use anyhow::Result;
use gristmill_io::{Dtype, SynthOptions};

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
    let arguments = bench.arguments;
    let rows = data::rows_of(arguments.gigabytes, 28, Dtype::F32);
    let file = bench.data("narrow", SynthOptions { rows, ..Default::default() })?;
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
    bench.finish(&file)?;

    let rate = |fit: &Fit| format!("{} rows/s", thousands(fit.rate()));
    let of_memory = |fit: &Fit| format!("{} of in memory", percent(fit.rate() / in_memory.rate()));
    let waited = |fit: &Fit| format!("waited {} for data", percent(fit.waited / fit.seconds));
    let name =
        |what: &str| format!("{:.0} GB in {} MiB, {what}", arguments.gigabytes, arguments.limit);
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
    Ok(lines)
}
