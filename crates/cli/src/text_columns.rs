//! What is said of text columns: each category becomes a feature, which is not always meant.

use crate::output::Output;
use crate::report;
use crate::table::thousands;
use gristmill_io::schema::{Encoding, InputKind};

/// A text column of no more categories than this is never doubted, however few rows there are.
const FEW_CATEGORIES: usize = 20;

/// Lists the text and index columns of a table that was just read, and warns of those that look like a mistake.
pub(crate) fn tell(encoding: &Encoding, rows: u64, output: &Output) {
    let columns: Vec<(&str, &[String])> = encoding
        .inputs
        .iter()
        .filter_map(|input| match &input.kind {
            InputKind::OneHot { categories } => Some((input.name.as_str(), &categories[..])),
            InputKind::Number { .. } | InputKind::Index { .. } | InputKind::Text(_) => None,
        })
        .collect();
    if let Some(indices) = report::index_line(encoding) {
        output.talk(indices);
    }
    if columns.is_empty() {
        return;
    }
    let counted = columns.iter().enumerate().map(|(index, (name, categories))| {
        let unit = if index == 0 { " categories" } else { "" };
        format!("{name} ({}{unit})", thousands(categories.len() as u64))
    });
    let counted = report::list(&counted.collect::<Vec<_>>());
    output.talk(format_args!("text columns, one-hot coded: {counted}"));
    for (name, categories) in columns {
        if let Some(doubt) = doubt(name, categories, rows) {
            output.warn(doubt);
        }
    }
}

/// Why a column may not be meant to be learned from.
fn doubt(name: &str, categories: &[String], rows: u64) -> Option<String> {
    let drop = format!("--drop {}", report::shell_quoted(name));
    let count = categories.len();
    (count > FEW_CATEGORIES && count as u64 > rows / 2)
        .then(|| format!("column \"{name}\" has a category for nearly every row: {drop}?"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_category_for_every_row_is_doubted() {
        let names: Vec<String> = (0..21).map(|i| format!("row{i}")).collect();
        assert!(doubt("my id", &names, 41).unwrap().ends_with("--drop 'my id'?"));
        assert_eq!(doubt("my id", &names, 42), None);
        assert_eq!(doubt("my id", &names[..20], 20), None);
    }
}
