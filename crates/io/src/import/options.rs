//! What a user may say about an import.

use crate::choice::FormatChoice;
use crate::dtype::Dtype;
use crate::error::{Error, Result};
use crate::format::decimal::Decimal;
use crate::format::interface::ReadOptions;
use crate::model::View;
use crate::schema::{Encoding, Vocabulary, Words};

/// What is predicted: a class or numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// A class per row.
    Classify,
    /// One or more numbers per row.
    Regress,
}

/// What to do about missing values of input columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Missing {
    /// Stop with an error that names the first.
    #[default]
    Error,
    /// Put the column's mean in place of a number; make missing text a category of its own.
    Mean,
}

/// How sources are to be read. The default asks for nothing in particular: all is found out.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// The format; else it is recognised by content, then by extension.
    pub format: FormatChoice,
    /// Whether the first record is a header; else it is recognised.
    pub header: Option<bool>,
    /// How numbers are written in text; else it is recognised.
    pub decimal: Option<Decimal>,
    /// Texts that stand for a missing value, beside none at all, `NA`, `N/A`, `NaN`, `null` and `?`.
    pub na: Vec<String>,
    /// Target columns. None given: a column named `target`, `label`, `class` or `y`, else the last.
    pub target: Vec<String>,
    /// Whether targets are inputs too, whose past windows of a series have; else as the source says.
    pub keep_target: Option<bool>,
    /// What is predicted. Not given: a class if the single target column is text, or has at most
    /// 100 different whole numbers that each occur twice on average; else numbers.
    pub task: Option<Task>,
    /// The column that holds the weight of each row.
    pub weights: Option<String>,
    /// Columns to leave out.
    pub drop: Vec<String>,
    /// Columns whose values are texts even where they look like numbers.
    pub category: Vec<String>,
    /// Columns of which each becomes one feature: the index of the category that a value is. A name that no column has
    /// may be several, with commas between.
    pub index: Vec<String>,
    /// Columns of texts whose words become features.
    pub text: Vec<String>,
    /// How their words do.
    pub words: WordOptions,
    /// Columns whose values are numbers even where they look like texts, as the code 007 does.
    pub number: Vec<String>,
    /// What to do about missing input values.
    pub missing: Missing,
    /// How to store features; else the narrowest type that loses nothing.
    pub dtype: Option<Dtype>,
    /// The most steps of series of unequal length; what is longer is cut. Else there is room for the longest.
    pub max_length: Option<usize>,
    /// How the features of a row are arranged; else as the source says.
    pub view: Option<View>,
    /// Most bytes of memory that the process may come to use, at least [`ImportOptions::LEAST_MEMORY`];
    /// else a few MiB for each thread. Does not count what a single record may need beyond 1 MiB.
    pub memory: Option<u64>,
}

/// How the words of texts become features; see [`Words`].
#[derive(Debug, Clone, Copy)]
pub struct WordOptions {
    /// Most words and runs of words that are kept of a text; else those of the longest, up to
    /// [`WordOptions::USUAL_LENGTH`].
    pub length: Option<u32>,
    /// Number of buckets.
    pub buckets: u32,
    /// The longest runs of words that are hashed as well as single words.
    pub ngrams: u32,
}

impl Default for WordOptions {
    fn default() -> Self {
        WordOptions { length: None, buckets: 1 << 18, ngrams: 1 }
    }
}

impl WordOptions {
    /// What is kept at most of a text of which nobody says how long it is.
    pub const USUAL_LENGTH: u32 = 1024;

    /// Of texts of which the longest has `longest` words and runs of words.
    ///
    /// # Errors
    /// A number that is out of its range.
    pub(super) fn words(self, longest: usize) -> Result<Words> {
        let WordOptions { length, buckets, ngrams } = self;
        let found = longest.clamp(1, WordOptions::USUAL_LENGTH as usize) as u32;
        let words = Words { length: length.unwrap_or(found), buckets, ngrams };
        match words.is_sound() {
            true => Ok(words),
            false => Err(Error::Options(format!(
                "{} words of a text in {buckets} buckets, with runs of up to {ngrams}: expected 1 to {} words, 1 to {} buckets and runs of up to {}",
                words.length,
                Words::MOST,
                Vocabulary::MOST,
                Words::LONGEST
            ))),
        }
    }
}

impl ImportOptions {
    /// No import is promised to need less memory than this.
    pub const LEAST_MEMORY: u64 = 32 << 20;

    /// As formats take them.
    pub(super) fn reading(&self, known: Vec<String>) -> ReadOptions {
        ReadOptions {
            header: self.header,
            decimal: self.decimal,
            na: self.na.clone(),
            max_length: self.max_length,
            known,
        }
    }
}

/// Where the encoding of columns as features comes from.
#[derive(Debug, Clone)]
pub enum Plan<'a> {
    /// It is learned from the sources themselves.
    Learn(ImportOptions),
    /// It is given, as a model's: columns are matched by name, others are ignored.
    Fixed {
        /// The encoding.
        encoding: &'a Encoding,
        /// Whether the target is to be read; else the data set has none and the column may be absent.
        with_target: bool,
        /// Only how tables are read, `weights`, `dtype` and `view` matter.
        options: ImportOptions,
    },
}
