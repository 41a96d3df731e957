//! `cargo xtask large`: training from files larger than memory, as fast as from memory.

mod accuracy;
mod billion;
mod data;
mod disk;
pub(crate) mod fit;
mod group;
mod memory;
mod speed;

use crate::report::{Circumstances, table};
use crate::workload::{self, Workload};
use crate::{paths, process};
use anyhow::{Context, Result, ensure};
use fit::Fit;
use gristmill_io::{Dataset, SynthOptions};
use serde::Serialize;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Measure what training on large files costs: beside PyTorch's loaders, under a limit on memory,
/// on sorted files, and on a billion rows.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What is measured [default: all].
    #[arg(value_name = "PARTS", value_parser = clap::builder::PossibleValuesParser::new(PARTS))]
    parts: Vec<String>,
    /// Where the files are made that are trained on [default: a temporary folder]
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Keep the files, and use those that are there already.
    #[arg(long, requires = "folder")]
    keep: bool,
    /// Rows of the file of `speed`.
    #[arg(long, default_value_t = 4_000_000)]
    rows: u64,
    /// 10^9 bytes of the files of `memory` and `disk`.
    #[arg(long, default_value_t = 12.0)]
    gigabytes: f64,
    /// Mebibytes that `memory` and `disk` limit their programs to.
    #[arg(long, default_value_t = 2048)]
    limit: u64,
    /// How often each program of `speed` gets its turn.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds of a turn.
    #[arg(long, default_value_t = 4.0)]
    slice: f64,
    /// Threads that each program may use.
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Write the results as JSON to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// A Python with torch and numpy [default: that of the peers, ~/.cache/gristmill/peers]
    #[arg(long, value_name = "PROGRAM")]
    python: Option<PathBuf>,
}

const PARTS: [&str; 5] = ["speed", "memory", "disk", "sorted", "billion"];

/// A line of the results.
#[derive(Serialize)]
struct Line {
    what: String,
    value: String,
    /// What it is compared with, and how it compares.
    compared: String,
}

impl Line {
    fn new(what: &str, value: String, compared: String) -> Line {
        Line { what: what.to_owned(), value, compared }
    }
}

#[derive(Serialize)]
struct Results {
    circumstances: Circumstances,
    parts: Vec<Part>,
}

#[derive(Serialize)]
struct Part {
    part: String,
    lines: Vec<Line>,
}

/// What every part needs.
struct Bench<'a> {
    arguments: &'a Arguments,
    folder: &'a Path,
    /// The network of the HIGGS data.
    higgs: Workload,
}

/// Runs the parts and reports.
///
/// # Errors
/// A file cannot be made, or a program failed.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    ensure!(!cfg!(debug_assertions), "built without optimisation: use `cargo xtask large`");
    ensure!(arguments.rounds > 0, "--rounds 0: expected at least 1");
    let parent = arguments.folder.clone().unwrap_or_else(std::env::temp_dir);
    fs::create_dir_all(&parent).with_context(|| format!("cannot make {}", parent.display()))?;
    let temporary = tempfile::Builder::new().prefix("gristmill-large-").tempdir_in(&parent)?;
    let folder = if arguments.keep { &parent } else { temporary.path() };
    let higgs = workload::named("higgs", arguments.threads)?;
    let bench = Bench { arguments, folder, higgs };
    let mut results = Results { circumstances: Circumstances::now(), parts: Vec::new() };
    let is_chosen = |part: &&str| {
        arguments.parts.is_empty() || arguments.parts.iter().any(|chosen| chosen == part)
    };
    for part in PARTS.into_iter().filter(is_chosen) {
        eprintln!("{part}: starting");
        let lines = match part {
            "speed" => speed::run(&bench),
            "memory" => memory::run(&bench),
            "disk" => disk::run(&bench),
            "sorted" => accuracy::run(&bench),
            _ => billion::run(&bench),
        };
        results.parts.push(Part { part: part.to_owned(), lines: lines? });
        if let Some(file) = &arguments.json {
            let json = serde_json::to_string_pretty(&results)? + "\n";
            fs::write(file, json).with_context(|| format!("cannot write {}", file.display()))?;
        }
    }
    Ok(std::io::stdout().write_all(show(&results).as_bytes())?)
}

impl Bench<'_> {
    /// Makes a data set, unless one that was kept is there.
    fn data(&self, name: &str, options: SynthOptions) -> Result<PathBuf> {
        let path = self.folder.join(name).with_extension("grist");
        let kept = Dataset::open(&path);
        if !kept.is_ok_and(|kept| kept.rows() == options.rows) {
            data::make(&path, options)?;
        }
        Ok(path)
    }

    /// Removes a data set that is not kept.
    fn finish(&self, path: &Path) -> Result<()> {
        if self.arguments.keep { Ok(()) } else { Ok(fs::remove_file(path)?) }
    }

    /// This program, to train on a file with these options.
    fn fit(&self, data: &Path, options: &[&str], workload: &Workload) -> Result<Command> {
        let mut command = Command::new(std::env::current_exe().context("where is this program?")?);
        command.arg("fit").arg(data).args(options).arg(workload.json());
        Ok(command)
    }
}

/// Runs a program that trains, and reads what it measured.
fn measure(command: &mut Command) -> Result<Fit> {
    let text = process::output(command)?;
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last).with_context(|| format!("{command:?} printed {text:?}"))
}

/// The Python of the peers, or the one that is named.
fn python(arguments: &Arguments) -> Result<PathBuf> {
    match &arguments.python {
        Some(python) => Ok(python.clone()),
        None => Ok(paths::cache()?.join("peers/bin/python")),
    }
}

/// Whether a program can be started and ends well.
fn works(program: &Path, arguments: &[impl AsRef<OsStr>]) -> bool {
    let output = Command::new(program).args(arguments).output();
    output.is_ok_and(|output| output.status.success())
}

fn show(results: &Results) -> String {
    let mut rows = vec![["", "", ""].map(str::to_owned).to_vec()];
    for line in results.parts.iter().flat_map(|part| &part.lines) {
        rows.push(vec![line.what.clone(), line.value.clone(), line.compared.clone()]);
    }
    let Circumstances { date, cpu, commit } = &results.circumstances;
    format!("{}\n{cpu}, {date}, commit {commit}\n", table(&rows))
}
