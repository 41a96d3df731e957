//! Series of unequal length, whose steps follow one another in one array, as rows with room for the longest.

use super::element::Element;
use crate::format::values::{ColumnKind, Values};
use std::io::{self, Read};
use std::vec::IntoIter;

/// A stream of rows of f32: the steps of a series, and what is not a number beyond its end.
pub(super) struct Padded<R> {
    steps: R,
    element: Element,
    channels: usize,
    lengths: IntoIter<u64>,
    /// Steps that a row has room for, and the most of a series that it gets.
    room: usize,
    most: usize,
    /// The row under way, and how much of it was read.
    row: Vec<u8>,
    at: usize,
    /// Its number, from 1.
    number: u64,
}

impl<R: Read> Padded<R> {
    /// Rows of `room` steps of `channels` elements each, for series of these lengths, of which the first `most` steps are
    /// taken.
    pub(super) fn new(
        steps: R,
        element: Element,
        channels: usize,
        lengths: Vec<u64>,
        [room, most]: [usize; 2],
    ) -> Padded<R> {
        let lengths = lengths.into_iter();
        Padded { steps, element, channels, lengths, room, most, row: Vec::new(), at: 0, number: 0 }
    }

    /// Makes the next row; says whether there is one.
    fn next_row(&mut self) -> io::Result<bool> {
        let Some(length) = self.lengths.next() else { return Ok(false) };
        self.number += 1;
        let wrong = |reason: String| io::Error::new(io::ErrorKind::InvalidData, reason);
        let (number, channels) = (self.number, self.channels);
        let mut step = vec![0; channels * self.element.size];
        let mut values = Values::new(ColumnKind::Number);
        for index in 0..length {
            self.steps.read_exact(&mut step).map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => {
                    wrong(format!("it ends in step {} of series {number}", index + 1))
                }
                _ => error,
            })?;
            if index < self.most as u64 {
                let elements = step.chunks_exact(self.element.size);
                let decoded = self.element.decode(elements, &mut values);
                decoded.map_err(|(_, reason)| wrong(format!("series {number}: {reason}")))?;
            }
        }
        let Values::Numbers(mut values) = values else { return Ok(false) };
        if let Some(missing) = values.iter().position(|value| value.is_nan()) {
            let step = missing / channels + 1;
            return Err(wrong(format!(
                "step {step} of series {number} has a value that is missing"
            )));
        }
        values.resize(self.room * channels, f32::NAN);
        self.row.clear();
        self.row.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        self.at = 0;
        Ok(true)
    }
}

impl<R: Read> Read for Padded<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.at == self.row.len() && !self.next_row()? {
            // What follows the last series is for the reader to refuse.
            return self.steps.read(bytes);
        }
        let count = bytes.len().min(self.row.len() - self.at);
        bytes[..count].copy_from_slice(&self.row[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[f32], lengths: &[u64], room: usize, most: usize) -> io::Result<Vec<f32>> {
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        let mut padded = Padded::new(&bytes[..], Element::F32, 2, lengths.to_vec(), [room, most]);
        let mut rows = vec![0; lengths.len() * room * 2 * 4];
        padded.read_exact(&mut rows)?;
        Ok(rows.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }

    #[test]
    fn rows_have_room_for_the_longest_and_end_in_no_numbers() {
        let steps: Vec<f32> = (1..=8).map(|value| value as f32).collect();
        let rows = read(&steps, &[1, 3], 3, 3).unwrap();
        assert_eq!(rows[..2], [1.0, 2.0]);
        assert!(rows[2..6].iter().all(|value| value.is_nan()));
        assert_eq!(rows[6..], [3.0, 4.0, 5.0, 6.0, 7.0, 8.0]);
        assert_eq!(read(&steps, &[1, 3], 2, 2).unwrap()[4..], [3.0, 4.0, 5.0, 6.0]);
        assert!(read(&steps, &[1, 3], 3, 2).unwrap()[10..].iter().all(|value| value.is_nan()));
    }

    #[test]
    fn what_is_missing_is_named() {
        let error = |values: &[f32]| read(values, &[1, 2], 2, 2).unwrap_err().to_string();
        assert_eq!(error(&[1.0, 2.0, 3.0, 4.0]), "it ends in step 2 of series 2");
        let gap = [1.0, 2.0, 3.0, 4.0, 5.0, f32::NAN];
        assert_eq!(error(&gap), "step 2 of series 2 has a value that is missing");
    }
}
