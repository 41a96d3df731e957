//! Pooling over the positions of a series that belong to it, where series are of unequal length.

use gristmill_kernels::{LANES, Row};

/// The largest of each channel up to the end of each sample, or the mean: `x` has positions x channels rows for each
/// panel of samples, `ends` and `out` one and `channels`. A sample without positions gives 0.
pub(super) fn forward(is_max: bool, channels: usize, x: &[Row], ends: &[Row], out: &mut [Row]) {
    let height = x.len() / ends.len();
    let panels = x.chunks_exact(height).zip(ends).zip(out.chunks_exact_mut(channels));
    for ((x, ends), out) in panels {
        let start = if is_max { f32::NEG_INFINITY } else { 0.0 };
        out.fill([start; LANES]);
        for (position, rows) in x.chunks_exact(channels).enumerate() {
            for (x, out) in rows.iter().zip(&mut *out) {
                for ((x, out), end) in x.iter().zip(out).zip(ends) {
                    let next = if is_max { out.max(*x) } else { *out + *x };
                    *out = if (position as f32) < *end { next } else { *out };
                }
            }
        }
        for (out, end) in out.iter_mut().flat_map(|row| row.iter_mut().zip(ends)) {
            *out = match (*end > 0.0, is_max) {
                (false, _) => 0.0,
                (true, true) => *out,
                (true, false) => *out / *end,
            };
        }
    }
}

/// What goes back through a pool.
pub(super) struct Backward<'a> {
    pub(super) x: &'a [Row],
    pub(super) y: &'a [Row],
    pub(super) errors: &'a [Row],
    pub(super) ends: &'a [Row],
    pub(super) input_errors: &'a mut [Row],
    /// Whether it is added to what is there.
    pub(super) add: bool,
}

/// The error of a largest value goes to the first that is as large, that of a mean to all in equal parts.
pub(super) fn backward(is_max: bool, channels: usize, at: Backward<'_>) {
    let Backward { x, y, errors, ends, input_errors, add } = at;
    let height = x.len() / ends.len();
    if !add {
        input_errors.fill([0.0; LANES]);
    }
    let of_y = y.chunks_exact(channels).zip(errors.chunks_exact(channels));
    let panels =
        x.chunks_exact(height).zip(input_errors.chunks_exact_mut(height)).zip(of_y).zip(ends);
    for (((x, input_errors), (y, errors)), ends) in panels {
        for channel in 0..channels {
            let (y, errors) = (&y[channel], &errors[channel]);
            for lane in 0..LANES {
                let mut places =
                    (0..ends[lane] as usize).map(|position| position * channels + channel);
                if is_max {
                    if let Some(place) = places.find(|&place| x[place][lane] == y[lane]) {
                        input_errors[place][lane] += errors[lane];
                    }
                } else {
                    let part = errors[lane] / ends[lane];
                    places.for_each(|place| input_errors[place][lane] += part);
                }
            }
        }
    }
}
