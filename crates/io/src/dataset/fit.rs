//! Whether rows of a data set are what something made for another encoding needs.

use super::Dataset;
use crate::schema::{Encoding, InputKind};

impl Dataset {
    /// Why these rows are not what something made for the encoding `known` needs: they have other columns or
    /// categories, or gaps in them were filled with other values; `None` if they are. The target counts if
    /// `with_target`.
    pub fn mismatch(&self, known: &Encoding, with_target: bool) -> Option<String> {
        known.mismatch(self.encoding(), with_target).or_else(|| self.filled_otherwise(known))
    }

    fn filled_otherwise(&self, known: &Encoding) -> Option<String> {
        let mut feature = 0;
        for (known, own) in known.inputs.iter().zip(&self.encoding().inputs) {
            if let (InputKind::Number { fill: needs }, InputKind::Number { fill: Some(has) }) =
                (&known.kind, &own.kind)
                && *needs != Some(*has)
                && self.statistics()[feature].missing > 0
            {
                let (name, missing) = (&own.name, self.statistics()[feature].missing);
                let expected = needs.map_or("no gaps".to_owned(), |fill| fill.to_string());
                return Some(format!(
                    "{missing} missing values of column \"{name}\" were filled with {has}, expected {expected}"
                ));
            }
            feature += own.features();
        }
        None
    }
}
