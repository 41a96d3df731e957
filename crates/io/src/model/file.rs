//! Model files of ours: the description and its tensors in one file, and files of earlier versions.

use super::assembly::Tensors;
use super::description::{self, Description, KEY, VERSION};
use super::trained::Model;
use super::version1;
use crate::error::{Error, Result};
use crate::kind::FileKind;
use crate::tensor_file::{self, TensorFile};
use serde::Deserialize;
use std::path::Path;

impl Model {
    /// Reads a model and checks every byte of it and that its parts fit together.
    ///
    /// # Errors
    /// The file cannot be read or is no model, is of a later version, cut off or damaged, or has a number
    /// that is not finite.
    pub fn load(path: &Path) -> Result<Model> {
        let mut file = TensorFile::open(path, FileKind::Model)?;
        let model = match file.version() {
            1 => version1::load(path, file)?,
            _ => {
                let (infos, text): (_, String) = file.content()?;
                let tensors = file.tensors(infos)?.into_iter();
                let mut tensors =
                    tensors.map(|tensor| (tensor.info.name.clone(), tensor)).collect();
                let description = read_description(&text, &mut tensors);
                let model =
                    description.and_then(|description| Model::assemble(description, tensors));
                model.map_err(|reason| Error::damaged(path, reason))?
            }
        };
        model.validate().map_err(|reason| {
            Error::Invalid(format!("the model {} cannot be used: {reason}", path.display()))
        })?;
        Ok(model)
    }

    /// Writes the model; the file appears under its name when it is complete.
    ///
    /// # Errors
    /// The model's parts do not fit together, a number is not finite, or the file cannot be written; nothing
    /// is left then.
    pub fn save(&self, path: &Path) -> Result<()> {
        let described = self.validate().and_then(|()| description::write(self));
        let description = described.map_err(|reason| {
            Error::Invalid(format!("cannot write the model {}: {reason}", path.display()))
        })?;
        tensor_file::save(path, FileKind::Model, &description, &self.tensors())
    }
}

/// What a description of any version says. Tensors get the names that they have in the current one.
///
/// # Errors
/// It is no such JSON, of a later version, or says what cannot be.
pub(crate) fn read_description(
    text: &str,
    tensors: &mut Tensors,
) -> std::result::Result<Description, String> {
    #[derive(Deserialize)]
    struct Version {
        version: u32,
    }
    let refuse = |reason: String| format!("its description \"{KEY}\": {reason}");
    let Version { version } =
        serde_json::from_str(text).map_err(|error| refuse(error.to_string()))?;
    let read = match version {
        1 => version1::description(text, tensors),
        VERSION => description::read(text),
        _ => Err(format!("version {version}, this program reads versions 1 to {VERSION}")),
    };
    read.map_err(refuse)
}
