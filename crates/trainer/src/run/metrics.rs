//! The file with a line of metrics per epoch.

use super::error::RunError;
use super::files::METRICS;
use super::small::{read, write};
use crate::observer::EpochReport;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The open `metrics.csv`.
#[derive(Debug)]
pub(super) struct MetricsFile {
    path: PathBuf,
    file: File,
    /// Whether the file is still without its line of names.
    empty: bool,
}

impl MetricsFile {
    /// Opens the file to append to it. The lines of epochs after `epochs` are dropped: the run goes on
    /// from there and will write them again.
    pub(super) fn open(directory: &Path, epochs: u32) -> Result<MetricsFile, RunError> {
        let path = directory.join(METRICS);
        let text = if path.exists() { read(&path)? } else { String::new() };
        let is_kept = |line: &str| {
            let epoch = line.split(',').next().and_then(|epoch| epoch.parse::<u32>().ok());
            line.ends_with('\n') && epoch.is_none_or(|epoch| epoch <= epochs)
        };
        let kept: String = text.split_inclusive('\n').filter(|line| is_kept(line)).collect();
        write(&path, &kept)?;
        let file = OpenOptions::new().append(true).open(&path);
        let file = file.map_err(RunError::io("open", &path))?;
        Ok(MetricsFile { path, file, empty: kept.is_empty() })
    }

    pub(super) fn append(&mut self, report: &EpochReport) -> Result<(), RunError> {
        let columns = columns(report);
        let mut text = String::new();
        if self.empty {
            let names: String = columns.iter().map(|(name, _)| format!(",{name}")).collect();
            text += &format!("epoch{names}\n");
        }
        let values: String = columns.iter().map(|(_, value)| format!(",{value}")).collect();
        text += &format!("{}{values}\n", report.epoch);
        self.empty = false;
        self.file.write_all(text.as_bytes()).map_err(RunError::io("write", &self.path))
    }
}

/// What a line of the metrics has after the number of the epoch.
fn columns(report: &EpochReport) -> Vec<(String, f64)> {
    let mut columns = vec![
        ("learning_rate".to_owned(), report.learning_rate),
        ("train_loss".to_owned(), report.train_loss),
    ];
    columns.extend(report.train.iter().map(|(m, value)| (format!("train_{m}"), *value)));
    columns.extend(report.validation.iter().map(|(m, value)| (format!("val_{m}"), *value)));
    columns.push(("seconds".to_owned(), report.seconds));
    columns.push(("samples_per_second".to_owned(), report.samples_per_second));
    columns
}
