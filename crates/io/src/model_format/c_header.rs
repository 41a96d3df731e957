//! A C header: a model as constants and one function, for programs that link nothing but libm.
//!
//! Text is encoded by the caller: the header says in which order the features come. It is C99 without
//! warnings, and its function may be called from several threads.

mod code;
mod layer;
mod plan;
mod text;

use super::interface::{ModelFormat, ModelReader};
use crate::model::Model;
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
        let plan = plan::plan(model)?;
        let width = model.views()?.last().map_or(0, |view| view.units());
        let steps = plan.steps.iter().enumerate();
        let layers = steps.map(|(index, step)| layer::function(index, step));
        let layers = layers.collect::<Result<String, String>>()?;
        let parts = [
            code::comment(model, &plan),
            code::constants(model),
            layers,
            code::predict(model, &plan, width),
        ];
        Ok(parts.concat().into_bytes())
    }

    fn reader(&self) -> Option<ModelReader> {
        None
    }
}
