//! `cargo xtask steps`: our training step as a program that speaks the protocol of
//! `benches/peers/README.md`, the program's side.

use crate::ours::{Ours, Slice};
use crate::trace::Trace;
use crate::workload::Workload;
use anyhow::{Context, Result, bail};
use gristmill_kernels::Isa;
use gristmill_trainer::on_threads;
use serde_json::json;
use std::io::{BufRead, Write, stdin, stdout};
use std::path::Path;

/// Train one workload on request, as `peers` asks.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The instruction set.
    variant: String,
    /// The workload as JSON.
    workload: String,
}

/// Steps before the clock runs.
const WARM_UP: usize = 3;

/// Answers requests until standard input ends.
///
/// # Errors
/// The workload is not understood, or standard output is closed.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let workload: Workload = serde_json::from_str(&arguments.workload).context("the workload")?;
    match Isa::named(&arguments.variant) {
        Ok(isa) => on_threads(workload.threads, || serve(isa, &workload))?,
        Err(error) => say(json!({ "unsupported": error.to_string() })),
    }
}

fn serve(isa: Isa, workload: &Workload) -> Result<()> {
    let mut ours = Ours::new(isa, workload, &Trace::random(workload, workload.batches()))?;
    ours.losses(WARM_UP);
    say(json!({ "ready": format!("gristmill {isa}"), "version": env!("CARGO_PKG_VERSION") }))?;
    for line in stdin().lock().lines() {
        let answer = answer(&line?, isa, workload, &mut ours);
        say(answer.unwrap_or_else(|error| json!({ "error": format!("{error:#}") })))?;
    }
    Ok(())
}

fn answer(
    request: &str,
    isa: Isa,
    workload: &Workload,
    ours: &mut Ours,
) -> Result<serde_json::Value> {
    match request.splitn(3, ' ').collect::<Vec<_>>()[..] {
        ["run", seconds] => {
            let Slice { samples, seconds } = ours.run(seconds.parse()?);
            Ok(json!({ "samples": samples, "seconds": seconds }))
        }
        ["losses", steps, file] => {
            let steps = steps.parse()?;
            let trace = Trace::read(workload, steps, Path::new(file))?;
            let mut fresh = Ours::new(isa, workload, &trace)?;
            Ok(json!({ "losses": fresh.losses(steps) }))
        }
        _ => bail!("no such request: {request}"),
    }
}

fn say(message: serde_json::Value) -> Result<()> {
    Ok(writeln!(stdout(), "{message}")?)
}
