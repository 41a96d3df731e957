//! `cargo xtask import`: our import beside other readers of the same files, interleaved in one run.

use crate::peers::python;
use crate::report::{Circumstances, median, table, thousands};
use crate::{paths, process};
use anyhow::{Context, Result, ensure};
use gristmill_io::{
    Dataset, FormatChoice, ImportOptions, Plan, SynthOptions, export, import, synth,
};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// Time the import of tables beside other readers that write what they read.
///
/// The files have 28 features and a class, and lie in the system's cache. Every program reads and
/// writes them in turn, for several rounds; medians are compared. Ours computes statistics and checksums
/// as well, and ends when its file is on the disk; the others end when the system has theirs. Before
/// that, the arrays that the others wrote must have the same content as ours, bit by bit.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Which files [default: all]
    #[arg(value_name = "CASE", value_parser = CASES.iter().map(|case| case.name).collect::<Vec<_>>())]
    cases: Vec<String>,
    /// Rows of the files
    #[arg(long, default_value_t = 4_000_000)]
    rows: u64,
    /// How often each program gets its turn
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Write the results as JSON to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The virtual environment of the Python peers [default: ~/.cache/gristmill/peers]
    #[arg(long, value_name = "FOLDER")]
    venv: Option<PathBuf>,
}

/// A file that is imported.
struct Case {
    name: &'static str,
    file: &'static str,
    make: fn(&Dataset, &Path) -> Result<()>,
}

const CASES: &[Case] = &[
    // As short as they read back: nine digits, mostly.
    Case { name: "csv", file: "rows.csv", make: exported },
    Case { name: "csv-decimals", file: "decimals.csv", make: six_decimals },
    Case { name: "parquet", file: "rows.parquet", make: exported },
];

/// The libraries that are compared, and how they store what they read.
const PEERS: &[[&str; 2]] =
    &[["pyarrow", "numpy"], ["pyarrow", "arrow"], ["polars", "numpy"], ["polars", "arrow"]];

/// What ours is called in the table.
const OURS: &str = "gristmill import";

#[derive(Serialize)]
struct Results {
    circumstances: Circumstances,
    rows: u64,
    cases: Vec<CaseResults>,
}

#[derive(Serialize)]
struct CaseResults {
    case: &'static str,
    source_bytes: u64,
    programs: Vec<ProgramResults>,
    /// The median time of the best peer over ours.
    best_over_ours: f64,
}

#[derive(Serialize)]
struct ProgramResults {
    program: String,
    /// Seconds of each turn.
    seconds: Vec<f64>,
    median: f64,
}

/// Times every chosen case and reports.
///
/// # Errors
/// A file cannot be made, a peer cannot be installed or fails, or contents differ.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    ensure!(!cfg!(debug_assertions), "built without optimisation: use `cargo xtask import`");
    ensure!(arguments.rounds > 0, "--rounds 0: expected at least 1");
    let venv = match &arguments.venv {
        Some(folder) => folder.clone(),
        None => paths::cache()?.join("peers"),
    };
    let python = python(&venv)?;
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let original = folder.path().join("original.grist");
    eprintln!("making files of {} rows", thousands(arguments.rows as f64));
    synth(&original, &SynthOptions { rows: arguments.rows, ..Default::default() }, &())?;
    let original = Dataset::open(&original)?;
    let (circumstances, rows) = (Circumstances::now(), arguments.rows);
    let mut results = Results { circumstances, rows, cases: Vec::new() };
    let is_chosen =
        |case: &&Case| arguments.cases.is_empty() || arguments.cases.iter().any(|c| c == case.name);
    for case in CASES.iter().filter(is_chosen) {
        let source = folder.path().join(case.file);
        (case.make)(&original, &source)?;
        let bench = Bench { case: case.name, python: &python, source, folder: folder.path() };
        results.cases.push(bench.time(arguments.rounds)?);
        fs::remove_file(&bench.source)?;
    }
    if let Some(file) = &arguments.json {
        let json = serde_json::to_string_pretty(&results)? + "\n";
        fs::write(file, json).with_context(|| format!("cannot write {}", file.display()))?;
    }
    std::io::stdout().write_all(show(&results).as_bytes())?;
    Ok(())
}

fn exported(dataset: &Dataset, path: &Path) -> Result<()> {
    export(dataset, path, &FormatChoice::default(), &())?;
    Ok(())
}

/// Numbers as people round them.
fn six_decimals(dataset: &Dataset, path: &Path) -> Result<()> {
    let mut file = BufWriter::new(File::create(path)?);
    writeln!(file, "{},class", dataset.encoding().feature_names().join(","))?;
    let mut values = vec![0.0; dataset.features()];
    for row in 0..dataset.rows() {
        dataset.dtype().decode(dataset.row(row), &mut values);
        for value in &values {
            write!(file, "{value:.6},")?;
        }
        writeln!(file, "{}", dataset.label(row))?;
    }
    file.flush()?;
    Ok(())
}

/// A case with what its programs need.
struct Bench<'a> {
    case: &'static str,
    python: &'a Path,
    source: PathBuf,
    folder: &'a Path,
}

impl Bench<'_> {
    fn time(&self, rounds: usize) -> Result<CaseResults> {
        let source_bytes = fs::metadata(&self.source)?.len();
        eprintln!("{}: comparing contents", self.case);
        self.compare()?;
        let mut ours = Vec::with_capacity(rounds);
        let mut peers = vec![Vec::with_capacity(rounds); PEERS.len()];
        for round in 1..=rounds {
            eprintln!("{}: round {round} of {rounds}", self.case);
            for (peer, seconds) in PEERS.iter().zip(&mut peers) {
                seconds.push(self.peer(peer)?);
                self.clear()?;
            }
            ours.push(self.ours()?);
            self.clear()?;
        }
        let result = |program: String, seconds: Vec<f64>| {
            let median = median(&seconds);
            ProgramResults { program, seconds, median }
        };
        let ours = result(OURS.to_owned(), ours);
        let named = PEERS.iter().zip(peers);
        let mut programs: Vec<ProgramResults> =
            named.map(|(peer, seconds)| result(peer.join(" + "), seconds)).collect();
        let best = programs.iter().map(|peer| peer.median).fold(f64::INFINITY, f64::min);
        let best_over_ours = best / ours.median;
        programs.insert(0, ours);
        Ok(CaseResults { case: self.case, source_bytes, programs, best_over_ours })
    }

    fn output(&self) -> PathBuf {
        self.folder.join("out")
    }

    /// Imports; returns the seconds taken.
    fn ours(&self) -> Result<f64> {
        let began = Instant::now();
        let plan = Plan::Learn(ImportOptions::default());
        import(
            std::slice::from_ref(&self.source),
            &self.output().with_extension("grist"),
            &plan,
            &(),
        )?;
        Ok(began.elapsed().as_secs_f64())
    }

    /// Has another reader read and write; returns the seconds taken.
    fn peer(&self, [library, store]: &[&str; 2]) -> Result<f64> {
        #[derive(Deserialize)]
        struct Answer {
            seconds: f64,
        }
        let script = paths::repository().join("benches/peers/import_peer.py");
        let mut command = Command::new(self.python);
        command.arg(script).args([library, store]).arg(&self.source).arg(self.output());
        let answer = process::output(&mut command)?;
        let answer: Answer = serde_json::from_str(&answer)
            .with_context(|| format!("{library} {store} said {answer:?}"))?;
        Ok(answer.seconds)
    }

    /// Makes sure that the arrays of the peers are our data set.
    fn compare(&self) -> Result<()> {
        self.ours()?;
        let dataset = Dataset::open(&self.output().with_extension("grist"))?;
        for peer in PEERS.iter().filter(|[_, store]| *store == "numpy") {
            self.peer(peer)?;
            let features =
                array(&self.output().with_extension("x.npy"), &dataset, dataset.features() * 4)?;
            let labels = array(&self.output().with_extension("y.npy"), &dataset, 8)?;
            let rows = features.chunks(dataset.features() * 4).zip(labels.chunks(8));
            for (row, (features, label)) in (0..).zip(rows) {
                let same = features == dataset.row(row)
                    && label == u64::from(dataset.label(row)).to_le_bytes();
                ensure!(same, "{}: {} read row {row} otherwise", self.case, peer[0]);
            }
        }
        self.clear()
    }

    fn clear(&self) -> Result<()> {
        for extension in ["grist", "x.npy", "y.npy", "arrow"] {
            let path = self.output().with_extension(extension);
            if path.exists() {
                fs::remove_file(&path)
                    .with_context(|| format!("cannot remove {}", path.display()))?;
            }
        }
        Ok(())
    }
}

/// The values of a numpy array, of so many bytes a row, after its header.
fn array(path: &Path, dataset: &Dataset, row_bytes: usize) -> Result<Vec<u8>> {
    let mut bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let length = dataset.rows() as usize * row_bytes;
    ensure!(bytes.len() >= length, "{} holds less than {length} bytes", path.display());
    bytes.drain(..bytes.len() - length);
    Ok(bytes)
}

/// The results as a table: programs down, cases across.
fn show(results: &Results) -> String {
    let mut rows = vec![vec!["MB/s of the source".to_owned()]];
    rows[0].extend(results.cases.iter().map(|case| case.case.to_owned()));
    let programs = results.cases.first().map_or(0, |case| case.programs.len());
    for program in 0..programs {
        let mut row = vec![results.cases[0].programs[program].program.clone()];
        row.extend(
            results.cases.iter().map(|case| {
                thousands(case.source_bytes as f64 / 1e6 / case.programs[program].median)
            }),
        );
        rows.push(row);
    }
    let mut last = vec!["ours / best peer".to_owned()];
    last.extend(results.cases.iter().map(|case| format!("{:.2}", case.best_over_ours)));
    rows.push(last);
    let Circumstances { date, cpu, commit } = &results.circumstances;
    format!(
        "{}\n{} rows; {cpu}, {date}, commit {commit}\n",
        table(&rows),
        thousands(results.rows as f64)
    )
}
