//! What test programs share: plans of networks that are written in one line.

use gristmill_trainer::config::{
    Assignment, DataShape, RunConfig, TargetShape, TrainingPlan, layers_of_line,
};

/// The plan of layers as `--layers` takes them, on rows of this shape, for three classes. Each index column is a
/// feature and its number of categories.
pub(crate) fn plan(shape: &str, index_columns: &[(usize, usize)], line: &str) -> TrainingPlan {
    let lengths: Vec<i64> = shape.split('x').map(|length| length.parse().unwrap()).collect();
    let features = lengths.iter().product::<i64>() as usize;
    let given = [
        Assignment::new("shape", "data.shape", lengths),
        Assignment::new("layers", "network.layers", layers_of_line(line).unwrap()),
    ];
    let (config, _) = RunConfig::default().assign(&given).unwrap();
    let names = ["0", "1", "2"].map(str::to_owned);
    let target = TargetShape::Classes(&names);
    let plan = config.resolve(&DataShape { features, index_columns, target });
    plan.unwrap_or_else(|error| panic!("{line}: {error}"))
}
