//! The files that are trained on.

use anyhow::{Context, Result};
use gristmill_io::{Advice, Dataset, Dtype, ImportProgress, SynthOptions, synth};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

struct Silence;

impl ImportProgress for Silence {
    fn begin(&self, _: u64) {}
    fn advance(&self, _: u64, _: u64) {}
}

/// Makes a data set.
pub(super) fn make(path: &Path, options: SynthOptions) -> Result<()> {
    eprintln!("making {} rows of {} features", options.rows, options.features);
    synth(path, &options, &Silence)?;
    Ok(())
}

/// The rows of about so many bytes.
pub(super) fn rows_of(gigabytes: f64, features: usize, dtype: Dtype) -> u64 {
    (gigabytes * 1e9 / (features * dtype.size()) as f64) as u64
}

/// Writes the rows as other programs map them: f32, the class as the last number of a row.
pub(super) fn raw(data: &Dataset, path: &Path) -> Result<()> {
    let cannot = || format!("cannot write {}", path.display());
    let mut file = BufWriter::new(File::create(path).with_context(cannot)?);
    for row in 0..data.rows() {
        file.write_all(data.row(row)).with_context(cannot)?;
        file.write_all(&(data.label(row) as f32).to_le_bytes()).with_context(cannot)?;
    }
    file.into_inner().map_err(|error| error.into_error()).with_context(cannot)?.sync_all()?;
    Ok(())
}

/// Has the system forget what it has read of a data set.
pub(super) fn forget(path: &Path) -> Result<()> {
    // Pages that are not yet written cannot be dropped.
    File::open(path)?.sync_all()?;
    let data = Dataset::open(path)?;
    Ok(data.advise(0..data.rows(), Advice::DontNeed)?)
}
