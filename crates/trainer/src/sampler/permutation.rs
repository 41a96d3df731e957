//! The order of an epoch as a function: a seeded permutation that takes no memory.
//!
//! A Feistel network permutes the numbers of some bits: rounds change the low half by a hash of
//! the high half and the other way round, and each can be undone, so no two numbers meet. With the
//! fewest bits that hold all rows, a result that is no row is permuted again until it is one
//! (cycle walking, as in format-preserving encryption); that takes less than 2 turns on average.
//!
//! Halves of a few bits have too few hashes to reach every order alike, so a few rows are shuffled
//! in a small table instead.

use crate::random::{Purpose, Random};

/// A permutation of `0..rows`, in constant memory and time.
#[derive(Debug, Clone)]
pub struct Permutation {
    rows: u64,
    order: Order,
}

#[derive(Debug, Clone)]
enum Order {
    Table([u8; TABLE_ROWS]),
    Feistel(Feistel),
}

const TABLE_ROWS: usize = 64;

impl Permutation {
    /// The order of the rows in this epoch of a run with this seed.
    pub fn new(rows: u64, seed: u64, epoch: u64) -> Permutation {
        let draws = Random::new(seed, Purpose::Order).part(epoch);
        let order = if rows <= TABLE_ROWS as u64 {
            Order::Table(shuffled(rows as usize, draws))
        } else {
            Order::Feistel(Feistel::new(rows, draws))
        };
        Permutation { rows, order }
    }

    /// How many rows it orders.
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// The row at `position`.
    ///
    /// # Panics
    /// `position` is not below the number of rows.
    #[inline]
    pub fn index(&self, position: u64) -> u64 {
        assert!(position < self.rows, "position {position} of {} rows", self.rows);
        match &self.order {
            Order::Table(table) => u64::from(table[position as usize]),
            Order::Feistel(feistel) => {
                let mut index = feistel.scramble(position);
                while index >= self.rows {
                    index = feistel.scramble(index);
                }
                index
            }
        }
    }
}

/// Durstenfeld's shuffle of the first `rows` numbers.
fn shuffled(rows: usize, draws: Random) -> [u8; TABLE_ROWS] {
    let mut table = std::array::from_fn(|i| i as u8);
    for last in (1..rows).rev() {
        let other = (draws.uniform(last as u64) * (last + 1) as f64) as usize;
        table.swap(last, other);
    }
    table
}

/// A permutation of all numbers of `low + high` bits.
#[derive(Debug, Clone)]
struct Feistel {
    low_bits: u32,
    low_mask: u64,
    high_mask: u64,
    rounds: [Round; ROUNDS],
}

/// As many as make orders indistinguishable from random ones by the tests below.
const ROUNDS: usize = 6;

/// A multiply-shift hash, drawn from its family.
#[derive(Debug, Clone, Copy)]
struct Round {
    offset: u64,
    multiplier: u64,
}

impl Round {
    #[inline]
    fn hash(self, half: u64) -> u64 {
        (half ^ self.offset).wrapping_mul(self.multiplier) >> 32
    }
}

impl Feistel {
    /// Of the fewest bits that hold `0..rows`, for at least 2 rows.
    fn new(rows: u64, draws: Random) -> Feistel {
        let bits = u64::BITS - (rows - 1).leading_zeros();
        let low_bits = bits / 2;
        let mask = |bits: u32| (1 << bits) - 1;
        Feistel {
            low_bits,
            low_mask: mask(low_bits),
            high_mask: mask(bits - low_bits),
            rounds: std::array::from_fn(|i| Round {
                offset: draws.bits(2 * i as u64),
                multiplier: draws.bits(2 * i as u64 + 1) | 1,
            }),
        }
    }

    #[inline]
    fn scramble(&self, x: u64) -> u64 {
        let (mut low, mut high) = (x & self.low_mask, x >> self.low_bits);
        for pair in self.rounds.as_chunks::<2>().0 {
            low ^= pair[0].hash(high) & self.low_mask;
            high ^= pair[1].hash(low) & self.high_mask;
        }
        high << self.low_bits | low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_bijection(rows: u64, seed: u64, epoch: u64) {
        let order = Permutation::new(rows, seed, epoch);
        let mut seen = vec![false; rows as usize];
        for position in 0..rows {
            let index = order.index(position) as usize;
            assert!(!seen[index], "{rows} rows: {index} comes twice");
            seen[index] = true;
        }
    }

    /// Whether counts of equally probable cells are within 4.5 deviations of what chance gives.
    fn assert_even(counts: &[u32], what: &str) {
        let expected = counts.iter().map(|&c| f64::from(c)).sum::<f64>() / counts.len() as f64;
        assert!(expected >= 20.0, "{what}: too few draws");
        let chi = counts.iter().map(|&c| (f64::from(c) - expected).powi(2) / expected).sum::<f64>();
        let degrees = (counts.len() - 1) as f64;
        let deviations = (chi - degrees) / (2.0 * degrees).sqrt();
        assert!(deviations.abs() < 4.5, "{what}: {deviations} deviations from even");
    }

    #[test]
    fn every_row_comes_once() {
        (1..=2000).for_each(|rows| assert_bijection(rows, 1, rows));
        for rows in [4095, 4096, 4097, 65_535, 65_536, 65_537, 99_991, 104_729, 1_000_000] {
            assert_bijection(rows, rows, 0);
        }
    }

    #[test]
    fn orders_of_few_rows_are_all_equally_likely() {
        for (rows, orders) in [(2u64, 2usize), (3, 6), (4, 24), (5, 120), (6, 720)] {
            let mut counts = vec![0; orders];
            for epoch in 0..200 * orders as u64 {
                let order = Permutation::new(rows, 9, epoch);
                let indices: Vec<_> = (0..rows).map(|i| order.index(i)).collect();
                // The number of the permutation in the factorial number system.
                let number = (0..rows as usize).fold(0, |number, i| {
                    let smaller = indices[i + 1..].iter().filter(|&&j| j < indices[i]).count();
                    number * (rows as usize - i) + smaller
                });
                counts[number] += 1;
            }
            assert_even(&counts, &format!("{rows} rows"));
        }
    }

    #[test]
    fn every_row_is_as_likely_at_every_position() {
        for rows in [33, 65, 130] {
            let mut counts = vec![0; (rows * rows) as usize];
            for epoch in 0..5000 {
                let order = Permutation::new(rows, 5, epoch);
                (0..rows).for_each(|i| counts[(i * rows + order.index(i)) as usize] += 1);
            }
            // Rows and columns each sum to the number of epochs, so this is even a bit too even.
            assert_even(&counts, &format!("{rows} rows"));
        }
    }

    #[test]
    fn any_two_rows_are_as_likely_to_come_first() {
        for rows in [65u64, 100, 128] {
            let mut counts = vec![0; (rows * (rows - 1)) as usize];
            for epoch in 0..30 * rows * rows {
                let order = Permutation::new(rows, 6, epoch);
                let (a, b) = (order.index(0), order.index(1));
                counts[(a * (rows - 1) + b - u64::from(b > a)) as usize] += 1;
            }
            assert_even(&counts, &format!("{rows} rows"));
        }
    }

    #[test]
    fn neighbours_are_independent() {
        for rows in [65_536, 100_003, (1 << 40) - 87] {
            let cell = |index: u64| (u128::from(index) * 16 / u128::from(rows)) as usize;
            let mut joint = vec![0; 256];
            let mut across_epochs = vec![0; 256];
            let mut distances = vec![0; 256];
            for epoch in 0..10 {
                let order = Permutation::new(rows, 2, epoch);
                let next = Permutation::new(rows, 2, epoch + 1);
                for i in 0..10_000 {
                    let (a, b) = (order.index(i), order.index(i + 1));
                    joint[cell(a) * 16 + cell(b)] += 1;
                    across_epochs[cell(a) * 16 + cell(next.index(i))] += 1;
                    let distance = (b + rows - a) % rows;
                    distances[(u128::from(distance) * 256 / u128::from(rows)) as usize] += 1;
                }
            }
            assert_even(&distances, &format!("distances of {rows} rows"));
            assert_even(&joint, &format!("neighbours of {rows} rows"));
            assert_even(&across_epochs, &format!("epochs of {rows} rows"));
        }
    }

    #[test]
    fn seeds_and_epochs_order_differently() {
        let order = |seed, epoch| {
            let order = Permutation::new(1000, seed, epoch);
            (0..1000).map(|i| order.index(i)).collect::<Vec<_>>()
        };
        assert_eq!(order(1, 1), order(1, 1));
        assert_ne!(order(1, 1), order(1, 2));
        assert_ne!(order(1, 1), order(2, 1));
    }

    #[test]
    #[should_panic(expected = "position 3 of 3 rows")]
    fn a_position_beyond_the_rows_is_refused() {
        Permutation::new(3, 0, 0).index(3);
    }
}
