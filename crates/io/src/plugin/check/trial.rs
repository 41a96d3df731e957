//! What is done to a plugin to find out whether it keeps a clause.

use super::samples;
use crate::choice::FormatChoice;
use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::export::export;
use crate::format;
use crate::format::interface::ReadOptions;
use crate::format::table::{Column, Wanted};
use crate::format::values::Values;
use crate::model_format::{export_model, import_model};
use crate::plugin::description::Operation;
use crate::plugin::process::{Call, Running};
use crate::plugin::program::{Plugin, describe};
use crate::source::Source;
use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tempfile::TempDir;

/// Bytes of a chunk of a table that is read.
const CHUNK: usize = 1 << 20;

/// How a trial ends that cannot say that a clause is kept.
pub(super) enum Stop {
    Broken(String),
    Untested(String),
}

/// What comes of a trial.
pub(super) type Verdict = std::result::Result<(), Stop>;

/// A plugin on trial.
pub(super) struct Trial {
    plugin: Arc<Plugin>,
    choice: FormatChoice,
    sample: Option<PathBuf>,
    directory: TempDir,
    numbers: Dataset,
    texts: Dataset,
}

/// What is in a table: its columns, and a checksum of the values of each.
#[derive(PartialEq, Eq)]
struct Content {
    columns: Vec<Column>,
    rows: u64,
    sums: Vec<u32>,
}

fn broken(reason: impl ToString) -> Stop {
    Stop::Broken(reason.to_string())
}

impl Trial {
    pub(super) fn new(
        plugin: Arc<Plugin>,
        choice: &FormatChoice,
        sample: Option<&Path>,
    ) -> Result<Trial> {
        let directory = tempfile::Builder::new().prefix("gristmill-check-").tempdir();
        let directory = directory.map_err(Error::io("write to", &std::env::temp_dir()))?;
        let numbers = samples::numbers(&directory.path().join("numbers.grist"))?;
        let texts = samples::texts(&directory.path().join("texts.grist"))?;
        let (choice, sample) = (choice.clone(), sample.map(Path::to_owned));
        Ok(Trial { plugin, choice, sample, directory, numbers, texts })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// The plugin, with those of the options given that are for `operation`.
    fn choice(&self, operation: Operation) -> std::result::Result<FormatChoice, Stop> {
        let description = self.plugin.description();
        let options: Vec<(String, String)> = self
            .choice
            .options
            .iter()
            .filter(|(name, _)| description.takes(operation, name))
            .cloned()
            .collect();
        if let Some(reason) = description.refuses(operation, &options) {
            return Err(Stop::Untested(reason));
        }
        let (name, plugins) = (self.choice.name.clone(), self.choice.plugins.clone());
        Ok(FormatChoice { name, options, plugins })
    }

    /// The table that it is tried on: the one given, or else one that it wrote.
    fn sample(&self) -> std::result::Result<PathBuf, Stop> {
        match &self.sample {
            Some(sample) => Ok(sample.clone()),
            None if self.plugin.description().can(Operation::Write) => self.write(&self.numbers),
            None => Err(Stop::Untested("give a file that it reads: --sample".to_owned())),
        }
    }

    fn also(&self, operation: Operation) -> Verdict {
        match self.plugin.description().can(operation) {
            true => Ok(()),
            false => Err(Stop::Untested(format!("it has no {operation}"))),
        }
    }

    pub(super) fn describes_alike(&self) -> Verdict {
        let again = describe(self.plugin.name(), self.plugin.program(), self.plugin.patience);
        match again.map_err(broken)? == *self.plugin.description() {
            true => Ok(()),
            false => Err(broken("its second description is another")),
        }
    }

    pub(super) fn refuses_operation(&self) -> Verdict {
        self.refuses(vec!["no-such-operation".into()], &[])
    }

    pub(super) fn recognises(&self) -> Verdict {
        let sample = self.sample()?;
        let source = Source::new(&sample, &Arc::default());
        let found = format::recognised(&source, &self.choice.plugins).map_err(broken)?;
        match found == self.plugin.name() {
            true => Ok(()),
            false => Err(broken(format!("the sample is taken for {found}, unless --format says"))),
        }
    }

    pub(super) fn reads(&self) -> Verdict {
        self.content(&self.sample()?).map(|_| ())
    }

    pub(super) fn reads_alike(&self) -> Verdict {
        let sample = self.sample()?;
        match self.content(&sample)? == self.content(&sample)? {
            true => Ok(()),
            false => Err(broken("a second reading gave another table: import reads twice")),
        }
    }

    pub(super) fn ends_unread(&self) -> Verdict {
        let (sample, choice) = (self.sample()?, self.choice(Operation::Read)?);
        let call = self.plugin.call(Operation::Read, Some(&sample), &choice.options);
        let (mut running, mut output) = Running::start(&call.map_err(broken)?).map_err(broken)?;
        let first = output.read(&mut [0]);
        drop(output);
        match first.is_ok() && running.ends() {
            true => Ok(()),
            false => Err(broken("it was still there when its output was closed")),
        }
    }

    pub(super) fn refuses_absent(&self) -> Verdict {
        self.refuses_absent_file(Operation::Read)
    }

    pub(super) fn refuses_absent_model(&self) -> Verdict {
        self.refuses_absent_file(Operation::ModelRead)
    }

    fn refuses_absent_file(&self, operation: Operation) -> Verdict {
        let choice = self.choice(operation)?;
        let call = self.plugin.call(operation, Some(&self.path("absent")), &choice.options);
        self.refuses(call.map_err(broken)?.arguments, &[])
    }

    pub(super) fn writes(&self) -> Verdict {
        self.write(&self.numbers).map(|_| ())
    }

    pub(super) fn numbers_round_trip(&self) -> Verdict {
        self.also(Operation::Read)?;
        let written = self.write(&self.numbers)?;
        self.reads_back(&self.numbers, &written)
    }

    pub(super) fn texts_round_trip(&self) -> Verdict {
        self.also(Operation::Read)?;
        let choice = self.choice(Operation::Write)?;
        match export(&self.texts, &self.path("texts"), &choice, &()) {
            Ok(_) => self.reads_back(&self.texts, &self.path("texts")),
            Err(_) => {
                let stream = self.stream(&self.texts)?;
                let call = self.plugin.call(Operation::Write, None, &choice.options);
                self.refuses(call.map_err(broken)?.arguments, &stream)
            }
        }
    }

    pub(super) fn refuses_cut_off(&self) -> Verdict {
        let stream = self.stream(&self.numbers)?;
        let choice = self.choice(Operation::Write)?;
        let call = self.plugin.call(Operation::Write, None, &choice.options).map_err(broken)?;
        self.refuses(call.arguments, &stream[..stream.len() / 2])
    }

    pub(super) fn writes_model(&self) -> Verdict {
        let choice = self.choice(Operation::ModelWrite)?;
        export_model(&samples::model(), &self.path("model"), &choice).map_err(broken)?;
        Ok(())
    }

    pub(super) fn model_round_trips(&self) -> Verdict {
        self.also(Operation::ModelRead)?;
        self.writes_model()?;
        let choice = self.choice(Operation::ModelRead)?;
        match import_model(&self.path("model"), &choice).map_err(broken)? == samples::model() {
            true => Ok(()),
            false => Err(broken("another model came back")),
        }
    }

    pub(super) fn reads_model(&self) -> Verdict {
        let untested = || Stop::Untested("give a file that it reads: --sample".to_owned());
        let sample = self.sample.as_deref().ok_or_else(untested)?;
        if self.plugin.description().can(Operation::Read) {
            return Err(Stop::Untested("the sample is taken for a table".to_owned()));
        }
        import_model(sample, &self.choice(Operation::ModelRead)?).map_err(broken)?;
        Ok(())
    }

    /// Runs the plugin with what it should refuse: by an exit code, and in words.
    fn refuses(&self, arguments: Vec<OsString>, fed: &[u8]) -> Verdict {
        let Plugin { program, patience, .. } = &*self.plugin;
        let call = Call { program, arguments, patience: *patience };
        let (mut running, mut input, output) = Running::start_fed(&call).map_err(broken)?;
        // It may refuse before it has read anything.
        let _ = input.write_all(fed);
        let _ = input.close();
        let mut given = Vec::new();
        let read = output.take(CHUNK as u64).read_to_end(&mut given);
        read.map_err(|_| broken(running.blame("gave no end")))?;
        running.refusal().map_err(broken)
    }

    /// Writes a data set by the plugin.
    fn write(&self, dataset: &Dataset) -> std::result::Result<PathBuf, Stop> {
        let extension = self.plugin.description().extensions.first().map_or("out", String::as_str);
        let path = self.path(&format!("written.{extension}"));
        let choice = self.choice(Operation::Write)?;
        export(dataset, &path, &choice, &()).map_err(broken)?;
        Ok(path)
    }

    /// A data set as the stream that a plugin is given.
    fn stream(&self, dataset: &Dataset) -> std::result::Result<Vec<u8>, Stop> {
        let path = self.path("stream.arrows");
        export(dataset, &path, &FormatChoice::default(), &()).map_err(broken)?;
        fs::read(&path).map_err(broken)
    }

    /// Compares values: a format may not have names.
    fn reads_back(&self, dataset: &Dataset, path: &Path) -> Verdict {
        self.stream(dataset)?;
        let expected = content(&self.path("stream.arrows"), &FormatChoice::default())?;
        let found = self.content(path)?;
        if found.rows != expected.rows {
            return Err(broken(format!("{} of {} rows came back", found.rows, expected.rows)));
        }
        if found.sums.len() != expected.sums.len() {
            let (found, expected) = (found.sums.len(), expected.sums.len());
            return Err(broken(format!("{found} of {expected} columns came back")));
        }
        let mut columns = expected.columns.iter().zip(found.sums.iter().zip(&expected.sums));
        match columns.find(|(_, (found, expected))| found != expected) {
            Some((column, _)) => {
                Err(broken(format!("column \"{}\" came back changed", column.name)))
            }
            None => Ok(()),
        }
    }

    fn content(&self, path: &Path) -> std::result::Result<Content, Stop> {
        content(path, &self.choice(Operation::Read)?)
    }
}

/// Reads a table to its end.
fn content(path: &Path, choice: &FormatChoice) -> std::result::Result<Content, Stop> {
    let source = Source::new(path, &Arc::default());
    let mut table = format::open(&[source], choice, &ReadOptions::default()).map_err(broken)?;
    let columns = table.columns.iter().enumerate();
    let wanted: Vec<Wanted> =
        columns.map(|(index, column)| Wanted::new(index, column.kind)).collect();
    table.chunks.select(&wanted).map_err(broken)?;
    let mut content = Content { sums: vec![0; wanted.len()], rows: 0, columns: table.columns };
    while let Some(mut chunk) = table.chunks.next_chunk(CHUNK).map_err(broken)? {
        let batch = table.decoder.decode(&mut chunk, &wanted).map_err(broken)?;
        content.rows += batch.rows.len() as u64;
        for (sum, values) in content.sums.iter_mut().zip(&batch.columns) {
            *sum = values_sum(*sum, values);
        }
    }
    Ok(content)
}

fn values_sum(sum: u32, values: &Values) -> u32 {
    match values {
        Values::Numbers(numbers) => numbers
            .iter()
            .fold(sum, |sum, number| crc32c::crc32c_append(sum, &number.to_bits().to_le_bytes())),
        Values::Texts(texts) => texts.iter().fold(sum, |sum, text| {
            // The end of a text counts too.
            crc32c::crc32c_append(crc32c::crc32c_append(sum, text.as_bytes()), &[0xff])
        }),
    }
}
