//! Embeddings: rows of the table, and zeros in place of those of no category.

use super::body::Body;
use crate::model::{Combine, Embedding, View};

const NUMBERS: &str = "
    for (int i = 0; i < numbers; i++) *y++ = x[number[i]];
";

const SIDE_BY_SIDE: &str = "
    for (int k = 0; k < columns; k++, y += size) {
        const float index = x[unit[k]];
        const int is_known = index >= 0.0f && index < (float)count[k];
        const float *vector = weight + (long)(first[k] + (is_known ? (int)index : 0)) * size;
        for (int i = 0; i < size; i++) y[i] = is_known ? vector[i] : 0.0f;
    }
";

const TOGETHER: &str = "
    int known = 0;
    for (int i = 0; i < size; i++) y[i] = 0.0f;
    for (int k = 0; k < columns; k++) {
        const float index = x[unit[k]];
        if (!(index >= 0.0f && index < (float)count[k])) continue;
        const float *vector = weight + (long)(first[k] + (int)index) * size;
        for (int i = 0; i < size; i++) y[i] += vector[i];
        known++;
    }
    DIVIDE
";

pub(super) fn body(embedding: &Embedding, input: View) -> Body {
    let columns = &embedding.columns;
    let units = Vec::from_iter(columns.iter().map(|column| column.unit));
    let numbers = Vec::from_iter((0..input.units()).filter(|unit| !units.contains(unit)));
    let vectors = match embedding.combine {
        Combine::Concat => SIDE_BY_SIDE.to_owned(),
        Combine::Sum => TOGETHER.replace("DIVIDE", "(void)known;"),
        Combine::Mean => {
            let divide = "for (int i = 0; i < size && known > 0; i++) y[i] /= (float)known;";
            TOGETHER.replace("DIVIDE", divide)
        }
    };
    let mut template = vectors.trim_start().to_owned();
    template.insert_str(0, "    ");
    let mut sizes = vec![("size", embedding.size), ("columns", columns.len())];
    if !numbers.is_empty() {
        template.insert_str(0, NUMBERS);
        sizes.push(("numbers", numbers.len()));
    }
    let body = Body::new(&template, &sizes)
        .with_array("unit", units)
        .with_array("first", columns.iter().map(|column| column.first as usize).collect())
        .with_array("count", columns.iter().map(|column| column.categories as usize).collect());
    match numbers.is_empty() {
        true => body,
        false => body.with_array("number", numbers),
    }
}
