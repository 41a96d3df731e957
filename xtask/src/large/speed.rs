//! End to end from a mapped file in full shuffle: beside PyTorch's loaders, and beside memory.

use super::{Bench, Line, data, measure, python, works};
use crate::paths;
use crate::report::{median, percent, thousands};
use anyhow::Result;
use gristmill_io::{Dataset, SynthOptions};
use std::process::Command;

struct Contender {
    what: &'static str,
    command: Command,
    rates: Vec<f64>,
}

pub(super) fn run(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let arguments = bench.arguments;
    let options = SynthOptions { rows: arguments.rows, ..SynthOptions::default() };
    let file = bench.data("speed", options)?;
    let seconds = arguments.slice.to_string();
    let rows = arguments.rows.to_string();
    let ours = |what, shuffle, more: &[&str]| -> Result<Contender> {
        let mut options = vec!["--seconds", &seconds, "--shuffle", shuffle];
        options.extend(more);
        let command = bench.fit(&file, &options, &bench.higgs)?;
        Ok(Contender { what, command, rates: Vec::new() })
    };
    let mut contenders = vec![
        ours("mapped, full shuffle", "full", &[])?,
        ours("in memory, full shuffle", "full", &["--copy", &rows])?,
        ours("in memory, as stored", "none", &["--copy", &rows])?,
    ];
    let python = python(arguments)?;
    if works(&python, &["-c", "import numpy, torch"]) {
        let raw = bench.folder.join("speed.f32");
        data::raw(&Dataset::open(&file)?, &raw)?;
        for (what, variant) in [
            ("PyTorch, whole batches indexed", "batches"),
            ("PyTorch, DataLoader of rows", "rows"),
            ("PyTorch, DataLoader of rows, 2 workers", "rows-2"),
        ] {
            let mut command = Command::new(&python);
            command.arg(paths::repository().join("benches/peers/loader_peer.py"));
            command.arg(variant).arg(&raw).arg(&seconds).arg(bench.higgs.json());
            contenders.push(Contender { what, command, rates: Vec::new() });
        }
    } else {
        eprintln!("skipped PyTorch: {} has no torch; see --python", python.display());
    }
    for round in 1..=arguments.rounds {
        eprintln!("speed: round {round} of {}", arguments.rounds);
        for contender in &mut contenders {
            contender.rates.push(measure(&mut contender.command)?.rate());
        }
    }
    let mapped = median(&contenders[0].rates);
    bench.finish(&file)?;
    let line = |contender: &Contender| {
        let rate = median(&contender.rates);
        let ratio = mapped / rate;
        let compared = match contender.what.starts_with("PyTorch") {
            true => format!("mapped is {ratio:.1} x as fast"),
            false => format!("mapped reaches {}", percent(ratio)),
        };
        Line::new(contender.what, format!("{} rows/s", thousands(rate)), compared)
    };
    Ok(contenders.iter().map(line).collect())
}
