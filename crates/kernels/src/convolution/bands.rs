//! Bands of output positions: those of neighbouring rows that meet the same taps, cut to a size of caches.

use super::shape::Convolution;
use super::taps::Run;

/// Positions of some rows and some columns of the outputs, all of which meet the same taps.
#[derive(Clone, Copy)]
pub(super) struct Band {
    /// Vertically.
    pub(super) rows: Run,
    /// Horizontally.
    pub(super) columns: Run,
}

/// Every output position, in bands of about `positions`.
#[inline(always)]
pub(super) fn bands(conv: &Convolution, positions: usize) -> impl Iterator<Item = Band> {
    let [vertical, horizontal] = &conv.outputs;
    vertical.iter().flat_map(move |rows| {
        horizontal.iter().flat_map(move |run| run.parts(positions)).flat_map(move |columns| {
            rows.parts((positions / columns.count).max(1)).map(move |rows| Band { rows, columns })
        })
    })
}
