//! What plugins are tried with: small tables and a model whose numbers are not easily kept.

use crate::dataset::Dataset;
use crate::dtype::Dtype;
use crate::error::Result;
use crate::model::{Activation, Dense, Layer, Loss, Model, Node, OutputKind, Scale};
use crate::random::hash;
use crate::schema::{Encoding, InputColumn, InputKind, Target};
use crate::writer::{DatasetLayout, DatasetWriter, RowBatch};
use std::path::Path;

/// Numbers that are lost where they are written with too few digits, or as integers, or as dates.
const NUMBERS: [f32; 20] = [
    0.0,
    0.1,
    -2.5,
    1.0 / 3.0,
    1.0 + f32::EPSILON,
    1.0 - f32::EPSILON / 2.0,
    255.0,
    -32_769.0,
    16_777_215.0,
    16_777_217.0,
    -2_147_483_648.0,
    4_294_967_296.0,
    1.0e10,
    -9.223_372e18,
    1.844_674_4e19,
    1.0e-40,
    f32::from_bits(1),
    -f32::MIN_POSITIVE,
    f32::MAX,
    f32::MIN,
];
/// Rows of numbers, more than are likely to be handled at a time.
const ROWS: usize = 10_000;

/// Texts that are lost where they are taken for another type, for nothing, for syntax, or for their like.
const TEXTS: [&str; 20] = [
    "",
    " ",
    " blank ",
    "null",
    "NA",
    "NaN",
    "true",
    "1",
    "01.50",
    "2020-02-30",
    "a,\"b\"\n\t'c'",
    "line\r\nline\r",
    "d;e|f",
    "\\N \\\" %s {} <&amp;>",
    "naïve ☃",
    "nai\u{308}ve ☃",
    "日本語",
    "\u{feff}mark",
    "אב\u{200f}",
    "\u{1f469}\u{200d}\u{1f52c}",
];
/// Characters of one more, which is long.
const LONG: usize = 70_000;

fn number(name: &str) -> InputColumn {
    InputColumn { name: name.to_owned(), kind: InputKind::Number { fill: None } }
}

fn numbers_encoding() -> Encoding {
    let inputs = vec![number("first"), number("second"), number("third")];
    Encoding { inputs, target: Target::Numbers { columns: vec!["target".to_owned()] } }
}

/// First the special ones, then any.
fn value(row: usize, column: usize) -> f32 {
    let any = f32::from_bits(hash(0, row as u64, column as u64) as u32);
    let is_special = row < NUMBERS.len() || !any.is_finite();
    if is_special { NUMBERS[(row + column) % NUMBERS.len()] } else { any }
}

/// A table of numbers.
pub(super) fn numbers(path: &Path) -> Result<Dataset> {
    let rows = RowBatch {
        features: (0..ROWS).flat_map(|row| (0..3).map(move |column| value(row, column))).collect(),
        targets: (0..ROWS).map(|row| value(row, 3)).collect(),
        ..RowBatch::default()
    };
    write(path, numbers_encoding(), &rows)
}

/// A table with texts.
pub(super) fn texts(path: &Path) -> Result<Dataset> {
    let mut categories = TEXTS.map(str::to_owned).to_vec();
    categories.push("long ☃ ".chars().cycle().take(LONG).collect());
    let count = categories.len();
    let text = InputKind::OneHot { categories: categories.clone() };
    let encoding = Encoding {
        inputs: vec![number("number"), InputColumn { name: "text".to_owned(), kind: text }],
        target: Target::Classes { column: "class".to_owned(), names: categories },
    };
    let row = |row: usize| {
        let one_hot = (0..count).map(move |category| f32::from(category == row));
        std::iter::once(value(row, 0)).chain(one_hot)
    };
    let rows = RowBatch {
        features: (0..count).flat_map(row).collect(),
        labels: (0..count as u32).rev().collect(),
        ..RowBatch::default()
    };
    write(path, encoding, &rows)
}

fn write(path: &Path, encoding: Encoding, rows: &RowBatch) -> Result<Dataset> {
    let layout = DatasetLayout { encoding, dtype: Some(Dtype::F32), weighted: false };
    let mut writer = DatasetWriter::create(path, layout)?;
    writer.push(rows)?;
    writer.finish()?;
    Dataset::open(path)
}

/// A network of two layers, one without a bias.
pub(super) fn model() -> Model {
    let weights = |count: usize| (0..count).map(|i| (i as f32 + 0.1) / 3.0).collect::<Vec<f32>>();
    let layer = |inputs: u32, outputs: u32, activation, bias: Option<Vec<f32>>| {
        let weights = weights((inputs * outputs) as usize);
        Layer::Dense(Dense { inputs, outputs, activation, weights, bias })
    };
    Model {
        encoding: numbers_encoding(),
        series: None,
        inputs: vec![Scale { mean: 0.1, deviation: 3.0 }; 3],
        outputs: vec![Scale { mean: -1.0 / 3.0, deviation: 0.7 }],
        nodes: Node::chain([
            layer(3, 4, Activation::Elu { alpha: 0.1 }, Some(weights(4))),
            layer(4, 1, Activation::Identity, None),
        ]),
        output: OutputKind::Values,
        loss: Some(Loss::Huber { delta: Some(0.1) }),
        training: Vec::new(),
    }
}
