//! Embeddings: a learned vector for each category, looked up by its number.
//!
//! ```text
//! forward    a_c = W[x_c]         or, for a bag, the sum or mean of them over all columns c
//! backward   dW[k] = sum of the errors of all samples and columns with x_c = k
//! ```
//!
//! One table holds the categories of all columns, those of one column after those of the other, so that a
//! minibatch's rows are summed and updated together. Columns that are numbers are handed on as they are.

use super::View;
use super::interface::{Backward, Forward, Layer};
use super::parameters::{Parameters, Table};
use crate::names::named;
use gristmill_kernels::embedding::{self as kernels, Bag, Column, Indices, Use};
use gristmill_kernels::{LANES, Panels, PanelsMut, Row};

named! {
    /// What becomes of the vectors of a sample.
    pub enum Combine {
        /// They stand side by side.
        Concat = "concat",
        /// They are added up.
        Sum = "sum",
        /// They are added up and divided by their number.
        Mean = "mean",
    }
}

/// A table, and the columns of the input that are numbers of its rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding {
    input: View,
    output: View,
    /// Units of the input that are indices, and the rows of the table that they mean.
    columns: Vec<Column>,
    /// The other units, which come first in its values.
    numbers: Vec<usize>,
    table: Table,
    combine: Combine,
}

impl Embedding {
    /// With a vector of `width` numbers for each of these categories.
    ///
    /// # Panics
    /// A column is no unit of the input, or there is no column or no category.
    pub fn new(input: View, columns: Vec<Column>, width: usize, combine: Combine) -> Embedding {
        assert!(columns.iter().all(|column| column.unit < input.units()), "columns of {input}");
        let ends = columns.iter().map(|column| column.first as usize + column.categories as usize);
        let categories = ends.max().expect("an embedding has columns");
        let is_number = |unit: &usize| columns.iter().all(|column| column.unit != *unit);
        let numbers: Vec<usize> = (0..input.units()).filter(is_number).collect();
        let vectors = if combine == Combine::Concat { columns.len() } else { 1 };
        let is_series = numbers.is_empty() && combine == Combine::Concat;
        let output = match is_series {
            true => View { channels: width * input.channels, ..input },
            false => View::flat(numbers.len() + vectors * width),
        };
        let table = Table { categories, width, errors: vectors };
        Embedding { input, output, columns, numbers, table, combine }
    }

    /// How its input is arranged.
    pub fn input(&self) -> View {
        self.input
    }

    /// Units of the input that are indices, and the rows of the table that they mean.
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// The other units, which are handed on.
    pub fn numbers(&self) -> &[usize] {
        &self.numbers
    }

    /// The shape of its table.
    pub fn table(&self) -> Table {
        self.table
    }

    /// What becomes of the vectors of a sample.
    pub fn combine(&self) -> Combine {
        self.combine
    }

    fn bag(&self) -> Option<Bag> {
        match self.combine {
            Combine::Concat => None,
            Combine::Sum => Some(Bag::Sum),
            Combine::Mean => Some(Bag::Mean),
        }
    }

    fn indices<'a>(&'a self, input: &'a [Row], samples: usize) -> Indices<'a> {
        let values = Panels::new(input, self.input.units());
        Indices { values, columns: &self.columns, samples }
    }

    fn weights<'w>(&self, shared: &'w [Row]) -> &'w [f32] {
        &shared.as_flattened()[..self.table.numbers()]
    }
}

impl Layer for Embedding {
    fn output(&self) -> View {
        self.output
    }

    fn parameters(&self) -> Parameters<'_> {
        Parameters::Table(self.table)
    }

    /// Nothing is multiplied, but as much is moved as if each number that is looked up were.
    fn work(&self) -> usize {
        self.columns.len() * self.table.width
    }

    /// The errors of the rows that each sample uses.
    fn kept(&self) -> usize {
        self.table.errors * self.table.width
    }

    fn forward(&self, at: Forward<'_>) {
        let (input, units) = (at.inputs.get(0), self.output.units());
        let samples = at.samples;
        let table = self.weights(at.weights.shared);
        let values = at.output.chunks_exact_mut(units).zip(input.chunks_exact(self.input.units()));
        for (values, input) in values {
            for (value, unit) in values.iter_mut().zip(&self.numbers) {
                *value = input[*unit];
            }
        }
        let out = PanelsMut::new(at.output, units).rows(self.numbers.len()..units);
        let (indices, width) = (self.indices(input, samples), self.table.width);
        match self.bag() {
            None => kernels::gather(at.isa, table, width, indices, out),
            Some(bag) => kernels::gather_bags(at.isa, bag, table, width, indices, out),
        }
    }

    fn backward(&self, mut at: Backward<'_>) {
        let (isa, samples, units) = (at.isa, at.samples, self.output.units());
        let indices = self.indices(at.upstream.input(0), samples);
        let errors = Panels::new(at.error, units).rows(self.numbers.len()..units);
        let rows = &mut at.kept.as_flattened_mut()[..samples * self.kept()];
        match self.bag() {
            None => kernels::error_rows(isa, errors, samples, rows),
            Some(bag) => kernels::bag_error_rows(isa, bag, indices, errors, rows),
        }
        let vectors = self.table.errors;
        at.uses.list(self.table, samples * self.columns.len(), |found| {
            indices.each_known(|row, sample, column| {
                let column = if vectors == 1 { 0 } else { column };
                found.push(Use::new(row, (sample * vectors + column) as u32));
            });
        });
        let Some(target) = at.upstream.target(0) else { return };
        if !target.add {
            target.rows.fill([0.0; LANES]);
        }
        let panels = target.rows.chunks_exact_mut(self.input.units());
        for (to, error) in panels.zip(at.error.chunks_exact(units)) {
            for (error, unit) in error.iter().zip(&self.numbers) {
                for (sum, error) in to[*unit].iter_mut().zip(error) {
                    *sum += error;
                }
            }
        }
    }
}
