//! `cargo xtask compare-parquet`: imports a Parquet file beside pyarrow and numpy, in turns.

use crate::{paths, process};
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// What the peer does with the same file.
const PEER: &str = "import sys, numpy, pyarrow.parquet as pq
numpy.save(sys.argv[2], pq.read_table(sys.argv[1]).to_pandas().to_numpy())";

/// A file of random f32 columns, in row groups of a million.
const MAKE: &str = "import sys, numpy as np, pyarrow as pa, pyarrow.parquet as pq
columns = [f'f{i}' for i in range(31)] + ['y']
schema = pa.schema([(name, pa.float32()) for name in columns])
random = np.random.default_rng(0)
with pq.ParquetWriter(sys.argv[1], schema) as file:
    for start in range(0, int(sys.argv[2]), 1000000):
        rows = min(1000000, int(sys.argv[2]) - start)
        arrays = {name: random.standard_normal(rows, dtype=np.float32) for name in columns}
        file.write_table(pa.table(arrays, schema=schema))";

/// Time the import of a Parquet file beside pyarrow's read_table, to_pandas and numpy.save.
///
/// Takes turns, so that both see the same machine, and prints the medians. Needs a Python with pyarrow and
/// pandas.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The Python to run.
    #[arg(long, default_value = "python3")]
    python: PathBuf,
    /// Rows of the file, of 32 columns of f32 each.
    #[arg(long, value_name = "N", default_value_t = 8_000_000)]
    rows: u64,
    /// Turns of each.
    #[arg(long, value_name = "N", default_value_t = 5)]
    turns: usize,
    /// Where to work; there must be room for twice the file
    /// [default: a temporary directory].
    #[arg(long, value_name = "DIR")]
    work: Option<PathBuf>,
}

/// Makes the file, if it is not there, and times both.
///
/// # Errors
/// A program that fails.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    ensure!(arguments.turns > 0, "--turns must be at least 1");
    process::run(
        Command::new("cargo")
            .args(["build", "--quiet", "--locked", "--release", "--package", "gristmill"])
            .current_dir(paths::repository()),
    )?;
    let this = std::env::current_exe().context("where is this program?")?;
    let target = this.parent().and_then(Path::parent).context("where is this program?")?;
    let gristmill = target.join("release/gristmill");
    let temporary = tempfile::tempdir()?;
    let work = arguments.work.as_deref().unwrap_or(temporary.path());
    fs::create_dir_all(work)?;
    let file = work.join(format!("{}.parquet", arguments.rows));
    let python = |script| {
        let mut command = Command::new(&arguments.python);
        command.args(["-c", script]).arg(&file);
        command
    };
    if !file.exists() {
        process::run(python(MAKE).arg(arguments.rows.to_string()))?;
    }
    let (array, data) = (work.join("out.npy"), work.join("out.grist"));
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    for _ in 0..arguments.turns {
        theirs.push(seconds(python(PEER).arg(&array), &array)?);
        let mut import = Command::new(&gristmill);
        import.args(["import", "--quiet", "--task", "regress", "--dtype", "f32"]);
        ours.push(seconds(import.arg(&file).arg("-o").arg(&data), &data)?);
    }
    let (theirs, ours) = (median(theirs), median(ours));
    eprintln!("{} bytes, {} rows", fs::metadata(&file)?.len(), arguments.rows);
    eprintln!("pyarrow, pandas, numpy.save  {theirs:.2} s");
    eprintln!("gristmill import             {ours:.2} s, {:.2} times as fast", theirs / ours);
    Ok(())
}

/// How long a command takes that makes a file, which is removed before and after.
fn seconds(command: &mut Command, makes: &Path) -> Result<f64> {
    let start = Instant::now();
    process::run(command)?;
    let seconds = start.elapsed().as_secs_f64();
    fs::remove_file(makes).with_context(|| format!("cannot remove {}", makes.display()))?;
    Ok(seconds)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
