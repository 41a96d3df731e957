//! Importing: any readable tables in, one `.grist` data set out.
//!
//! An encoding is given or learned in a first pass (`learn`); then rows are encoded by it (`encode`)
//! and written. Both passes run on all cores and hold a bounded number of chunks (`pipeline`).

mod columns;
mod doubt;
mod encode;
mod input;
pub(crate) mod label;
mod learn;
mod memory;
pub(crate) mod options;
mod pipeline;
mod preview;
mod rounding;
mod seen;
pub(crate) mod vocabulary;

use crate::dataset::Dataset;
use crate::error::{Error, Place, Result};
use crate::kind::FileKind;
use crate::progress::ImportProgress;
use crate::schema::{Encoding, InputColumn, InputKind, Target};
use crate::source::{Source, expand};
use crate::threads;
use crate::writer::{DatasetLayout, DatasetWriter, ImportSummary};
use encode::Encoder;
use input::Input;
use learn::Learned;
use memory::Budget;
pub use options::{ImportOptions, Missing, Plan, Task, WordOptions};
pub use preview::preview;
use rounding::Rounding;
use std::path::{Path, PathBuf};

/// Imports `sources`, one after the other, as the data set `output`. A source that is no file but a
/// pattern, such as `part-*.csv`, stands for the files that match it, in the order of their names.
///
/// # Errors
/// A source cannot be read or has something in it that cannot be used, or `output` cannot be written;
/// `output` is then as it was before.
pub fn import(
    sources: &[PathBuf],
    output: &Path,
    plan: &Plan,
    progress: &dyn ImportProgress,
) -> Result<ImportSummary> {
    // An interruption also ends plugins: what they fail with then is not the cause.
    import_all(sources, output, plan, progress).map_err(|error| match progress.is_interrupted() {
        true => Error::Interrupted,
        false => error,
    })
}

fn import_all(
    sources: &[PathBuf],
    output: &Path,
    plan: &Plan,
    progress: &dyn ImportProgress,
) -> Result<ImportSummary> {
    if sources.is_empty() {
        return Err(Error::Invalid("no source is given".to_owned()));
    }
    let (options, learns) = match plan {
        Plan::Learn(options) => (options, true),
        Plan::Fixed { options, .. } => (options, false),
    };
    let known = match plan {
        Plan::Learn(_) => Vec::new(),
        Plan::Fixed { encoding, .. } => encoding.inputs.iter().map(|i| i.name.clone()).collect(),
    };
    threads::start()?;
    let sources = expand(sources)?;
    let budget = Budget::of(options.memory)?;
    let input = Input::new(&sources, options, known, budget, progress);
    input.sources.iter().try_for_each(Source::remember)?;
    progress.begin(input.length()? * if learns { 2 } else { 1 });
    import_into(output, &input, plan, options).map_err(|error| match error {
        Error::Interrupted => error,
        // What is wrong with a file that changed is that.
        error => input.reading.check_unchanged().err().unwrap_or(error),
    })
}

/// What is said of values of an index column that are no category.
fn unknown_values(column: &InputColumn, count: u64) -> String {
    let known = match &column.kind {
        InputKind::Index { vocabulary } => vocabulary.len(),
        InputKind::Number { .. } | InputKind::OneHot { .. } | InputKind::Text(_) => {
            column.features()
        }
    };
    let name = &column.name;
    let (values, count_as) = match count {
        1 => ("1 value is".to_owned(), "it counts"),
        _ => (format!("{count} values are"), "they count"),
    };
    let known = match known {
        1 => "not the one category known".to_owned(),
        _ => format!("none of the {known} categories known"),
    };
    format!("column \"{name}\": {values} {known}; {count_as} as unknown")
}

/// The column of weights that a source has if it is a data set of ours with weights.
fn stored_weights(source: &Source) -> Result<Option<String>> {
    match FileKind::of(source.path())? {
        Some(FileKind::Dataset) => Ok(Dataset::open(source.path())?.weight_column()),
        _ => Ok(None),
    }
}

fn import_into(
    output: &Path,
    input: &Input,
    plan: &Plan,
    options: &ImportOptions,
) -> Result<ImportSummary> {
    let learned = match plan {
        Plan::Learn(options) => learn::learn(input, options)?,
        Plan::Fixed { encoding, with_target, .. } => {
            let kept = encoding.kept_targets().into_iter().map(str::to_owned).collect();
            let target = if *with_target { encoding.target.clone() } else { Target::None };
            let encoding = Encoding { inputs: encoding.inputs.clone(), target };
            let weights = match (&options.weights, with_target) {
                (None, true) => stored_weights(&input.sources[0])?,
                (weights, _) => weights.clone(),
            };
            Learned { encoding, kept, weights }
        }
    };
    let encoding = &learned.encoding;
    let guessed = match plan {
        Plan::Learn(options) => Some(&options.number[..]),
        Plan::Fixed { .. } => None,
    };
    let layout = DatasetLayout {
        encoding: encoding.clone(),
        dtype: options.dtype,
        weighted: learned.weights.is_some(),
    };
    let rounding = guessed.map(|_| Rounding::default());
    let mut writer = DatasetWriter::create(output, layout)?;
    writer.limit_memory(input.budget.writer_bytes());
    writer.arrange(options.view)?;
    let (mut views, mut is_ragged) = (Vec::new(), false);
    let mut unknown = vec![0; encoding.inputs.len()];
    input.for_each_table(|mut table, path| {
        let before = writer.rows();
        let encoder = Encoder::new(&table, path, &learned, guessed)?;
        views.push(encoder.view(&table));
        is_ragged |= table.hints.is_ragged;
        let bytes = input.budget.chunk_bytes(&table, encoding.features());
        pipeline::run(
            &mut table,
            encoder.wanted(),
            bytes,
            |batch, again| {
                let rows = encoder.encode(batch)?;
                let found = match &rounding {
                    Some(rounding) => rounding.look(path, &encoder, batch, again)?,
                    None => Vec::new(),
                };
                Ok((rows, found))
            },
            |((rows, unknown_here), found)| {
                writer.push(&rows)?;
                unknown.iter_mut().zip(unknown_here).for_each(|(all, here)| *all += here);
                if let Some(rounding) = &rounding {
                    rounding.keep(found);
                }
                input.advance(writer.rows())
            },
        )?;
        if writer.rows() == before {
            return Err(Error::input(path, Place::FILE, "has no rows"));
        }
        Ok(())
    })?;
    input.reading.check_unchanged()?;
    if options.view.is_none()
        && let [Some(view), rest @ ..] = &views[..]
        && rest.iter().all(|other| *other == Some(*view))
    {
        writer.arrange(Some(*view))?;
    }
    if is_ragged {
        writer.end_early()?;
    }
    let summary = writer.finish()?;
    for (column, count) in encoding.inputs.iter().zip(unknown).filter(|(_, count)| *count > 0) {
        input.tell(&unknown_values(column, count));
    }
    if let Some(rounding) = &rounding {
        rounding.tell(input, encoding, output)?;
    }
    Ok(summary)
}
