//! What an import of an exported table has to be told to give the same data set again.

use crate::dataset::Dataset;
use crate::format::table::index_columns;
use crate::format::values::is_missing;
use crate::import::label::class_names;
use crate::import::options::Missing;
use crate::import::vocabulary::{is_dense, learned};
use crate::schema::{InputColumn, InputKind, Target, Vocabulary};

/// What an import of an exported table has to be told, beside its targets, weights, task and type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// Whether that the first record is a header.
    pub header: bool,
    /// The columns of texts that look like numbers.
    pub category: Vec<String>,
    /// The columns of which each value becomes the index of its category.
    pub index: Vec<String>,
    /// The columns of numbers that are named as an index is.
    pub number: Vec<String>,
    /// Whether the target is an input too.
    pub keep_target: bool,
    /// What it does about missing values.
    pub missing: Missing,
    /// Whether to encode like the data set that was exported: what it knows of its columns is not all in the
    /// table. Targets, task and what to do about missing values are then known.
    pub like: bool,
    /// The columns of words, of which only the buckets are known: no import gives these again.
    pub words: Vec<String>,
}

impl Again {
    /// `keeps_types` says whether the format tells texts from numbers, and names from values.
    pub(super) fn of(dataset: &Dataset, keeps_types: bool) -> Again {
        let has_gaps = has_missing_category(dataset);
        Again {
            header: !keeps_types,
            category: doubtful_inputs(dataset, keeps_types, false),
            number: doubtful_inputs(dataset, keeps_types, true),
            index: inputs_of(dataset, |kind| matches!(kind, InputKind::Index { .. })),
            keep_target: !dataset.encoding().kept_targets().is_empty(),
            missing: if has_gaps { Missing::Mean } else { Missing::Error },
            like: !(are_inputs_learned(dataset, keeps_types, has_gaps)
                && is_target_learned(dataset)),
            words: inputs_of(dataset, |kind| matches!(kind, InputKind::Text(_))),
        }
    }
}

/// Whether a text column has missing text as a category.
fn has_missing_category(dataset: &Dataset) -> bool {
    dataset.encoding().inputs.iter().any(|input| match &input.kind {
        InputKind::OneHot { categories } => categories.iter().any(String::is_empty),
        InputKind::Index { vocabulary: Vocabulary::Names(names) } => {
            names.iter().any(String::is_empty)
        }
        InputKind::Number { .. } | InputKind::Index { .. } | InputKind::Text(_) => false,
    })
}

/// The inputs of numbers, or those of texts, that an import would not take for such inputs by itself: texts that look
/// like numbers, and what is named as an index.
fn doubtful_inputs(dataset: &Dataset, keeps_types: bool, of_numbers: bool) -> Vec<String> {
    let inputs = &dataset.encoding().inputs;
    let indices = index_columns(inputs.iter().map(|input| input.name.as_str()));
    let is_doubtful = |(index, input): &(usize, &InputColumn)| match &input.kind {
        InputKind::Number { .. } => of_numbers && indices.contains(index),
        InputKind::Index { .. } | InputKind::Text(_) => false,
        InputKind::OneHot { .. } if is_kept_target(dataset, input) => false,
        InputKind::OneHot { categories } => {
            let is_like_number = || categories.iter().any(|name| resembles_number(name));
            !of_numbers && (indices.contains(index) || !keeps_types && is_like_number())
        }
    };
    let doubtful = inputs.iter().enumerate().filter(is_doubtful);
    doubtful.map(|(_, input)| input.name.clone()).collect()
}

/// Whether an input is the target as well.
fn is_kept_target(dataset: &Dataset, input: &InputColumn) -> bool {
    dataset.encoding().target.columns().contains(&input.name)
}

/// Whether the name of a category is read as it is written.
fn is_kept(name: &str, keeps_types: bool) -> bool {
    // What has commas or points may be a number that is written anew.
    let is_text = keeps_types || !resembles_number(name) || !name.contains([',', '.']);
    is_text && (name.is_empty() || !is_missing(name.as_bytes()))
}

/// The names of the inputs of a kind.
fn inputs_of(dataset: &Dataset, is_meant: impl Fn(&InputKind) -> bool) -> Vec<String> {
    let inputs = dataset.encoding().inputs.iter().filter(|input| is_meant(&input.kind));
    inputs.map(|input| input.name.clone()).collect()
}

/// Whether an import that is told so would learn the same vocabulary of the indices in a feature.
fn is_vocabulary_learned(
    dataset: &Dataset,
    feature: usize,
    vocabulary: &Vocabulary,
    keeps_types: bool,
) -> bool {
    let Some(count) = different_indices(dataset, feature, vocabulary.len()) else { return false };
    match vocabulary {
        Vocabulary::Codes(codes) => {
            let most = *codes as usize - 1;
            dataset.statistics()[feature].max == most as f32 && is_dense(most, count)
        }
        Vocabulary::Names(names) => {
            count == names.len()
                && names.iter().all(|name| is_kept(name, keeps_types))
                && learned(names.iter()).as_ref() == Some(vocabulary)
        }
    }
}

/// How many different indices a feature has; `None` if some are of no category.
fn different_indices(dataset: &Dataset, feature: usize, categories: usize) -> Option<usize> {
    let (dtype, size) = (dataset.dtype(), dataset.dtype().size());
    let (mut is_there, mut value) = (vec![false; categories], [0.0]);
    for row in 0..dataset.rows() {
        dtype.decode(&dataset.row(row)[feature * size..][..size], &mut value);
        *is_there.get_mut(value[0] as usize)? = true;
    }
    Some(is_there.into_iter().filter(|&is_there| is_there).count())
}

/// Whether an import that is told which columns are texts would learn the same inputs.
fn are_inputs_learned(dataset: &Dataset, keeps_types: bool, has_gaps: bool) -> bool {
    let mut feature = 0;
    dataset.encoding().inputs.iter().all(|input| {
        let first = feature;
        let statistics = &dataset.statistics()[feature..][..input.features()];
        feature += input.features();
        match &input.kind {
            // It follows from the target.
            _ if is_kept_target(dataset, input) => true,
            // Which values were missing, and so their mean, is not known any more; nor is a mean learned of
            // one column and not of another.
            InputKind::Number { fill } => fill.is_none() && !has_gaps,
            // The words are not known any more.
            InputKind::Text(_) => false,
            InputKind::Index { vocabulary } => {
                is_vocabulary_learned(dataset, first, vocabulary, keeps_types)
            }
            InputKind::OneHot { categories } => {
                categories.is_sorted_by(|a, b| a < b)
                    && categories.iter().all(|name| is_kept(name, keeps_types))
                    && statistics.iter().all(|category| category.max > 0.0)
            }
        }
    })
}

/// Whether an import that is told the target and the task would learn the same classes.
fn is_target_learned(dataset: &Dataset) -> bool {
    let names = match &dataset.encoding().target {
        Target::Numbers { .. } => return true,
        Target::None => return false,
        Target::Classes { names, .. } => names,
    };
    let are_digits = names.iter().all(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
    let are_texts =
        || names.iter().all(|name| !resembles_number(name) && !is_missing(name.as_bytes()));
    (are_digits || are_texts())
        && class_names(names.iter().cloned().collect()) == *names
        && names.len() > 1
        && dataset.class_counts().iter().all(|count| *count > 0)
}

/// Whether some reader might take a text for a number.
fn resembles_number(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit()) || text.trim().parse::<f64>().is_ok()
}
