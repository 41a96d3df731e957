//! What a configuration says of an embedding.

use super::embedding::{Combine, Embedding};
use crate::config::error::ConfigError;
use crate::layer::Kind;
use crate::layer::interface::Layer;
use crate::layer::settings::{MAX_PARAMETERS, MAX_UNITS, Planned, Planning};
use crate::layer::start::{self, Fan, InitKind, OwnStart, SharedStart};
use gristmill_kernels::Activation;
use gristmill_kernels::embedding::Column;
use serde::{Deserialize, Serialize};

/// A learned vector for each category: of the index columns of a data set, or of tokens.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EmbeddingConfig {
    /// Numbers of a vector.
    pub size: usize,
    /// Every input is a token, a number from 0 to below this; other numbers are padding, of which nothing is
    /// learned. Left out, the index columns of the data set are looked up, and numbers handed on.
    pub vocabulary: Option<u32>,
    /// `concat` (side by side, the default), `sum` or `mean`.
    pub combine: Option<Combine>,
    /// How start vectors are drawn; `normal` if left out.
    pub init: Option<InitKind>,
    /// Scales the start vectors; with `normal` the deviation, 1 / sqrt(size) if left out.
    pub init_scale: Option<f64>,
}

/// Most categories: the most whole numbers that f32 counts through.
const MAX_CATEGORIES: u32 = 1 << 24;

impl EmbeddingConfig {
    pub(crate) fn plan(&self, at: &Planning<'_>) -> Result<Planned, ConfigError> {
        let input = at.input()?;
        let width = at.at_least_one("size", self.size)?;
        let columns = match self.vocabulary {
            Some(categories) => {
                if !(1..=MAX_CATEGORIES).contains(&categories) {
                    let expected = format!("expected 1 to {MAX_CATEGORIES}");
                    return Err(at.wrong("vocabulary", categories, expected));
                }
                let column = |unit| Column { unit, first: 0, categories };
                (0..input.units()).map(column).collect()
            }
            None => self.index_columns(at)?,
        };
        let embedding =
            Embedding::new(input, columns, width, self.combine.unwrap_or(Combine::Concat));
        let (table, units) = (embedding.table(), embedding.output().units());
        if units > MAX_UNITS {
            let expected = format!("at most {MAX_UNITS} values, not {units}");
            return Err(at.wrong("size", width, expected));
        }
        if table.categories.saturating_mul(width) > MAX_PARAMETERS {
            let expected = format!(
                "expected at most {MAX_PARAMETERS} parameters, not {width} for each of {} categories",
                table.categories
            );
            return Err(at.wrong("size", width, expected));
        }
        let own = OwnStart {
            init: self.init,
            scale: self.init_scale.or((self.init.is_none()).then(|| (width as f64).powf(-0.5))),
        };
        let shared = SharedStart { init: InitKind::Normal, scale: None };
        let fan = Fan { inputs: table.categories, outputs: width };
        let start = vec![start::weights(at.key, own, shared, fan, Activation::Identity)?];
        Ok(Planned { layer: Kind::Embedding(embedding), start })
    }

    /// The index columns of the features, each with rows of the table to itself; the words of a text share theirs.
    fn index_columns(&self, at: &Planning<'_>) -> Result<Vec<Column>, ConfigError> {
        if at.index_columns.is_empty() {
            return Err(ConfigError::value(
                at.key,
                "an embedding",
                "no column of its input is an index: import columns of categories with --index or of words with --text, or say vocabulary=N if every input is a token below N",
            ));
        }
        let mut first = 0u32;
        let mut columns = Vec::with_capacity(at.index_columns.len());
        for of_column in at.index_columns {
            let end =
                u32::try_from(of_column.categories).ok().and_then(|count| first.checked_add(count));
            let Some(end) = end else {
                let expected = "too many categories in all columns together";
                return Err(at.wrong("size", self.size, expected));
            };
            let categories = end - first;
            columns.extend(of_column.features.clone().map(|unit| Column {
                unit,
                first,
                categories,
            }));
            first = end;
        }
        Ok(columns)
    }
}
