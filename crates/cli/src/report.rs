//! What is said about data sets, networks and metrics, in words and as JSON.

use crate::table::{Table, number, thousands};
use gristmill_io::model::{Series, View};
use gristmill_io::schema::{
    Encoding, InputColumn, InputKind, Statistics, Target, Vocabulary, Words,
};
use gristmill_io::{Dataset, HistoryRow, Layer, Model, Node};
use gristmill_trainer::data::feed::Paging;
use gristmill_trainer::data::order::Shuffling;
use gristmill_trainer::layer::Kind;
use gristmill_trainer::network::Network;
use gristmill_trainer::sampler::WindowShape;
use gristmill_trainer::{Limit, Outcome};
use serde_json::{Map, Value, json};

/// The most names that are listed where there may be thousands.
const LISTED: usize = 12;
/// Seconds that are not worth a word.
pub(crate) const A_MOMENT: f64 = 0.1;

/// What is predicted, in a line.
pub(crate) fn target_line(encoding: &Encoding) -> String {
    match &encoding.target {
        Target::Classes { column, names } => {
            format!("target {column}: {} classes: {}", names.len(), list(names))
        }
        Target::Numbers { columns } => format!("target: {} (numbers)", list(columns)),
        Target::None => "no target".to_owned(),
    }
}

/// The columns that become indices, with the number of their categories; `None` if there are none.
pub(crate) fn index_line(encoding: &Encoding) -> Option<String> {
    let counted = |input: &InputColumn| match &input.kind {
        InputKind::Index { vocabulary } => {
            let count = thousands(vocabulary.len() as u64);
            Some(match vocabulary {
                Vocabulary::Names(_) => format!("{} ({count} categories)", input.name),
                Vocabulary::Codes(_) => format!("{} ({count} numbers from 0 on)", input.name),
            })
        }
        InputKind::Text(words) => {
            let runs = match words.ngrams {
                1 => "words".to_owned(),
                longest => format!("words and runs of up to {longest}"),
            };
            let (length, buckets) =
                (thousands(u64::from(words.length)), thousands(u64::from(words.buckets)));
            Some(format!("{} (the first {length} {runs}, in {buckets} buckets)", input.name))
        }
        InputKind::Number { .. } | InputKind::OneHot { .. } => None,
    };
    let columns: Vec<String> = encoding.inputs.iter().filter_map(counted).collect();
    (!columns.is_empty()).then(|| format!("index columns: {}", list(&columns)))
}

/// Which rows a sample has: `20 rows, the target 1 row after the last of them`.
pub(crate) fn series_line(Series { window, horizon }: Series) -> String {
    let rows = |count: u32| match count {
        1 => "1 row".to_owned(),
        _ => format!("{} rows", thousands(count.into())),
    };
    match horizon {
        0 => format!("{}, the target that of the last of them", rows(window)),
        _ => format!("{}, the target {} after the last of them", rows(window), rows(horizon)),
    }
}

/// Height, width and channels: `28x28x1`.
pub(crate) fn lengths(View { height, width, channels }: View) -> String {
    format!("{height}x{width}x{channels}")
}

/// The first of some names, and how many more there are.
pub(crate) fn list(names: &[String]) -> String {
    let listed = names.iter().take(LISTED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(LISTED) {
        0 => listed,
        more => format!("{listed} and {more} more"),
    }
}

/// Widths and activations of a model's network: `64 > 32 relu > 10`.
pub(crate) fn model_line(model: &Model) -> String {
    let views = model.views().unwrap_or_default();
    let layer = |(node, view): (&Node, &View)| match &node.layer {
        Layer::Dense(dense) => (dense.outputs.to_string(), dense.activation.to_string()),
        other => (view.to_string(), other.kind().to_owned()),
    };
    network_line(model.features(), model.nodes.iter().zip(&views).map(layer))
}

/// The same of a network in training.
pub(crate) fn training_line(network: &Network) -> String {
    let layer = |node: &gristmill_trainer::network::Node| {
        let Kind::Dense(layer) = &node.layer else {
            return (node.layer.output().to_string(), node.name.clone());
        };
        let (name, parameter) = (layer.activation.name(), layer.activation.parameter());
        let activation = parameter.map_or(name.to_owned(), |p| format!("{name}({p})"));
        (layer.shape.outputs.to_string(), activation)
    };
    network_line(network.inputs(), network.nodes().iter().map(layer))
}

fn network_line(features: usize, layers: impl Iterator<Item = (String, String)>) -> String {
    let mut line = features.to_string();
    for (outputs, activation) in layers {
        line += &format!(" > {outputs}");
        if activation != "identity" {
            line += &format!(" {activation}");
        }
    }
    line
}

/// In which order an epoch visits the rows.
pub(crate) fn order_line(shuffling: Shuffling, row_bytes: u64) -> String {
    match shuffling {
        Shuffling::Stored => "in the order of the file".to_owned(),
        Shuffling::Full => "in full shuffle".to_owned(),
        Shuffling::Window(WindowShape { block_rows, blocks }) => format!(
            "shuffled in windows of {} blocks of {} rows ({} MiB)",
            thousands(blocks),
            thousands(block_rows),
            thousands(((blocks * block_rows * row_bytes) >> 20).max(1)),
        ),
    }
}

/// How rows get into memory.
pub(crate) fn paging_line(paging: Paging) -> &'static str {
    match paging {
        Paging::None => "they are in memory",
        Paging::Load => "the file is read once and stays in memory",
        Paging::Ahead => "read one stretch ahead; what was read stays in memory",
        Paging::AheadAndDrop => "read one stretch ahead and dropped from memory when used",
        Paging::Scattered => "each row is read when it is needed",
    }
}

/// How long a run took, how much of that it waited for data, and what set its speed. Of a moment
/// nothing is said, and of a second no more than how long it was: the rest would be chance.
pub(crate) fn time_line(outcome: &Outcome) -> Option<String> {
    let seconds = outcome.seconds.as_secs_f64();
    if seconds < A_MOMENT {
        return None;
    }
    let trained = format!("trained for {seconds:.1} s");
    if seconds < 1.0 {
        return Some(trained);
    }
    let waited = 100.0 * outcome.waited_for_data.as_secs_f64() / seconds.max(f64::MIN_POSITIVE);
    let limit = match outcome.limit() {
        Limit::Compute => "compute",
        Limit::Disk => "the disk",
        Limit::Memory => "memory: finding rows in it",
    };
    Some(format!("{trained}; waited for data {waited:.1} % of it; the limit was {limit}"))
}

/// The measurements of an epoch, in a line.
pub(crate) fn history_line(row: &HistoryRow) -> String {
    let values = row.values.iter().map(|(name, value)| format!("  {name} {}", number(*value)));
    format!("epoch {}{}", row.epoch, values.collect::<String>())
}

/// The measurements of an epoch as JSON.
pub(crate) fn history_json(row: &HistoryRow) -> Value {
    let mut object = Map::new();
    object.insert("epoch".into(), json!(row.epoch));
    object.extend(row.values.iter().map(|(name, value)| (name.clone(), json!(value))));
    Value::Object(object)
}

/// An encoding as JSON.
pub(crate) fn encoding_json(encoding: &Encoding) -> Value {
    let inputs = encoding.inputs.iter().map(|input| match &input.kind {
        InputKind::Number { fill } => json!({ "name": input.name, "fill": fill }),
        InputKind::OneHot { categories } => {
            json!({ "name": input.name, "categories": categories })
        }
        InputKind::Index { vocabulary } => {
            let vocabulary = match vocabulary {
                Vocabulary::Names(names) => json!({ "names": names }),
                Vocabulary::Codes(count) => json!({ "codes": count }),
            };
            json!({ "name": input.name, "vocabulary": vocabulary })
        }
        InputKind::Text(Words { length, buckets, ngrams }) => {
            let words = json!({ "length": length, "buckets": buckets, "ngrams": ngrams });
            json!({ "name": input.name, "words": words })
        }
    });
    let target = match &encoding.target {
        Target::Classes { column, names } => json!({ "column": column, "classes": names }),
        Target::Numbers { columns } => json!({ "columns": columns }),
        Target::None => Value::Null,
    };
    json!({ "inputs": inputs.collect::<Vec<_>>(), "target": target })
}

/// The statistics of a column as JSON.
pub(crate) fn statistics_json(name: &str, statistics: &Statistics) -> Value {
    let Statistics { mean, deviation, min, max, missing } = statistics;
    json!({
        "name": name, "mean": mean, "deviation": deviation,
        "min": min, "max": max, "missing": missing,
    })
}

/// The statistics of a column as cells of a table.
pub(crate) fn statistics_cells(name: &str, statistics: &Statistics) -> [String; 6] {
    let Statistics { mean, deviation, min, max, missing } = *statistics;
    [
        name.to_owned(),
        number(mean),
        number(deviation),
        number(f64::from(min)),
        number(f64::from(max)),
        thousands(missing),
    ]
}

/// A cell of CSV, in quotes where it needs them.
pub(crate) fn quoted(cell: &str) -> String {
    if cell.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// A name as a shell takes it.
pub(crate) fn shell_quoted(name: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-.,:=/+@%".contains(c);
    match !name.is_empty() && name.chars().all(is_plain) {
        true => name.to_owned(),
        false => format!("'{}'", name.replace('\'', r"'\''")),
    }
}

/// A text that may be long or hold line ends, to be shown in a line.
pub(crate) fn in_a_line(text: &str) -> String {
    const SHOWN: usize = 30;
    let mut shown: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

/// How many rows each class of a data set has, if it has classes.
pub(crate) fn class_table(dataset: &Dataset) -> Option<Table> {
    let Target::Classes { names, .. } = &dataset.encoding().target else { return None };
    let mut table = Table::new(&["class", "rows", "share"]);
    for (name, &count) in names.iter().zip(dataset.class_counts()) {
        let share = 100.0 * count as f64 / dataset.rows().max(1) as f64;
        table.row([name.clone(), thousands(count), format!("{share:.1} %")]);
    }
    Some(table)
}

#[cfg(test)]
mod tests {
    use super::shell_quoted;

    #[test]
    fn names_are_quoted_for_a_shell() {
        assert_eq!(shell_quoted("petal_length"), "petal_length");
        assert_eq!(shell_quoted("light blue"), "'light blue'");
        assert_eq!(shell_quoted("it's"), r"'it'\''s'");
        assert_eq!(shell_quoted(""), "''");
    }
}
