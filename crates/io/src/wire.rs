//! The schema as it is written to files: mirrors of [`crate::schema`] that derive serde, so that the
//! domain types need not. Changing one of these is changing the format version.

use crate::schema::{Encoding, InputColumn, InputKind, Statistics, Target, Vocabulary, Words};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(crate) struct EncodingWire {
    inputs: Vec<InputWire>,
    target: TargetWire,
}

#[derive(Serialize, Deserialize)]
struct InputWire {
    name: String,
    kind: KindWire,
}

#[derive(Serialize, Deserialize)]
enum KindWire {
    Number { fill: Option<f32> },
    OneHot { categories: Vec<String> },
    // Since version 2 of data sets.
    Index { vocabulary: VocabularyWire },
    Text { length: u32, buckets: u32, ngrams: u32 },
}

#[derive(Serialize, Deserialize)]
enum VocabularyWire {
    Names(Vec<String>),
    Codes(u32),
}

#[derive(Serialize, Deserialize)]
enum TargetWire {
    Classes { column: String, names: Vec<String> },
    Numbers { columns: Vec<String> },
    None,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct StatisticsWire {
    mean: f64,
    deviation: f64,
    min: f32,
    max: f32,
    missing: u64,
}

impl From<&Encoding> for EncodingWire {
    fn from(encoding: &Encoding) -> Self {
        let inputs = encoding.inputs.iter().map(|input| InputWire {
            name: input.name.clone(),
            kind: match &input.kind {
                InputKind::Number { fill } => KindWire::Number { fill: *fill },
                InputKind::OneHot { categories } => {
                    KindWire::OneHot { categories: categories.clone() }
                }
                InputKind::Index { vocabulary } => KindWire::Index {
                    vocabulary: match vocabulary {
                        Vocabulary::Names(names) => VocabularyWire::Names(names.clone()),
                        Vocabulary::Codes(count) => VocabularyWire::Codes(*count),
                    },
                },
                InputKind::Text(Words { length, buckets, ngrams }) => {
                    KindWire::Text { length: *length, buckets: *buckets, ngrams: *ngrams }
                }
            },
        });
        let target = match &encoding.target {
            Target::Classes { column, names } => {
                TargetWire::Classes { column: column.clone(), names: names.clone() }
            }
            Target::Numbers { columns } => TargetWire::Numbers { columns: columns.clone() },
            Target::None => TargetWire::None,
        };
        EncodingWire { inputs: inputs.collect(), target }
    }
}

impl From<EncodingWire> for Encoding {
    fn from(wire: EncodingWire) -> Self {
        let inputs = wire.inputs.into_iter().map(|input| InputColumn {
            name: input.name,
            kind: match input.kind {
                KindWire::Number { fill } => InputKind::Number { fill },
                KindWire::OneHot { categories } => InputKind::OneHot { categories },
                KindWire::Index { vocabulary } => InputKind::Index {
                    vocabulary: match vocabulary {
                        VocabularyWire::Names(names) => Vocabulary::Names(names),
                        VocabularyWire::Codes(count) => Vocabulary::Codes(count),
                    },
                },
                KindWire::Text { length, buckets, ngrams } => {
                    InputKind::Text(Words { length, buckets, ngrams })
                }
            },
        });
        let target = match wire.target {
            TargetWire::Classes { column, names } => Target::Classes { column, names },
            TargetWire::Numbers { columns } => Target::Numbers { columns },
            TargetWire::None => Target::None,
        };
        Encoding { inputs: inputs.collect(), target }
    }
}

impl From<&Statistics> for StatisticsWire {
    fn from(s: &Statistics) -> Self {
        let Statistics { mean, deviation, min, max, missing } = *s;
        StatisticsWire { mean, deviation, min, max, missing }
    }
}

impl From<StatisticsWire> for Statistics {
    fn from(wire: StatisticsWire) -> Self {
        let StatisticsWire { mean, deviation, min, max, missing } = wire;
        Statistics { mean, deviation, min, max, missing }
    }
}
