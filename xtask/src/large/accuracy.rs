//! A file sorted by class: windows must train as well as a full shuffle.

use super::fit::config;
use super::{Bench, Line};
use crate::workload::{Loss, Optimizer, Workload};
use anyhow::{Context, Result};
use gristmill_io::{Dataset, SynthOptions, SynthTarget};
use gristmill_trainer::config::{ByteSize, Shuffle};
use gristmill_trainer::metrics::Metric;
use gristmill_trainer::observer::{EpochReport, Observer};
use gristmill_trainer::{Isa, Session};

const ROWS: u64 = 400_000;
const SEEDS: u32 = 5;

/// A window of this budget holds a fiftieth of the file.
const MEMORY: u64 = 8 << 20;

pub(super) fn run(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let options = SynthOptions {
        rows: ROWS,
        target: SynthTarget::Classes(10),
        sorted: true,
        noise: 1.5,
        ..SynthOptions::default()
    };
    let file = bench.data("sorted", options)?;
    let data = Dataset::open(&file)?;
    let mut lines = Vec::new();
    let mut full = (0.0, 0.0);
    for shuffle in [Shuffle::Full, Shuffle::Window, Shuffle::None] {
        let runs: Result<Vec<f64>> =
            (1..=SEEDS).map(|seed| accuracy(bench, &data, shuffle, seed)).collect();
        let (mean, deviation) = moments(&runs?);
        let value = format!("{mean:.4} +- {deviation:.4}");
        let compared = match shuffle {
            Shuffle::Full => {
                full = (mean, deviation);
                String::new()
            }
            _ => {
                // Welch's: the difference of the means over its standard error.
                let error = ((deviation.powi(2) + full.1.powi(2)) / f64::from(SEEDS)).sqrt();
                format!("{:+.1} standard errors from full", (mean - full.0) / error)
            }
        };
        lines.push(Line::new(&format!("sorted by class, {shuffle}"), value, compared));
    }
    drop(data);
    bench.finish(&file)?;
    Ok(lines)
}

/// Of the rows held out, after the last epoch.
fn accuracy(bench: &Bench<'_>, data: &Dataset, shuffle: Shuffle, seed: u32) -> Result<f64> {
    let mut workload =
        Workload::new("sorted", &[28, 64, 64, 10], 256, Optimizer::Adam, Loss::SoftmaxCrossEntropy);
    workload.threads = bench.arguments.threads;
    let mut config = config(&workload);
    config.seed = seed;
    config.training.shuffle = shuffle;
    config.training.memory = Some(ByteSize(MEMORY));
    config.training.epochs = 3;
    config.validation.split = 0.1;
    let mut session = Session::new(&config, Isa::best(), data, None)?;
    let mut last = Last(None);
    session.fit(&mut last, &mut |_| Ok(()))?;
    last.0.context("no accuracy was measured")
}

/// Keeps the last epoch's accuracy.
struct Last(Option<f64>);

impl Observer for Last {
    fn epoch_end(&mut self, report: &EpochReport) {
        let found = report.validation.iter().find(|(metric, _)| *metric == Metric::Accuracy);
        self.0 = found.map(|(_, value)| *value);
    }
}

/// Mean and standard deviation of a sample.
fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0)).sqrt())
}
