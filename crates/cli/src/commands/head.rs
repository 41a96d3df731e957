//! `gristmill head`: the first rows of a data set or table.

use crate::args::{ReadArgs, count};
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::DataBar;
use crate::report;
use crate::source::{Opened, Source};
use crate::table::{Table, thousands};
use gristmill_io::{Dataset, first_rows, head, preview, refuse_overwriting};
use std::path::PathBuf;

/// Columns that are shown unless all are asked for.
const COLUMNS: usize = 12;

/// Show the first rows of a data set or table, or write them as a data set
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  gristmill head iris.csv
  gristmill head higgs.grist -n 3 --all
  gristmill head higgs.grist -n 1000 --csv > sample.csv
  gristmill head higgs.grist -n 100000 -o sample.grist

Of a table only the beginning is read, unless a data set is to be made of it.")]
pub(crate) struct Head {
    /// A data set, or tables
    #[arg(required = true, value_name = "DATA")]
    data: Vec<PathBuf>,
    /// How many rows
    #[arg(short = 'n', long, value_name = "N", value_parser = count::<u64>, default_value_t = 10)]
    rows: u64,
    /// Show every column, not only the first 11 and the last
    #[arg(long, conflicts_with_all = ["csv", "output"])]
    all: bool,
    /// Print CSV, with every column
    #[arg(long, conflicts_with = "output")]
    csv: bool,
    /// A data set to write instead
    #[arg(short, long = "output", value_name = "DATA.grist")]
    output: Option<PathBuf>,
    #[command(flatten)]
    read: ReadArgs,
}

impl Head {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let reading = self.read.reading()?;
        if let Some(path) = self.output {
            refuse_overwriting(&self.data, &path)?;
            let rows = Opened::open(self.data, reading, output)?;
            let bar = DataBar::new(output, format!("writing {}", path.display()))?;
            let summary = head(&rows.dataset, self.rows, &path, &bar)?;
            drop(bar);
            output.talk(format_args!("wrote {}: {} rows", path.display(), thousands(summary.rows)));
            return Ok(());
        }
        let count = usize::try_from(self.rows).unwrap_or(usize::MAX);
        let (names, rows) = match Source::find(self.data)? {
            Source::Native(path) => {
                reading.refuse_all(&path)?;
                first_rows(&Dataset::open(&path)?, self.rows)?
            }
            Source::Tables(paths) => {
                let reason = "a table is shown as it is; leave it out, or give -o to make a data set";
                reading.refuse_columns_for(reason)?;
                let bar = DataBar::new(output, "reading")?;
                preview(&paths, &reading.options, count, &bar)?
            }
        };
        match (self.csv, self.all) {
            (true, _) => output.print_data(csv(&names, &rows)),
            (false, true) => output.print(table(&names, &rows, names.len())),
            (false, false) => output.print(table(&names, &rows, COLUMNS)),
        }
    }
}

fn csv(names: &[String], rows: &[Vec<String>]) -> String {
    let line = |cells: &Vec<String>| {
        cells.iter().map(|cell| report::quoted(cell)).collect::<Vec<_>>().join(",")
    };
    let lines = std::iter::once(names.to_vec());
    lines.chain(rows.iter().cloned()).map(|cells| line(&cells)).collect::<Vec<_>>().join("\n")
}

fn table(names: &[String], rows: &[Vec<String>], shown: usize) -> String {
    let line = |first: String, cells: &[String]| -> Vec<String> {
        let left_out = shown.min(cells.len()).saturating_sub(1)..cells.len().saturating_sub(1);
        let mut line = vec![first];
        line.extend(cells[..left_out.start].iter().map(|text| report::in_a_line(text)));
        if !left_out.is_empty() {
            line.push("...".to_owned());
        }
        line.extend(cells[left_out.end..].iter().map(|text| report::in_a_line(text)));
        line
    };
    let headings = line("row".to_owned(), names);
    let mut table = Table::new(&headings.iter().map(String::as_str).collect::<Vec<_>>());
    for (number, row) in (1u64..).zip(rows) {
        table.row(line(thousands(number), row));
    }
    match names.len().saturating_sub(shown) {
        0 => table.to_string(),
        more => format!("{table}\n  {more} more columns: --all or --csv shows them"),
    }
}
