//! A billion rows: how long it takes to open the file, to plan, and to have trained on a minibatch.

use super::fit::{Limit, config, fit};
use super::{Bench, Line};
use anyhow::{Context, Result, ensure};
use gristmill_io::{Dataset, SynthOptions};
use gristmill_trainer::config::Shuffle;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

const ROWS: u64 = 1_000_000_000;

pub(super) fn run(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let small = bench.data("small", SynthOptions { rows: 2, ..Default::default() })?;
    let file = sparse(&small, bench.folder)?;
    let mut lines = Vec::new();
    for shuffle in [Shuffle::Full, Shuffle::Window] {
        let began = Instant::now();
        let dataset = Dataset::open(&file)?;
        ensure!(dataset.rows() == ROWS, "{} rows", dataset.rows());
        let mut config = config(&bench.higgs);
        config.training.shuffle = shuffle;
        let trained = fit(&config, &dataset, Limit { seconds: 0.0, steps: 1 })?;
        let seconds = began.elapsed().as_secs_f64();
        let what = format!("10^9 rows, {shuffle}: open, plan, first step");
        let compared = format!("the step and what it waited for: {:.3} s", trained.seconds);
        lines.push(Line::new(&what, format!("{seconds:.3} s"), compared));
    }
    Ok(lines)
}

/// A data set of [`ROWS`] rows of zeros that take no room: the header and the metadata of a small one,
/// with other lengths. docs/grist-format.md has the layout.
fn sparse(small: &Path, folder: &Path) -> Result<PathBuf> {
    const PAGE: u64 = 4096;
    const BLOCK: u64 = 1 << 20;
    let bytes = fs::read(small)?;
    let number = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().expect("8 bytes"));
    let entry = |section: usize| 20 + 20 * section;
    let metadata = number(entry(4)) as usize..;
    let mut metadata = bytes.get(metadata).context("a small data set is read whole")?.to_vec();
    metadata[..8].copy_from_slice(&ROWS.to_le_bytes());

    let data = [ROWS * 28 * 4, ROWS * 4, 0];
    let checks = 4 * data.iter().map(|length| length.div_ceil(BLOCK)).sum::<u64>();
    let lengths = [data[0], data[1], data[2], checks, metadata.len() as u64];
    let mut header = bytes[..entry(5)].to_vec();
    let mut end = entry(5) as u64 + 4;
    for (section, length) in lengths.into_iter().enumerate() {
        let offset = end.next_multiple_of(PAGE);
        let at = entry(section);
        header[at..at + 8].copy_from_slice(&offset.to_le_bytes());
        header[at + 8..at + 16].copy_from_slice(&length.to_le_bytes());
        end = offset + length;
    }
    let crc = crc32c::crc32c(&metadata);
    header[entry(4) + 16..entry(5)].copy_from_slice(&crc.to_le_bytes());
    header.extend(crc32c::crc32c(&header).to_le_bytes());

    let path = folder.join("billion.grist");
    let file = File::create(&path)?;
    file.write_all_at(&header, 0)?;
    file.write_all_at(&metadata, end - metadata.len() as u64)?;
    Ok(path)
}
