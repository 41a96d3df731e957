//! Which model formats there are. What one is stands in `interface`; how one is written and read, in its own file.
//!
//! A format turns a model into the bytes of a file of another program's kind, and back where it can.
//! Formats see bytes only: which file they are of, and that it appears complete or not at all, is
//! looked after here.

mod c_header;
mod interface;
mod npz;
mod onnx;
mod safetensors;

pub use interface::{ModelFormat, ModelReader};

use crate::atomic::AtomicFile;
use crate::choice::FormatChoice;
use crate::error::{Error, Place, Result};
use crate::frame::MAGIC;
use crate::kind::FileKind;
use crate::model::Model;
use crate::open::open;
use crate::plugin::description::Operation;
use crate::plugin::program::Plugin;
use crate::plugin::search::Plugins;
use crate::suggest::{alike, did_you_mean};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

/// All formats that are built in and that models are exported to, in the order in which they are asked whether a file is
/// theirs.
pub const MODEL_FORMATS: &[&dyn ModelFormat] =
    &[&safetensors::Safetensors, &npz::Npz, &onnx::Onnx, &c_header::CHeader];

/// What models are as that plugins give and take.
const PLUGINS_SPEAK: &dyn ModelFormat = &safetensors::Safetensors;

/// What an export wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedModel {
    /// Name of the format.
    pub format: String,
    /// What it is, in a line.
    pub description: String,
    /// Whether [`import_model`] reads it.
    pub is_read: bool,
}

/// Writes a model in the format chosen, or else in the one that the ending of `path` stands for. The
/// file appears under its name when it is complete.
///
/// # Errors
/// There is no such format, it cannot express the model, or the file cannot be written.
pub fn export_model(model: &Model, path: &Path, choice: &FormatChoice) -> Result<ExportedModel> {
    let format = match &choice.name {
        Some(name) => named(name, choice)?,
        None => by_extension(path, Operation::ModelWrite, &choice.plugins).ok_or_else(|| {
            let (path, names) = (path.display(), names(|_| true));
            Error::Options(format!("which format is {path} to be in? --to takes {names}"))
        })?,
    };
    let refuse = |reason: String| {
        Error::Invalid(format!("cannot write the model {}: {reason}", path.display()))
    };
    model.validate().map_err(refuse)?;
    if model.inputs.is_empty() {
        return Err(refuse("it has no features".to_owned()));
    }
    match format {
        Found::BuiltIn(format) => {
            choice.without_options(format.name())?;
            let bytes = format.write(model).map_err(refuse)?;
            let mut file = AtomicFile::create(path)?;
            file.write_all(&bytes).map_err(Error::io("write", path))?;
            file.commit()?;
            Ok(ExportedModel {
                format: format.name().to_owned(),
                description: format.description().to_owned(),
                is_read: format.reader().is_some(),
            })
        }
        Found::Plugin(plugin) => {
            let bytes = PLUGINS_SPEAK.write(model).map_err(refuse)?;
            let mut file = AtomicFile::create(path)?;
            plugin.write_model(&bytes, path, &choice.options, &mut file)?;
            file.commit()?;
            let found = plugin.description();
            Ok(ExportedModel {
                format: plugin.name().to_owned(),
                description: found.description.clone(),
                is_read: found.can(Operation::ModelRead),
            })
        }
    }
}

/// Reads a model from a file in the format chosen, or else in the one that it looks like, or else in
/// the one that its ending stands for.
///
/// # Errors
/// There is no such format, it is only written, or the file cannot be read or holds something that
/// is no network of our layers; the error says where in the file.
pub fn import_model(path: &Path, choice: &FormatChoice) -> Result<Model> {
    let refuse = |reason: String| Error::input(path, Place::FILE, reason);
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes).map_err(Error::io("read", path))?;
    let format = match &choice.name {
        Some(name) => named(name, choice)?,
        None => recognise(path, &bytes, &choice.plugins)?,
    };
    let model = match format {
        Found::BuiltIn(format) => {
            choice.without_options(format.name())?;
            let read = format.reader().ok_or_else(|| {
                let readable = names(|format| format.reader().is_some());
                let what = format.description();
                refuse(format!("{what} is only written, not read; models are read from {readable}"))
            })?;
            read(&bytes).map_err(refuse)?
        }
        Found::Plugin(plugin) => {
            let bytes = plugin.read_model(path, &choice.options)?;
            safetensors::read(&bytes).map_err(|reason| {
                refuse(format!("the plugin for {} gave a model that {reason}", plugin.name()))
            })?
        }
    };
    model
        .validate()
        .map_err(|reason| refuse(format!("the model does not fit together: {reason}")))?;
    Ok(model)
}

/// A format that is built in, or a plugin.
enum Found {
    BuiltIn(&'static dyn ModelFormat),
    Plugin(Arc<Plugin>),
}

fn named(name: &str, choice: &FormatChoice) -> Result<Found> {
    if let Some(format) = MODEL_FORMATS.iter().find(|format| alike(format.name(), name)) {
        return Ok(Found::BuiltIn(*format));
    }
    choice.plugins.named(name)?.map(Found::Plugin).ok_or_else(|| {
        let (names, no_plugin) = (names(|_| true), choice.no_plugin(name));
        let meant = did_you_mean(name, MODEL_FORMATS.iter().map(|format| format.name()));
        let reason =
            format!("there is no model format \"{name}\"{meant}; there are {names}{no_plugin}");
        Error::Options(reason)
    })
}

fn by_extension(path: &Path, operation: Operation, plugins: &Plugins) -> Option<Found> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    let is_its = |format: &&&dyn ModelFormat| format.extensions().contains(&extension.as_str());
    let built_in = MODEL_FORMATS.iter().find(is_its).map(|format| Found::BuiltIn(*format));
    built_in.or_else(|| plugins.by_extension(operation, path).map(Found::Plugin))
}

fn recognise(path: &Path, bytes: &[u8], plugins: &Plugins) -> Result<Found> {
    if bytes.starts_with(&MAGIC) {
        let kind = FileKind::of(path)?.map_or("file".to_owned(), |kind| kind.to_string());
        let reason = format!("is a gristmill {kind} already");
        return Err(Error::input(path, Place::FILE, reason));
    }
    let by_content = MODEL_FORMATS.iter().find(|format| format.is_mine(bytes));
    let by_magic = || plugins.by_magic(Operation::ModelRead, bytes).map(Found::Plugin);
    let found = by_content.map(|format| Found::BuiltIn(*format)).or_else(by_magic);
    let found = found.or_else(|| by_extension(path, Operation::ModelRead, plugins));
    found.ok_or_else(|| {
        let names = names(|format| format.reader().is_some());
        let complaints = plugins.complaints();
        let reason =
            format!("is of none of the model formats read ({names}): give --from{complaints}");
        Error::input(path, Place::FILE, reason)
    })
}

fn names(wanted: impl Fn(&dyn ModelFormat) -> bool) -> String {
    let names = MODEL_FORMATS.iter().filter(|format| wanted(**format)).map(|format| format.name());
    names.collect::<Vec<_>>().join(", ")
}
