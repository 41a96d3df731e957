//! What plugins are tried with: small tables and a model whose numbers are not easily kept.

use crate::dataset::Dataset;
use crate::dtype::Dtype;
use crate::error::Result;
use crate::model::{ActivationSpec, DenseLayer, Model, OutputKind, Scale};
use crate::schema::{Encoding, InputColumn, InputKind, Target};
use crate::writer::{DatasetWriter, Layout, Rows};
use std::path::Path;

/// Numbers that are lost where they are written with too few digits, or as integers.
const NUMBERS: [f32; 8] =
    [0.1, -2.5, 16_777_217.0, 1.0e-40, f32::MAX, -f32::MIN_POSITIVE, 1.0 / 3.0, 1.0e10];
const CATEGORIES: [&str; 4] = [" blank ", "a,\"b\"\n\t'c'", "d;e|f", "naïve ☃"];

fn number(name: &str) -> InputColumn {
    InputColumn { name: name.to_owned(), kind: InputKind::Number { fill: None } }
}

fn numbers_encoding() -> Encoding {
    let inputs = vec![number("first"), number("second"), number("third")];
    Encoding { inputs, target: Target::Numbers { columns: vec!["target".to_owned()] } }
}

/// A table of numbers.
pub(super) fn numbers(path: &Path) -> Result<Dataset> {
    let row = |row: usize| (0..3).map(move |column| NUMBERS[(row + column) % NUMBERS.len()]);
    let rows = Rows {
        features: (0..NUMBERS.len()).flat_map(row).collect(),
        targets: NUMBERS.to_vec(),
        ..Rows::default()
    };
    write(path, numbers_encoding(), &rows)
}

/// A table with texts.
pub(super) fn texts(path: &Path) -> Result<Dataset> {
    let categories: Vec<String> = CATEGORIES.map(str::to_owned).to_vec();
    let text = InputKind::OneHot { categories: categories.clone() };
    let encoding = Encoding {
        inputs: vec![number("number"), InputColumn { name: "text".to_owned(), kind: text }],
        target: Target::Classes { column: "class".to_owned(), names: categories },
    };
    let row = |row: usize| {
        let one_hot = (0..CATEGORIES.len()).map(move |category| f32::from(category == row));
        std::iter::once(NUMBERS[row]).chain(one_hot)
    };
    let rows = Rows {
        features: (0..CATEGORIES.len()).flat_map(row).collect(),
        labels: (0..CATEGORIES.len() as u32).rev().collect(),
        ..Rows::default()
    };
    write(path, encoding, &rows)
}

fn write(path: &Path, encoding: Encoding, rows: &Rows) -> Result<Dataset> {
    let layout = Layout { encoding, dtype: Some(Dtype::F32), weighted: false };
    let mut writer = DatasetWriter::create(path, layout)?;
    writer.push(rows)?;
    writer.finish()?;
    Dataset::open(path)
}

/// A network of two layers, one without a bias.
pub(super) fn model() -> Model {
    let weights = |count: usize| (0..count).map(|i| (i as f32 + 0.1) / 3.0).collect::<Vec<f32>>();
    let activation = |name: &str| ActivationSpec { name: name.to_owned(), parameter: None };
    let layer = |inputs: u32, outputs: u32, name: &str, bias: Option<Vec<f32>>| DenseLayer {
        inputs,
        outputs,
        activation: activation(name),
        weights: weights((inputs * outputs) as usize),
        bias,
    };
    Model {
        encoding: numbers_encoding(),
        inputs: vec![Scale { mean: 0.1, deviation: 3.0 }; 3],
        outputs: vec![Scale { mean: -1.0 / 3.0, deviation: 0.7 }],
        layers: vec![layer(3, 4, "relu", Some(weights(4))), layer(4, 1, "identity", None)],
        output: OutputKind::Values,
        training: Vec::new(),
    }
}
