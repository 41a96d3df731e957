//! Results of timing: tables for people, and where and when they were measured.

use crate::{paths, process};
use serde::{Deserialize, Serialize};
use std::fs;
use std::process::Command;

/// The circumstances of a measurement.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Circumstances {
    /// Day, as in 2026-11-23 (UTC).
    pub(crate) date: String,
    /// The CPU's model name.
    pub(crate) cpu: String,
    /// The commit that was built, with `+` where files were changed.
    pub(crate) commit: String,
}

impl Circumstances {
    /// Here and now; what cannot be found out is `unknown`.
    pub(crate) fn now() -> Circumstances {
        let unknown = || "unknown".to_owned();
        let git = |arguments: &[&str]| {
            process::output(Command::new("git").args(arguments).current_dir(paths::repository()))
        };
        let changed = git(&["status", "--porcelain"]).is_ok_and(|files| !files.is_empty());
        Circumstances {
            date: process::output(Command::new("date").args(["-u", "+%F"]))
                .map_or_else(|_| unknown(), |day| day.trim().to_owned()),
            cpu: cpu().unwrap_or_else(unknown),
            commit: git(&["rev-parse", "--short=12", "HEAD"]).map_or_else(
                |_| unknown(),
                |hash| hash.trim().to_owned() + if changed { "+" } else { "" },
            ),
        }
    }
}

fn cpu() -> Option<String> {
    let text = fs::read_to_string("/proc/cpuinfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The middle value; of an even number the mean of the two in the middle. 0 of none.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n => (sorted[(n - 1) / 2] + sorted[n / 2]) / 2.0,
    }
}

/// A Markdown table: the first column to the left, the others to the right.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cell = |row: &Vec<String>, column: usize| row.get(column).cloned().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|column| rows.iter().map(|row| cell(row, column).chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for (number, row) in rows.iter().enumerate() {
        text.push('|');
        for (column, width) in widths.iter().enumerate() {
            let cell = cell(row, column);
            match column {
                0 => text += &format!(" {cell:<width$} |"),
                _ => text += &format!(" {cell:>width$} |"),
            }
        }
        text.push('\n');
        if number == 0 {
            text.push('|');
            for (column, width) in widths.iter().enumerate() {
                text += &"-".repeat(width + 1);
                text += if column == 0 { "-|" } else { ":|" };
            }
            text.push('\n');
        }
    }
    text
}

/// A number with commas between thousands, without decimals.
pub(crate) fn thousands(value: f64) -> String {
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share in percent.
pub(crate) fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(&[]), 0.0);
    }

    #[test]
    fn thousands_are_parted() {
        assert_eq!(thousands(999.6), "1,000");
        assert_eq!(thousands(12.0), "12");
        assert_eq!(thousands(1_234_567.0), "1,234,567");
    }

    #[test]
    fn tables_are_aligned() {
        let rows = [vec!["a".to_owned(), "bcd".to_owned()], vec!["ef".to_owned(), "1".to_owned()]];
        assert_eq!(table(&rows), "| a  | bcd |\n|----|----:|\n| ef |   1 |\n");
    }
}
