//! How far a long operation is: bars on a terminal, plain lines elsewhere.

use crate::failure::Failure;
use crate::interrupt;
use crate::output::Output;
use crate::progress_line::ProgressLine;
use crate::table::{number, thousands};
use gristmill_io::ImportProgress;
use gristmill_trainer::metrics::Metric;
use gristmill_trainer::observer::{Control, EpochReport, EpochStart, Observer, StepReport};
use indicatif::{HumanBytes, HumanDuration};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Follows an import, or another operation on a data set, until the user interrupts it: a bar on a terminal,
/// elsewhere a line now and then.
pub(crate) struct DataBar<'a> {
    output: &'a Output,
    what: String,
    interrupted: Arc<AtomicBool>,
    line: ProgressLine,
    began: Instant,
    /// Tens of seconds after which the last line was said.
    lines: AtomicU64,
}

/// How often a line is said where there is no terminal.
const LINES: Duration = Duration::from_secs(10);

impl<'a> DataBar<'a> {
    /// A bar that says what is being done.
    pub(crate) fn new(output: &'a Output, what: impl Into<String>) -> Result<DataBar<'a>, Failure> {
        let what = what.into();
        let interrupted = interrupt::flag();
        Ok(DataBar {
            output,
            what,
            interrupted,
            line: ProgressLine::new(output, 0),
            began: Instant::now(),
            lines: AtomicU64::new(0),
        })
    }

    /// Where there is no terminal.
    fn say(&self, bytes_done: u64, rows: &str) {
        let total = self.line.bar().length().unwrap_or(0).max(1);
        let share = bytes_done as f64 / total as f64;
        let left = self.began.elapsed().as_secs_f64() * (1.0 / share.max(1e-9) - 1.0);
        let left = Duration::try_from_secs_f64(left).unwrap_or(Duration::MAX);
        self.output.talk(format_args!(
            "{}: {:.0} %, {} of {}  {rows}  ETA {:#}",
            self.what,
            100.0 * share,
            HumanBytes(bytes_done),
            HumanBytes(total),
            HumanDuration(left),
        ));
    }
}

impl ImportProgress for DataBar<'_> {
    fn begin(&self, total_bytes: u64) {
        self.line.bar().set_length(total_bytes);
    }

    fn advance(&self, bytes_done: u64, rows_done: u64) {
        let rows = || match rows_done {
            0 => String::new(),
            rows => format!("{} rows", thousands(rows)),
        };
        self.line.advance(bytes_done, |bar| {
            let total = bar.length().unwrap_or(0);
            vec![
                self.what.clone(),
                format!("ETA {:#}", HumanDuration(bar.eta())),
                rows(),
                format!("{}/{}", HumanBytes(bytes_done), HumanBytes(total)),
                format!("{}/s", HumanBytes(bar.per_sec() as u64)),
            ]
        });
        let lines = (self.began.elapsed().as_secs_f64() / LINES.as_secs_f64()) as u64;
        if self.lines.fetch_max(lines, Ordering::Relaxed) < lines && self.output.bars().is_none() {
            self.say(bytes_done, &rows());
        }
    }

    fn note(&self, line: &str) {
        self.output.warn(line);
    }

    fn is_interrupted(&self) -> bool {
        self.interrupted.load(Ordering::Relaxed)
    }
}

/// Follows an operation on the rows of a data set.
pub(crate) struct RowsBar {
    what: String,
    line: ProgressLine,
}

impl RowsBar {
    /// A bar that says what is done to how many rows.
    pub(crate) fn new(output: &Output, what: &str, rows: u64) -> RowsBar {
        RowsBar { what: what.to_owned(), line: ProgressLine::new(output, rows) }
    }

    /// Shows that the first `rows_done` rows are done.
    pub(crate) fn advance(&self, rows_done: u64) {
        self.line.advance(rows_done, |bar| {
            let rows = bar.length().unwrap_or(0);
            vec![
                self.what.clone(),
                format!("ETA {:#}", HumanDuration(bar.eta())),
                format!("{}/{} rows", thousands(rows_done), thousands(rows)),
                format!("{} rows/s", thousands(bar.per_sec() as u64)),
            ]
        });
    }
}

/// Follows a run: a bar within an epoch, a line after it. Asks the run to stop when told to.
pub(crate) struct FitProgress<'a> {
    output: &'a Output,
    interrupted: &'a AtomicBool,
    line: ProgressLine,
    /// When this process began to train, and how many steps and epochs it has done since.
    began: Instant,
    steps_done: u64,
    start: Option<EpochStart>,
    rows_in_epoch: u64,
    epoch_began: Instant,
}

impl<'a> FitProgress<'a> {
    /// Follows until `interrupted` is set.
    pub(crate) fn new(output: &'a Output, interrupted: &'a AtomicBool) -> FitProgress<'a> {
        let now = Instant::now();
        FitProgress {
            output,
            interrupted,
            line: ProgressLine::new(output, 0),
            began: now,
            steps_done: 0,
            start: None,
            rows_in_epoch: 0,
            epoch_began: now,
        }
    }

    /// Loss, the time to the end of the last epoch, and rate.
    fn refresh(&self, report: &StepReport) {
        let Some(EpochStart { epoch, epochs, steps, .. }) = self.start else { return };
        self.line.advance(report.step, |_| {
            let rate = self.rows_in_epoch as f64 / self.epoch_began.elapsed().as_secs_f64();
            let steps_left = (steps - report.step) + u64::from(epochs - epoch) * steps;
            let seconds = self.began.elapsed().as_secs_f64() / self.steps_done as f64;
            let left =
                Duration::try_from_secs_f64(seconds * steps_left as f64).unwrap_or(Duration::MAX);
            vec![
                format!("epoch {epoch}/{epochs}"),
                format!("loss {}", number(report.loss)),
                format!("ETA {:#}", HumanDuration(left)),
                format!("{} rows/s", thousands(rate as u64)),
            ]
        });
    }
}

impl Observer for FitProgress<'_> {
    fn epoch_begin(&mut self, start: &EpochStart) {
        self.line.bar().set_length(start.steps);
        self.line.bar().set_position(start.done);
        self.start = Some(*start);
        self.rows_in_epoch = 0;
        self.epoch_began = Instant::now();
    }

    fn step(&mut self, report: &StepReport) -> Control {
        self.steps_done += 1;
        self.rows_in_epoch += report.rows as u64;
        self.refresh(report);
        if self.interrupted.load(Ordering::Relaxed) { Control::Stop } else { Control::Continue }
    }

    fn epoch_end(&mut self, report: &EpochReport) {
        let mut line = format!(
            "epoch {:>width$}/{}  loss {}",
            report.epoch,
            report.epochs,
            number(report.train_loss),
            width = report.epochs.to_string().len(),
        );
        line += &shown(&report.train);
        if !report.validation.is_empty() {
            line += &format!("  validation:{}", shown(&report.validation));
        }
        let rate = thousands(report.samples_per_second as u64);
        self.output.talk(format_args!("{line}  {}  {rate} rows/s", duration(report.seconds)));
    }

    fn warn(&mut self, message: &str) {
        self.output.warn(message);
    }
}

/// Seconds, or milliseconds where that says more.
fn duration(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.1} ms", 1e3 * seconds) } else { format!("{seconds:.1} s") }
}

/// The metrics that say at a glance how well it goes; all of them are in `metrics.csv`.
fn shown(values: &[(Metric, f64)]) -> String {
    let at_a_glance = [Metric::Loss, Metric::Accuracy, Metric::Rmse, Metric::R2];
    let values = values.iter().filter(|(metric, _)| at_a_glance.contains(metric));
    values.map(|(metric, value)| format!(" {metric} {}", number(*value))).collect()
}
