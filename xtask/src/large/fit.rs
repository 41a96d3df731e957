//! `cargo xtask fit`: trains on a file through the library, as `large` asks, and prints what was measured.

use crate::workload::Workload;
use anyhow::{Context, Result};
use gristmill_io::{Dataset, TensorData};
use gristmill_trainer::config::{ByteSize, OptimizerKind, RunConfig, Shuffle};
use gristmill_trainer::data::samples::{Samples, Table};
use gristmill_trainer::observer::{Control, Observer, StepReport};
use gristmill_trainer::{Isa, Session};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Train on a data set for some time.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The data set.
    data: PathBuf,
    /// In which order rows come.
    #[arg(long, default_value = "full")]
    shuffle: Shuffle,
    /// Memory for rows.
    #[arg(long)]
    memory: Option<ByteSize>,
    /// So many rows are first copied into memory, and trained on there.
    #[arg(long, value_name = "ROWS")]
    copy: Option<u64>,
    /// Stop after so many seconds.
    #[arg(long, default_value_t = f64::INFINITY)]
    seconds: f64,
    /// Stop after so many steps.
    #[arg(long, default_value_t = u64::MAX)]
    steps: u64,
    /// The workload as JSON.
    workload: String,
}

/// What was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Fit {
    pub(super) samples: u64,
    /// From before the first row was asked for.
    pub(super) seconds: f64,
    /// For how much of that steps waited for rows.
    #[serde(default)]
    pub(super) waited: f64,
    /// Of the parameters at the end.
    #[serde(default)]
    pub(super) digest: String,
}

impl Fit {
    /// Samples per second.
    pub(super) fn rate(&self) -> f64 {
        self.samples as f64 / self.seconds
    }
}

/// Trains and prints.
///
/// # Errors
/// The data set cannot be read, or the workload is not understood.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let workload: Workload = serde_json::from_str(&arguments.workload).context("the workload")?;
    let mut config = config(&workload);
    config.training.shuffle = arguments.shuffle;
    config.training.memory = arguments.memory;
    let data = Dataset::open(&arguments.data)?;
    let limit = Limit { seconds: arguments.seconds, steps: arguments.steps };
    let fit = match arguments.copy {
        None => fit(&config, &data, limit)?,
        Some(rows) => fit(&config, &copy(&data, rows)?, limit)?,
    };
    Ok(writeln!(std::io::stdout(), "{}", serde_json::to_string(&fit)?)?)
}

/// The configuration of a workload that tells two classes apart.
pub(super) fn config(workload: &Workload) -> RunConfig {
    let mut config = RunConfig::default();
    config.network.hidden = Some(workload.layers[1..workload.layers.len() - 1].to_vec());
    config.optimizer.kind = OptimizerKind::Adam;
    config.optimizer.learning_rate = Some(workload.learning_rate);
    config.training.batch_size = workload.batch;
    config.training.threads = workload.threads;
    config.training.epochs = 1_000_000;
    config.checkpoint.every_epochs = 0;
    config.checkpoint.every_seconds = 0;
    config
}

/// When to stop, whichever comes first.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limit {
    pub(super) seconds: f64,
    pub(super) steps: u64,
}

/// Trains from the start.
pub(super) fn fit<S: Samples>(config: &RunConfig, data: &S, limit: Limit) -> Result<Fit> {
    let mut session = Session::new(config, Isa::best(), data, None)?;
    let mut counter = Counter { limit, began: Instant::now(), steps: 0, samples: 0 };
    let outcome = session.fit(&mut counter, &mut |_| Ok(()))?;
    let mut hash = Sha256::new();
    for tensor in session.checkpoint().tensors {
        tensor.send(&mut |values| {
            values.iter().for_each(|value| hash.update(value.to_le_bytes()));
            Ok(())
        })?;
    }
    Ok(Fit {
        samples: counter.samples,
        seconds: outcome.seconds.as_secs_f64(),
        waited: Duration::as_secs_f64(&outcome.waited_for_data),
        digest: hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
    })
}

/// Counts rows, and ends the run.
struct Counter {
    limit: Limit,
    began: Instant,
    steps: u64,
    samples: u64,
}

impl Observer for Counter {
    fn step(&mut self, report: &StepReport) -> Control {
        self.steps += 1;
        self.samples += report.rows as u64;
        let over = self.steps >= self.limit.steps
            || self.began.elapsed().as_secs_f64() >= self.limit.seconds;
        if over { Control::Stop } else { Control::Continue }
    }
}

/// The first rows of a data set of f32 and classes.
pub(super) fn copy(data: &Dataset, rows: u64) -> Result<Table> {
    let rows = rows.min(data.rows());
    let mut features = Vec::with_capacity(rows as usize * data.features());
    for row in 0..rows {
        let (numbers, _) = data.row(row).as_chunks::<4>();
        features.extend(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)));
    }
    let labels = (0..rows).map(|row| data.label(row)).collect();
    Ok(Table::of_classes(&features, labels, vec!["0".to_owned(), "1".to_owned()])?)
}
