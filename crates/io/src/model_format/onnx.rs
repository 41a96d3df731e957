//! ONNX: a graph from raw rows to predictions, so that the runtime needs nothing else.
//!
//! `columns` and `predictions` are the ends of the graph, which are written, and on reading compared
//! with what would be written; `layers` in between are read from any dense network.

mod chain;
mod columns;
mod graph;
mod layers;
mod predictions;
mod proto;
mod read;

use super::interface::{ModelFormat, ModelReader};
use crate::model::{self, KEY, Model};
use crate::schema::{InputColumn, InputKind};
use columns::node_names;
use graph::{Graph, TEXT_DOMAIN};
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
        let is_index = |input: &&InputColumn| matches!(input.kind, InputKind::Index { .. });
        if let Some(InputColumn { name, .. }) = model.encoding.inputs.iter().find(is_index) {
            return Err(format!(
                "the column \"{name}\" is an index column, which is not written as ONNX: use safetensors"
            ));
        }
        let mut graph = Graph::default();
        let features = columns::write(&mut graph, &model.encoding, &node_names(&model.nodes));
        let outputs = layers::write(&mut graph, model, features)?;
        let width = model.chain()?.last().map_or(0, |(_, layer)| layer.outputs as usize);
        predictions::write(&mut graph, model, outputs, width);
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
