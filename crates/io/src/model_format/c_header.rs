//! A C header: a model as constants and one function, for programs that link nothing but libm.
//!
//! Text is encoded by the caller: the header says in which order the features come. It is C99 without
//! warnings, and its function may be called from several threads.

mod code;
mod text;

use super::interface::{ModelFormat, ModelReader};
use crate::model::{Dense, Model};
use code::FIRST_LINE;

/// The format.
pub(super) struct CHeader;

impl ModelFormat for CHeader {
    fn name(&self) -> &'static str {
        "c"
    }

    fn description(&self) -> &'static str {
        "a C header"
    }

    fn extensions(&self) -> &'static [&'static str] {
        &["h"]
    }

    fn is_mine(&self, bytes: &[u8]) -> bool {
        bytes.starts_with(FIRST_LINE.as_bytes())
    }

    fn write(&self, model: &Model) -> Result<Vec<u8>, String> {
        let layers: Vec<&Dense> = model.chain()?.into_iter().map(|(_, layer)| layer).collect();
        let parts = [
            code::comment(model, &layers),
            code::constants(model, &layers),
            code::activations(&layers),
            code::predict(model, &layers),
        ];
        Ok(parts.concat().into_bytes())
    }

    fn reader(&self) -> Option<ModelReader> {
        None
    }
}
