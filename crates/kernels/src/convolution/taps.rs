//! Which taps of a kernel meet which coordinates, along one axis of an image or signal.
//!
//! Seen from the inputs, a convolution is another one: the kernel is turned, its last tap first, so that
//! coordinates ascend with the taps either way.

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
    pub(super) at_step: usize,
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

    /// Every input coordinate, with the output coordinates that it is a part of; taps are those of the turned
    /// kernel.
    pub(super) fn inputs(&self) -> Vec<Run> {
        let last = self.kernel - 1;
        let taps =
            (0..self.input).map(|i| Taps::of(self.kernel, |tap| self.output_at(i, last - tap)));
        runs(&taps.collect::<Vec<_>>(), self.stride, 1)
    }
}

impl Taps {
    /// The taps for which `met` gives a coordinate; they and the coordinates ascend in equal steps.
    fn of(kernel: usize, met: impl Fn(usize) -> Option<usize>) -> Taps {
        let mut taps = (0..kernel).filter_map(|tap| Some((tap, met(tap)?)));
        let Some((first, at)) = taps.next() else {
            return Taps { first: 0, step: 1, count: 0, at: 0, at_step: 1 };
        };
        let Some((second, then)) = taps.next() else {
            return Taps { first, step: 1, count: 1, at, at_step: 1 };
        };
        Taps { first, step: second - first, count: 2 + taps.count(), at, at_step: then - at }
    }

    /// The same taps, meeting what is `by` coordinates further.
    #[inline(always)]
    pub(super) fn moved(self, by: usize) -> Taps {
        Taps { at: self.at + by, ..self }
    }

    /// The coordinate met at the tap of this number.
    #[inline(always)]
    pub(super) fn coordinate(&self, number: usize) -> usize {
        self.at + number * self.at_step
    }

    /// Whether neighbouring taps meet neighbouring coordinates.
    #[inline(always)]
    pub(super) fn are_neighbours(&self) -> bool {
        self.step == 1 && self.at_step == 1
    }
}

impl Run {
    /// Its coordinates.
    #[inline(always)]
    pub(super) fn coordinates(&self) -> impl Iterator<Item = usize> + use<> {
        let Run { to, to_step, count, .. } = *self;
        (0..count).map(move |number| to + number * to_step)
    }

    /// The run in parts of nearly equal numbers of coordinates, at most `most`.
    #[inline(always)]
    pub(super) fn parts(self, most: usize) -> impl Iterator<Item = Run> {
        let parts = self.count.div_ceil(most);
        (0..parts).map(move |part| {
            let [first, end] = [part, part + 1].map(|part| part * self.count / parts);
            let to = self.to + first * self.to_step;
            let taps = self.taps.moved(first * self.advance);
            Run { to, count: end - first, taps, ..self }
        })
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
            let last = axis.kernel - 1;
            let mut turned: Vec<_> = want.iter().map(|&[o, tap, i]| [i, last - tap, o]).collect();
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
    fn parts_are_the_run() {
        for axis in axes() {
            for run in axis.outputs().into_iter().chain(axis.inputs()) {
                for most in [1, 2, 3, 5, 100] {
                    let parts: Vec<_> = run.parts(most).collect();
                    assert_eq!(meetings(&parts), meetings(&[run]), "{run:?} {most}");
                    assert_eq!(parts.len(), run.count.div_ceil(most), "{run:?} {most}");
                    assert!(parts.iter().all(|part| (1..=most).contains(&part.count)), "{run:?}");
                }
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
