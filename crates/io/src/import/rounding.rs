//! Numbers that differ in a source and are the same as f32: dates such as 20180127, times and identifiers.

use super::columns;
use super::encode::Encoder;
use super::input::Input;
use super::label::plain_number;
use super::pipeline::Again;
use crate::dataset::Dataset;
use crate::error::Result;
use crate::format;
use crate::format::table::Wanted;
use crate::format::values::{Batch, ColumnKind, RowNumbers};
use crate::schema::{Encoding, InputKind, Statistics, Target};
use crate::source::Source;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes of a source that is no text that are looked at together.
const LOOK: usize = 1 << 18;
/// Rows that show whether the numbers of a column have more digits than are kept...
const FIRST: usize = 64;
/// ... which are no more than these.
const DIGITS: usize = 7;
/// Whole numbers are exact in f32 up to here.
const EXACT: f32 = 16_777_216.0;
/// Of `CHANCE` different values at most one is rounded to another by chance.
const CHANCE: usize = 100;
/// That so many were is no chance.
const ENOUGH: usize = 8;

/// What an import has found of columns whose numbers become the same.
#[derive(Default)]
pub(super) struct Rounding {
    /// The first two such numbers of a column.
    found: Mutex<Vec<Collapse>>,
    /// Whether there are sources that are no text.
    has_others: AtomicBool,
}

/// Two numbers of a column that are different in the source and the same as f32.
pub(super) struct Collapse {
    path: PathBuf,
    column: String,
    numbers: (String, String),
}

impl Rounding {
    /// Looks at the numbers of a batch of text where they could become the same, and nothing was found before.
    pub(super) fn look(
        &self,
        path: &Path,
        encoder: &Encoder,
        batch: &Batch,
        again: &Again,
    ) -> Result<Vec<Collapse>> {
        let RowNumbers::Lines(_, lines) = &batch.rows else {
            self.has_others.store(true, Ordering::Relaxed);
            return Ok(Vec::new());
        };
        let mut suspects: Vec<Suspicion> = encoder
            .numbers(batch)
            .filter(|(name, ..)| !self.is_known(name))
            .filter_map(|(name, column, numbers)| Suspicion::of(name, column, numbers))
            .collect();
        let narrow = |suspect: &&Suspicion| suspect.least == 0.0;
        if suspects.iter().any(|suspect| narrow(&suspect)) {
            // Their first numbers show whether they have more digits than are kept.
            let wanted: Vec<Wanted> =
                suspects.iter().filter(narrow).map(Suspicion::wanted).collect();
            let first = again.decode(&wanted, lines.get(FIRST).copied())?;
            let mut firsts = first.columns.iter();
            suspects.retain(|suspect| {
                suspect.least > 0.0
                    || firsts.next().is_some_and(|texts| texts.texts().any(has_many_digits))
            });
        }
        if suspects.is_empty() {
            return Ok(Vec::new());
        }
        let wanted: Vec<Wanted> = suspects.iter().map(Suspicion::wanted).collect();
        let texts = again.decode(&wanted, None)?;
        let found = suspects.iter().zip(&texts.columns).filter_map(|(suspect, texts)| {
            let numbers = collapse(texts.texts(), suspect.least)?;
            Some(Collapse { path: path.to_owned(), column: suspect.name.to_owned(), numbers })
        });
        Ok(found.collect())
    }

    /// Keeps what was found in the next batch, if that is news.
    pub(super) fn keep(&self, found: Vec<Collapse>) {
        for found in found.into_iter().filter(|found| !self.is_known(&found.column)) {
            self.found().push(found);
        }
    }

    fn is_known(&self, column: &str) -> bool {
        self.found().iter().any(|found| found.column == column)
    }

    fn found(&self) -> MutexGuard<'_, Vec<Collapse>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells which columns of the data set just written lost some of their differences. Of these only columns whose
    /// range is narrow for their size, or that have large numbers, are meant.
    pub(super) fn tell(&self, input: &Input, encoding: &Encoding, output: &Path) -> Result<()> {
        let dataset = Dataset::open(output)?;
        let suspects = suspects(&dataset, encoding);
        if self.has_others.load(Ordering::Relaxed) && !suspects.is_empty() {
            // What cannot be read any more has been imported all the same.
            let _ = self.look_at_others(input, &suspects);
        }
        for suspect in &suspects {
            let found = self.found();
            let found = found.iter().find(|found| found.column == suspect.name);
            let Some(found) = found else { continue };
            let (name, what, (one, other)) = (suspect.name, suspect.way_out(), &found.numbers);
            let note = format!(
                "column \"{name}\": {one} and {other} become the same number, since f32 has 7 digits: {what}"
            );
            input.note(&found.path, &note);
        }
        Ok(())
    }

    /// Reads suspicious columns of sources that are no text once more, as far as is needed.
    fn look_at_others(&self, input: &Input, suspects: &[Suspect]) -> Result<()> {
        let sources: Vec<Source> = input.sources.iter().map(Source::uncounted).collect();
        let read = input.options.reading(Vec::new());
        let mut rest = &sources[..];
        while let Some(source) = rest.first() {
            let is_open =
                |suspect: &&Suspect| suspect.may_have_digits && !self.is_known(suspect.name);
            let open: Vec<&Suspect> = suspects.iter().filter(is_open).collect();
            if open.is_empty() {
                break;
            }
            let mut table = format::open(rest, &input.options.format, &read)?;
            rest = &rest[table.sources..];
            let names = columns::Names::of(&table, source.path());
            let wanted = open
                .iter()
                .map(|suspect| Ok(Wanted::new(names.required(suspect.name)?, ColumnKind::Text)))
                .collect::<Result<Vec<_>>>()?;
            table.chunks.select(&wanted)?;
            let mut found: Vec<Option<(String, String)>> = vec![None; open.len()];
            while found.iter().any(Option::is_none)
                && let Some(mut chunk) = table.chunks.next_chunk(LOOK)?
            {
                let batch = table.decoder.decode(&mut chunk, &wanted)?;
                if let RowNumbers::Lines(..) = batch.rows {
                    break;
                }
                for (found, texts) in found.iter_mut().zip(&batch.columns) {
                    *found = found.take().or_else(|| collapse(texts.texts(), 0.0));
                }
                input.advance(0)?;
            }
            let found = open.iter().zip(found).filter_map(|(suspect, numbers)| {
                let (path, column) = (source.path().to_owned(), suspect.name.to_owned());
                Some(Collapse { path, column, numbers: numbers? })
            });
            let found = found.collect();
            self.keep(found);
        }
        Ok(())
    }
}

/// A column of a batch whose numbers could become the same.
struct Suspicion<'a> {
    name: &'a str,
    column: usize,
    /// Numbers that are less cannot.
    least: f32,
}

impl<'a> Suspicion<'a> {
    fn of(name: &'a str, column: usize, numbers: &[f32]) -> Option<Suspicion<'a>> {
        let (mut min, mut max) = (f32::INFINITY, f32::NEG_INFINITY);
        for &number in numbers {
            (min, max) = (min.min(number), max.max(number));
        }
        let least = match min.abs().max(max.abs()) >= EXACT {
            true => EXACT,
            // What was a fraction has one still, unless the number is large.
            false if is_narrow(min, max) && numbers.iter().any(|n| n.fract() != 0.0) => 0.0,
            false => return None,
        };
        (min <= max).then_some(Suspicion { name, column, least })
    }

    fn wanted(&self) -> Wanted {
        Wanted::new(self.column, ColumnKind::Text)
    }
}

/// Whether a number is written with more digits than are kept.
fn has_many_digits(text: &str) -> bool {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let mut digits = 0;
    for byte in mantissa.bytes().filter(u8::is_ascii_digit) {
        digits += usize::from(digits > 0 || byte != b'0');
    }
    digits > DIGITS
}

/// A column of a data set whose values lie close together.
struct Suspect<'a> {
    name: &'a str,
    is_target: bool,
    /// Whether its numbers may have had more digits than are kept.
    may_have_digits: bool,
}

impl Suspect<'_> {
    fn way_out(&self) -> String {
        match self.is_target {
            true => "subtract a constant from all values".to_owned(),
            false => format!(
                "subtract a constant from all values, or say --drop \"{0}\" or --category \"{0}\"",
                self.name
            ),
        }
    }
}

fn suspects<'a>(dataset: &Dataset, encoding: &'a Encoding) -> Vec<Suspect<'a>> {
    let mut suspects = Vec::new();
    let mut feature = 0;
    for input in &encoding.inputs {
        let is_number = matches!(input.kind, InputKind::Number { .. });
        if is_number && dataset.statistics().get(feature).is_some_and(is_suspect) {
            let may_have_digits = may_have_digits(dataset, feature);
            suspects.push(Suspect { name: &input.name, is_target: false, may_have_digits });
        }
        feature += input.features();
    }
    if let Target::Numbers { columns } = &encoding.target {
        let narrow = columns.iter().zip(dataset.target_statistics()).filter(|(_, s)| is_suspect(s));
        suspects.extend(narrow.map(|(name, _)| Suspect {
            name,
            is_target: true,
            may_have_digits: true,
        }));
    }
    suspects
}

/// Whether some of the first values of a feature are no small whole numbers, as years are.
fn may_have_digits(dataset: &Dataset, feature: usize) -> bool {
    let size = dataset.dtype().size();
    let mut value = [0.0];
    (0..dataset.rows().min(4096)).any(|row| {
        dataset.dtype().decode(&dataset.row(row)[feature * size..][..size], &mut value);
        value[0].fract() != 0.0 || value[0].abs() >= EXACT
    }) || dataset.statistics()[feature].max.abs() >= EXACT
        || dataset.statistics()[feature].min.abs() >= EXACT
}

fn is_suspect(statistics: &Statistics) -> bool {
    let (min, max) = (statistics.min, statistics.max);
    min.abs().max(max.abs()) >= EXACT || is_narrow(min, max)
}

/// Whether neighbouring values of a range could be rounded to the same f32.
fn is_narrow(min: f32, max: f32) -> bool {
    let step = min.abs().max(max.abs()) * f32::EPSILON;
    max - min < step * 1e6
}

/// Two values of at least `least` that are different as texts and the same as f32, if there are more such than chance
/// makes.
fn collapse<'t>(texts: impl Iterator<Item = &'t str>, least: f32) -> Option<(String, String)> {
    let mut known: HashMap<u32, Vec<(&str, String)>> = HashMap::new();
    let (mut example, mut lost, mut different) = (None, 0, 0);
    for text in texts {
        let Some(value) = text.trim().parse::<f32>().ok().filter(|value| value.abs() >= least)
        else {
            continue;
        };
        let same = known.entry(value.to_bits()).or_default();
        if same.iter().any(|(spelled, _)| *spelled == text) {
            continue;
        }
        let Some(number) = plain_number(text) else { continue };
        if same.iter().all(|(_, known)| *known != number) {
            different += 1;
            if let Some((_, first)) = same.first() {
                lost += 1;
                example.get_or_insert_with(|| (first.clone(), number.clone()));
            }
        }
        same.push((text, number));
        if lost >= ENOUGH && lost * CHANCE >= different {
            break;
        }
    }
    example.filter(|_| lost * CHANCE >= different)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collapsed(values: &[&str]) -> Option<(String, String)> {
        collapse(values.iter().copied(), 0.0)
    }

    #[test]
    fn dates_that_become_one_are_found() {
        let pair = |one: &str, other: &str| Some((one.to_owned(), other.to_owned()));
        let dates = ["20180127", "20180130", "20180128"];
        assert_eq!(collapsed(&dates), pair("20180127", "20180128"));
        assert_eq!(collapsed(&["1609459.123", "1609459.124"]), pair("1609459.123", "1609459.124"));
        let large = ["9007199254740992", "9007199254740993"];
        assert_eq!(collapsed(&large), pair(large[0], large[1]));
    }

    #[test]
    fn spellings_and_wide_columns_are_not() {
        assert_eq!(collapsed(&["20180126", "20180128", "20180128.0", "NA"]), None);
        assert_eq!(collapsed(&["0.1", "0.10", "1e-1"]), None);
        let mut many: Vec<String> = (0..200).map(|i| i.to_string()).collect();
        many.push("199.0000000001".to_owned());
        assert_eq!(collapsed(&many.iter().map(String::as_str).collect::<Vec<_>>()), None);
        let dates = ["20180127", "20180128"];
        many.extend(dates.map(str::to_owned));
        let large = collapse(many.iter().map(String::as_str), EXACT);
        assert_eq!(large, Some((dates[0].to_owned(), dates[1].to_owned())));
    }

    #[test]
    fn digits_are_counted_from_the_first_that_counts() {
        assert!(has_many_digits("1609459.123") && has_many_digits("-0.0012345678e5"));
        assert!(
            !has_many_digits("0.0001234567") && !has_many_digits("1e10") && !has_many_digits("NA")
        );
    }
}
