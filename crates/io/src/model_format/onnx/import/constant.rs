//! Constants of a graph that is read, and operators on constants alone, which are computed at once.

use super::layout::ROWS;
use super::operator::Operator;
use crate::model_format::onnx::proto::{AttributeProto, FLOAT, INT64, TensorProto};
use crate::tensor::{Tensor, TensorInfo};

/// A constant.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::model_format::onnx) enum Constant {
    Numbers(Tensor<'static>),
    /// Whole numbers, such as sizes and places, in one dimension or none.
    Integers {
        values: Vec<i64>,
        is_scalar: bool,
    },
}

impl Constant {
    /// The constant of a file.
    ///
    /// # Errors
    /// It is of a type that is not read, lies in another file, or does not fit its shape.
    pub(in crate::model_format::onnx) fn read(proto: &TensorProto) -> Result<Constant, String> {
        if proto.data_location != 0 {
            return Err("lies in another file; save the model with all its data in one".to_owned());
        }
        match proto.data_type {
            FLOAT => numbers(proto).map(Constant::Numbers),
            INT64 => integers(proto),
            code => {
                Err(format!("has elements of type {code}, expected {FLOAT} (f32) or {INT64} (i64)"))
            }
        }
    }

    /// What a node `Constant` gives.
    pub(super) fn given(attributes: &[AttributeProto]) -> Result<Constant, String> {
        let [attribute] = attributes else { return Err("gives no single constant".to_owned()) };
        let numbers = |values: Vec<f32>, shape: Vec<usize>| {
            Constant::Numbers(Tensor::new(attribute.name.as_str(), shape, values))
        };
        match (attribute.name.as_str(), &attribute.t) {
            ("value", Some(tensor)) => Constant::read(tensor),
            ("value_float", _) => Ok(numbers(vec![attribute.f.unwrap_or_default()], vec![])),
            ("value_int", _) => {
                let values = vec![attribute.i.unwrap_or_default()];
                Ok(Constant::Integers { values, is_scalar: true })
            }
            ("value_ints", _) => {
                Ok(Constant::Integers { values: attribute.ints.clone(), is_scalar: false })
            }
            (name, _) => Err(format!("has the attribute {name}, which is not understood")),
        }
    }

    /// # Errors
    /// It has whole numbers.
    pub(super) fn numbers(&self) -> Result<&Tensor<'static>, String> {
        match self {
            Constant::Numbers(tensor) => Ok(tensor),
            Constant::Integers { .. } => Err("holds whole numbers, expected f32".to_owned()),
        }
    }

    /// # Errors
    /// It has numbers that are not whole.
    pub(super) fn integers(&self) -> Result<&[i64], String> {
        match self {
            Constant::Integers { values, .. } => Ok(values),
            Constant::Numbers(_) => Err("holds f32, expected whole numbers".to_owned()),
        }
    }
}

/// The numbers of a constant.
///
/// # Errors
/// They do not fit its shape.
pub(in crate::model_format::onnx) fn numbers(
    proto: &TensorProto,
) -> Result<Tensor<'static>, String> {
    let size = |&size: &i64| usize::try_from(size).map_err(|_| "has a negative size".to_owned());
    let shape = proto.dims.iter().map(size).collect::<Result<Vec<_>, _>>()?;
    let info = TensorInfo::new(proto.name.as_str(), shape);
    match &proto.raw_data {
        Some(bytes) => Tensor::from_bytes(info, bytes),
        None => {
            let bytes: Vec<u8> = proto.float_data.iter().flat_map(|x| x.to_le_bytes()).collect();
            Tensor::from_bytes(info, &bytes)
        }
    }
}

fn integers(proto: &TensorProto) -> Result<Constant, String> {
    let values = match &proto.raw_data {
        Some(bytes) => {
            let (values, rest) = bytes.as_chunks::<8>();
            if !rest.is_empty() {
                return Err("has data that are no i64".to_owned());
            }
            values.iter().map(|value| i64::from_le_bytes(*value)).collect()
        }
        None => proto.int64_data.clone(),
    };
    match proto.dims.as_slice() {
        [] if values.len() == 1 => Ok(Constant::Integers { values, is_scalar: true }),
        [size] if *size == values.len() as i64 => {
            Ok(Constant::Integers { values, is_scalar: false })
        }
        dims => Err(format!("has whole numbers of the shape {dims:?}, expected one dimension")),
    }
}

/// What an operator makes of constants; `None` if it is none that is computed here.
///
/// # Errors
/// It does not fit its inputs.
pub(super) fn folded(
    operator: &Operator,
    inputs: &[&Constant],
) -> Option<Result<Constant, String>> {
    let axes = |at: usize| match inputs.get(at) {
        Some(constant) => constant.integers().map(<[i64]>::to_vec),
        None => Ok(operator.integers("axes").unwrap_or_default().to_vec()),
    };
    Some(match (operator.node.op_type.as_str(), inputs) {
        ("Identity", [input]) => Ok((*input).clone()),
        ("Gather", [input, places]) => {
            operator.expect("axis", 0, 0).and_then(|()| gather(input, places))
        }
        ("Concat", parts) if !parts.is_empty() => {
            operator.expect("axis", 0, 0).and_then(|()| concat(parts))
        }
        ("Unsqueeze", [input, ..]) => axes(1).and_then(|axes| unsqueeze(input, &axes)),
        ("Slice", [input, starts, ends, ..]) if inputs.len() <= 4 => {
            slice(input, starts, ends, inputs.get(3))
        }
        ("Mul", [Constant::Integers { values: a, .. }, Constant::Integers { values: b, .. }]) => {
            multiply(a, b)
        }
        ("Reshape", [Constant::Integers { values, .. }, _]) => {
            operator.pass("allowzero");
            Ok(Constant::Integers { values: values.clone(), is_scalar: false })
        }
        ("Transpose", [Constant::Numbers(input)]) => transpose(operator.integers("perm"), input),
        _ => return None,
    })
}

/// Parts of the first dimension.
fn gather(input: &Constant, places: &Constant) -> Result<Constant, String> {
    let is_one = matches!(places, Constant::Integers { is_scalar: true, .. });
    let count = match input {
        Constant::Numbers(tensor) => tensor.info.shape.first().copied().unwrap_or(0),
        Constant::Integers { values, .. } => values.len(),
    };
    let place = |&place: &i64| {
        let counted = if place < 0 { place + count as i64 } else { place };
        let found = usize::try_from(counted).ok().filter(|place| *place < count);
        found.ok_or_else(|| format!("takes the part {place} of {count}"))
    };
    let places = places.integers()?.iter().map(place).collect::<Result<Vec<_>, _>>()?;
    match input {
        Constant::Integers { values, .. } => {
            let values = places.into_iter().map(|place| values[place]).collect();
            Ok(Constant::Integers { values, is_scalar: is_one })
        }
        Constant::Numbers(_) if is_one => Err("takes a single part of numbers".to_owned()),
        Constant::Numbers(tensor) => {
            let mut shape = tensor.info.shape.clone();
            let part = tensor.values.len() / count.max(1);
            let values: Vec<f32> = places
                .iter()
                .flat_map(|place| &tensor.values[place * part..][..part])
                .copied()
                .collect();
            shape[0] = places.len();
            Ok(Constant::Numbers(Tensor::new("", shape, values)))
        }
    }
}

/// One after the other along the first dimension.
fn concat(parts: &[&Constant]) -> Result<Constant, String> {
    if parts.iter().all(|part| part.integers().is_ok()) {
        let values =
            parts.iter().flat_map(|part| part.integers().unwrap_or_default()).copied().collect();
        return Ok(Constant::Integers { values, is_scalar: false });
    }
    let tensors = parts.iter().map(|part| part.numbers()).collect::<Result<Vec<_>, _>>()?;
    let mut shape = tensors[0].info.shape.clone();
    if tensors.iter().any(|tensor| tensor.info.shape.get(1..) != shape.get(1..)) || shape.is_empty()
    {
        return Err("joins constants of other shapes".to_owned());
    }
    shape[0] = tensors.iter().map(|tensor| tensor.info.shape[0]).sum();
    let values: Vec<f32> =
        tensors.iter().flat_map(|tensor| tensor.values.iter()).copied().collect();
    Ok(Constant::Numbers(Tensor::new("", shape, values)))
}

/// A part of whole numbers; of zeros, that they are zeros is all that matters.
fn slice(
    input: &Constant,
    starts: &Constant,
    ends: &Constant,
    axes: Option<&&Constant>,
) -> Result<Constant, String> {
    let values = match input {
        Constant::Integers { values, .. } => values,
        Constant::Numbers(tensor) if tensor.values.iter().all(|&number| number == 0.0) => {
            return Ok(input.clone());
        }
        Constant::Numbers(_) => return Err("takes a part of constant numbers".to_owned()),
    };
    let axes = axes.map_or(Ok(&[0][..]), |axes| axes.integers())?;
    match (starts.integers()?, ends.integers()?, axes) {
        (&[start], &[end], [0 | -1]) => {
            let count = values.len() as i64;
            let place = |place: i64| {
                let counted = if place < 0 { place.saturating_add(count) } else { place };
                counted.clamp(0, count) as usize
            };
            let values = values.get(place(start)..place(end)).unwrap_or_default().to_vec();
            Ok(Constant::Integers { values, is_scalar: false })
        }
        (starts, ends, axes) => {
            Err(format!("takes the part {starts:?} to {ends:?} along {axes:?}"))
        }
    }
}

/// The product of sizes.
fn multiply(a: &[i64], b: &[i64]) -> Result<Constant, String> {
    let product = |(&a, &b): (&i64, &i64)| match [a, b].contains(&ROWS) {
        true => Err("multiplies the number of rows, which is not known".to_owned()),
        false => a.checked_mul(b).ok_or_else(|| format!("multiplies {a} by {b}")),
    };
    if a.len() != b.len() {
        return Err(format!("multiplies {} sizes by {}", a.len(), b.len()));
    }
    let values = a.iter().zip(b).map(product).collect::<Result<_, _>>()?;
    Ok(Constant::Integers { values, is_scalar: false })
}

fn unsqueeze(input: &Constant, axes: &[i64]) -> Result<Constant, String> {
    match (input, axes) {
        (Constant::Integers { values, is_scalar: true }, [0]) => {
            Ok(Constant::Integers { values: values.clone(), is_scalar: false })
        }
        (Constant::Numbers(tensor), [axis]) => {
            let (mut shape, rank) = (tensor.info.shape.clone(), tensor.info.shape.len() as i64);
            let place = if *axis < 0 { axis + rank + 1 } else { *axis };
            let place = usize::try_from(place).ok().filter(|place| *place <= shape.len());
            shape.insert(place.ok_or_else(|| format!("has the axes {axes:?}"))?, 1);
            Ok(Constant::Numbers(Tensor::new("", shape, tensor.values.to_vec())))
        }
        _ => Err(format!("has the axes {axes:?}")),
    }
}

/// Of matrices.
fn transpose(order: Option<&[i64]>, input: &Tensor) -> Result<Constant, String> {
    match (input.info.shape.as_slice(), order) {
        (&[rows, columns], None | Some([1, 0])) => {
            let column = |column| input.values.iter().skip(column).step_by(columns).copied();
            let values: Vec<f32> = (0..columns).flat_map(column).collect();
            Ok(Constant::Numbers(Tensor::new("", [columns, rows], values)))
        }
        (shape, order) => Err(format!("arranges a constant of the shape {shape:?} by {order:?}")),
    }
}
