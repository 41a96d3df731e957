//! The area under the ROC curve, exactly: it needs every score at once.

use rayon::prelude::*;

/// Scores kept until the end, at most [`MOST_SCORES`] of them.
#[derive(Debug, Clone)]
pub(super) struct Scores {
    columns: usize,
    scores: Vec<f32>,
    labels: Vec<u32>,
    weights: Vec<f32>,
}

/// 256 MiB of scores: 67 million rows of two classes, 6.7 million of ten.
pub(super) const MOST_SCORES: usize = 1 << 26;

impl Scores {
    /// Rows have this many scores: one for two classes, else one per class.
    pub(super) fn new(columns: usize) -> Scores {
        Scores { columns, scores: Vec::new(), labels: Vec::new(), weights: Vec::new() }
    }

    /// Adds a row; false if it would be one too many.
    pub(super) fn add(&mut self, scores: &[f32], label: u32, weight: f64) -> bool {
        if self.scores.len() + scores.len() > MOST_SCORES {
            return false;
        }
        self.scores.extend_from_slice(scores);
        self.labels.push(label);
        self.weights.push(weight as f32);
        true
    }

    /// Adds the rows of another; false if they would be too many.
    pub(super) fn merge(&mut self, other: &Scores) -> bool {
        if self.scores.len() + other.scores.len() > MOST_SCORES {
            return false;
        }
        self.scores.extend_from_slice(&other.scores);
        self.labels.extend_from_slice(&other.labels);
        self.weights.extend_from_slice(&other.weights);
        true
    }

    /// For two classes the area of the second one; for more the mean over the classes of the area
    /// of each against the rest, leaving out classes that no row has. `None` if no class has both
    /// rows of its own and others.
    pub(super) fn area_under_roc(&self) -> Option<f64> {
        if self.columns == 1 {
            return self.area_of(0, 1);
        }
        let areas: Vec<f64> = (0..self.columns)
            .into_par_iter()
            .filter_map(|class| self.area_of(class, class as u32))
            .collect();
        (!areas.is_empty()).then(|| areas.iter().sum::<f64>() / areas.len() as f64)
    }

    /// The probability that a row of `class` has a higher score in `column` than another row; of
    /// equal scores half.
    fn area_of(&self, column: usize, class: u32) -> Option<f64> {
        let scores = self.scores.iter().skip(column).step_by(self.columns);
        // As one number, so that equal scores stay in the order of their rows. Those fit: see MOST_SCORES.
        let ranked = |(row, &score): (usize, &f32)| u64::from(rank(score)) << 32 | row as u64;
        let mut ranked: Vec<u64> = scores.enumerate().map(ranked).collect();
        ranked.par_sort_unstable();
        let (mut below, mut own, mut area) = (0.0, 0.0, 0.0);
        for tied in ranked.chunk_by(|a, b| a >> 32 == b >> 32) {
            let (mut tied_own, mut tied_others) = (0.0, 0.0);
            for row in tied.iter().map(|&ranked| ranked as u32 as usize) {
                let side = if self.labels[row] == class { &mut tied_own } else { &mut tied_others };
                *side += f64::from(self.weights[row]);
            }
            area += tied_own * (below + tied_others / 2.0);
            own += tied_own;
            below += tied_others;
        }
        (own > 0.0 && below > 0.0).then(|| area / (own * below))
    }
}

/// Higher for higher scores, equal for equal ones.
fn rank(score: f32) -> u32 {
    // Minus zero becomes zero. The bits of negative numbers count down.
    let bits = (score + 0.0).to_bits();
    if bits >> 31 == 0 { bits | 1 << 31 } else { !bits }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(scores: &[f32], labels: &[u32]) -> Option<f64> {
        let mut all = Scores::new(1);
        scores.iter().zip(labels).for_each(|(&s, &l)| assert!(all.add(&[s], l, 1.0)));
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
    fn no_more_scores_are_kept_than_memory_allows() {
        let mut all = Scores { scores: vec![0.0; MOST_SCORES], ..Scores::new(1) };
        assert!(!all.add(&[0.5], 1, 1.0));
        let mut one = Scores::new(1);
        assert!(one.add(&[0.5], 1, 1.0));
        assert!(!all.merge(&one));
    }
}
