//! How much memory there is for the data, and what order of rows follows from it.

use crate::config::Shuffle;
use crate::feed::{Paging, Shuffling};
use crate::sampler::WindowShape;
use crate::samples::Samples;
use std::path::Path;

/// Bytes of a block at least: enough for a disk to read at its full rate.
const BLOCK_BYTES: u64 = 256 << 10;

/// Rows of a block at least, unless windows get too few blocks: large blocks of wide rows are read as
/// huge pages.
const BLOCK_ROWS: u64 = 4096;

/// Bytes of the smallest block that a window is made of to mix better: a page.
pub(crate) const SMALLEST_BLOCK: u64 = 4096;

/// Bytes of a window where no budget is given: a thousand blocks, so that every window looks like the
/// whole file, and three of them at a time still fit into a small machine.
const WINDOW_BYTES: u64 = 256 << 20;

/// Windows that would fill a budget: the one in use and the next are in memory at once, and a third is
/// left for the network and for what the system reads ahead or has not dropped yet.
const WINDOWS_IN_BUDGET: u64 = 3;

/// The order of rows for a data set of `rows` rows of `row_bytes`, with `budget` bytes of memory for
/// it; `None` is no limit but the machine's.
///
/// The shape of windows depends on the data and on a given budget, never on the machine: the same
/// command gives the same bits everywhere.
pub(crate) fn choose(
    shuffle: Shuffle,
    rows: u64,
    row_bytes: u64,
    budget: Option<u64>,
) -> Shuffling {
    match shuffle {
        Shuffle::None => Shuffling::Stored,
        Shuffle::Full => Shuffling::Full,
        Shuffle::Auto if fits(rows, row_bytes, budget) => Shuffling::Full,
        Shuffle::Auto | Shuffle::Window => Shuffling::Window(window_shape(row_bytes, budget)),
    }
}

fn window_shape(row_bytes: u64, budget: Option<u64>) -> WindowShape {
    let window = budget.map_or(WINDOW_BYTES, |memory| memory / WINDOWS_IN_BUDGET);
    // At least 64 blocks to a window, however small: few blocks mix badly.
    let row_bytes = row_bytes.max(1);
    let block = BLOCK_BYTES.max(BLOCK_ROWS * row_bytes).min(window / 64);
    let block_rows = (block / row_bytes).max(1);
    let blocks = (window / (block_rows * row_bytes)).max(64);
    WindowShape { block_rows, blocks }
}

/// How rows in this order get into memory.
pub(crate) fn paging<S: Samples>(how: Shuffling, samples: &S, budget: Option<u64>) -> Paging {
    if !samples.is_paged() {
        return Paging::None;
    }
    match (how, fits(samples.rows(), samples.row_bytes(), budget)) {
        (Shuffling::Full, true) => Paging::Load,
        (Shuffling::Full, false) => Paging::Scattered,
        (_, true) => Paging::Ahead,
        (_, false) => Paging::AheadAndDrop,
    }
}

/// Whether all rows can stay in memory.
fn fits(rows: u64, row_bytes: u64, budget: Option<u64>) -> bool {
    let bytes = rows.saturating_mul(row_bytes);
    budget.or_else(available).is_none_or(|memory| bytes <= memory / 4 * 3)
}

/// Bytes that this process may still use for its own data and for cached files: what the system has
/// available, or the limit of its control group if that is less. `None` where nobody tells.
pub fn available() -> Option<u64> {
    let system = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemAvailable:"))?;
        let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
        Some(kibibytes * 1024)
    });
    match (system, group_limit()) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// How often a thread of this process has waited for a page that had to be read from the disk; 0 where
/// nobody tells.
pub(crate) fn page_reads() -> u64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name of the program may have spaces, but ends with the last bracket.
    let fields = stat.rsplit_once(')').map_or("", |(_, fields)| fields);
    fields.split_whitespace().nth(9).and_then(|field| field.parse().ok()).unwrap_or(0)
}

/// The memory limit of this process's control group or of the nearest one above it, of version 1 or 2.
fn group_limit() -> Option<u64> {
    let groups = std::fs::read_to_string("/proc/self/cgroup").ok()?;
    let limits = groups.lines().filter_map(|line| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, path) = (fields.next()?, fields.next()?);
        let (root, file) = match controllers {
            "" => ("/sys/fs/cgroup", "memory.max"),
            _ if controllers.split(',').any(|c| c == "memory") => {
                ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            }
            _ => return None,
        };
        let own = Path::new(root).join(path.trim_start_matches('/'));
        let above = own.ancestors().take_while(|dir| dir.starts_with(root));
        above
            .filter_map(|dir| std::fs::read_to_string(dir.join(file)).ok()?.trim().parse().ok())
            .min()
    });
    limits.min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_is_shuffled_in_full() {
        let small = choose(Shuffle::Auto, 1000, 112, Some(1 << 20));
        assert_eq!(small, Shuffling::Full);
        let large = choose(Shuffle::Auto, 1_000_000_000, 112, Some(2 << 30));
        let Shuffling::Window(shape) = large else { panic!("{large:?}") };
        assert!(shape.blocks >= 500, "{shape:?}");
        let held = 2 * shape.block_rows * shape.blocks * 112;
        assert!(held <= 3 << 29, "{held} bytes in windows");
    }

    #[test]
    fn windows_have_many_blocks_whatever_the_rows() {
        for row_bytes in [1, 28, 3072, 1 << 20, 1 << 26] {
            for budget in [None, Some(1 << 20), Some(2 << 30)] {
                let shape = window_shape(row_bytes, budget);
                assert!(shape.block_rows >= 1 && shape.blocks >= 64, "{row_bytes} {shape:?}");
            }
        }
    }

    #[test]
    fn no_shuffling_is_the_order_of_the_file() {
        assert_eq!(choose(Shuffle::None, 10, 4, None), Shuffling::Stored);
        assert_eq!(choose(Shuffle::Full, u64::MAX, 4, Some(1)), Shuffling::Full);
    }
}
