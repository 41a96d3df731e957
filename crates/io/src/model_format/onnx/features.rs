//! How the features of a row may lie in the input of another program's graph.

use super::import::{Constant, Layout};
use super::proto::{NodeProto, ValueInfoProto};
use crate::model::View;
use std::collections::HashMap;

/// More features than any table has columns.
const MOST: usize = 1 << 20;

/// The layouts that an input may have, the likeliest first: a value of three or four dimensions has channels
/// before positions, or after them. Features are position by position in either.
///
/// # Errors
/// Its sizes are not known, or are not those of rows.
pub(super) fn layouts(
    input: &ValueInfoProto,
    nodes: &[NodeProto],
    constants: &HashMap<&str, Constant>,
) -> Result<Vec<Layout>, String> {
    let sizes = sizes(input);
    let refuse = || {
        let (name, sizes) = (&input.name, shown(&sizes));
        format!(
            "its input \"{name}\" has the sizes {sizes}, expected rows and known sizes of up to three dimensions"
        )
    };
    // The number of rows is what is not fixed.
    let rows = sizes.iter().position(Option::is_none).unwrap_or(0);
    let mut others = sizes.clone();
    if rows < others.len() {
        others.remove(rows);
    }
    if others.len() <= 1 && others.iter().all(Option::is_none) {
        others = vec![first_width(nodes, constants)];
    }
    let others = others.into_iter().collect::<Option<Vec<usize>>>().ok_or_else(refuse)?;
    let units = others.iter().try_fold(1usize, |units, &size| units.checked_mul(size));
    if !units.is_some_and(|units| (1..=MOST).contains(&units)) {
        return Err(refuse());
    }
    let rank = others.len() + 1;
    Ok(match (others.as_slice(), rows) {
        (&[features], 0) => vec![Layout::flat(features)],
        (&[a, b], 0) => {
            let first = View { height: 1, width: b, channels: a };
            let last = View { height: 1, width: a, channels: b };
            vec![Layout::channels_first(first, rank), Layout::channels_last(last, rank, 0)]
        }
        (&[width, channels], rows) => {
            vec![Layout::channels_last(View { height: 1, width, channels }, rank, rows)]
        }
        (&[a, b, c], 0) => {
            let first = View { height: b, width: c, channels: a };
            let last = View { height: a, width: b, channels: c };
            vec![Layout::channels_first(first, rank), Layout::channels_last(last, rank, 0)]
        }
        _ => return Err(refuse()),
    })
}

/// The sizes of an input, where they are fixed.
fn sizes(input: &ValueInfoProto) -> Vec<Option<usize>> {
    let tensor = input.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let shape = tensor.and_then(|tensor| tensor.shape.as_ref());
    let size = |size: Option<i64>| size.and_then(|size| usize::try_from(size).ok());
    shape.map_or_else(Vec::new, |shape| shape.dim.iter().map(|dim| size(dim.dim_value)).collect())
}

fn shown(sizes: &[Option<usize>]) -> String {
    let size = |size: &Option<usize>| size.map_or("?".to_owned(), |size| size.to_string());
    Vec::from_iter(sizes.iter().map(size)).join(" x ")
}

/// How many features the first product takes, where the input does not say.
fn first_width(nodes: &[NodeProto], constants: &HashMap<&str, Constant>) -> Option<usize> {
    let product = nodes.iter().find(|node| ["Gemm", "MatMul"].contains(&node.op_type.as_str()))?;
    let Constant::Numbers(matrix) = constants.get(product.input.get(1)?.as_str())? else {
        return None;
    };
    let is_transposed = product.attribute.iter().any(|a| a.name == "transB" && a.i == Some(1));
    matrix.info.shape.get(usize::from(is_transposed)).copied()
}
