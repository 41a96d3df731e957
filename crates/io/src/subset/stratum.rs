//! How many rows of each class every part has, and which rows these are.

use crate::random::below;

/// Rows that are divided by themselves. Drawing a part in proportion to the rows that it still needs
/// gives every part exactly its share, and every choice of rows the same chance.
pub(super) struct Stratum {
    /// Rows that each part still needs; the last is for no part.
    pub(super) needed: Vec<u64>,
    /// Rows to come.
    left: u64,
}

impl Stratum {
    pub(super) fn new(rows: u64, fractions: &[f64]) -> Stratum {
        let mut needed = Vec::with_capacity(fractions.len() + 1);
        // Ends are rounded, not lengths, so that lengths add up.
        let (mut sum, mut start) = (0.0, 0);
        for fraction in fractions {
            sum += fraction;
            let end = ((rows as f64 * sum).round() as u64).clamp(start, rows);
            needed.push(end - start);
            start = end;
        }
        needed.push(rows - start);
        Stratum { needed, left: rows }
    }

    /// The part of the next row; `None` if more rows come than were counted.
    pub(super) fn draw(&mut self, bits: u64) -> Option<usize> {
        let mut ticket = below(bits, self.left);
        let part = self.needed.iter().position(|needed| match ticket.checked_sub(*needed) {
            Some(rest) => {
                ticket = rest;
                false
            }
            None => true,
        })?;
        self.needed[part] -= 1;
        self.left -= 1;
        Some(part)
    }
}

/// Divides each class by itself. A part has its share of every class but for less than a row, and what classes cannot
/// give by halves goes to the part that lacks most so far: so parts have their shares of all rows too, however small
/// the classes are.
pub(super) fn stratified(class_counts: &[u64], fractions: &[f64]) -> Vec<Stratum> {
    let rest = (1.0 - fractions.iter().sum::<f64>()).max(0.0);
    let shares: Vec<f64> = fractions.iter().copied().chain([rest]).collect();
    let mut lacking = vec![0.0; shares.len()];
    let divide = |&count: &u64| {
        let exact: Vec<f64> = shares.iter().map(|share| share * count as f64).collect();
        // A whole number of rows may come out a little less.
        let mut needed: Vec<u64> = exact.iter().map(|rows| (rows + 1e-9).floor() as u64).collect();
        for (lack, (exact, needed)) in lacking.iter_mut().zip(exact.iter().zip(&needed)) {
            *lack += exact - *needed as f64;
        }
        let mut order: Vec<usize> = (0..shares.len()).filter(|part| shares[*part] > 0.0).collect();
        order.sort_by(|a, b| lacking[*b].total_cmp(&lacking[*a]));
        let left = count.saturating_sub(needed.iter().sum());
        for &part in order.iter().cycle().take(left as usize) {
            needed[part] += 1;
            lacking[part] -= 1.0;
        }
        Stratum { needed, left: count }
    };
    class_counts.iter().map(divide).collect()
}
