//! How each row of a shard is mixed with another: features, targets and weights.
//!
//! A row is mixed with one of the sixteen of its panel, which are a random sample like all of the minibatch, and are
//! together whichever way that is cut into shards.

use super::{RowContext, Shard};
use crate::data::augment::Mixture;
use crate::data::samples::Samples;
use crate::objective::{Objective, TargetKind};
use gristmill_kernels::{LANES, Row};

/// What becomes of the rows of a panel.
struct PanelMix {
    mixtures: [Mixture; LANES],
    /// How much each row's own target counts in its mixture, and how much that of the other row.
    parts: [[f32; 2]; LANES],
    weights: Row,
}

impl PanelMix {
    /// Of rows with these weights. One that does not count is no part of a mixture.
    fn new(weights: &Row, mixture: impl Fn(usize) -> Mixture) -> PanelMix {
        let mixtures = std::array::from_fn(|lane| {
            let Mixture { partner, share } = mixture(lane);
            let counts = weights[lane] > 0.0 && weights[partner] > 0.0;
            Mixture { partner, share: if counts { share } else { 0.0 } }
        });
        let shares = |lane: usize| {
            let Mixture { partner, share } = mixtures[lane];
            [(1.0 - share) * weights[lane], share * weights[partner]]
        };
        let weights = std::array::from_fn(|lane| shares(lane)[0] + shares(lane)[1]);
        let parts = std::array::from_fn(|lane| match mixtures[lane].share {
            0.0 => [1.0, 0.0],
            _ => shares(lane).map(|share| share / weights[lane]),
        });
        PanelMix { mixtures, parts, weights }
    }

    /// Mixes the features of the rows: as many as there are, sixteen features of each.
    fn mix_rows(&self, rows: &mut [Row]) {
        let mut before = [[0.0; LANES]; LANES];
        before[..rows.len()].copy_from_slice(rows);
        for (row, Mixture { partner, share }) in rows.iter_mut().zip(&self.mixtures) {
            for (own, other) in row.iter_mut().zip(&before[*partner]) {
                *own += share * (other - *own);
            }
        }
    }

    /// Mixes a number of each row.
    fn mix_numbers(&self, numbers: &mut Row) {
        let before = *numbers;
        for (lane, Mixture { partner, .. }) in self.mixtures.iter().enumerate() {
            let [own, other] = self.parts[lane];
            if other > 0.0 {
                numbers[lane] = own * before[lane] + other * before[*partner];
            }
        }
    }

    /// The shares of the classes of each row: a row per class.
    fn mix_classes(&self, classes: &Row, shares: &mut [Row]) {
        shares.fill([0.0; LANES]);
        for (lane, Mixture { partner, .. }) in self.mixtures.iter().enumerate() {
            let [own, other] = self.parts[lane];
            for (class, part) in [(classes[lane], own), (classes[*partner], other)] {
                // One that does not exist is found by who gathers it.
                if let Some(shares) = shares.get_mut(class as usize) {
                    shares[lane] += part;
                }
            }
        }
    }
}

impl Shard {
    /// Mixes the rows, if these samples are to be mixed.
    pub(super) fn mix<S: Samples>(&mut self, context: &RowContext<'_, S>, objective: &Objective) {
        let mixes = context.samples.augmentation().filter(|augmentation| augmentation.mixes());
        self.has_mixed_classes = mixes.is_some() && objective.targets == TargetKind::Classes;
        let Some(augmentation) = mixes else { return };
        let (samples, outputs) = (self.rows.len(), context.network.outputs());
        // From the last panel, since shares of classes take more room than numbers of classes.
        for panel in (0..self.columns()).rev() {
            let first = panel * LANES;
            let count = LANES.min(samples - first);
            let mix = PanelMix::new(&self.weights[panel], |lane| match lane < count {
                true => augmentation.mixture(self.rows[first + lane], count),
                false => Mixture { partner: lane, share: 0.0 },
            });
            self.weights[panel] = mix.weights;
            let width = context.network.inputs().div_ceil(LANES);
            for features in self.inputs[..width * samples].chunks_exact_mut(samples) {
                mix.mix_rows(&mut features[first..first + count]);
            }
            let classes = self.targets[panel];
            let targets = &mut self.targets[panel * outputs..][..outputs];
            match objective.targets {
                TargetKind::Classes if outputs > 1 => mix.mix_classes(&classes, targets),
                _ => targets.iter_mut().for_each(|numbers| mix.mix_numbers(numbers)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix(weights: Row, own: Mixture) -> PanelMix {
        PanelMix::new(&weights, |lane| match lane {
            2 => own,
            _ => Mixture { partner: lane, share: 0.0 },
        })
    }

    #[test]
    fn a_row_is_mixed_by_shares_and_its_target_by_weights_too() {
        let mut weights = [1.0; LANES];
        weights[5] = 3.0;
        let mix = mix(weights, Mixture { partner: 5, share: 0.25 });
        let mut rows: [Row; LANES] =
            std::array::from_fn(|r| std::array::from_fn(|f| (r * 8 + f) as f32));
        mix.mix_rows(&mut rows);
        assert_eq!(rows[2][3], 0.75 * 19.0 + 0.25 * 43.0);
        assert_eq!(rows[5][3], 43.0);
        // 3/4 of weight 1 and 1/4 of weight 3.
        assert_eq!(mix.weights[2], 1.5);
        assert_eq!(mix.parts[2], [0.5, 0.5]);
        let mut numbers = std::array::from_fn(|lane| lane as f32);
        mix.mix_numbers(&mut numbers);
        assert_eq!((numbers[2], numbers[5], numbers[0]), (3.5, 5.0, 0.0));
        let classes = std::array::from_fn(|lane| (lane % 3) as f32);
        let mut shares = vec![[9.0; LANES]; 3];
        mix.mix_classes(&classes, &mut shares);
        assert_eq!([shares[0][2], shares[1][2], shares[2][2]], [0.0, 0.0, 1.0]);
        let classes = std::array::from_fn(|lane| (lane % 2) as f32);
        mix.mix_classes(&classes, &mut shares);
        assert_eq!([shares[0][2], shares[1][2], shares[2][2]], [0.5, 0.5, 0.0]);
        assert_eq!([shares[0][3], shares[1][3], shares[2][3]], [0.0, 1.0, 0.0]);
    }

    #[test]
    fn rows_that_do_not_count_are_no_part_of_a_mixture() {
        for silent in [2, 5] {
            let mut weights = [1.0; LANES];
            weights[silent] = 0.0;
            let mix = mix(weights, Mixture { partner: 5, share: 0.5 });
            let mut rows: [Row; LANES] = std::array::from_fn(|r| [r as f32; LANES]);
            mix.mix_rows(&mut rows);
            assert_eq!((rows[2][0], mix.weights[2]), (2.0, weights[2]), "{silent}");
            assert_eq!(mix.parts[2], [1.0, 0.0], "{silent}");
        }
    }
}
