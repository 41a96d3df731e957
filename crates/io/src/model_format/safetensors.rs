//! safetensors: the tensors of a model under the names that PyTorch gives them, and a text beside them.

use super::{ModelFormat, ModelReader, metadata, tensors};
use crate::model::Model;
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
        let text = HashMap::from([(metadata::KEY.to_owned(), metadata::write(model)?)]);
        let named = tensors::of_model(model);
        let bytes: Vec<Vec<u8>> = named.iter().map(|(_, tensor)| tensor.bytes()).collect();
        let views = named.iter().zip(&bytes).map(|((name, tensor), bytes)| {
            let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes)?;
            Ok((name.as_str(), view))
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
    let text = header.metadata().as_ref().and_then(|texts| texts.get(metadata::KEY));
    let text = text.ok_or_else(|| {
        let key = metadata::KEY;
        format!("has no metadata \"{key}\", so the activations are not known: docs/formats.md says how to add them")
    })?;
    let metadata = metadata::read(text)?;
    let mut named = tensors::Named::new();
    for (name, view) in SafeTensors::deserialize(bytes).map_err(broken)?.iter() {
        let refuse = |reason: String| format!("the tensor \"{name}\" {reason}");
        if view.dtype() != Dtype::F32 {
            return Err(refuse(format!("has numbers of type {}, expected F32", view.dtype())));
        }
        let tensor = tensors::Tensor::from_bytes(view.shape().to_vec(), view.data());
        named.insert(name.to_owned(), tensor.map_err(refuse)?);
    }
    tensors::to_model(metadata, named)
}
