//! What of a model is no tensor, as JSON: the one description that stands in model files of every format.
//! `docs/model-format.md` specifies it.
//!
//! JSON names its fields, so that what a newer program added is refused by name and never taken for
//! something else. Numbers are written as the f64 that equals the f32, and so read as the same bits.

use super::layer::Layer;
use super::loss::{Loss, LossWire};
use super::node::{FEATURES, Node};
use super::series::Series;
use super::trained::{Model, OutputKind};
use crate::schema::{Encoding, InputColumn, InputKind, Target, Vocabulary, Words};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The name that the description stands under in files of other formats.
pub(crate) const KEY: &str = "gristmill";
/// The version that is written.
pub(crate) const VERSION: u32 = 2;

/// What of a model is no tensor.
pub(crate) struct Description {
    /// The version that it was read from.
    pub(crate) version: u32,
    /// `None` where the file names no columns: they get names by position then.
    pub(crate) encoding: Option<Encoding>,
    pub(crate) series: Option<Series>,
    pub(crate) nodes: Vec<NodeDescription>,
    pub(crate) output: OutputKind,
    pub(super) loss: Option<Loss>,
    pub(crate) training: Vec<(String, String)>,
}

/// What of a node is no tensor; what its attributes mean is known to its kind.
pub(crate) struct NodeDescription {
    pub(crate) name: String,
    pub(super) kind: String,
    pub(super) inputs: Vec<String>,
    pub(super) attributes: Value,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    version: u32,
    output: OutputWire,
    #[serde(skip_serializing_if = "Option::is_none")]
    loss: Option<LossWire>,
    nodes: Vec<NodeWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    encoding: Option<EncodingWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    series: Option<Series>,
    #[serde(default)]
    training: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeWire {
    name: String,
    kind: String,
    /// Left out where it is the node before alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    inputs: Option<Vec<String>>,
    attributes: Value,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "lowercase")]
pub(super) enum OutputWire {
    Softmax,
    Sigmoid,
    Values,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EncodingWire {
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
    #[serde(skip_serializing_if = "Option::is_none")]
    vocabulary: Option<VocabularyWire>,
    #[serde(skip_serializing_if = "Option::is_none")]
    words: Option<WordsWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WordsWire {
    length: u32,
    buckets: u32,
    ngrams: u32,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum VocabularyWire {
    Names(Vec<String>),
    Codes(u32),
}

#[derive(Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum TargetWire {
    Classes { column: String, classes: Vec<String> },
    Numbers { columns: Vec<String> },
}

impl From<OutputKind> for OutputWire {
    fn from(kind: OutputKind) -> Self {
        match kind {
            OutputKind::Softmax => OutputWire::Softmax,
            OutputKind::Sigmoid => OutputWire::Sigmoid,
            OutputKind::Values => OutputWire::Values,
        }
    }
}

impl From<OutputWire> for OutputKind {
    fn from(wire: OutputWire) -> Self {
        match wire {
            OutputWire::Softmax => OutputKind::Softmax,
            OutputWire::Sigmoid => OutputKind::Sigmoid,
            OutputWire::Values => OutputKind::Values,
        }
    }
}

impl TryFrom<&Encoding> for EncodingWire {
    type Error = String;

    fn try_from(encoding: &Encoding) -> Result<Self, String> {
        let input = |input: &InputColumn| {
            let mut wire = InputWire {
                name: input.name.clone(),
                fill: None,
                categories: None,
                vocabulary: None,
                words: None,
            };
            match &input.kind {
                InputKind::Number { fill: Some(fill) } if !fill.is_finite() => {
                    return Err(format!("what stands for a missing \"{}\" is {fill}", input.name));
                }
                InputKind::Number { fill } => wire.fill = fill.map(f64::from),
                InputKind::OneHot { categories } => wire.categories = Some(categories.clone()),
                InputKind::Index { vocabulary } => {
                    wire.vocabulary = Some(match vocabulary {
                        Vocabulary::Names(names) => VocabularyWire::Names(names.clone()),
                        Vocabulary::Codes(count) => VocabularyWire::Codes(*count),
                    });
                }
                InputKind::Text(Words { length, buckets, ngrams }) => {
                    let (length, buckets, ngrams) = (*length, *buckets, *ngrams);
                    wire.words = Some(WordsWire { length, buckets, ngrams });
                }
            }
            Ok(wire)
        };
        let target = match &encoding.target {
            Target::Classes { column, names } => {
                TargetWire::Classes { column: column.clone(), classes: names.clone() }
            }
            Target::Numbers { columns } => TargetWire::Numbers { columns: columns.clone() },
            Target::None => return Err("it has no target".to_owned()),
        };
        Ok(EncodingWire {
            inputs: encoding.inputs.iter().map(input).collect::<Result<_, _>>()?,
            target,
        })
    }
}

impl TryFrom<EncodingWire> for Encoding {
    type Error = String;

    fn try_from(wire: EncodingWire) -> Result<Self, String> {
        let fill = |fill: f64| match (fill as f32).is_finite() {
            true => Ok(fill as f32),
            false => Err(format!("{fill} is no f32")),
        };
        let input = |input: InputWire| {
            let kind = match (input.fill, input.categories, input.vocabulary, input.words) {
                (None, Some(categories), None, None) => InputKind::OneHot { categories },
                (None, None, Some(VocabularyWire::Names(names)), None) => {
                    InputKind::Index { vocabulary: Vocabulary::Names(names) }
                }
                (None, None, Some(VocabularyWire::Codes(count)), None) => {
                    InputKind::Index { vocabulary: Vocabulary::Codes(count) }
                }
                (None, None, None, Some(WordsWire { length, buckets, ngrams })) => {
                    InputKind::Text(Words { length, buckets, ngrams })
                }
                (number, None, None, None) => {
                    InputKind::Number { fill: number.map(fill).transpose()? }
                }
                _ => {
                    return Err(format!(
                        "the input \"{}\" has more than one of fill, categories, vocabulary and words",
                        input.name
                    ));
                }
            };
            match &kind {
                InputKind::Index { vocabulary } if !vocabulary.is_sound() => {
                    let (name, count) = (input.name, vocabulary.len());
                    Err(format!("the vocabulary of the input \"{name}\" has {count} categories"))
                }
                InputKind::Text(words) if !words.is_sound() => {
                    Err(format!("the words of the input \"{}\" are {words:?}", input.name))
                }
                _ => Ok(InputColumn { name: input.name, kind }),
            }
        };
        let target = match wire.target {
            TargetWire::Classes { column, classes } => Target::Classes { column, names: classes },
            TargetWire::Numbers { columns } => Target::Numbers { columns },
        };
        let inputs = wire.inputs.into_iter().map(input).collect::<Result<_, String>>()?;
        Ok(Encoding { inputs, target })
    }
}

/// The description of a model.
///
/// # Errors
/// The model cannot be described: it has no target, or a number is not finite.
pub(crate) fn write(model: &Model) -> Result<String, String> {
    let mut before = FEATURES;
    let mut nodes = Vec::with_capacity(model.nodes.len());
    for Node { name, inputs, layer } in &model.nodes {
        nodes.push(NodeWire {
            name: name.clone(),
            kind: layer.kind().to_owned(),
            inputs: (*inputs != [before]).then(|| inputs.clone()),
            attributes: attributes(name, layer)?,
        });
        before = name;
    }
    let wire = Wire {
        version: VERSION,
        output: model.output.into(),
        loss: model.loss.map(LossWire::from),
        nodes,
        encoding: Some((&model.encoding).try_into()?),
        series: model.series,
        training: model.training.clone(),
    };
    serde_json::to_string(&wire).map_err(|error| error.to_string())
}

fn attributes(name: &str, layer: &Layer) -> Result<Value, String> {
    layer.attributes().map_err(|reason| format!("the node \"{name}\": {reason}"))
}

/// What a description of the version that is written says.
///
/// # Errors
/// It is no such JSON, or says what cannot be.
pub(super) fn read(text: &str) -> Result<Description, String> {
    let wire: Wire = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let mut nodes: Vec<NodeDescription> = Vec::with_capacity(wire.nodes.len());
    for NodeWire { name, kind, inputs, attributes } in wire.nodes {
        let before = nodes.last().map_or(FEATURES, |node| node.name.as_str());
        let inputs = inputs.unwrap_or_else(|| vec![before.to_owned()]);
        nodes.push(NodeDescription { name, kind, inputs, attributes });
    }
    Ok(Description {
        version: wire.version,
        encoding: wire.encoding.map(Encoding::try_from).transpose()?,
        series: wire.series,
        nodes,
        output: wire.output.into(),
        loss: wire.loss.map(Loss::try_from).transpose()?,
        training: wire.training,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        read(text).err().expect("refused")
    }

    #[test]
    fn what_is_left_out_is_the_node_before() {
        let text = r#"{"version": 2, "output": "values", "nodes": [
            {"name": "a", "kind": "k", "attributes": {}},
            {"name": "b", "kind": "k", "attributes": {}},
            {"name": "c", "kind": "k", "inputs": ["a", "b"], "attributes": {}}]}"#;
        let inputs = read(text).ok().unwrap().nodes.into_iter().map(|node| node.inputs);
        assert_eq!(Vec::from_iter(inputs), [vec![FEATURES], vec!["a"], vec!["a", "b"]]);
    }

    #[test]
    fn what_is_not_known_is_named() {
        let with = |field: &str| format!(r#"{{"version":2,"output":"values","nodes":[]{field}}}"#);
        assert!(read(&with("")).is_ok());
        for (field, part) in [
            (r#","quantised":true"#, "quantised"),
            (r#","loss":{"kind":"hinge"}"#, "the loss \"hinge\" is not known"),
            (r#","loss":{"kind":"huber","delta":0}"#, "expected a positive number"),
            (r#","loss":{"kind":"mean-squared","delta":1}"#, "has no delta"),
            (r#","loss":{"kind":"huber","alpha":1}"#, "alpha"),
            (r#","nodes":[]"#, "duplicate field `nodes`"),
        ] {
            let error = error(&with(field));
            assert!(error.contains(part), "{field}: {error}");
        }
    }
}
