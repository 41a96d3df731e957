//! How the paths of a configuration are meant, and what they may be.

use super::{ConfigError, RunConfig};
use std::path::Path;

impl RunConfig {
    /// Checks that paths can be written into a configuration, which is UTF-8.
    pub(super) fn check_paths(&self) -> Result<(), ConfigError> {
        for (key, path) in
            [("data.path", &self.data.path), ("validation.file", &self.validation.file)]
        {
            if let Some(path) = path.as_ref().filter(|path| path.to_str().is_none()) {
                let expected = "expected UTF-8, as config.toml is; rename the file and the directories above \
                     it, or name a link to it";
                return Err(ConfigError::value(key, path.display(), expected));
            }
        }
        Ok(())
    }

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
    use std::path::PathBuf;

    #[test]
    #[cfg(unix)]
    fn paths_are_text() {
        use std::os::unix::ffi::OsStringExt;
        let path = PathBuf::from(std::ffi::OsString::from_vec(b"a\xff.grist".to_vec()));
        let mut config = RunConfig::default();
        config.data.path = Some(path.clone());
        let message = config.check().unwrap_err().to_string();
        assert!(message.starts_with("`data.path` is a\u{fffd}.grist: expected UTF-8"), "{message}");
        assert!(config.assign(&[]).is_err());
        config.data.path = None;
        config.validation.file = Some(path);
        assert!(config.check().unwrap_err().to_string().contains("`validation.file`"));
    }

    #[test]
    fn relative_paths_are_those_of_the_files_directory() {
        let text = "data.path = 'a.grist'\nvalidation.file = '/b.grist'";
        let config = RunConfig::from_toml(text).unwrap().seen_from(Path::new("runs/x"));
        assert_eq!(config.data.path, Some("runs/x/a.grist".into()));
        assert_eq!(config.validation.file, Some("/b.grist".into()));
    }
}
