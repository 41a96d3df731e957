//! Single files out of packages: wheels (zip) and gzipped tar archives.

use anyhow::{Context, Result, bail};
use flate2::read::GzDecoder;
use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::Path;
use zip::ZipArchive;

/// No wanted file is longer; a package that pretends otherwise is cut off and fails its digest.
const LONGEST: u64 = 1 << 30;

/// The bytes of the file in a package whose path ends with the components of `suffix`.
///
/// # Errors
/// The package cannot be read, is of an unknown kind, or has no such file.
pub(crate) fn member(package: &Path, suffix: &str) -> Result<Vec<u8>> {
    let name = package.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let file = File::open(package)?;
    let found = if name.ends_with(".whl") || name.ends_with(".zip") {
        zip_member(file, suffix)
    } else if name.ends_with(".tgz") || name.ends_with(".tar.gz") {
        tar_member(file, suffix)
    } else {
        bail!("{name}: expected a .whl, .zip, .tgz or .tar.gz");
    };
    found.with_context(|| name.clone())?.with_context(|| format!("{name}: it holds no {suffix}"))
}

/// The bytes of a file in a zip archive in memory.
///
/// # Errors
/// No zip archive, or no such file in it.
pub(crate) fn zipped(archive: &[u8], suffix: &str) -> Result<Vec<u8>> {
    zip_member(Cursor::new(archive), suffix)?.with_context(|| format!("it holds no {suffix}"))
}

fn zip_member(archive: impl Read + Seek, suffix: &str) -> Result<Option<Vec<u8>>> {
    let mut archive = ZipArchive::new(archive)?;
    for index in 0..archive.len() {
        let file = archive.by_index(index)?;
        if Path::new(file.name()?.as_ref()).ends_with(suffix) {
            return read(file).map(Some);
        }
    }
    Ok(None)
}

fn tar_member(archive: impl Read, suffix: &str) -> Result<Option<Vec<u8>>> {
    for entry in tar::Archive::new(GzDecoder::new(archive)).entries()? {
        let entry = entry?;
        if entry.path()?.ends_with(suffix) {
            return read(entry).map(Some);
        }
    }
    Ok(None)
}

fn read(file: impl Read) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(LONGEST).read_to_end(&mut bytes)?;
    Ok(bytes)
}
