//! safetensors: the tensors of a model under their names, and its description beside them.

use super::interface::{ModelFormat, ModelReader};
use crate::model::{self, KEY, Model, Tensors};
use crate::tensor::{Tensor, TensorInfo};
use ::safetensors::tensor::TensorView;
use ::safetensors::{Dtype, SafeTensorError, SafeTensors, serialize};
use std::collections::HashMap;

/// The format.
pub(super) struct Safetensors;

impl ModelFormat for Safetensors {
    fn name(&self) -> &'static str {
        "safetensors"
    }

    fn description(&self) -> &'static str {
        "safetensors"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["safetensors"]
    }

    fn is_mine(&self, bytes: &[u8]) -> bool {
        // The length of a header of JSON, far from 2^40, and its first byte.
        bytes.len() > 8 && bytes[5..8] == [0; 3] && bytes[8] == b'{'
    }

    fn write(&self, model: &Model) -> Result<Vec<u8>, String> {
        let text = HashMap::from([(KEY.to_owned(), model::write_description(model)?)]);
        let tensors = model.tensors();
        let bytes: Vec<Vec<u8>> = tensors.iter().map(Tensor::bytes).collect();
        let views = tensors.iter().zip(&bytes).map(|(tensor, bytes)| {
            let TensorInfo { name, shape, .. } = &tensor.info;
            Ok((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes)?))
        });
        let views = views.collect::<Result<Vec<_>, SafeTensorError>>();
        views.and_then(|views| serialize(views, Some(text))).map_err(|error| error.to_string())
    }

    fn reader(&self) -> Option<ModelReader> {
        Some(read)
    }
}

/// The model of a file's bytes.
pub(super) fn read(bytes: &[u8]) -> Result<Model, String> {
    let broken = |error| format!("is no sound safetensors file: {error}");
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let text = header.metadata().as_ref().and_then(|texts| texts.get(KEY));
    let text = text.ok_or_else(|| {
        format!("has no metadata \"{KEY}\", so the activations are not known: docs/formats.md says how to add them")
    })?;
    let mut tensors = Tensors::new();
    for (name, view) in SafeTensors::deserialize(bytes).map_err(broken)?.iter() {
        let refuse = |reason: String| format!("the tensor \"{name}\" {reason}");
        if view.dtype() != Dtype::F32 {
            return Err(refuse(format!("has numbers of type {}, expected F32", view.dtype())));
        }
        let tensor = Tensor::from_bytes(TensorInfo::new(name, view.shape()), view.data());
        tensors.insert(name.to_owned(), tensor.map_err(refuse)?);
    }
    let description = model::read_description(text, &mut tensors)?;
    Model::assemble(description, tensors)
}
