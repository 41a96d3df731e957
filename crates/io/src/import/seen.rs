//! What is seen of the columns whose values must be known before rows can be encoded.

use super::doubt::Stray;
use super::options::Missing;
use super::vocabulary::Found;
use crate::error::RowNumber;
use crate::format::decimal::Written;
use crate::format::values::{Batch, Texts as ColumnTexts, Values, is_code, is_missing};
use crate::statistics::Moments;
use crate::words::Text;
use std::collections::BTreeSet;
use std::path::Path;

/// More categories than this in a text column are taken for free text or identifiers.
pub(super) const MOST_CATEGORIES: usize = 1000;

/// Why a column is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Categories,
    /// Categories that become indices.
    Index,
    Mean,
    /// Words, and runs of up to this many.
    Words {
        ngrams: u32,
    },
    /// At most this many classes; of more the target is numeric or an error.
    Target {
        most: usize,
    },
}

impl Role {
    /// Different texts that may be seen; one more shows that there are too many.
    pub(super) fn limit(self) -> usize {
        match self {
            Role::Target { most } => most,
            Role::Categories | Role::Index | Role::Mean | Role::Words { .. } => MOST_CATEGORIES,
        }
    }
}

/// What was seen of a column.
pub(super) enum Seen {
    Texts(Texts),
    Index(Found),
    Numbers(Moments),
    /// The words and runs of words of the longest text.
    Words(usize),
}

/// The different texts of a column, one more than the role allows at most.
#[derive(Default)]
pub(super) struct Texts {
    pub(super) different: BTreeSet<String>,
    /// The first that is not written as a number.
    pub(super) stray: Option<Stray>,
    /// Those of rows without weight, from which nothing is learned.
    pub(super) weightless: BTreeSet<String>,
    /// The first that is a code such as 007, of all, however many different ones there are.
    pub(super) code: Option<String>,
}

impl Seen {
    pub(super) fn nothing(role: Role) -> Seen {
        match role {
            Role::Mean => Seen::Numbers(Moments::EMPTY),
            Role::Index => Seen::Index(Found::default()),
            Role::Words { .. } => Seen::Words(0),
            Role::Categories | Role::Target { .. } => Seen::Texts(Texts::default()),
        }
    }

    /// Looks at the column at `index` of a batch whose rows have these weights, if any; the error is the row of a missing
    /// value where none may be.
    pub(super) fn of(
        batch: &Batch,
        index: usize,
        path: &Path,
        role: Role,
        missing: Missing,
        weights: &[f32],
    ) -> Result<Seen, RowNumber> {
        let texts = match &batch.columns[index] {
            Values::Numbers(numbers) => {
                return Ok(Seen::Numbers(Moments::of_weighted_rows(numbers, 1, weights)[0]));
            }
            Values::Texts(texts) => texts,
        };
        if let Role::Words { ngrams } = role {
            // An empty text is one of no words.
            let counts = |(row, text)| match weights.get(row) {
                Some(0.0) => 0,
                _ => Text::of(text).len(ngrams),
            };
            return Ok(Seen::Words(texts.iter().enumerate().map(counts).max().unwrap_or(0)));
        }
        if role == Role::Index {
            return found(batch, texts, missing, weights).map(Seen::Index);
        }
        let may_be_missing = role == Role::Categories && missing == Missing::Mean;
        let mut seen = Texts::default();
        for (row, text) in texts.iter().enumerate() {
            let is_missing = is_missing(text.as_bytes());
            if role == Role::Categories && weights.get(row) == Some(&0.0) {
                if !is_missing && seen.weightless.len() < role.limit() {
                    seen.weightless.insert(text.to_owned());
                }
                continue;
            }
            if is_missing && !may_be_missing {
                return Err(batch.rows.number(row));
            }
            let text = if is_missing { "" } else { text };
            if seen.code.is_none() && is_code(text.as_bytes()) {
                seen.code = Some(text.to_owned());
            }
            if seen.different.len() <= role.limit() && !seen.different.contains(text) {
                seen.different.insert(text.to_owned());
                if seen.stray.is_none() && Written::of(text) != Written::Plainly {
                    let row = batch.rows.number(row);
                    seen.stray = Some(Stray { path: path.to_owned(), row, text: text.to_owned() });
                }
            }
        }
        Ok(Seen::Texts(seen))
    }

    /// Adds what was seen of the rows after these.
    pub(super) fn merge(&mut self, next: Seen, role: Role) {
        match (self, next) {
            (Seen::Texts(all), Seen::Texts(next)) => {
                all.code = all.code.take().or(next.code);
                if all.weightless.len() <= role.limit() {
                    all.weightless.extend(next.weightless);
                }
                if all.different.len() <= role.limit() {
                    all.different.extend(next.different);
                    all.stray = all.stray.take().or(next.stray);
                }
            }
            (Seen::Index(all), Seen::Index(next)) => all.merge(next),
            (Seen::Numbers(all), Seen::Numbers(next)) => all.merge(&next),
            (Seen::Words(all), Seen::Words(next)) => *all = next.max(*all),
            _ => unreachable!("a column's role decides what is seen in it"),
        }
    }
}

/// The categories in a column of a batch, of which rows of no weight have none.
fn found(
    batch: &Batch,
    texts: &ColumnTexts,
    missing: Missing,
    weights: &[f32],
) -> Result<Found, RowNumber> {
    let mut found = Found::default();
    for (row, text) in texts.iter().enumerate() {
        let is_missing = is_missing(text.as_bytes());
        if weights.get(row) == Some(&0.0) {
            continue;
        }
        if is_missing && missing == Missing::Error {
            return Err(batch.rows.number(row));
        }
        found.add(if is_missing { "" } else { text });
    }
    Ok(found)
}
