//! Where things are: the repository, and the caches outside of it.

use anyhow::{Context, Result};
use std::env;
use std::path::{Path, PathBuf};

/// The environment variable that says where fetched data sets are kept.
pub(crate) const DATA_VARIABLE: &str = "GRISTMILL_DATA";

/// The root of the repository.
pub(crate) fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask is a folder of the repository")
}

/// Where fetched data sets are kept: `$GRISTMILL_DATA`, else `~/.cache/gristmill/data`.
pub(crate) fn data() -> Result<PathBuf> {
    match env::var_os(DATA_VARIABLE).filter(|path| !path.is_empty()) {
        Some(path) => Ok(path.into()),
        None => Ok(cache()?.join("data")),
    }
}

/// The user's cache of this project: `~/.cache/gristmill`.
pub(crate) fn cache() -> Result<PathBuf> {
    let home = env::home_dir().context("no home directory: set HOME")?;
    Ok(home.join(".cache/gristmill"))
}
