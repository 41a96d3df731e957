//! NPZ: a zip archive of numpy arrays, one per tensor, and the description as an array of bytes.

mod array;

use super::interface::{ModelFormat, ModelReader};
use crate::model::{self, KEY, Model, Tensors};
use array::Array;
use std::io::{Cursor, Read, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// The format.
pub(super) struct Npz;

/// Decompressed arrays may be this many times as long as the file, and [`SMALL`] bytes more. Weights
/// hardly compress, and what compresses further is more likely made to fill memory.
const MOST_EXPANSION: u64 = 64;
const SMALL: u64 = 16 << 20;

impl ModelFormat for Npz {
    fn name(&self) -> &'static str {
        "npz"
    }

    fn description(&self) -> &'static str {
        "an archive of numpy arrays"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["npz"]
    }

    fn is_mine(&self, bytes: &[u8]) -> bool {
        bytes.starts_with(b"PK\x03\x04")
    }

    fn write(&self, model: &Model) -> Result<Vec<u8>, String> {
        let text = model::write_description(model)?.into_bytes();
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        // One date for all, so that equal models are equal files.
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Stored)
            .last_modified_time(DateTime::default())
            .large_file(true);
        let mut add = |name: &str, array: Vec<u8>| -> Result<(), String> {
            archive.start_file(format!("{name}.npy"), options).map_err(|e| e.to_string())?;
            archive.write_all(&array).map_err(|e| e.to_string())
        };
        add(KEY, array::write_bytes(&text))?;
        for tensor in model.tensors() {
            add(&tensor.info.name, array::write_numbers(&tensor.info.shape, &tensor.bytes()))?;
        }
        Ok(archive.finish().map_err(|error| error.to_string())?.into_inner())
    }

    fn reader(&self) -> Option<ModelReader> {
        Some(read)
    }
}

fn read(bytes: &[u8]) -> Result<Model, String> {
    let broken = |error: zip::result::ZipError| format!("is no sound archive: {error}");
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let most = (bytes.len() as u64).saturating_mul(MOST_EXPANSION).saturating_add(SMALL);
    let mut left = most;
    let (mut tensors, mut text) = (Tensors::new(), None);
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(broken)?;
        let name = entry.name().map_err(broken)?.into_owned();
        let refuse = |reason: String| format!("the array \"{name}\" {reason}");
        let mut content = Vec::new();
        let read = entry.take(left.saturating_add(1)).read_to_end(&mut content);
        read.map_err(|error| refuse(format!("cannot be read: {error}")))?;
        left = left.checked_sub(content.len() as u64).ok_or_else(|| {
            refuse(format!("expands beyond {most} bytes, too much for such a small file"))
        })?;
        let name = name.strip_suffix(".npy").unwrap_or(&name);
        match array::read(&content).map_err(refuse)? {
            Array::Bytes(bytes) if name == KEY => text = Some(bytes.to_vec()),
            Array::Numbers(tensor) if name != KEY => {
                model::insert(&mut tensors, name.to_owned(), tensor);
            }
            Array::Bytes(_) => return Err(refuse("holds bytes, expected f32 ('<f4')".to_owned())),
            Array::Numbers(_) => return Err(refuse("holds numbers, expected bytes".to_owned())),
        }
    }
    let text = text.ok_or_else(|| {
        format!("has no array \"{KEY}\", so the activations are not known: docs/formats.md says how to add it")
    })?;
    let text =
        String::from_utf8(text).map_err(|_| format!("the array \"{KEY}\" is not UTF-8 text"))?;
    let description = model::read_description(&text, &mut tensors)?;
    Model::assemble(description, tensors)
}
