//! A graph under construction: nodes, constants, inputs and outputs. What is computed is not known here.

use super::proto::{
    ATTRIBUTE_FLOAT, ATTRIBUTE_FLOATS, ATTRIBUTE_INT, ATTRIBUTE_INTS, ATTRIBUTE_STRING,
    ATTRIBUTE_STRINGS, AttributeProto, DimensionProto, FLOAT, GraphProto, INT64, NodeProto, STRING,
    TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};
use crate::tensor::{Tensor, TensorInfo};

/// Domain of the operators that encode text.
pub(super) const TEXT_DOMAIN: &str = "ai.onnx.ml";

/// The operators of that domain.
const TEXT_OPERATORS: [&str; 2] = ["LabelEncoder", "OneHotEncoder"];

/// A graph under construction. Values are called by the names that the methods take.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) nodes: Vec<NodeProto>,
    pub(super) constants: Vec<TensorProto>,
    pub(super) inputs: Vec<ValueInfoProto>,
    pub(super) outputs: Vec<ValueInfoProto>,
}

impl Graph {
    /// Appends an operation that makes `output` of `inputs`, and returns that name.
    pub(super) fn node(
        &mut self,
        operator: &str,
        inputs: &[&str],
        output: &str,
        attributes: Vec<AttributeProto>,
    ) -> String {
        self.node_with_outputs(operator, inputs, &[output], attributes);
        output.to_owned()
    }

    /// Appends an operation that makes several `outputs` of `inputs`; one that is not needed has no name.
    pub(super) fn node_with_outputs(
        &mut self,
        operator: &str,
        inputs: &[&str],
        outputs: &[&str],
        attributes: Vec<AttributeProto>,
    ) {
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
        self.nodes.push(NodeProto {
            input: names(inputs),
            output: names(outputs),
            name: outputs.iter().copied().find(|name| !name.is_empty()).unwrap_or("").to_owned(),
            op_type: operator.to_owned(),
            attribute: attributes,
            domain: if TEXT_OPERATORS.contains(&operator) { TEXT_DOMAIN } else { "" }.to_owned(),
        });
    }

    /// Whether there is an operation that makes `output`.
    pub(super) fn gives(&self, output: &str) -> bool {
        self.nodes.iter().any(|node| node.output.iter().any(|name| name == output))
    }

    /// Appends an operation that arranges each row otherwise, and returns `output`.
    pub(super) fn reshape(&mut self, input: &str, output: &str, sizes: &[usize]) -> String {
        let shape = format!("{output}/shape");
        // 0: the number of rows stays what it is.
        self.positions(&shape, &[&[0], sizes].concat());
        self.node("Reshape", &[input, &shape], output, vec![])
    }

    /// A constant of numbers.
    pub(super) fn numbers(&mut self, tensor: &Tensor<'_>) {
        let TensorInfo { name, shape, .. } = &tensor.info;
        let dims = shape.iter().map(|&size| size as i64).collect();
        let (name, raw_data) = (name.clone(), Some(tensor.bytes()));
        let constant = TensorProto { dims, data_type: FLOAT, name, raw_data, ..Default::default() };
        self.constants.push(constant);
    }

    /// A constant of positions.
    pub(super) fn positions(&mut self, name: &str, positions: &[usize]) {
        self.constants.push(TensorProto {
            dims: vec![positions.len() as i64],
            data_type: INT64,
            name: name.to_owned(),
            int64_data: positions.iter().map(|&position| position as i64).collect(),
            ..Default::default()
        });
    }

    /// A constant of texts.
    pub(super) fn texts(&mut self, name: &str, texts: &[String]) {
        self.constants.push(TensorProto {
            dims: vec![texts.len() as i64],
            data_type: STRING,
            name: name.to_owned(),
            string_data: texts.iter().map(|text| text.clone().into_bytes()).collect(),
            ..Default::default()
        });
    }

    /// An input of a row per sample.
    pub(super) fn input(&mut self, name: &str, element: i32, width: usize) {
        self.inputs.push(rows(name, element, Some(width)));
    }

    /// An output of a row per sample; `None` where a row is a single value without a dimension of its own.
    pub(super) fn output(&mut self, name: &str, element: i32, width: Option<usize>) {
        self.outputs.push(rows(name, element, width));
    }

    pub(super) fn finish(self) -> GraphProto {
        GraphProto {
            node: self.nodes,
            name: "gristmill".to_owned(),
            initializer: self.constants,
            input: self.inputs,
            output: self.outputs,
        }
    }
}

fn rows(name: &str, element: i32, width: Option<usize>) -> ValueInfoProto {
    let samples = DimensionProto { dim_value: None, dim_param: Some("N".to_owned()) };
    let width = width.map(|w| DimensionProto { dim_value: Some(w as i64), dim_param: None });
    let shape = TensorShapeProto { dim: std::iter::once(samples).chain(width).collect() };
    let tensor = TensorTypeProto { elem_type: element, shape: Some(shape) };
    let r#type = Some(TypeProto { tensor_type: Some(tensor) });
    ValueInfoProto { name: name.to_owned(), r#type }
}

/// An attribute that is a whole number.
pub(super) fn integer(name: &str, value: i64) -> AttributeProto {
    let (i, r#type) = (Some(value), ATTRIBUTE_INT);
    AttributeProto { name: name.to_owned(), i, r#type, ..Default::default() }
}

/// An attribute that is a number.
pub(super) fn float(name: &str, value: f32) -> AttributeProto {
    let (f, r#type) = (Some(value), ATTRIBUTE_FLOAT);
    AttributeProto { name: name.to_owned(), f, r#type, ..Default::default() }
}

/// An attribute that is a list of whole numbers.
pub(super) fn integers(name: &str, values: &[usize]) -> AttributeProto {
    let ints = values.iter().map(|&value| value as i64).collect();
    AttributeProto { name: name.to_owned(), ints, r#type: ATTRIBUTE_INTS, ..Default::default() }
}

/// An attribute that is a list of numbers.
pub(super) fn floats(name: &str, values: Vec<f32>) -> AttributeProto {
    let (name, floats) = (name.to_owned(), values);
    AttributeProto { name, floats, r#type: ATTRIBUTE_FLOATS, ..Default::default() }
}

/// An attribute that is a text.
pub(super) fn text(name: &str, value: &str) -> AttributeProto {
    let s = Some(value.as_bytes().to_vec());
    AttributeProto { name: name.to_owned(), s, r#type: ATTRIBUTE_STRING, ..Default::default() }
}

/// An attribute that is a list of texts.
pub(super) fn strings(name: &str, values: &[String]) -> AttributeProto {
    let strings = values.iter().map(|value| value.clone().into_bytes()).collect();
    AttributeProto {
        name: name.to_owned(),
        strings,
        r#type: ATTRIBUTE_STRINGS,
        ..Default::default()
    }
}
