//! Products with matrices: dense layers.

use super::layout::Layout;
use super::operator::Operator;
use super::reader::{Reader, Value};
use crate::model::{Activation, Dense, Layer, View};

impl<'a> Reader<'a> {
    pub(super) fn gemm(&mut self, operator: &Operator<'a>) -> Result<(), String> {
        for name in ["alpha", "beta"] {
            let factor = operator.float(name, 1.0);
            if factor != 1.0 {
                return Err(format!("has the attribute {name} = {factor}; 1 is supported"));
            }
        }
        operator.expect("transA", 0, 0)?;
        self.product(operator, operator.integer("transB", 0) != 0)?;
        match operator.input(2) {
            Some(_) => self.set_bias(operator, 2, self.last_outputs()),
            None => Ok(()),
        }
    }

    /// A product with a matrix of inputs x outputs, or of its transpose.
    pub(super) fn product(
        &mut self,
        operator: &Operator<'a>,
        is_transposed: bool,
    ) -> Result<(), String> {
        let value = self.value(operator, 0)?;
        let matrix = self.constant(operator, 1)?.numbers()?;
        let &[rows, columns] = matrix.info.shape.as_slice() else {
            let shape = &matrix.info.shape;
            return Err(format!(
                "multiplies by something of the shape {shape:?}, expected a matrix"
            ));
        };
        let (inputs, outputs) = if is_transposed { (columns, rows) } else { (rows, columns) };
        if value.layout.sizes() != [None, Some(inputs)] {
            let sizes = value.layout.sizes();
            return Err(format!(
                "multiplies a value of the sizes {sizes:?} by a matrix for {inputs}"
            ));
        }
        // Where our layer has the value that the matrix has at a place.
        let order = value.layout.order();
        let mut weights = vec![0.0; inputs * outputs];
        for output in 0..outputs {
            for (input, &unit) in order.iter().enumerate() {
                let place =
                    if is_transposed { output * inputs + input } else { input * outputs + output };
                weights[output * inputs + unit] = matrix.values[place];
            }
        }
        let width = |size| u32::try_from(size).map_err(|_| "is too wide".to_owned());
        let (activation, bias) = (Activation::Identity, None);
        let dense =
            Dense { inputs: width(inputs)?, outputs: width(outputs)?, activation, weights, bias };
        let source = self.push(Layer::Dense(dense), vec![value.source]);
        self.opened(operator);
        self.give(
            operator,
            0,
            Value { source, view: View::flat(outputs), layout: Layout::flat(outputs) },
        );
        Ok(())
    }

    /// Takes what a node gives as sums to which a function may be applied: those of the last layer.
    pub(super) fn opened(&mut self, operator: &Operator<'a>) {
        if let Some(output) = operator.output(0) {
            self.open.insert(output, self.nodes.len() - 1);
        }
    }

    /// How many values the last layer gives, if it is a dense one.
    fn last_outputs(&self) -> usize {
        match self.nodes.last().map(|node| &node.layer) {
            Some(Layer::Dense(dense)) => dense.outputs as usize,
            _ => 0,
        }
    }

    /// Gives the last layer, of this many outputs, a bias.
    fn set_bias(
        &mut self,
        operator: &Operator<'a>,
        input: usize,
        outputs: usize,
    ) -> Result<(), String> {
        let constant = self.constant(operator, input)?.numbers()?;
        let elements = Layout::flat(outputs).combined_with(&constant.info.shape)?;
        let numbers = elements.into_iter().map(|element| constant.values[element]).collect();
        if let Some(Layer::Dense(dense)) = self.nodes.last_mut().map(|node| &mut node.layer) {
            dense.bias = Some(numbers);
        }
        Ok(())
    }

    /// What is added to a product, if a constant is; whether it was a bias.
    pub(super) fn bias(&mut self, operator: &Operator<'a>, value: usize) -> Result<bool, String> {
        let name = operator.needed(value)?;
        let Some(&node) = self.open.get(name) else { return Ok(false) };
        let is_bare = matches!(
            &self.nodes[node].layer,
            Layer::Dense(Dense { bias: None, activation: Activation::Identity, .. })
        );
        if !is_bare || node + 1 != self.nodes.len() || self.uses(name) != 1 {
            return Ok(false);
        }
        let sums = self.value(operator, value)?;
        let outputs = self.last_outputs();
        if sums.layout != Layout::flat(outputs) {
            return Ok(false);
        }
        self.set_bias(operator, 1 - value, outputs)?;
        self.opened(operator);
        self.give(operator, 0, sums);
        Ok(true)
    }
}
