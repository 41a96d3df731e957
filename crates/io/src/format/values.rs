//! The decoded values of columns, and where their records are in the source.

use crate::error::RowNumber;

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnKind {
    /// Numbers.
    Number,
    /// Anything else.
    Text,
}

/// Decoded records.
#[derive(Debug)]
pub struct Batch {
    /// The line or row of each record.
    pub rows: RowNumbers,
    /// The values of each column wanted.
    pub columns: Vec<Values>,
}

/// Where the records of a batch are in their source.
#[derive(Debug)]
pub enum RowNumbers {
    /// So many rows from this one on.
    Rows(u64, usize),
    /// Lines of a text, each given by its distance from this one.
    Lines(u64, Vec<u32>),
}

impl RowNumbers {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            RowNumbers::Rows(_, count) => *count,
            RowNumbers::Lines(_, distances) => distances.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What the record at `index` is called in an error.
    pub fn number(&self, index: usize) -> RowNumber {
        match self {
            RowNumbers::Rows(first, _) => RowNumber::Row(first + index as u64),
            RowNumbers::Lines(first, distances) => {
                RowNumber::Line(first + u64::from(distances[index]))
            }
        }
    }
}

/// The values of a column.
#[derive(Debug)]
pub enum Values {
    /// Finite numbers; NaN where one is missing.
    Numbers(Vec<f32>),
    /// Texts; see [`is_missing`].
    Texts(Texts),
}

impl Values {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Values::Numbers(numbers) => numbers.len(),
            Values::Texts(texts) => texts.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The texts in order; none if they are numbers.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let texts = match self {
            Values::Numbers(_) => None,
            Values::Texts(texts) => Some(texts),
        };
        texts.into_iter().flat_map(Texts::iter)
    }

    /// No values yet.
    pub fn new(kind: ColumnKind) -> Values {
        match kind {
            ColumnKind::Number => Values::Numbers(Vec::new()),
            ColumnKind::Text => Values::Texts(Texts::default()),
        }
    }

    /// No values yet, and room for `count` of them.
    pub(crate) fn with_capacity(kind: ColumnKind, count: usize) -> Values {
        match kind {
            ColumnKind::Number => Values::Numbers(Vec::with_capacity(count)),
            ColumnKind::Text => {
                Values::Texts(Texts { joined: String::new(), ends: Vec::with_capacity(count) })
            }
        }
    }
}

/// A column of texts in one allocation.
#[derive(Debug, Default)]
pub struct Texts {
    joined: String,
    ends: Vec<usize>,
}

impl Texts {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Appends one.
    pub fn push(&mut self, text: &str) {
        self.joined.push_str(text);
        self.ends.push(self.joined.len());
    }

    /// All of them in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts.zip(&self.ends).map(|(start, end)| &self.joined[*start..*end])
    }
}

/// Whether a text is a code such as `007`: digits, of which the first of several is a zero.
pub(crate) fn is_code(text: &[u8]) -> bool {
    text.len() > 1 && text[0] == b'0' && text.iter().all(u8::is_ascii_digit)
}

/// Whether a text stands for a missing value: it is empty, or one of `NA`, `N/A`, `NaN`, `null` in any case,
/// or `?`.
pub fn is_missing(text: &[u8]) -> bool {
    text.is_empty()
        || text == b"?"
        || (text.len() <= 4
            && [&b"na"[..], b"n/a", b"nan", b"null"].iter().any(|m| text.eq_ignore_ascii_case(m)))
}
