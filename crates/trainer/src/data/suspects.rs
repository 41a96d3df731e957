//! The rows to look at before a learning rate is blamed: those with values that nothing can be learned from.

use crate::data::counted;
use crate::data::samples::Samples;
use crate::objective::{Objective, TargetKind};
use crate::preprocess::Preprocess;
use gristmill_io::schema::Target;
use gristmill_kernels::LANES;

/// A value `FAR` deviations (or, where nothing is standardised, units) from 0 drowns all others; rows
/// that belong together have none.
const FAR: f32 = 1e6;

/// A weight beyond this, times a loss and its slope, is soon no 32-bit number.
const HEAVY: f32 = 1e18;

/// The first of these rows that counts and has a value that is no number, or that stands far outside of all others; in
/// words.
pub(crate) fn find<S: Samples>(
    samples: &S,
    rows: impl Iterator<Item = u64>,
    preprocess: &Preprocess,
    objective: &Objective,
) -> Option<String> {
    let encoding = samples.encoding();
    // Of categories a large number is as good as any.
    let mut is_index = vec![false; samples.features()];
    for columns in samples.index_columns() {
        is_index[columns.features].fill(true);
    }
    let is_ragged = samples.is_ragged();
    let (mut features, mut targets) = (vec![0.0; samples.features()], Vec::new());
    if let (TargetKind::Numbers, Target::Numbers { columns }) =
        (objective.targets, &encoding.target)
    {
        targets.resize(columns.len(), 0.0);
    }
    for row in rows.filter(|&row| counted::weight(samples, objective, row) != 0.0) {
        samples.decode(row, &mut features);
        samples.targets(row, &mut targets);
        let is_far = |scaled: f32| !scaled.is_finite() || scaled.abs() > FAR;
        let feature = |&(i, x): &(usize, &f32)| {
            let (panel, lane) = (i / LANES, i % LANES);
            let means_nothing = is_index[i] || is_ragged && x.is_nan();
            !means_nothing
                && is_far((x - preprocess.shift[panel][lane]) * preprocess.scale[panel][lane])
        };
        let target = |&(i, y): &(usize, &f32)| {
            is_far(preprocess.targets.get(i).map_or(*y, |s| (y - s.mean) / s.deviation))
        };
        let weight = samples.weight(row);
        let mut place = samples.target_row(row);
        let found = if let Some((i, value)) = features.iter().enumerate().find(feature) {
            let (row, column) = samples.cell(row, i);
            place = row;
            format!("{value:e} in column {}", encoding.feature_names()[column])
        } else if let Some((i, value)) = targets.iter().enumerate().find(target) {
            let Target::Numbers { columns } = &encoding.target else { return None };
            format!("{value:e} in column {}", columns[i])
        } else if !weight.is_finite() || weight > HEAVY {
            format!("{weight:e} as its weight")
        } else {
            continue;
        };
        let name = samples.name();
        return Some(format!("{name}: row {} has {found}: correct or remove that row", place + 1));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::samples::Table;
    use gristmill_io::Scale;
    use gristmill_kernels::Loss;

    #[test]
    fn the_first_row_that_stands_out_is_named() {
        let unscaled = Scale { mean: 0.0, deviation: 1.0 };
        let objective = Objective {
            loss: Loss::MeanSquared,
            targets: TargetKind::Numbers,
            class_weights: Vec::new(),
        };
        let find = |features: &[f32], targets: &[f32], scale: Scale| {
            let table = Table::of_numbers(features, targets.to_vec(), 1).unwrap();
            let scales = [unscaled, scale];
            let preprocess = Preprocess::new(&scales, vec![unscaled]);
            super::find(&table, 0..table.rows(), &preprocess, &objective)
        };
        let good = [1.0, 2.0, 3.0, 4.0];
        assert_eq!(find(&good, &[1.0, 2.0], unscaled), None);
        let found = find(&[1.0, 2.0, 3.0, 3e38], &[1.0, 2.0], unscaled).unwrap();
        assert!(found.contains("row 2 has 3e38 in column x1"), "{found}");
        // Of a column whose values are all of that size it is not far.
        let huge = Scale { mean: 2e38, deviation: 1e38 };
        assert_eq!(find(&[1.0, 2.0, 3.0, 3e38], &[1.0, 2.0], huge), None);
        let found = find(&good, &[-2e37, 2.0], unscaled).unwrap();
        assert!(found.contains("row 1 has -2e37 in column y0"), "{found}");
    }
}
