//! `gristmill predict`: a model and rows in, a table of predictions out.

use crate::args::{PluginArgs, TableArgs, count};
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::RowsBar;
use crate::report::quoted;
use crate::source::Rows;
use gristmill_io::schema::Target;
use gristmill_io::{AtomicFile, Dataset, Model, refuse_overwriting};
use gristmill_trainer::config::ByteSize;
use gristmill_trainer::inference::Predictor;
use gristmill_trainer::model::Trained;
use gristmill_trainer::{Isa, on_threads};
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Predict a class with its probabilities, or numbers, for every row of a table
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  gristmill predict runs/iris-1/model.gristmill new.csv
  gristmill predict runs/iris-1/model.gristmill new.csv -o predictions.csv
  gristmill predict runs/prices-1/model.gristmill new.csv.gz | head

Columns are matched by name with those that the model was trained on; others are ignored, and
the target need not be there. Rows are standardised and coded as the model stored it. The output
has a line per row: the class and the probability of each class, or the predicted numbers.")]
pub(crate) struct Predict {
    /// A trained model
    model: PathBuf,
    /// A table or a data set
    #[arg(required = true)]
    data: Vec<PathBuf>,
    /// CSV file to write [default: standard output]
    #[arg(short, long = "output", value_name = "FILE.csv")]
    output: Option<PathBuf>,
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
        if let Some(path) = &self.output {
            refuse_overwriting(std::slice::from_ref(&self.model), path)?;
            refuse_overwriting(&self.data, path)?;
        }
        let isa = Isa::from_env().map_err(|error| Failure::new(error.to_string()))?;
        let model = Model::load(&self.model)?;
        let options = self.table.options(self.plugins)?;
        let rows = Rows::for_model(self.data, &model, false, options, output)?;
        let trained = Trained::from_model(&model).map_err(Failure::at(&self.model))?;
        on_threads(self.threads, || {
            let bar = RowsBar::new(output, "predicting", rows.dataset.rows());
            let table = Predictions {
                predictor: Predictor::new(isa, trained),
                lines: Lines::new(&model),
                dataset: &rows.dataset,
                memory: self.memory.map(|size| size.0),
                bar: &bar,
            };
            match &self.output {
                None => table.write(&mut output.results(), &Failure::standard_output),
                Some(path) => table.write_file(path),
            }
        })?
    }
}

/// The table that is to be written.
struct Predictions<'a> {
    predictor: Predictor,
    lines: Lines<'a>,
    dataset: &'a Dataset,
    memory: Option<u64>,
    bar: &'a RowsBar,
}

impl Predictions<'_> {
    /// Replaces the file when all is written; a pipe or a device is written as it is.
    fn write_file(self, path: &Path) -> Result<(), Failure> {
        let failure = Failure::io("write", path);
        if path.exists() && !path.is_file() && !path.is_dir() {
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
        to.write_all(self.lines.header().as_bytes()).map_err(failure)?;
        let lines = |values: &[f32], text: &mut String| {
            text.clear();
            values.chunks_exact(outputs).for_each(|row| self.lines.push(text, row));
        };
        self.predictor.predict_all(self.dataset, self.memory, lines, |end, texts| {
            let mut texts = texts.iter();
            texts.try_for_each(|text| to.write_all(text.as_bytes())).map_err(failure)?;
            self.bar.advance(end);
            Ok::<(), Failure>(())
        })?;
        to.flush().map_err(failure)
    }
}

/// How predictions become lines of CSV.
enum Lines<'a> {
    /// The most probable class, and the probability of each.
    Classes { column: &'a str, names: &'a [String], quoted: Vec<String> },
    /// The numbers.
    Numbers { columns: &'a [String] },
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

    fn header(&self) -> String {
        let names: Vec<String> = match self {
            Lines::Classes { column, names, .. } => {
                let probabilities = names.iter().map(|name| quoted(&format!("p({name})")));
                std::iter::once(quoted(column)).chain(probabilities).collect()
            }
            Lines::Numbers { columns } => columns.iter().map(|name| quoted(name)).collect(),
        };
        names.join(",") + "\n"
    }

    /// Appends the line of a row.
    fn push(&self, text: &mut String, outputs: &[f32]) {
        match (self, outputs) {
            // A single sigmoid gives the probability of the second of two classes.
            (Lines::Classes { quoted, .. }, [second]) if quoted.len() == 2 => {
                push_class(text, quoted, &[1.0 - second, *second]);
            }
            (Lines::Classes { quoted, .. }, _) => push_class(text, quoted, outputs),
            (Lines::Numbers { .. }, _) => {
                for (i, value) in outputs.iter().enumerate() {
                    let comma = if i > 0 { "," } else { "" };
                    // Writing to a string cannot fail.
                    let _ = write!(text, "{comma}{value}");
                }
            }
        }
        text.push('\n');
    }
}

fn push_class(text: &mut String, names: &[String], probabilities: &[f32]) {
    let mut best = 0;
    for (class, probability) in probabilities.iter().enumerate() {
        if *probability > probabilities[best] {
            best = class;
        }
    }
    *text += &names[best];
    for probability in probabilities {
        let _ = write!(text, ",{probability}");
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
        assert_eq!(lines.header(), "answer,p(no),\"p(yes, \"\"sir\"\")\"\n");
        let mut text = String::new();
        lines.push(&mut text, &[0.75]);
        lines.push(&mut text, &[0.5, 0.5]);
        assert_eq!(text, "\"yes, \"\"sir\"\"\",0.25,0.75\nno,0.5,0.5\n");
    }

    #[test]
    fn lines_of_numbers() {
        let columns: Vec<String> = ["a", "b"].map(Into::into).into();
        let lines = Lines::Numbers { columns: &columns };
        assert_eq!(lines.header(), "a,b\n");
        let mut text = String::new();
        lines.push(&mut text, &[1.5, -2.0]);
        assert_eq!(text, "1.5,-2\n");
    }
}
