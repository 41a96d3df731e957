//! What a model format is: bytes of a file of another program's kind, to and from a model.

use crate::model::Model;

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
