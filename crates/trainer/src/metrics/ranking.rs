//! The area under the ROC curve: exactly as long as every score can be kept, then from fine bins.

use rayon::prelude::*;

/// What is known of the scores so far.
#[derive(Debug, Clone)]
pub(super) enum Scores {
    /// Every one of them.
    Kept(Kept),
    /// How many rows have a score in each bin; bins for every column.
    Counted(Vec<Bins>),
}

/// Scores are kept up to this many, which takes some 100 MiB in the end.
const MOST_KEPT: usize = 1 << 22;

/// Bits of a score that bins of a single column do not tell apart: two million bins, a ten-thousandth of
/// the score wide.
const COARSE_BITS: u32 = 10;

#[derive(Debug, Clone)]
pub(super) struct Kept {
    columns: usize,
    scores: Vec<f32>,
    labels: Vec<u32>,
    weights: Vec<f32>,
}

/// Weights of the rows of a class, and of all others, by their score.
#[derive(Debug, Clone)]
pub(super) struct Bins {
    coarse_bits: u32,
    weights: Vec<Weights>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Weights {
    own: f64,
    others: f64,
}

impl Scores {
    /// Rows have this many scores: one for two classes, else one per class.
    pub(super) fn new(columns: usize) -> Scores {
        Scores::Kept(Kept { columns, scores: Vec::new(), labels: Vec::new(), weights: Vec::new() })
    }

    /// Adds a row.
    pub(super) fn add(&mut self, scores: &[f32], label: u32, weight: f64) {
        if let Scores::Kept(kept) = self
            && kept.scores.len() + scores.len() > MOST_KEPT
        {
            *self = Scores::Counted(kept.count());
        }
        match self {
            Scores::Kept(kept) => {
                kept.scores.extend_from_slice(scores);
                kept.labels.push(label);
                kept.weights.push(weight as f32);
            }
            Scores::Counted(bins) => count(bins, scores, label, f64::from(weight as f32)),
        }
    }

    /// Adds the rows of another.
    pub(super) fn merge(&mut self, other: &Scores) {
        match (&mut *self, other) {
            (_, Scores::Kept(other)) => {
                for ((scores, &label), &weight) in other.rows() {
                    self.add(scores, label, f64::from(weight));
                }
            }
            (Scores::Kept(kept), Scores::Counted(_)) => {
                *self = Scores::Counted(kept.count());
                self.merge(other);
            }
            (Scores::Counted(bins), Scores::Counted(others)) => {
                for (bins, others) in bins.iter_mut().zip(others) {
                    for (all, more) in bins.weights.iter_mut().zip(&others.weights) {
                        all.own += more.own;
                        all.others += more.others;
                    }
                }
            }
        }
    }

    /// For two classes the area of the second one; for more the mean over the classes of the area
    /// of each against the rest, leaving out classes that no row has. `None` if no class has both
    /// rows of its own and others.
    pub(super) fn area_under_roc(&self) -> Option<f64> {
        let columns = match self {
            Scores::Kept(kept) => kept.columns,
            Scores::Counted(bins) => bins.len(),
        };
        let area_of = |column| match self {
            Scores::Kept(kept) => kept.area_of(column),
            Scores::Counted(bins) => area(bins[column].weights.iter().copied()),
        };
        let areas: Vec<f64> = (0..columns).into_par_iter().filter_map(area_of).collect();
        (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
    }
}

impl Kept {
    fn rows(&self) -> impl Iterator<Item = ((&[f32], &u32), &f32)> {
        self.scores.chunks_exact(self.columns).zip(&self.labels).zip(&self.weights)
    }

    fn count(&self) -> Vec<Bins> {
        let coarse_bits = COARSE_BITS + self.columns.next_power_of_two().ilog2();
        let mut bins = vec![Bins::new(coarse_bits.min(20)); self.columns];
        for ((scores, &label), &weight) in self.rows() {
            count(&mut bins, scores, label, f64::from(weight));
        }
        bins
    }

    fn area_of(&self, column: usize) -> Option<f64> {
        let class = class_of(column, self.columns);
        let scores = self.scores.iter().skip(column).step_by(self.columns);
        // As one number, so that equal scores stay in the order of their rows. Those fit: see MOST_KEPT.
        let ranked = |(row, &score): (usize, &f32)| u64::from(rank(score)) << 32 | row as u64;
        let mut ranked: Vec<u64> = scores.enumerate().map(ranked).collect();
        ranked.par_sort_unstable();
        area(ranked.chunk_by(|a, b| a >> 32 == b >> 32).map(|tied| {
            let mut weights = Weights::default();
            for row in tied.iter().map(|&ranked| ranked as u32 as usize) {
                weights.add(self.labels[row] == class, f64::from(self.weights[row]));
            }
            weights
        }))
    }
}

impl Bins {
    fn new(coarse_bits: u32) -> Bins {
        let last = bin(1.0, coarse_bits);
        Bins { coarse_bits, weights: vec![Weights::default(); last + 1] }
    }
}

impl Weights {
    fn add(&mut self, is_own: bool, weight: f64) {
        match is_own {
            true => self.own += weight,
            false => self.others += weight,
        }
    }
}

/// Higher for higher scores, equal for equal ones.
fn rank(score: f32) -> u32 {
    // Minus zero becomes zero. The bits of negative numbers count down.
    let bits = (score + 0.0).to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

/// The class whose rows should have the highest scores in a column.
fn class_of(column: usize, columns: usize) -> u32 {
    if columns == 1 { 1 } else { column as u32 }
}

fn count(bins: &mut [Bins], scores: &[f32], label: u32, weight: f64) {
    let columns = bins.len();
    for (column, (bins, &score)) in bins.iter_mut().zip(scores).enumerate() {
        let bin = bin(score, bins.coarse_bits);
        bins.weights[bin].add(label == class_of(column, columns), weight);
    }
}

/// The number of the bin of a probability, higher for higher ones. Close to 0 and to 1 bins are as narrow
/// as what is left to there: networks that are sure of themselves have most of their scores there.
fn bin(score: f32, coarse_bits: u32) -> usize {
    // The bits of a float that is not negative are in its order.
    let half = |score: f32| (score.clamp(0.0, 0.5).to_bits() >> coarse_bits) as usize;
    match score {
        _ if score.is_nan() => 0,
        _ if score > 0.5 => 2 * half(0.5) - half(1.0 - score),
        _ => half(score),
    }
}

/// The probability that a row of the class has a higher score than another row; of equal scores half. Takes
/// the weights of equal scores, in the order of the scores.
fn area(tied: impl Iterator<Item = Weights>) -> Option<f64> {
    let (mut below, mut own, mut area) = (0.0, 0.0, 0.0);
    for tied in tied {
        area += tied.own * (below + tied.others / 2.0);
        own += tied.own;
        below += tied.others;
    }
    (own > 0.0 && below > 0.0).then(|| area / (own * below))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(scores: &[f32], labels: &[u32]) -> Option<f64> {
        let mut all = Scores::new(1);
        scores.iter().zip(labels).for_each(|(&s, &l)| all.add(&[s], l, 1.0));
        all.area_under_roc()
    }

    #[test]
    fn areas_by_hand() {
        assert_eq!(area(&[0.1, 0.4, 0.35, 0.8], &[0, 0, 1, 1]), Some(0.75));
        assert_eq!(area(&[0.1, 0.2, 0.3], &[0, 1, 1]), Some(1.0));
        assert_eq!(area(&[0.3, 0.2, 0.1], &[0, 1, 1]), Some(0.0));
        assert_eq!(area(&[0.5, 0.5, 0.5, 0.5], &[0, 1, 0, 1]), Some(0.5));
        // Pairs (0.2, 0.5), (0.2, 0.7), (0.5, 0.5), (0.5, 0.7): 1 + 1 + 1/2 + 1 of 4.
        assert_eq!(area(&[0.5, 0.2, 0.5, 0.7], &[0, 0, 1, 1]), Some(0.875));
        assert_eq!(area(&[0.1, 0.2], &[1, 1]), None);
        assert_eq!(area(&[], &[]), None);
    }

    #[test]
    fn ranks_order_as_numbers_do() {
        let rising = [f32::NEG_INFINITY, -2.5, -f32::MIN_POSITIVE, 0.0, 1e-40, 0.5, 1.0, f32::MAX];
        assert!(rising.windows(2).all(|pair| rank(pair[0]) < rank(pair[1])));
        assert_eq!(rank(-0.0), rank(0.0));
    }

    #[test]
    fn bins_are_in_the_order_of_scores_and_narrow_at_both_ends() {
        for coarse_bits in [COARSE_BITS, 20] {
            let steps = (0..=1 << 16).map(|i| i as f32 / 65536.0);
            let bins: Vec<usize> = steps.map(|score| bin(score, coarse_bits)).collect();
            assert!(bins.is_sorted() && bins[0] == 0, "{coarse_bits}");
            assert_eq!(bins[1 << 16] + 1, Bins::new(coarse_bits).weights.len());
        }
        for (a, b) in [(1e-9, 1.001e-9), (0.4999, 0.5001), (1.0 - 1e-6, 1.0 - 2e-6)] {
            assert_ne!(bin(a, COARSE_BITS), bin(b, COARSE_BITS), "{a} {b}");
        }
        assert_eq!(bin(f32::NAN, COARSE_BITS), 0);
        assert_eq!(bin(f32::INFINITY, COARSE_BITS), bin(1.0, COARSE_BITS));
    }

    /// Rows at random, higher scores for the class asked about.
    fn rows(columns: usize, count: u32) -> Scores {
        let mut all = Scores::new(columns);
        for row in 0..count {
            let random =
                |column: u32| (row * 7 + column).wrapping_mul(2_654_435_769) as f32 / 4.3e9;
            let label = row % 3 % (columns as u32 + u32::from(columns == 1));
            let score = |column| match label == class_of(column, columns) {
                true => random(column as u32).sqrt(),
                false => random(column as u32),
            };
            all.add(&(0..columns).map(score).collect::<Vec<_>>(), label, 1.0 + f64::from(row % 2));
        }
        all
    }

    #[test]
    fn counted_scores_have_the_area_of_kept_ones() {
        for columns in [1, 3, 40] {
            let kept = rows(columns, 20_000);
            let Scores::Kept(scores) = &kept else { panic!("few scores are kept") };
            let counted = Scores::Counted(scores.count());
            let (kept, counted) =
                (kept.area_under_roc().unwrap(), counted.area_under_roc().unwrap());
            assert!(kept > 0.5, "{kept}");
            let bound = if columns == 40 { 1e-4 } else { 1e-5 };
            assert!((kept - counted).abs() < bound, "{columns}: {kept} {counted}");
        }
    }

    #[test]
    fn more_scores_than_can_be_kept_are_counted() {
        let full = Kept {
            columns: 1,
            scores: vec![0.25; MOST_KEPT],
            labels: vec![0; MOST_KEPT],
            weights: vec![1.0; MOST_KEPT],
        };
        let mut all = Scores::Kept(full);
        assert_eq!(all.area_under_roc(), None);
        all.add(&[0.75], 1, 1.0);
        assert!(matches!(all, Scores::Counted(_)));
        all.add(&[0.125], 1, 1.0);
        assert_eq!(all.area_under_roc(), Some(0.5));
    }

    #[test]
    fn kept_and_counted_scores_can_be_merged() {
        let kept = rows(1, 1000);
        let Scores::Kept(scores) = &kept else { panic!("few scores are kept") };
        let counted = Scores::Counted(scores.count());
        let area = counted.area_under_roc();
        for (mut first, second) in
            [(kept.clone(), &counted), (counted.clone(), &kept), (counted.clone(), &counted)]
        {
            first.merge(second);
            // Twice the same rows rank as they do once.
            let merged = first.area_under_roc().unwrap();
            assert!((merged - area.unwrap()).abs() < 1e-12, "{merged}");
        }
    }
}
