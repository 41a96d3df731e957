//! Which taps of a kernel meet which coordinates, along one axis of an image or signal.

/// One axis of a convolution: output coordinate `o` meets input coordinate
/// `o * stride + tap * dilation - padding` at each tap, where there is such an input coordinate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    pub(super) input: usize,
    pub(super) output: usize,
    pub(super) kernel: usize,
    pub(super) stride: usize,
    pub(super) dilation: usize,
    pub(super) padding: usize,
}

/// The taps at which a coordinate meets others, both in equal steps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Taps {
    /// The first tap.
    pub(super) first: usize,
    /// From one tap to the next.
    pub(super) step: usize,
    /// How many there are; maybe none.
    pub(super) count: usize,
    /// The coordinate met at the first tap.
    pub(super) at: usize,
    /// From the coordinate met at one tap to that at the next.
    pub(super) at_step: isize,
}

/// Coordinates in equal steps that have the same taps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Run {
    /// The first of them.
    pub(super) to: usize,
    /// From one to the next.
    pub(super) to_step: usize,
    /// How many there are.
    pub(super) count: usize,
    /// The taps of the first.
    pub(super) taps: Taps,
    /// From what one meets at a tap to what the next meets there.
    pub(super) advance: usize,
}

impl Axis {
    fn input_at(&self, output: usize, tap: usize) -> Option<usize> {
        let input = (output * self.stride + tap * self.dilation).checked_sub(self.padding)?;
        (input < self.input).then_some(input)
    }

    fn output_at(&self, input: usize, tap: usize) -> Option<usize> {
        let steps = (input + self.padding).checked_sub(tap * self.dilation)?;
        let output = steps / self.stride;
        (steps.is_multiple_of(self.stride) && output < self.output).then_some(output)
    }

    /// Every output coordinate, with the input coordinates that it is made of.
    pub(super) fn outputs(&self) -> Vec<Run> {
        let taps = (0..self.output).map(|o| Taps::of(self.kernel, |tap| self.input_at(o, tap)));
        runs(&taps.collect::<Vec<_>>(), 1, self.stride)
    }

    /// Every input coordinate, with the output coordinates that it is a part of.
    pub(super) fn inputs(&self) -> Vec<Run> {
        let taps = (0..self.input).map(|i| Taps::of(self.kernel, |tap| self.output_at(i, tap)));
        runs(&taps.collect::<Vec<_>>(), self.stride, 1)
    }
}

impl Taps {
    /// The taps for which `met` gives a coordinate; they and the coordinates are in equal steps.
    fn of(kernel: usize, met: impl Fn(usize) -> Option<usize>) -> Taps {
        let mut taps = (0..kernel).filter_map(|tap| Some((tap, met(tap)?)));
        let Some((first, at)) = taps.next() else {
            return Taps { first: 0, step: 1, count: 0, at: 0, at_step: 1 };
        };
        let Some((second, then)) = taps.next() else {
            return Taps { first, step: 1, count: 1, at, at_step: 1 };
        };
        let at_step = then as isize - at as isize;
        Taps { first, step: second - first, count: 2 + taps.count(), at, at_step }
    }

    /// The same taps, meeting what is `by` coordinates further.
    #[inline(always)]
    pub(super) fn moved(self, by: usize) -> Taps {
        Taps { at: self.at + by, ..self }
    }

    /// The coordinate met at the tap of this number.
    #[inline(always)]
    pub(super) fn coordinate(&self, number: usize) -> usize {
        self.at.wrapping_add_signed(number as isize * self.at_step)
    }
}

/// Cuts coordinates into runs: `to_step` apart, as long as all of a run meet the same taps.
fn runs(taps: &[Taps], to_step: usize, advance: usize) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for phase in 0..to_step.min(taps.len()) {
        let mut last: Option<Run> = None;
        for (to, &taps) in taps.iter().enumerate().skip(phase).step_by(to_step) {
            match &mut last {
                Some(run) if run.taps.moved(run.count * advance) == taps => run.count += 1,
                _ => {
                    runs.extend(last);
                    last = Some(Run { to, to_step, count: 1, taps, advance });
                }
            }
        }
        runs.extend(last);
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axes() -> impl Iterator<Item = Axis> {
        let mut axes = Vec::new();
        for (input, output) in [(1, 1), (7, 7), (9, 4), (5, 12), (17, 6)] {
            for (kernel, padding) in [(1, 0), (3, 0), (3, 1), (4, 2), (5, 6)] {
                for (stride, dilation) in [(1, 1), (2, 1), (3, 1), (1, 2), (2, 2), (3, 2), (4, 6)] {
                    axes.push(Axis { input, output, kernel, stride, dilation, padding });
                }
            }
        }
        axes.into_iter()
    }

    /// (coordinate, tap, met coordinate) of all runs.
    fn meetings(runs: &[Run]) -> Vec<[usize; 3]> {
        let mut all = Vec::new();
        for run in runs {
            for i in 0..run.count {
                let taps = run.taps.moved(i * run.advance);
                for number in 0..taps.count {
                    let tap = taps.first + number * taps.step;
                    all.push([run.to + i * run.to_step, tap, taps.coordinate(number)]);
                }
            }
        }
        all.sort_unstable();
        all
    }

    #[test]
    fn runs_are_all_meetings() {
        for axis in axes() {
            let mut want = Vec::new();
            for o in 0..axis.output {
                for tap in 0..axis.kernel {
                    let i =
                        (o * axis.stride + tap * axis.dilation) as isize - axis.padding as isize;
                    if (0..axis.input as isize).contains(&i) {
                        want.push([o, tap, i as usize]);
                    }
                }
            }
            assert_eq!(meetings(&axis.outputs()), want, "{axis:?}");
            let mut turned: Vec<_> = want.iter().map(|&[o, tap, i]| [i, tap, o]).collect();
            turned.sort_unstable();
            assert_eq!(meetings(&axis.inputs()), turned, "{axis:?}");
        }
    }

    #[test]
    fn every_coordinate_is_in_one_run() {
        for axis in axes() {
            for (runs, size) in [(axis.outputs(), axis.output), (axis.inputs(), axis.input)] {
                let mut all: Vec<usize> = runs
                    .iter()
                    .flat_map(|run| (0..run.count).map(|i| run.to + i * run.to_step))
                    .collect();
                all.sort_unstable();
                assert_eq!(all, (0..size).collect::<Vec<_>>(), "{axis:?}");
            }
        }
    }

    #[test]
    fn the_inside_of_an_image_is_one_run() {
        let axis = Axis { input: 28, output: 28, kernel: 5, stride: 1, dilation: 1, padding: 2 };
        for runs in [axis.outputs(), axis.inputs()] {
            let counts: Vec<_> = runs.iter().map(|run| run.count).collect();
            assert_eq!(counts, [1, 1, 24, 1, 1]);
        }
    }
}
