//! `gristmill stats`: how the values of a data set or table are distributed.

use crate::args::ReadArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::progress::DataBar;
use crate::report;
use crate::source::Opened;
use crate::table::{Table, thousands};
use gristmill_io::schema::{Statistics, Target};
use gristmill_io::{Dataset, Histogram, Missing, histograms};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Parts of a histogram as it is shown...
const SHOWN_PARTS: usize = 12;
/// ... and as JSON has it.
const PARTS: usize = 24;
/// Features that are shown unless all are asked for.
const FEATURES: usize = 30;

/// Show range, mean and distribution of each feature, and how many rows each class has
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  gristmill stats iris.csv
  gristmill stats higgs.grist --all
  gristmill stats clicks.csv.gz --target bought --drop id
  gristmill stats --json higgs.grist > higgs.json

A histogram goes from the least value to the greatest. Text columns are one feature per
category, as they would be imported; missing values are counted and in no histogram.")]
pub(crate) struct Stats {
    /// A data set, or tables
    #[arg(required = true, value_name = "DATA")]
    data: Vec<PathBuf>,
    /// Show every feature, not only the first 30
    #[arg(long)]
    all: bool,
    /// Print JSON, with all that is known
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    read: ReadArgs,
}

impl Stats {
    pub(crate) fn run(self, output: &Output) -> Result<(), Failure> {
        let mut reading = self.read.reading()?;
        if !reading.is_missing_given {
            // Gaps are one of the things to be found out.
            reading.options.missing = Missing::Mean;
        }
        let Opened { dataset, .. } = &Opened::open(self.data, reading, output)?;
        let bar = DataBar::new(output, "counting")?;
        let histograms = histograms(dataset, PARTS, &bar)?;
        drop(bar);
        let columns = Columns::new(dataset, &histograms);
        match self.json {
            true => output.print_data(json(dataset, &columns)),
            false => output.print(text(dataset, &columns, self.all)),
        }
    }
}

/// A column, and what is known about it.
type Column<'a> = (String, &'a Statistics, &'a Histogram);

struct Columns<'a> {
    features: Vec<Column<'a>>,
    targets: Vec<Column<'a>>,
}

impl<'a> Columns<'a> {
    fn new(dataset: &'a Dataset, histograms: &'a [Histogram]) -> Columns<'a> {
        let column = |((name, statistics), histogram)| (name, statistics, histogram);
        let (of_features, of_targets) = histograms.split_at(dataset.features());
        let features = dataset.encoding().feature_names().into_iter().zip(dataset.statistics());
        let targets = match &dataset.encoding().target {
            Target::Numbers { columns } => columns.clone(),
            _ => Vec::new(),
        };
        let targets = targets.into_iter().zip(dataset.target_statistics());
        Columns {
            features: features.zip(of_features).map(column).collect(),
            targets: targets.zip(of_targets).map(column).collect(),
        }
    }
}

fn text(dataset: &Dataset, columns: &Columns, all: bool) -> String {
    let mut text = format!(
        "rows: {}\nfeatures: {}\n{}\n",
        thousands(dataset.rows()),
        thousands(dataset.features() as u64),
        report::target_line(dataset.encoding()),
    );
    if let Some(classes) = report::class_table(dataset) {
        text += &format!("\n{classes}\n");
    }
    let headings = ["feature", "mean", "deviation", "min", "max", "missing", "distribution"];
    let mut table = Table::new(&headings);
    let shown = if all { columns.features.len() } else { FEATURES };
    for (name, statistics, histogram) in columns.features.iter().take(shown) {
        table.row(cells(name, statistics, histogram));
    }
    for (name, statistics, histogram) in &columns.targets {
        table.row(cells(&format!("{name} (target)"), statistics, histogram));
    }
    text += &format!("\n{table}");
    match columns.features.len().saturating_sub(shown) {
        0 => text,
        more => text + &format!("\n  ... {more} more features: --all shows them"),
    }
}

fn cells(name: &str, statistics: &Statistics, histogram: &Histogram) -> Vec<String> {
    let mut cells = report::statistics_cells(name, statistics).to_vec();
    cells.push(bars(histogram));
    cells
}

/// A histogram in a line: the highest part is a whole block, and a part with any value is not blank.
fn bars(histogram: &Histogram) -> String {
    const BARS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let parts = histogram.counts.chunks(PARTS / SHOWN_PARTS);
    let parts: Vec<u64> = parts.map(|counts| counts.iter().sum()).collect();
    let most = parts.iter().copied().max().unwrap_or(0).max(1);
    let height = |count: &u64| (u128::from(*count) * 8).div_ceil(u128::from(most)) as usize;
    // A border tells a blank from nothing.
    format!("▕{}▏", parts.iter().map(|count| BARS[height(count)]).collect::<String>())
}

fn json(dataset: &Dataset, columns: &Columns) -> Value {
    let column = |(name, statistics, histogram): &Column| {
        let mut value = report::statistics_json(name, statistics);
        value["histogram"] = json!(histogram.counts);
        value
    };
    let classes = match &dataset.encoding().target {
        Target::Classes { names, .. } => names.as_slice(),
        _ => &[],
    };
    let classes = classes.iter().zip(dataset.class_counts());
    json!({
        "rows": dataset.rows(),
        "features": columns.features.iter().map(column).collect::<Vec<_>>(),
        "targets": columns.targets.iter().map(column).collect::<Vec<_>>(),
        "classes": classes
            .map(|(name, rows)| json!({ "name": name, "rows": rows }))
            .collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_their_share() {
        let mut counts = vec![0; PARTS];
        (counts[0], counts[3], counts[4], counts[PARTS - 1]) = (1, 400, 400, 600);
        assert_eq!(bars(&Histogram { counts }), "▕▁▆▆        █▏");
        assert_eq!(bars(&Histogram { counts: vec![0; PARTS] }), format!("▕{:12}▏", ""));
    }
}
