//! The `[data]` section, and how the paths of a configuration are meant.

use super::RunConfig;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// The `[data]` section. The rows to validate on are in [`ValidationConfig`](super::ValidationConfig).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// The data set to learn from.
    pub path: Option<PathBuf>,
}

impl RunConfig {
    /// The configuration with its relative paths seen from `directory`: paths in a file are relative
    /// to the directory of that file.
    pub fn seen_from(mut self, directory: &Path) -> RunConfig {
        for path in [&mut self.data.path, &mut self.validation.file].into_iter().flatten() {
            *path = directory.join(&*path);
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn relative_paths_are_those_of_the_files_directory() {
        let text = "data.path = 'a.grist'\nvalidation.file = '/b.grist'";
        let config = RunConfig::from_toml(text).unwrap().seen_from(Path::new("runs/x"));
        assert_eq!(config.data.path, Some("runs/x/a.grist".into()));
        assert_eq!(config.validation.file, Some("/b.grist".into()));
    }
}
