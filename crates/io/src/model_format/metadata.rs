//! What of a model is no tensor, as JSON: the text that stands under the name `gristmill` in files of
//! every format that can be read back. `docs/formats.md` specifies it.
//!
//! Numbers are written as the f64 that equals the f32, so that they are read as the same bits.

use crate::model::{ActivationSpec, Model, OutputKind};
use crate::schema::{Encoding, InputColumn, InputKind, Target};
use serde::{Deserialize, Serialize};

/// The name that the text stands under.
pub(super) const KEY: &str = "gristmill";
/// The version written and read.
const VERSION: u32 = 1;

/// What of a model is no tensor.
pub(super) struct Metadata {
    /// `None` where the file names no columns: they get names by position then.
    pub(super) encoding: Option<Encoding>,
    /// One per layer.
    pub(super) activations: Vec<ActivationSpec>,
    pub(super) output: OutputKind,
    pub(super) training: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    version: u32,
    output: OutputWire,
    activations: Vec<ActivationWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<EncodingWire>,
    #[serde(default)]
    training: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum OutputWire {
    Softmax,
    Sigmoid,
    Values,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ActivationWire {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EncodingWire {
    inputs: Vec<InputWire>,
    target: TargetWire,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct InputWire {
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fill: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    categories: Option<Vec<String>>,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum TargetWire {
    Classes { column: String, classes: Vec<String> },
    Numbers { columns: Vec<String> },
}

/// The text for a model.
///
/// # Errors
/// A number is not finite.
pub(super) fn write(model: &Model) -> Result<String, String> {
    let finite = |number: f32, what: &str| match number.is_finite() {
        true => Ok(f64::from(number)),
        false => Err(format!("{what} is {number}")),
    };
    let activation = |spec: &ActivationSpec| {
        let parameter = spec.parameter.map(|p| finite(p, "the parameter of an activation"));
        Ok(ActivationWire { name: spec.name.clone(), parameter: parameter.transpose()? })
    };
    let input = |input: &InputColumn| {
        let (fill, categories) = match &input.kind {
            InputKind::Number { fill } => {
                let fill = fill.map(|f| finite(f, "what stands for a missing value"));
                (fill.transpose()?, None)
            }
            InputKind::OneHot { categories } => (None, Some(categories.clone())),
        };
        Ok(InputWire { name: input.name.clone(), fill, categories })
    };
    let target = match &model.encoding.target {
        Target::Classes { column, names } => {
            TargetWire::Classes { column: column.clone(), classes: names.clone() }
        }
        Target::Numbers { columns } => TargetWire::Numbers { columns: columns.clone() },
        Target::None => return Err("it has no target".to_owned()),
    };
    let inputs = model.encoding.inputs.iter().map(input).collect::<Result<_, String>>()?;
    let layers = model.layers.iter();
    let wire = Wire {
        version: VERSION,
        output: match model.output {
            OutputKind::Softmax => OutputWire::Softmax,
            OutputKind::Sigmoid => OutputWire::Sigmoid,
            OutputKind::Values => OutputWire::Values,
        },
        activations: layers
            .map(|layer| activation(&layer.activation))
            .collect::<Result<_, String>>()?,
        encoding: Some(EncodingWire { inputs, target }),
        training: model.training.clone(),
    };
    serde_json::to_string(&wire).map_err(|error| error.to_string())
}

/// What the text says.
///
/// # Errors
/// It is no such JSON, of another version, or says what cannot be.
pub(super) fn read(text: &str) -> Result<Metadata, String> {
    let refuse = |reason: String| format!("its metadata \"{KEY}\": {reason}");
    let wire: Wire = serde_json::from_str(text).map_err(|error| refuse(error.to_string()))?;
    if wire.version != VERSION {
        let found = wire.version;
        return Err(refuse(format!("version {found}, this program reads version {VERSION}")));
    }
    let number = |number: f64| match (number as f32).is_finite() {
        true => Ok(number as f32),
        false => Err(refuse(format!("{number} is no f32"))),
    };
    let input = |input: InputWire| {
        let kind = match (input.fill, input.categories) {
            (Some(_), Some(_)) => {
                let name = input.name;
                return Err(refuse(format!("the input \"{name}\" has both fill and categories")));
            }
            (None, Some(categories)) => InputKind::OneHot { categories },
            (fill, None) => InputKind::Number { fill: fill.map(number).transpose()? },
        };
        Ok(InputColumn { name: input.name, kind })
    };
    let encoding = |wire: EncodingWire| -> Result<Encoding, String> {
        let target = match wire.target {
            TargetWire::Classes { column, classes } => Target::Classes { column, names: classes },
            TargetWire::Numbers { columns } => Target::Numbers { columns },
        };
        Ok(Encoding {
            inputs: wire.inputs.into_iter().map(input).collect::<Result<_, _>>()?,
            target,
        })
    };
    let activation = |wire: ActivationWire| -> Result<ActivationSpec, String> {
        Ok(ActivationSpec { name: wire.name, parameter: wire.parameter.map(number).transpose()? })
    };
    Ok(Metadata {
        encoding: wire.encoding.map(encoding).transpose()?,
        activations: wire.activations.into_iter().map(activation).collect::<Result<_, _>>()?,
        output: match wire.output {
            OutputWire::Softmax => OutputKind::Softmax,
            OutputWire::Sigmoid => OutputKind::Sigmoid,
            OutputWire::Values => OutputKind::Values,
        },
        training: wire.training,
    })
}

/// An encoding for a network that comes without names: features `f0`, `f1`, ... and either classes
/// `0`, `1`, ... of the column `class` or numbers `y0`, `y1`, ...
pub(super) fn unnamed_encoding(features: usize, outputs: usize, output: OutputKind) -> Encoding {
    let input =
        |index| InputColumn { name: format!("f{index}"), kind: InputKind::Number { fill: None } };
    let classes = match output {
        OutputKind::Softmax => Some(outputs),
        OutputKind::Sigmoid if outputs == 1 => Some(2),
        OutputKind::Sigmoid | OutputKind::Values => None,
    };
    let target = match classes {
        Some(classes) => Target::Classes {
            column: "class".to_owned(),
            names: (0..classes).map(|class| class.to_string()).collect(),
        },
        None => {
            Target::Numbers { columns: (0..outputs).map(|index| format!("y{index}")).collect() }
        }
    };
    Encoding { inputs: (0..features).map(input).collect(), target }
}
