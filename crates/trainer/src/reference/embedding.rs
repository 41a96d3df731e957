//! Embeddings: the rows of a table that the inputs name, side by side, added up, or as their mean.

use super::formula::{At, Formula};
use super::number::Number;
use crate::layer::Embedding;
use crate::layer::embedding::Combine;

impl Formula for Embedding {
    fn values<N: Number>(&self, at: At<'_, N>) -> Vec<Vec<N>> {
        let (table, width) = (&at.parameters[0], self.table().width);
        at.each(|inputs, _| {
            let mut values: Vec<N> = self.numbers().iter().map(|&unit| inputs[unit]).collect();
            let mut sum = vec![N::from(0.0); width];
            let mut count = 0.0;
            for column in self.columns() {
                let index = inputs[column.unit].value();
                let is_known = (0.0..f64::from(column.categories)).contains(&index);
                let row = column.first as usize + index as usize;
                let vector = match is_known {
                    true => table[row * width..][..width].to_vec(),
                    false => vec![N::from(0.0); width],
                };
                count += f64::from(u8::from(is_known));
                match self.combine() {
                    Combine::Concat => values.extend(vector),
                    Combine::Sum | Combine::Mean => {
                        sum = sum.into_iter().zip(vector).map(|(sum, x)| sum + x).collect();
                    }
                }
            }
            match self.combine() {
                Combine::Concat => {}
                Combine::Sum => values.extend(sum),
                Combine::Mean => {
                    values.extend(sum.into_iter().map(|x| x / N::from(count.max(1.0))));
                }
            }
            values
        })
    }
}
