//! What test programs share: plans of networks that are written in one line.

use gristmill_io::schema::IndexColumns;
use gristmill_trainer::config::{
    Assignment, DataShape, RunConfig, TargetShape, TrainingPlan, layers_of_line,
};
use std::ops::Range;

/// The plan of layers as `--layers` takes them, on rows of this shape, for three classes. Index columns are
/// features, and the number of categories of each.
pub(crate) fn plan(
    shape: &str,
    index_columns: &[(Range<usize>, usize)],
    line: &str,
) -> TrainingPlan {
    let lengths: Vec<i64> = shape.split('x').map(|length| length.parse().unwrap()).collect();
    let features = lengths.iter().product::<i64>() as usize;
    let given = [
        Assignment::new("shape", "data.shape", lengths),
        Assignment::new("layers", "network.layers", layers_of_line(line).unwrap()),
    ];
    let (config, _) = RunConfig::default().assign(&given).unwrap();
    let names = ["0", "1", "2"].map(str::to_owned);
    let target = TargetShape::Classes(&names);
    let columns = index_columns.iter().cloned();
    let columns = columns.map(|(features, categories)| IndexColumns { features, categories });
    let index_columns = &columns.collect::<Vec<_>>();
    let plan = config.resolve(&DataShape { features, index_columns, target });
    plan.unwrap_or_else(|error| panic!("{line}: {error}"))
}
