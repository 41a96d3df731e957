//! `gristmill predict`: a model and rows in, a table of predictions out.

mod classes;
mod table;

use crate::args::{PluginArgs, TableArgs, count};
use crate::failure::Failure;
use crate::model_source;
use crate::output::Output;
use crate::progress::RowsBar;
use crate::report::{self, quoted};
use crate::source::Opened;
use crate::standard_output;
use classes::{most_probable, probability_of, with_probabilities};
use gristmill_io::model::Series;
use gristmill_io::schema::Target;
use gristmill_io::{AtomicFile, Dataset, FormatChoice, Model, array_header, check_export, refuse_overwriting};
use gristmill_trainer::config::ByteSize;
use gristmill_trainer::data::samples::Samples;
use gristmill_trainer::data::windows::Windows;
use gristmill_trainer::inference::Predictor;
use gristmill_trainer::model::Trained;
use gristmill_trainer::{Isa, on_threads};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Predict a class with its probabilities, or numbers, for every row of a table
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  gristmill predict runs/iris-1/model.gristmill new.csv
  gristmill predict runs/iris-1 new.csv -o predictions.csv
  gristmill predict runs/iris-1 new.csv -o predictions.parquet
  gristmill predict runs/prices-1/model.gristmill new.csv.gz | head

Columns are matched by name with those that the model was trained on; others are ignored, and
the target need not be there. Rows are standardised and coded as the model stored it. The output
has a row for each: the class and the probability of each class, or the predicted numbers. It is CSV,
or what the ending of FILE says: CSV, TSV, JSON Lines, also with .gz or .zst, Parquet, Arrow, NPZ, or
NPY, an array of the probabilities or numbers alone.

A model of windows (train --window 20 --horizon 1) predicts rows from those before them: the first 20 rows of
a table have no prediction, and the row after its last has one. A column row says which row is meant, from 1.")]
pub(crate) struct Predict {
    /// A trained model, or the directory or a checkpoint of a run
    model: PathBuf,
    /// A table or a data set
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// The file to write [default: CSV to standard output]
    #[arg(short, long = "output", value_name = "FILE")]
    output: Option<PathBuf>,
    /// Format of FILE, as of export-data [default: by its ending; CSV without one]
    #[arg(long, value_name = "NAME", requires = "output")]
    to: Option<String>,
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

impl Predict {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let model_file = model_source::file_of(&self.model, output)?;
        if let Some(path) = &self.output {
            refuse_overwriting(std::slice::from_ref(&model_file), path)?;
            refuse_overwriting(&self.data, path)?;
        }
        let isa = Isa::from_env().map_err(|error| Failure::new(error.to_string()))?;
        let model = model_source::load(&model_file)?;
        let reading = self.table.reading(self.plugins)?;
        // Options are for the plugin that reads.
        let plugins = reading.options.format.plugins.clone();
        let choice = FormatChoice { name: self.to, plugins, ..Default::default() };
        let file = self.output.as_deref();
        let is_array = file.is_some_and(|path| is_array(path, &choice));
        let tabular = file.filter(|path| !is_array && !is_plain_csv(path, &choice));
        if let Some(path) = tabular {
            check_export(path, &choice)?;
        }
        let rows = Opened::for_model(self.data, &model, false, reading, output)?;
        let trained = Trained::from_model(&model).map_err(Failure::at(&model_file))?;
        if is_array && matches!(model.encoding.target, Target::Classes { .. }) {
            output.talk("an array has no texts: it gets the probability of each class, in order");
        }
        // Nothing is written where there is no window.
        let count = Windows::to_predict(&rows.dataset, model.series)?.rows();
        if let Some(series) = model.series {
            output.talk(predicted_rows(series, rows.dataset.rows()));
        }
        on_threads(self.threads, || {
            if let Some(path) = tabular {
                let table = table::Table {
                    predictor: Predictor::new(isa, trained),
                    model: &model,
                    dataset: &rows.dataset,
                    memory: self.memory.map(|size| size.0),
                    choice: &choice,
                    output,
                };
                return table.write(path);
            }
            let bar = RowsBar::new(output, "predicting", count);
            let table = Predictions {
                predictor: Predictor::new(isa, trained),
                lines: match is_array {
                    true => Lines::array(&model, count),
                    false => Lines::new(&model),
                },
                series: model.series.filter(|_| !is_array),
                dataset: &rows.dataset,
                memory: self.memory.map(|size| size.0),
                bar: &bar,
            };
            match &self.output {
                None => table.write(&mut output.results()?, &Failure::standard_output),
                Some(path) => table.write_file(path),
            }
        })?
    }
}

/// Whether a file is CSV that is written line by line: by its ending or without one, or since it is a pipe
/// or a device.
fn is_plain_csv(path: &Path, choice: &FormatChoice) -> bool {
    if let Some(name) = &choice.name {
        return name.eq_ignore_ascii_case("csv") && !is_compressed(path);
    }
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    let is_text = matches!(extension.as_deref(), None | Some("csv" | "txt" | "data"));
    is_text || (path.exists() && !path.is_file())
}

/// Whether a file is one array of numbers.
fn is_array(path: &Path, choice: &FormatChoice) -> bool {
    let ends_so = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy"));
    let is_npy = choice.name.as_ref().map_or(ends_so, |name| name.eq_ignore_ascii_case("npy"));
    is_npy && !is_compressed(path)
}

fn is_compressed(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "gz" || extension == "zst")
}

/// The table that is to be written.
struct Predictions<'a> {
    predictor: Predictor,
    lines: Lines<'a>,
    /// How windows are numbered by the row that they predict, if their lines have numbers.
    series: Option<Series>,
    dataset: &'a Dataset,
    memory: Option<u64>,
    bar: &'a RowsBar,
}

impl Predictions<'_> {
    /// Replaces the file when all is written; a pipe or a device is written as it is.
    fn write_file(self, path: &Path) -> Result<(), Failure> {
        let failure = Failure::io("write", path);
        if path.exists() && !path.is_file() && !path.is_dir() {
            if standard_output::is_named(path) {
                standard_output::check()?;
            }
            let mut file = OpenOptions::new().write(true).open(path).map_err(&failure)?;
            return self.write(&mut file, &failure);
        }
        let mut file = AtomicFile::create(path)?;
        self.write(&mut file, &failure)?;
        Ok(file.commit()?)
    }

    /// Writes some thousand lines at a time.
    fn write(
        mut self,
        to: &mut dyn Write,
        failure: &dyn Fn(io::Error) -> Failure,
    ) -> Result<(), Failure> {
        let outputs = self.predictor.outputs();
        let number = if self.series.is_some() { "row," } else { "" };
        to.write_all(&[number.as_bytes(), &self.lines.header()].concat()).map_err(failure)?;
        let lines = |first: u64, values: &[f32], out: &mut Vec<u8>| {
            out.clear();
            for (row, outputs) in (first..).zip(values.chunks_exact(outputs)) {
                if let Some(series) = self.series {
                    // Writing to memory cannot fail.
                    let _ = write!(out, "{},", series.target_row(row) + 1);
                }
                self.lines.push(out, outputs);
            }
        };
        self.predictor.predict_all(self.dataset, self.memory, lines, |end, texts| {
            let mut texts = texts.iter();
            texts.try_for_each(|text| to.write_all(text)).map_err(failure)?;
            self.bar.advance(end);
            Ok::<(), Failure>(())
        })?;
        to.flush().map_err(failure)
    }
}

/// Which rows of a table of `rows` rows a model of windows predicts, in a line.
fn predicted_rows(series: Series, rows: u64) -> String {
    let windows = series.windows_to_predict(rows);
    let beyond = match series.horizon {
        0 => String::new(),
        1 => format!("; row {} comes after the last that is there", rows + 1),
        more => format!("; {} to {} come after the last that is there", rows + 1, rows + u64::from(more)),
    };
    let first = series.target_row(0) + 1;
    let last = series.target_row(windows.saturating_sub(1)) + 1;
    format!("windows of {}: rows {first} to {last} are predicted{beyond}", report::series_line(series))
}

/// How predictions become lines of CSV, or rows of an array.
enum Lines<'a> {
    /// The most probable class, and the probability of each.
    Classes { column: &'a str, names: &'a [String], quoted: Vec<String> },
    /// The numbers.
    Numbers { columns: &'a [String] },
    /// The probability of each class or the numbers, as f32.
    Array { rows: u64, width: usize },
}

impl<'a> Lines<'a> {
    fn new(model: &'a Model) -> Lines<'a> {
        match &model.encoding.target {
            Target::Classes { column, names } => {
                Lines::Classes { column, names, quoted: names.iter().map(|n| quoted(n)).collect() }
            }
            Target::Numbers { columns } => Lines::Numbers { columns },
            // A model file whose encoding has no target is rejected when it is read.
            Target::None => Lines::Numbers { columns: &[] },
        }
    }

    fn array(model: &Model, rows: u64) -> Lines<'_> {
        let width = match &model.encoding.target {
            Target::Classes { names, .. } => names.len(),
            Target::Numbers { columns } => columns.len(),
            Target::None => 0,
        };
        Lines::Array { rows, width }
    }

    fn header(&self) -> Vec<u8> {
        let names: Vec<String> = match self {
            Lines::Classes { column, names, .. } => {
                let probabilities = names.iter().map(|name| quoted(&probability_of(name)));
                std::iter::once(quoted(column)).chain(probabilities).collect()
            }
            Lines::Numbers { columns } => columns.iter().map(|name| quoted(name)).collect(),
            Lines::Array { rows, width } => return array_header(*rows, *width as u64),
        };
        (names.join(",") + "\n").into_bytes()
    }

    /// Appends the line of a row.
    fn push(&self, out: &mut Vec<u8>, outputs: &[f32]) {
        match self {
            Lines::Classes { quoted, .. } => {
                with_probabilities(quoted.len(), outputs, |p| push_class(out, quoted, p));
                out.push(b'\n');
            }
            Lines::Numbers { .. } => {
                for (i, value) in outputs.iter().enumerate() {
                    let comma = if i > 0 { "," } else { "" };
                    // Writing to memory cannot fail.
                    let _ = write!(out, "{comma}{value}");
                }
                out.push(b'\n');
            }
            Lines::Array { width, .. } => with_probabilities(*width, outputs, |values| {
                out.extend(values.iter().flat_map(|value| value.to_le_bytes()));
            }),
        }
    }
}

fn push_class(out: &mut Vec<u8>, names: &[String], probabilities: &[f32]) {
    out.extend(names[most_probable(probabilities)].bytes());
    for probability in probabilities {
        let _ = write!(out, ",{probability}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_classes() {
        let names: Vec<String> = ["no", "yes, \"sir\""].map(Into::into).into();
        let quoted = names.iter().map(|n| quoted(n)).collect();
        let lines = Lines::Classes { column: "answer", names: &names, quoted };
        assert_eq!(lines.header(), b"answer,p(no),\"p(yes, \"\"sir\"\")\"\n");
        let mut out = Vec::new();
        lines.push(&mut out, &[0.75]);
        lines.push(&mut out, &[0.5, 0.5]);
        assert_eq!(out, b"\"yes, \"\"sir\"\"\",0.25,0.75\nno,0.5,0.5\n");
    }

    #[test]
    fn lines_of_numbers() {
        let columns: Vec<String> = ["a", "b"].map(Into::into).into();
        let lines = Lines::Numbers { columns: &columns };
        assert_eq!(lines.header(), b"a,b\n");
        let mut out = Vec::new();
        lines.push(&mut out, &[1.5, -2.0]);
        assert_eq!(out, b"1.5,-2\n");
    }

    #[test]
    fn rows_of_an_array() {
        let mut out = Vec::new();
        Lines::Array { rows: 1, width: 2 }.push(&mut out, &[0.75]);
        assert_eq!(out, [0.25f32.to_le_bytes(), 0.75f32.to_le_bytes()].concat());
    }
}
