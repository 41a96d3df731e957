//! What stands for the tables of plugins where the program is built without Arrow, as which they come.

use super::program::Plugin;
use crate::error::{Error, Result};
use crate::export::table::Exported;
use crate::format::table::Table;
use crate::source::Source;
use std::io::Write;
use std::sync::Arc;

pub(crate) fn open(_: Arc<Plugin>, _: &Source, _: &[(String, String)]) -> Result<Table> {
    Err(refused())
}

pub(crate) fn export(
    _: &Plugin,
    _: &Exported,
    _: &[(String, String)],
    _: &mut (dyn Write + Send),
) -> Result<()> {
    Err(refused())
}

fn refused() -> Error {
    let reason = "this program was built without Arrow, as which plugins give tables";
    Error::Invalid(reason.to_owned())
}
