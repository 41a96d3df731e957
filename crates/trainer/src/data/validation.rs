//! Whether the rows to validate on can tell anything of a model.

use crate::data::samples::Samples;
use crate::data::subset::Subset;
use gristmill_io::schema::Target;
use std::collections::BTreeSet;

/// One row more that is right moves the accuracy of fewer rows by more than 3 %.
const FEW_ROWS: u64 = 30;

/// Why the metrics of these rows may mislead, in a line.
pub(crate) fn doubt<S: Samples>(rows: &Subset<'_, S>) -> Option<String> {
    if rows.len() < FEW_ROWS {
        let count = rows.len();
        return Some(format!("only {count} rows to validate on: their metrics are mostly chance"));
    }
    let Target::Classes { names, .. } = &rows.samples().encoding().target else { return None };
    let mut absent: BTreeSet<usize> = (0..names.len()).collect();
    for row in 0..rows.len() {
        if absent.is_empty() {
            break;
        }
        absent.remove(&(rows.samples().label(rows.row(row)) as usize));
    }
    let first = &names[*absent.first()?];
    let more = match absent.len() - 1 {
        0 => String::new(),
        more => format!(", nor of {more} more"),
    };
    Some(format!("no row to validate on is of class {first}{more}: the metrics leave it out"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::samples::Table;

    fn doubt_of(labels: Vec<u32>) -> Option<String> {
        let names = ["aster", "bellis", "crocus"].map(str::to_owned).to_vec();
        let table = Table::of_classes(&vec![0.5; labels.len()], labels, names).unwrap();
        doubt(&Subset::all(&table))
    }

    #[test]
    fn few_rows_and_absent_classes_are_doubted() {
        let labels = |classes: u32, rows: u32| (0..rows).map(|row| row % classes).collect();
        assert_eq!(doubt_of(labels(3, 30)), None);
        assert!(doubt_of(labels(3, 29)).unwrap().starts_with("only 29 rows"));
        let of_two = doubt_of(labels(2, 100)).unwrap();
        assert!(of_two.contains("class crocus: "), "{of_two}");
        let of_one = doubt_of(labels(1, 100)).unwrap();
        assert!(of_one.contains("class bellis, nor of 1 more"), "{of_one}");
        let numbers = Table::of_numbers(&[0.5; 40], vec![1.0; 40], 1).unwrap();
        assert_eq!(doubt(&Subset::all(&numbers)), None);
    }
}
