//! Numbers that differ in a source and are the same as f32: dates such as 20180127, times and identifiers.

use super::columns;
use super::input::Input;
use super::label::plain_number;
use crate::dataset::Dataset;
use crate::error::Result;
use crate::format;
use crate::format::table::Wanted;
use crate::format::values::{ColumnKind, Texts, Values};
use crate::schema::{Encoding, InputKind, Statistics, Target};
use crate::source::Source;
use std::collections::BTreeMap;
use std::path::Path;

/// Bytes of the first source that are looked at.
const LOOK: usize = 1 << 16;
/// Whole numbers are exact in f32 up to here.
const EXACT: f32 = 16_777_216.0;
/// Of `CHANCE` different values at most one is rounded to another by chance.
const CHANCE: usize = 100;

/// Tells which columns of the data set just written lost some of their differences, as far as the first rows of
/// the first source show. Only columns whose range is narrow for their size are looked at.
pub(super) fn tell(input: &Input, encoding: &Encoding, output: &Path) -> Result<()> {
    let dataset = Dataset::open(output)?;
    let suspects = suspects(&dataset, encoding);
    let Some(first) = input.sources.first().filter(|_| !suspects.is_empty()) else { return Ok(()) };
    let sources: Vec<Source> = input.sources.iter().map(Source::uncounted).collect();
    let mut table =
        format::open(&sources, &input.options.format, &input.options.reading(Vec::new()))?;
    let names = columns::Names::of(&table, first.path());
    let wanted: Result<Vec<Wanted>> = suspects
        .iter()
        .map(|suspect| Ok(Wanted::new(names.required(suspect.name)?, ColumnKind::Text)))
        .collect();
    let wanted = wanted?;
    table.chunks.select(&wanted)?;
    let Some(chunk) = table.chunks.next_chunk(LOOK)? else { return Ok(()) };
    let batch = table.decoder.decode(chunk, &wanted)?;
    for (suspect, values) in suspects.iter().zip(&batch.columns) {
        let Values::Texts(texts) = values else { continue };
        if let Some((one, other)) = collapse(texts) {
            let (name, what) = (suspect.name, suspect.way_out());
            let note = format!(
                "column \"{name}\": {one} and {other} become the same number, since f32 has 7 digits: {what}"
            );
            input.note(first.path(), &note);
        }
    }
    Ok(())
}

/// A column whose values lie close together.
struct Suspect<'a> {
    name: &'a str,
    is_target: bool,
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
        if is_number && dataset.statistics().get(feature).is_some_and(is_narrow) {
            suspects.push(Suspect { name: &input.name, is_target: false });
        }
        feature += input.features();
    }
    if let Target::Numbers { columns } = &encoding.target {
        let narrow = columns.iter().zip(dataset.target_statistics()).filter(|(_, s)| is_narrow(s));
        suspects.extend(narrow.map(|(name, _)| Suspect { name, is_target: true }));
    }
    suspects
}

/// Whether neighbouring values could be rounded to the same f32.
fn is_narrow(statistics: &Statistics) -> bool {
    let (min, max) = (statistics.min, statistics.max);
    let greatest = min.abs().max(max.abs());
    let step = greatest * f32::EPSILON;
    greatest >= EXACT || max - min < step * 1e6
}

/// Two values that are different as texts and the same as f32, if there are more such than chance makes.
fn collapse(texts: &Texts) -> Option<(String, String)> {
    let mut different: BTreeMap<String, f32> = BTreeMap::new();
    for text in texts.iter() {
        if let (Some(number), Ok(value)) = (plain_number(text), text.trim().parse::<f32>()) {
            different.insert(number, value);
        }
    }
    let mut first: BTreeMap<u32, &String> = BTreeMap::new();
    let (mut example, mut lost) = (None, 0);
    for (number, value) in &different {
        match first.get(&value.to_bits()) {
            Some(same) => {
                lost += 1;
                example.get_or_insert_with(|| ((*same).clone(), number.clone()));
            }
            None => {
                first.insert(value.to_bits(), number);
            }
        }
    }
    example.filter(|_| lost * CHANCE >= different.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collapsed(values: &[&str]) -> Option<(String, String)> {
        let mut texts = Texts::default();
        values.iter().for_each(|value| texts.push(value));
        collapse(&texts)
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
    }
}
