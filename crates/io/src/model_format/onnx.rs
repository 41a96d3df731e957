//! ONNX: a graph from raw rows to predictions, so that the runtime needs nothing else.
//!
//! `network` writes it: `columns`, `layer` by layer (a file a kind), `predictions`. A graph of ours is read by its
//! description and compared with what would be written; `import` reads those of other programs.

mod columns;
mod features;
mod graph;
mod import;
mod layer;
mod network;
mod predictions;
mod proto;
mod read;
mod value;

use super::interface::{ModelFormat, ModelReader};
use crate::model::{self, KEY, Model};
use graph::TEXT_DOMAIN;
use prost::Message;
use proto::{ModelProto, OperatorSetIdProto, StringStringEntryProto};

/// The format.
pub(super) struct Onnx;

/// Version of the file's structure, from ONNX 1.15 on.
const IR_VERSION: i64 = 9;
/// Version of the operators: the first with Gelu; onnxruntime 1.17 and later run it.
const OPERATORS: i64 = 20;
/// Version of the operators that encode text.
const TEXT_OPERATORS: i64 = 3;

impl ModelFormat for Onnx {
    fn name(&self) -> &'static str {
        "onnx"
    }

    fn description(&self) -> &'static str {
        "an ONNX graph from raw rows to predictions"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["onnx"]
    }

    fn is_mine(&self, bytes: &[u8]) -> bool {
        // The field that comes first: the version of the structure.
        matches!(bytes, [0x08, 1..=32, ..])
    }

    fn write(&self, model: &Model) -> Result<Vec<u8>, String> {
        let graph = network::graph(model)?;
        let operators =
            |domain: &str, version| OperatorSetIdProto { domain: domain.into(), version };
        let file = ModelProto {
            ir_version: IR_VERSION,
            producer_name: KEY.to_owned(),
            producer_version: env!("CARGO_PKG_VERSION").to_owned(),
            graph: Some(graph.finish()),
            opset_import: vec![operators("", OPERATORS), operators(TEXT_DOMAIN, TEXT_OPERATORS)],
            metadata_props: vec![StringStringEntryProto {
                key: KEY.to_owned(),
                value: model::write_description(model)?,
            }],
        };
        if i32::try_from(file.encoded_len()).is_err() {
            return Err("an ONNX file holds at most 2 GiB: use safetensors".to_owned());
        }
        Ok(file.encode_to_vec())
    }

    fn reader(&self) -> Option<ModelReader> {
        Some(read::read)
    }
}
