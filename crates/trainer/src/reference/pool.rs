//! Pooling: the largest or the mean of what each window sees of each channel.

use super::formula::{At, Formula, place, seen};
use super::number::{Kinks, Number, sum};
use crate::layer::Pool;
use crate::layer::pool::PoolFunction;
use gristmill_kernels::pooling::Windows;

impl Formula for Pool {
    fn values<N: Number>(&self, at: At<'_, N>) -> Vec<Vec<N>> {
        let Windows { channels, output: [height, width], .. } = self.windows;
        at.each_to_its_end(|image, end, kinks| {
            // Windows that do not see all see zeros beyond the end.
            let image = match end.filter(|_| self.is_global()) {
                Some(end) => &image[..end * channels],
                None => image,
            };
            let mut values = Vec::new();
            for y in 0..height {
                for x in 0..width {
                    for channel in 0..channels {
                        let window = window(&self.windows, image, [y, x, channel]);
                        values.push(match self.function {
                            PoolFunction::Max => largest(&window, kinks),
                            PoolFunction::Average => mean(&window),
                        });
                    }
                }
            }
            values
        })
    }
}

/// The values of a channel that are in a window.
fn window<N: Number>(windows: &Windows, image: &[N], [y, x, channel]: [usize; 3]) -> Vec<N> {
    let Windows { channels, image: size, window, stride, padding, .. } = *windows;
    let mut values = Vec::new();
    for tap_y in 0..window[0] {
        for tap_x in 0..window[1] {
            let at = |axis: usize, window, tap| {
                seen(size[axis], [stride[axis], 1, padding[axis]], window, tap)
            };
            if let (Some(row), Some(column)) = (at(0, y, tap_y), at(1, x, tap_x)) {
                values.extend(image.get(place(size[1], channels, [row, column, channel])));
            }
        }
    }
    values
}

/// The first of the largest.
fn largest<N: Number>(values: &[N], kinks: &mut Kinks) -> N {
    let mut largest = values[0];
    for &value in &values[1..] {
        if kinks.is_past(value.value() > largest.value()) {
            largest = value;
        }
    }
    largest
}

fn mean<N: Number>(values: &[N]) -> N {
    sum(values.iter().copied()) / N::from(values.len() as f64)
}
