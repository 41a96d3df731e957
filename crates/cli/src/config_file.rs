//! Configurations in files.

use crate::failure::Failure;
use gristmill_io::open;
use gristmill_trainer::config::RunConfig;
use std::io::Read;
use std::path::Path;

/// The configuration of a file, its paths as they are seen from here.
pub(crate) fn read(path: &Path) -> Result<RunConfig, Failure> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text).map_err(Failure::io("read", path))?;
    let config = RunConfig::from_toml(&text).map_err(Failure::at(path))?;
    Ok(config.seen_from(path.parent().unwrap_or(Path::new(""))))
}
