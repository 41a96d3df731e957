//! Nodes that arrange values and compute nothing.

use super::constant::Constant;
use super::layout::ROWS;
use super::operator::Operator;
use super::reader::{Reader, Value};
use crate::tensor::Tensor;

impl<'a> Reader<'a> {
    pub(super) fn shape(&mut self, operator: &Operator<'a>) -> Result<(), String> {
        match operator.node.op_type.as_str() {
            "ConstantOfShape" => {
                operator.pass("value");
                let value =
                    operator.node.attribute.iter().find_map(|attribute| attribute.t.as_ref());
                let number = match value {
                    Some(value) => Constant::read(value)?.numbers()?.values[0],
                    None => 0.0,
                };
                let constant = Tensor::new("", [], vec![number]);
                self.give_constant(operator, Constant::Numbers(constant));
                return Ok(());
            }
            // States of zeros, as many as there are rows.
            "Expand" => {
                let zeros = self.constant(operator, 0)?.clone();
                if zeros.numbers()?.values.iter().any(|&number| number != 0.0) {
                    return Err("repeats other than zeros".to_owned());
                }
                self.give_constant(operator, zeros);
                return Ok(());
            }
            _ => {}
        }
        let value = self.value(operator, 0)?;
        let layout = match operator.node.op_type.as_str() {
            "Identity" => value.layout,
            "Dropout" => {
                operator.pass("ratio");
                operator.pass("seed");
                if self.is_taken(operator, 1) {
                    return Err("gives a mask".to_owned());
                }
                value.layout
            }
            "Flatten" => {
                operator.expect("axis", 1, 1)?;
                value.layout.reshaped(&[0, -1])?
            }
            "Reshape" => {
                let sizes = self.constant(operator, 1)?.integers()?;
                if operator.integer("allowzero", 0) != 0 && sizes.contains(&0) {
                    return Err("has the attribute allowzero and a size of 0".to_owned());
                }
                value.layout.reshaped(sizes)?
            }
            "Transpose" => {
                let reversed = Vec::from_iter((0..value.layout.rank() as i64).rev());
                value.layout.transposed(operator.integers("perm").unwrap_or(&reversed))?
            }
            "Squeeze" => value.layout.squeezed(self.axes(operator)?.as_deref())?,
            "Unsqueeze" => value.layout.unsqueezed(&self.axes(operator)?.unwrap_or_default())?,
            // Sizes, of which that of the rows is not known.
            _ => {
                let sizes = value.layout.sizes();
                let place = |place: i64| {
                    let counted = if place < 0 { place + sizes.len() as i64 } else { place };
                    usize::try_from(counted).unwrap_or(0).min(sizes.len())
                };
                let (start, end) =
                    (place(operator.integer("start", 0)), place(operator.integer("end", i64::MAX)));
                let sizes = sizes.get(start..end).unwrap_or_default().iter();
                let values = sizes.map(|size| size.map_or(ROWS, |size| size as i64)).collect();
                self.give_constant(operator, Constant::Integers { values, is_scalar: false });
                return Ok(());
            }
        };
        // What a function is applied to next are still the sums.
        if let (Some(&node), Some(output)) =
            (self.open.get(operator.needed(0)?), operator.output(0))
            && self.uses(operator.needed(0)?) == 1
        {
            self.open.insert(output, node);
        }
        self.give(operator, 0, Value { layout, ..value });
        Ok(())
    }

    /// The dimensions that an attribute or the second input names.
    pub(super) fn axes(&self, operator: &Operator<'a>) -> Result<Option<Vec<i64>>, String> {
        let attribute = operator.integers("axes").map(<[i64]>::to_vec);
        match operator.input(1) {
            Some(_) => Ok(Some(self.constant(operator, 1)?.integers()?.to_vec())),
            None => Ok(attribute),
        }
    }
}
