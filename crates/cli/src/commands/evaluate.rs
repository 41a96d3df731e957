//! `gristmill evaluate`: a model and rows whose answers are known in, metrics out.

use crate::args::{PluginArgs, TableArgs, count};
use crate::failure::Failure;
use crate::model_source;
use crate::output::Output;
use crate::progress::RowsBar;
use crate::report;
use crate::source::Opened;
use crate::table::{Table, number, thousands};
use gristmill_io::Model;
use gristmill_io::model::Loss;
use gristmill_io::schema::Target;
use gristmill_trainer::config::ByteSize;
use gristmill_trainer::evaluation::evaluate;
use gristmill_trainer::model::UNSTORED_DELTA;
use gristmill_trainer::metrics::{ClassReport, NumberReport, Report};
use gristmill_trainer::{Isa, on_threads};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// A confusion matrix of more classes does not fit on a terminal.
const MATRIX_CLASSES: usize = 20;

/// Measure how well a model predicts rows whose answers are known
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  gristmill evaluate runs/iris-1/model.gristmill test.csv
  gristmill evaluate --json runs/iris-1/model.gristmill test.csv

Columns are matched by name with those that the model was trained on. Rows are standardised
and coded as the model stored it. Of two classes the second is the positive one: precision,
recall, f1 and roc_auc are about it. A model of windows (train --window) measures each row that has a window
before it.")]
pub(crate) struct Evaluate {
    /// A trained model, or the directory or a checkpoint of a run
    model: PathBuf,
    /// A table or a data set
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// Print JSON, with all that is measured
    #[arg(long)]
    json: bool,
    /// Threads [default: every core]
    #[arg(
        long, value_name = "N", value_parser = count::<usize>,
        default_value_t = 0,
        hide_default_value = true
    )]
    threads: usize,
    /// Memory for rows, as 2G or 512M: what does not fit is dropped when used
    /// [default: what the machine has]
    #[arg(long, value_name = "SIZE")]
    memory: Option<ByteSize>,
    #[command(flatten)]
    table: TableArgs,
    #[command(flatten)]
    plugins: PluginArgs,
}

impl Evaluate {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let isa = Isa::from_env().map_err(|error| Failure::new(error.to_string()))?;
        let model = model_source::load(&model_source::file_of(&self.model, output)?)?;
        if let Some(Loss::Huber { delta: None }) = model.loss {
            output.warn(format_args!(
                "{} does not store the delta of its Huber loss: the loss is computed with delta {}",
                self.model.display(),
                UNSTORED_DELTA,
            ));
        }
        let reading = self.table.reading(self.plugins)?;
        let rows = Opened::for_model(self.data, &model, true, reading, output)?;
        if rows.dataset.rows() == 0 {
            let reason = "has no rows, so there is nothing to measure";
            return Err(Failure::at(rows.dataset.path())(reason));
        }
        let mut count = rows.dataset.rows();
        if let Some(series) = model.series {
            count = series.windows(count);
            output.talk(format_args!("windows of {}", report::series_line(series)));
        }
        let bar = RowsBar::new(output, "measuring", count);
        let report = on_threads(self.threads, || {
            let memory = self.memory.map(|size| size.0);
            evaluate(isa, &model, &rows.dataset, memory, &mut |done| bar.advance(done))
        })??;
        drop(bar);
        let names = names(&model);
        match (&report, self.json) {
            (_, true) => output.print_data(as_json(&report, names)),
            (Report::Classes(classes), _) => output.print(classes_text(&report, classes, names)),
            (Report::Numbers(numbers), _) => output.print(numbers_text(&report, numbers, names)),
        }
    }
}

/// Names of what the per-class or per-target parts of a report are about.
fn names(model: &Model) -> &[String] {
    match &model.encoding.target {
        Target::Classes { names, .. } => names,
        Target::Numbers { columns } => columns,
        Target::None => &[],
    }
}

/// The class that precision, recall, F1 and the area under the curve are about, of two.
fn positive(names: &[String]) -> Option<&String> {
    match names {
        [_, second] => Some(second),
        _ => None,
    }
}

/// A line per metric.
fn metric_lines(report: &Report, rows: u64) -> String {
    let mut text = format!("rows: {}", thousands(rows));
    for (metric, value) in report.values() {
        text += &format!("\n{metric}: {}", number(value));
    }
    text
}

fn classes_text(report: &Report, classes: &ClassReport, names: &[String]) -> String {
    let mut text = metric_lines(report, classes.rows);
    if let Some(class) = positive(names) {
        text += &format!("\npositive class: {class}");
    }
    let mut table = Table::new(&["class", "precision", "recall", "f1", "support"]);
    for (name, scores) in names.iter().zip(&classes.per_class) {
        table.row([
            name.clone(),
            number(scores.precision),
            number(scores.recall),
            number(scores.f1),
            scores.support.to_string(),
        ]);
    }
    text += &format!("\n\n{table}");
    if names.len() <= MATRIX_CLASSES {
        let headings = std::iter::once("true \\ predicted").chain(names.iter().map(String::as_str));
        let mut matrix = Table::new(&headings.collect::<Vec<_>>());
        for (name, row) in names.iter().zip(classes.confusion.chunks(names.len().max(1))) {
            let cells = row.iter().map(f64::to_string);
            matrix.row(std::iter::once(name.clone()).chain(cells));
        }
        text += &format!("\n\n{matrix}");
    }
    text
}

fn numbers_text(report: &Report, numbers: &NumberReport, names: &[String]) -> String {
    let mut text = metric_lines(report, numbers.rows);
    if names.len() > 1 {
        let mut table = Table::new(&["target", "rmse", "mae", "r2"]);
        for (name, scores) in names.iter().zip(&numbers.per_target) {
            let values = [scores.rmse, scores.mae, scores.r2].map(number);
            table.row(std::iter::once(name.clone()).chain(values));
        }
        text += &format!("\n\n{table}");
    }
    text
}

fn as_json(report: &Report, names: &[String]) -> Value {
    let mut object = Map::new();
    let values = report.values().into_iter();
    object.extend(values.map(|(metric, value)| (metric.name().to_owned(), json!(value))));
    match report {
        Report::Classes(classes) => {
            let scores = names.iter().zip(&classes.per_class).map(|(name, scores)| {
                json!({
                    "class": name, "precision": scores.precision, "recall": scores.recall,
                    "f1": scores.f1, "support": scores.support,
                })
            });
            let confusion = classes.confusion.chunks(names.len().max(1));
            object.insert("rows".into(), json!(classes.rows));
            object.insert("positive_class".into(), json!(positive(names)));
            object.insert("per_class".into(), scores.collect());
            object.insert("confusion".into(), confusion.map(|row| json!(row)).collect());
        }
        Report::Numbers(numbers) => {
            let scores = names.iter().zip(&numbers.per_target).map(|(name, scores)| {
                json!({
                    "target": name, "rmse": scores.rmse, "mae": scores.mae, "r2": scores.r2,
                })
            });
            object.insert("rows".into(), json!(numbers.rows));
            object.insert("per_target".into(), scores.collect());
        }
    }
    Value::Object(object)
}
