//! What a model format is, and which ones there are. How one is written and read stays in its own file.
//!
//! A format turns a model into the bytes of a file of another program's kind, and back where it can.
//! Formats see bytes only: which file they are of, and that it appears complete or not at all, is
//! looked after here.

mod activation;
mod c_header;
mod metadata;
mod npz;
mod onnx;
mod safetensors;
mod tensors;

use crate::atomic::AtomicFile;
use crate::error::{Error, Place, Result};
use crate::frame::{FileKind, MAGIC};
use crate::model::Model;
use std::fs;
use std::io::Write;
use std::path::Path;

/// All formats that models are exported to, in the order in which they are asked whether a file is
/// theirs.
pub const MODEL_FORMATS: &[&dyn ModelFormat] =
    &[&safetensors::Safetensors, &npz::Npz, &onnx::Onnx, &c_header::CHeader];

/// A format that models are exported to.
pub trait ModelFormat: Sync {
    /// Name as in `--to`.
    fn name(&self) -> &'static str;

    /// What it is, in a line.
    fn description(&self) -> &'static str;

    /// Endings of file names, lower case, without the dot.
    fn extensions(&self) -> &'static [&'static str];

    /// Whether a file of these bytes looks like one of this format.
    fn is_mine(&self, bytes: &[u8]) -> bool;

    /// The bytes of the file. The model's parts fit together: it was validated.
    ///
    /// # Errors
    /// Says what the format cannot express.
    fn write(&self, model: &Model) -> std::result::Result<Vec<u8>, String>;

    /// What reads files of this format; `None` if it is only written.
    fn reader(&self) -> Option<ModelReader>;
}

/// Makes a model of the bytes of a file. Whether the model's parts fit together is for the caller to
/// validate; an error says what is wrong and where in the file.
pub type ModelReader = fn(&[u8]) -> std::result::Result<Model, String>;

/// Writes a model in the format named, or else in the one that the ending of `path` stands for. The
/// file appears under its name when it is complete. Returns the format.
///
/// # Errors
/// There is no such format, it cannot express the model, or the file cannot be written.
pub fn export_model(
    model: &Model,
    path: &Path,
    format: Option<&str>,
) -> Result<&'static dyn ModelFormat> {
    let format = match format {
        Some(name) => named(name)?,
        None => by_extension(path).ok_or_else(|| {
            let (path, names) = (path.display(), names(|_| true));
            Error::Invalid(format!("which format is {path} to be in? --to takes {names}"))
        })?,
    };
    let refuse = |reason: String| {
        Error::Invalid(format!("cannot write the model {}: {reason}", path.display()))
    };
    model.validate().map_err(refuse)?;
    if model.inputs.is_empty() {
        return Err(refuse("it has no features".to_owned()));
    }
    let bytes = format.write(model).map_err(refuse)?;
    let mut file = AtomicFile::create(path)?;
    file.write_all(&bytes).map_err(Error::io("write", path))?;
    file.commit()?;
    Ok(format)
}

/// Reads a model from a file in the format named, or else in the one that it looks like, or else in
/// the one that its ending stands for.
///
/// # Errors
/// There is no such format, it is only written, or the file cannot be read or holds something that
/// is no dense network; the error says where in the file.
pub fn import_model(path: &Path, format: Option<&str>) -> Result<Model> {
    let refuse = |reason: String| Error::input(path, Place::FILE, reason);
    if !fs::metadata(path).map_err(Error::io("open", path))?.is_file() {
        return Err(refuse("is no regular file".to_owned()));
    }
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    let format = match format {
        Some(name) => named(name)?,
        None => recognise(path, &bytes)?,
    };
    let readable = || names(|format| format.reader().is_some());
    let read = format.reader().ok_or_else(|| {
        let (what, readable) = (format.description(), readable());
        refuse(format!("{what} is only written, not read; models are read from {readable}"))
    })?;
    let model = read(&bytes).map_err(refuse)?;
    model
        .validate()
        .map_err(|reason| refuse(format!("the model does not fit together: {reason}")))?;
    Ok(model)
}

fn named(name: &str) -> Result<&'static dyn ModelFormat> {
    MODEL_FORMATS.iter().find(|format| format.name() == name).copied().ok_or_else(|| {
        let names = names(|_| true);
        Error::Invalid(format!("there is no model format \"{name}\"; there are {names}"))
    })
}

fn by_extension(path: &Path) -> Option<&'static dyn ModelFormat> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    let is_its = |format: &&&dyn ModelFormat| format.extensions().contains(&extension.as_str());
    MODEL_FORMATS.iter().find(is_its).copied()
}

fn recognise(path: &Path, bytes: &[u8]) -> Result<&'static dyn ModelFormat> {
    if bytes.starts_with(&MAGIC) {
        let kind = FileKind::of(path)?.map_or("file".to_owned(), |kind| kind.to_string());
        let reason = format!("is a gristmill {kind} already");
        return Err(Error::input(path, Place::FILE, reason));
    }
    let by_content = MODEL_FORMATS.iter().find(|format| format.is_mine(bytes)).copied();
    by_content.or_else(|| by_extension(path)).ok_or_else(|| {
        let names = names(|format| format.reader().is_some());
        let reason = format!("is of none of the model formats read ({names}): give --from");
        Error::input(path, Place::FILE, reason)
    })
}

fn names(wanted: impl Fn(&dyn ModelFormat) -> bool) -> String {
    let names = MODEL_FORMATS.iter().filter(|format| wanted(**format)).map(|format| format.name());
    names.collect::<Vec<_>>().join(", ")
}
