//! What the columns of a table mean to a network: the encoding of raw columns as features and targets.
//!
//! An [`Encoding`] is learned at import, stored in the data set and again in every model trained on
//! it, so that raw rows can be encoded for prediction exactly as they were for training.

use std::ops::Range;

/// How raw columns become the input features and the target of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoding {
    /// The input columns in feature order.
    pub inputs: Vec<InputColumn>,
    /// What is to be predicted.
    pub target: Target,
}

impl Encoding {
    /// Number of features: one for a number or an index, one per category of a one-hot column, one for each word
    /// that is kept of a text.
    pub fn features(&self) -> usize {
        self.inputs.iter().map(InputColumn::features).sum()
    }

    /// A name per feature: the column's, with `=category` for one-hot features and `[place]` for words of a text.
    pub fn feature_names(&self) -> Vec<String> {
        let mut names = Vec::with_capacity(self.features());
        for input in &self.inputs {
            match &input.kind {
                InputKind::Number { .. } | InputKind::Index { .. } => {
                    names.push(input.name.clone());
                }
                InputKind::OneHot { categories } => {
                    names.extend(categories.iter().map(|c| format!("{}={c}", input.name)));
                }
                InputKind::Text(words) => {
                    names.extend((0..words.length).map(|place| format!("{}[{place}]", input.name)));
                }
            }
        }
        names
    }

    /// The features that are indices of categories.
    pub fn index_columns(&self) -> Vec<IndexColumns> {
        let mut found = Vec::new();
        let mut feature = 0;
        for input in &self.inputs {
            let categories = match &input.kind {
                InputKind::Index { vocabulary } => Some(vocabulary.len()),
                InputKind::Text(words) => Some(words.buckets as usize),
                InputKind::Number { .. } | InputKind::OneHot { .. } => None,
            };
            let features = feature..feature + input.features();
            feature = features.end;
            found.extend(categories.map(|categories| IndexColumns { features, categories }));
        }
        found
    }

    /// The columns that are both: an input, and what is predicted. Windows of a series have their past.
    pub fn kept_targets(&self) -> Vec<&str> {
        let names = self.target.columns().iter();
        let is_input = |name: &&String| self.inputs.iter().any(|input| input.name == **name);
        names.filter(is_input).map(String::as_str).collect()
    }

    /// Why data encoded as `data` are not what something made for this encoding needs; `None` if they
    /// are. Where gaps were filled with other values they still are. The target counts if `with_target`.
    pub fn mismatch(&self, data: &Encoding, with_target: bool) -> Option<String> {
        if self.inputs.len() != data.inputs.len() {
            let (needs, has) = (self.inputs.len(), data.inputs.len());
            return Some(format!("it has {has} input columns, expected {needs}"));
        }
        for (number, (needs, has)) in self.inputs.iter().zip(&data.inputs).enumerate() {
            let name = &needs.name;
            if *name != has.name {
                let (number, has) = (number + 1, &has.name);
                return Some(format!("input column {number} is \"{has}\", expected \"{name}\""));
            }
            let same = match (&needs.kind, &has.kind) {
                (InputKind::Number { .. }, InputKind::Number { .. }) => true,
                (needs, has) => needs == has,
            };
            if !same {
                let what = match (&needs.kind, &has.kind) {
                    (InputKind::Text(_), InputKind::Text(_)) => "its words hashed otherwise",
                    _ => "other categories",
                };
                return Some(format!("column \"{name}\" has {what}"));
            }
        }
        if with_target && self.target != data.target {
            return Some("it has another target, or other classes".to_owned());
        }
        None
    }
}

/// One raw input column.
#[derive(Debug, Clone, PartialEq)]
pub struct InputColumn {
    /// The column's name in the header, or `f0`, `f1`, ... where there is none.
    pub name: String,
    /// How its values become features.
    pub kind: InputKind,
}

impl InputColumn {
    /// How many features the column becomes.
    pub fn features(&self) -> usize {
        match &self.kind {
            InputKind::Number { .. } | InputKind::Index { .. } => 1,
            InputKind::OneHot { categories } => categories.len(),
            InputKind::Text(words) => words.length as usize,
        }
    }
}

/// Features side by side whose values are indices of the same categories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexColumns {
    /// Their positions.
    pub features: Range<usize>,
    /// How many categories there are; other indices stand for none.
    pub categories: usize,
}

/// How a raw column becomes features.
#[derive(Debug, Clone, PartialEq)]
pub enum InputKind {
    /// One feature, the number itself; a missing one becomes `fill`, or is an error where that is `None`.
    Number {
        /// What stands for a missing value.
        fill: Option<f32>,
    },
    /// A feature per category, 1 where the value is that category and else 0.
    OneHot {
        /// The categories in feature order, sorted.
        categories: Vec<String>,
    },
    /// One feature, the index of the category. A value that is no category has the index after the last.
    Index {
        /// The categories.
        vocabulary: Vocabulary,
    },
    /// A feature for each word of a text: the bucket that the word is hashed to.
    Text(Words),
}

/// How the words of a text become features; see docs/grist-format.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// Words and runs of words that are kept, which is the number of features. What is left of them in a shorter
    /// text has the index after the last bucket.
    pub length: u32,
    /// Number of buckets.
    pub buckets: u32,
    /// The longest runs of words that are hashed as well as single words: 2 for pairs.
    pub ngrams: u32,
}

impl Words {
    /// Most words that are kept of a text.
    pub const MOST: u32 = 1 << 16;

    /// Longest runs of words.
    pub const LONGEST: u32 = 8;

    /// Whether its numbers are within their ranges.
    pub(crate) fn is_sound(&self) -> bool {
        (1..=Words::MOST).contains(&self.length)
            && (1..=Vocabulary::MOST).contains(&(self.buckets as usize))
            && (1..=Words::LONGEST).contains(&self.ngrams)
    }
}

/// The categories of an index column, from index 0 on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Vocabulary {
    /// Their names, sorted as those of one-hot columns are; index i is the i-th.
    Names(Vec<String>),
    /// The numbers 0 to n-1 stand for themselves.
    Codes(u32),
}

impl Vocabulary {
    /// No vocabulary is larger: the index after its last category, which stands for unknown values, is still
    /// exact as f32.
    pub const MOST: usize = 1 << 24;

    /// Number of categories. A value that is none of them has this index.
    pub fn len(&self) -> usize {
        match self {
            Vocabulary::Names(names) => names.len(),
            Vocabulary::Codes(count) => *count as usize,
        }
    }

    /// Whether it has as many categories as there can be.
    pub(crate) fn is_sound(&self) -> bool {
        (1..=Vocabulary::MOST).contains(&self.len())
    }

    /// Whether there are no categories.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What is to be predicted.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// A class per row, stored as the index of its name.
    Classes {
        /// The target column's name.
        column: String,
        /// Class names: in numeric order if all are numbers, else sorted as text.
        names: Vec<String>,
    },
    /// One or more numbers per row.
    Numbers {
        /// The target columns' names.
        columns: Vec<String>,
    },
    /// Nothing: rows to predict only.
    None,
}

impl Target {
    /// The names of the target's columns.
    pub fn columns(&self) -> &[String] {
        match self {
            Target::Classes { column, .. } => std::slice::from_ref(column),
            Target::Numbers { columns } => columns,
            Target::None => &[],
        }
    }
}

/// Summary of one feature, or of one numeric target, over all rows of a data set.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Statistics {
    /// Arithmetic mean of the values present.
    pub mean: f64,
    /// Standard deviation (divided by n) of the values present.
    pub deviation: f64,
    /// Least value.
    pub min: f32,
    /// Greatest value.
    pub max: f32,
    /// How many values were missing in the source.
    pub missing: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(name: &str, fill: Option<f32>) -> InputColumn {
        InputColumn { name: name.into(), kind: InputKind::Number { fill } }
    }

    fn text(name: &str, categories: &[&str]) -> InputColumn {
        let categories = categories.iter().map(|&c| c.into()).collect();
        InputColumn { name: name.into(), kind: InputKind::OneHot { categories } }
    }

    fn index(name: &str, vocabulary: Vocabulary) -> InputColumn {
        InputColumn { name: name.into(), kind: InputKind::Index { vocabulary } }
    }

    #[test]
    fn an_index_is_one_feature_of_the_columns_name() {
        let names = Vocabulary::Names(vec!["".into(), "x".into()]);
        let inputs = vec![
            number("a", None),
            text("b", &["x", "z"]),
            index("c", names),
            index("d", Vocabulary::Codes(7)),
        ];
        let encoding = Encoding { inputs, target: Target::None };
        assert_eq!(encoding.features(), 5);
        assert_eq!(encoding.feature_names(), ["a", "b=x", "b=z", "c", "d"]);
        let columns = |features, categories| IndexColumns { features, categories };
        assert_eq!(encoding.index_columns(), [columns(3..4, 2), columns(4..5, 7)]);
    }

    #[test]
    fn a_mismatch_is_named() {
        let target = Target::Numbers { columns: vec!["y".into()] };
        let needs = Encoding { inputs: vec![number("a", None), text("b", &["x", "z"])], target };
        let with = |inputs| Encoding { inputs, target: needs.target.clone() };
        let filled = with(vec![number("a", Some(0.5)), text("b", &["x", "z"])]);
        assert_eq!(needs.mismatch(&filled, true), None);
        for (inputs, part) in [
            (vec![number("a", None)], "1 input columns, expected 2"),
            (vec![number("c", None), text("b", &["x", "z"])], "is \"c\", expected \"a\""),
            (vec![number("a", None), text("b", &["x"])], "\"b\" has other categories"),
            (vec![number("a", None), number("b", None)], "\"b\" has other categories"),
            (
                vec![number("a", None), index("b", Vocabulary::Codes(2))],
                "\"b\" has other categories",
            ),
        ] {
            let reason = needs.mismatch(&with(inputs), false).unwrap();
            assert!(reason.contains(part), "{reason}");
        }
        let without = Encoding { target: Target::None, ..needs.clone() };
        assert_eq!(needs.mismatch(&without, false), None);
        assert!(needs.mismatch(&without, true).unwrap().contains("target"));
    }
}
