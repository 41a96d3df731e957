//! Embeddings: the rows of a table that numbers among the inputs name.

use super::attributes::{Attributes, only};
use crate::model::view::View;
use serde::{Deserialize, Serialize};

/// A vector for each category, looked up by its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Embedding {
    /// Numbers of a vector.
    pub size: usize,
    /// Rows of the table.
    pub categories: usize,
    /// The inputs that are looked up. The others are handed on, before all vectors.
    pub columns: Vec<IndexColumn>,
    /// What becomes of the vectors of a sample.
    pub combine: Combine,
}

/// An input that is the number of a category: 0 to below `categories`. Other numbers are of no category, and
/// their vector is zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndexColumn {
    /// Which input.
    pub unit: usize,
    /// The row of the table of its category 0.
    pub first: u32,
    /// Categories that it has.
    pub categories: u32,
}

/// What becomes of the vectors of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Combine {
    /// They stand side by side.
    Concat,
    /// They are added up.
    Sum,
    /// They are added up and divided by their number.
    Mean,
}

impl Attributes for Embedding {
    const KIND: &'static str = "embedding";

    fn tensors(&self) -> Vec<(&'static str, Vec<usize>)> {
        vec![("weight", vec![self.categories, self.size])]
    }

    fn output(&self, inputs: &[View]) -> Result<View, String> {
        let input = only(inputs)?;
        let units = input.units();
        let mut is_index = vec![false; units];
        let ends = self.columns.iter().map(|c| u64::from(c.first) + u64::from(c.categories));
        let categories = ends.max().unwrap_or(0);
        if categories != self.categories as u64 {
            return Err(format!("has {} categories but looks up {categories}", self.categories));
        }
        for column in &self.columns {
            match is_index.get_mut(column.unit) {
                Some(is_index) if !*is_index => *is_index = true,
                _ => return Err(format!("looks up input {} of {input}", column.unit)),
            }
        }
        if self.columns.is_empty() || self.size == 0 {
            return Err("looks nothing up".to_owned());
        }
        let numbers = units - self.columns.len();
        if numbers == 0 && self.combine == Combine::Concat {
            return Ok(View { channels: input.channels.saturating_mul(self.size), ..input });
        }
        let vectors = if self.combine == Combine::Concat { self.columns.len() } else { 1 };
        Ok(View::flat(vectors.saturating_mul(self.size).saturating_add(numbers)))
    }
}
