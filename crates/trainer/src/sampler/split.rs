//! The seeded division of a data set into rows to learn from and rows to validate on.
//!
//! The rows held out are a bitmap with a count per 512 rows: 0.14 bytes a row of the data set, and
//! the n-th row of either part is found from its count. Held out at random, the rows are spread so
//! evenly that the count is at most a few dozen blocks from where its share of all rows would be,
//! even in billions of rows.

use crate::random::{Purpose, Random};

/// Which rows are held out; each part keeps the order of the data set.
#[derive(Debug, Clone)]
pub struct Split {
    rows: u64,
    /// A bit per row, 1 where held out.
    words: Vec<u64>,
    /// Rows held out before each block of words.
    before: Vec<u64>,
    held_out: u64,
}

const WORDS_PER_BLOCK: usize = 8;
const ROWS_PER_BLOCK: u64 = 64 * WORDS_PER_BLOCK as u64;

impl Split {
    /// Holds out `fraction` (0 to below 1) of the rows at random: the nearest whole number, but at
    /// least one row in each part where there are two.
    pub fn random(rows: u64, fraction: f64, seed: u64) -> Split {
        Split::stratified(&[rows], |_| 0, fraction, seed)
    }

    /// Holds out the same `fraction` of each class, in whole rows; what is left over goes to the
    /// classes with the largest remainders. A class keeps at least one row to learn from.
    ///
    /// `class_rows` counts the rows of each class and `class_of` gives the class of a row.
    pub fn stratified(
        class_rows: &[u64],
        class_of: impl Fn(u64) -> u32,
        fraction: f64,
        seed: u64,
    ) -> Split {
        let rows = class_rows.iter().sum::<u64>();
        let mut needed = quotas(class_rows, fraction);
        let mut left = class_rows.to_vec();
        let draws = Random::new(seed, Purpose::Split);
        let mut words = vec![0; rows.div_ceil(64) as usize];
        // Knuth's selection sampling, class by class: a row is taken with the probability
        // needed / left, which ends with exactly as many as needed.
        for row in 0..rows {
            let class = class_of(row) as usize;
            let (Some(needed), Some(left)) = (needed.get_mut(class), left.get_mut(class)) else {
                continue;
            };
            if draws.uniform(row) * (*left as f64) < *needed as f64 {
                words[(row / 64) as usize] |= 1 << (row % 64);
                *needed -= 1;
            }
            *left = left.saturating_sub(1);
        }
        Split::from_words(rows, words)
    }

    fn from_words(rows: u64, words: Vec<u64>) -> Split {
        let mut held_out = 0;
        let mut before = Vec::with_capacity(words.len().div_ceil(WORDS_PER_BLOCK));
        for block in words.chunks(WORDS_PER_BLOCK) {
            before.push(held_out);
            held_out += block.iter().map(|word| u64::from(word.count_ones())).sum::<u64>();
        }
        Split { rows, words, before, held_out }
    }

    /// Rows to learn from.
    pub fn training_rows(&self) -> u64 {
        self.rows - self.held_out
    }

    /// Rows to validate on.
    pub fn validation_rows(&self) -> u64 {
        self.held_out
    }

    /// The row of the data set that is number `index` of those to learn from.
    ///
    /// # Panics
    /// `index` is not below [`training_rows`](Self::training_rows).
    pub fn training_row(&self, index: u64) -> u64 {
        assert!(index < self.training_rows(), "training row {index} of {}", self.training_rows());
        let before = |block: usize| block as u64 * ROWS_PER_BLOCK - self.before[block];
        self.select(index, self.training_rows(), before, |word| !word)
    }

    /// The row of the data set that is number `index` of those to validate on.
    ///
    /// # Panics
    /// `index` is not below [`validation_rows`](Self::validation_rows).
    pub fn validation_row(&self, index: u64) -> u64 {
        assert!(index < self.held_out, "validation row {index} of {}", self.held_out);
        self.select(index, self.held_out, |block| self.before[block], |word| word)
    }

    /// The place of bit number `index` of the `total` that are set in `view` of the words, of which
    /// there are `before(block)` before each block.
    fn select(
        &self,
        index: u64,
        total: u64,
        before: impl Fn(usize) -> u64,
        view: impl Fn(u64) -> u64,
    ) -> u64 {
        let blocks = self.before.len();
        let mut block = (u128::from(index) * blocks as u128 / u128::from(total)) as usize;
        while before(block) > index {
            block -= 1;
        }
        while block + 1 < blocks && before(block + 1) <= index {
            block += 1;
        }
        let mut left = index - before(block);
        let mut place = block * WORDS_PER_BLOCK;
        loop {
            let word = view(self.words[place]);
            let ones = u64::from(word.count_ones());
            if left < ones {
                let rest = (0..left).fold(word, |word, _| word & (word - 1));
                return place as u64 * 64 + u64::from(rest.trailing_zeros());
            }
            left -= ones;
            place += 1;
        }
    }
}

/// How many rows of each class to hold out, by the method of largest remainders.
fn quotas(class_rows: &[u64], fraction: f64) -> Vec<u64> {
    let rows = class_rows.iter().sum::<u64>();
    let mut total = (rows as f64 * fraction).round() as u64;
    if fraction > 0.0 {
        total = total.max(1);
    }
    let exact: Vec<f64> = class_rows.iter().map(|&rows| rows as f64 * fraction).collect();
    let mut quotas: Vec<u64> = exact.iter().map(|&quota| quota as u64).collect();
    let mut by_remainder: Vec<usize> = (0..quotas.len()).collect();
    by_remainder.sort_by(|&a, &b| exact[b].fract().total_cmp(&exact[a].fract()));
    let mut missing = total.saturating_sub(quotas.iter().sum());
    for class in by_remainder {
        if missing > 0 && quotas[class] + 1 < class_rows[class] {
            quotas[class] += 1;
            missing -= 1;
        }
    }
    quotas
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(split: &Split) -> (Vec<u64>, Vec<u64>) {
        let training = (0..split.training_rows()).map(|i| split.training_row(i)).collect();
        let validation = (0..split.validation_rows()).map(|i| split.validation_row(i)).collect();
        (training, validation)
    }

    #[test]
    fn parts_are_sorted_disjoint_and_complete() {
        for rows in [0, 1, 2, 3, 63, 64, 65, 511, 512, 513, 5000] {
            for fraction in [0.0, 0.1, 0.25, 0.9] {
                let split = Split::random(rows, fraction, 7);
                let (training, validation) = parts(&split);
                assert!(training.is_sorted() && validation.is_sorted());
                let mut all = [training, validation].concat();
                all.sort_unstable();
                assert_eq!(all, (0..rows).collect::<Vec<_>>(), "{rows} rows, {fraction}");
                let wanted = (rows as f64 * fraction).round() as u64;
                let wanted = if fraction > 0.0 { wanted.max(1) } else { 0 };
                assert_eq!(split.validation_rows(), wanted.min(rows.saturating_sub(1)));
            }
        }
    }

    #[test]
    fn classes_keep_their_shares() {
        let class_of = |row: u64| match row % 10 {
            0 => 0,
            1..=3 => 1,
            _ => 2,
        };
        let split = Split::stratified(&[100, 300, 600], class_of, 0.2, 1);
        let (_, validation) = parts(&split);
        let mut counts = [0; 3];
        validation.iter().for_each(|&row| counts[class_of(row) as usize] += 1);
        assert_eq!(counts, [20, 60, 120]);
    }

    #[test]
    fn left_over_rows_go_to_the_largest_remainders() {
        // 0.75 + 1.75 + 3.5 of 24 rows are 6; a class of one row keeps it.
        assert_eq!(quotas(&[3, 7, 14], 0.25), [1, 2, 3]);
        assert_eq!(quotas(&[1, 9], 0.5), [0, 5]);
        assert_eq!(quotas(&[1, 1], 0.5), [0, 0]);
        assert_eq!(quotas(&[10, 0, 10], 0.1), [1, 0, 1]);
        assert_eq!(quotas(&[5, 5], 0.01), [1, 0]);
    }

    #[test]
    fn the_seed_decides() {
        let rows = |seed| parts(&Split::random(1000, 0.1, seed)).1;
        assert_eq!(rows(1), rows(1));
        assert_ne!(rows(1), rows(2));
    }

    #[test]
    fn every_row_is_held_out_as_often() {
        let mut counts = [0u32; 50];
        let seeds = 4000;
        for seed in 0..seeds {
            let split = Split::random(50, 0.2, seed);
            (0..10).for_each(|i| counts[split.validation_row(i) as usize] += 1);
        }
        // Each count is binomial, 800 +- 25.3.
        assert!(
            counts.iter().all(|&count| (count as f64 - 800.0).abs() < 4.0 * 25.3),
            "{counts:?}"
        );
    }

    #[test]
    fn labels_beyond_the_classes_stay_with_training() {
        let split = Split::stratified(&[2, 2], |row| row as u32, 0.5, 1);
        assert!(split.validation_rows() <= 2);
        assert_eq!(split.training_rows() + split.validation_rows(), 4);
    }
}
