//! Edges of bins: quantiles of the rows that are learned from, as a run begins.

use crate::data::counted;
use crate::data::picked::Picked;
use crate::data::samples::Samples;
use crate::data::subset::Subset;
use crate::layer::{Kind, Piecewise};
use crate::network::Network;
use crate::objective::Objective;
use crate::preprocess::Preprocess;
use gristmill_kernels::gather::{Gather, gather};
use gristmill_kernels::{Isa, LANES, Row, panels};

/// Most rows whose quantiles are taken, evenly from all. A quantile of 16,384 rows is right to half a percent of all rows.
const MOST_ROWS: u64 = 1 << 14;
/// Most numbers that are held for it, where rows are wide.
const MOST_NUMBERS: u64 = 1 << 24;
/// Rows that are taken however wide they are.
const LEAST_ROWS: u64 = 1 << 10;

/// Sets the edges of all layers that have bins, from features as the network takes them.
pub(super) fn set_edges<S: Samples>(
    isa: Isa,
    network: &mut Network,
    preprocess: &Preprocess,
    objective: &Objective,
    train: &Subset<'_, S>,
) {
    let has_bins = |node: &usize| matches!(network.nodes()[*node].layer, Kind::Piecewise(_));
    let nodes: Vec<usize> = (0..network.nodes().len()).filter(has_bins).collect();
    if nodes.is_empty() {
        return;
    }
    let features = network.inputs();
    let (rows, numbers) = picked(isa, preprocess, objective, train, features);
    for node in nodes {
        let Kind::Piecewise(layer) = &network.nodes()[node].layer else { continue };
        let edges = edges(layer, rows, &numbers);
        let mut values = network.read(node, network.weights());
        values[0] = edges;
        network.write(node, &values);
    }
}

/// Some rows that count, standardised, in panels of sixteen features; and how many they are.
fn picked<S: Samples>(
    isa: Isa,
    preprocess: &Preprocess,
    objective: &Objective,
    train: &Subset<'_, S>,
    features: usize,
) -> (usize, Vec<Row>) {
    let samples = train.samples();
    let room = (MOST_NUMBERS / features as u64).clamp(LEAST_ROWS, MOST_ROWS).min(train.len());
    let row =
        |i: u64| train.row((u128::from(i) * u128::from(train.len()) / u128::from(room)) as u64);
    let counts = |row: &u64| counted::weight(samples, objective, *row) > 0.0;
    let picked: Vec<u64> = (0..room).map(row).filter(counts).collect();
    let rows = picked.len();
    let mut numbers = vec![[0.0; LANES]; panels(features) * rows];
    let at = Gather {
        element: samples.element(),
        features,
        source: &Picked { samples, rows: &picked },
        shift: &preprocess.shift,
        scale: &preprocess.scale,
        rows,
        out: &mut numbers,
    };
    gather(isa, at);
    (rows, numbers)
}

/// The edges of each channel's bins.
fn edges(layer: &Piecewise, rows: usize, numbers: &[Row]) -> Vec<f32> {
    let (view, bins) = (layer.input(), layer.bins);
    let channel = |channel: usize| {
        let features = (channel..view.units()).step_by(view.channels);
        let of_feature = |feature: usize| {
            let panel = &numbers[feature / LANES * rows..][..rows];
            panel.iter().map(move |row| row[feature % LANES])
        };
        let mut values: Vec<f32> =
            features.flat_map(of_feature).filter(|x| x.is_finite()).collect();
        values.sort_unstable_by(f32::total_cmp);
        quantiles(&values, bins)
    };
    (0..view.channels).flat_map(channel).collect()
}

/// `bins + 1` edges of bins that have as many of these sorted numbers each. Of equal ones the last but one is repeated,
/// so that the last bin has a width.
fn quantiles(values: &[f32], bins: usize) -> Vec<f32> {
    let Some(last) = values.len().checked_sub(1) else { return vec![0.0; bins + 1] };
    let quantile = |t: usize| {
        let place = last as f64 * t as f64 / bins as f64;
        let (below, above) = (values[place as usize], values[(place.ceil() as usize).min(last)]);
        let share = place.fract();
        (f64::from(below) * (1.0 - share) + f64::from(above) * share) as f32
    };
    let mut edges: Vec<f32> = (0..=bins).map(quantile).collect();
    edges.dedup();
    while edges.len() <= bins {
        let repeated = edges[edges.len().saturating_sub(2)];
        edges.insert(edges.len() - 1, repeated);
    }
    edges
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::samples::Table;
    use crate::layer::View;
    use crate::network::{Node, Source};
    use crate::objective::TargetKind;
    use gristmill_io::Scale;
    use gristmill_kernels::Loss;

    #[test]
    fn quantiles_cut_into_equal_parts_and_equal_ones_are_one() {
        let values: Vec<f32> = (0..=8).map(|x| x as f32).collect();
        assert_eq!(quantiles(&values, 4), [0.0, 2.0, 4.0, 6.0, 8.0]);
        assert_eq!(quantiles(&values, 3), [0.0, 8.0 / 3.0, 16.0 / 3.0, 8.0]);
        assert_eq!(quantiles(&[0.0, 0.0, 0.0, 0.0, 1.0], 4), [0.0, 0.0, 0.0, 0.0, 1.0]);
        assert_eq!(quantiles(&[0.0, 0.0, 1.0, 1.0, 5.0], 4), [0.0, 1.0, 1.0, 1.0, 5.0]);
        assert_eq!(quantiles(&[3.0; 9], 2), [3.0; 3]);
        assert_eq!(quantiles(&[], 2), [0.0; 3]);
    }

    #[test]
    fn edges_are_quantiles_of_standardised_features() {
        // Column 0 is 0 to 8, column 1 twice that.
        let features: Vec<f32> = (0..9).flat_map(|x| [x as f32, 2.0 * x as f32]).collect();
        let table = Table::of_numbers(&features, vec![0.0; 9], 1).unwrap();
        let layer = Kind::Piecewise(Piecewise::new(View::flat(2), 3, 2));
        let inputs = vec![Source::Features];
        let node = Node { name: "piecewise-linear1".to_owned(), inputs, layer };
        let mut network = Network::new(View::flat(2), vec![node]);
        let scales = [Scale { mean: 4.0, deviation: 2.0 }, Scale { mean: 0.0, deviation: 1.0 }];
        let preprocess = Preprocess::new(&scales, Vec::new());
        let targets = TargetKind::Numbers;
        let objective = Objective { loss: Loss::MeanSquared, targets, class_weights: Vec::new() };
        let isa = Isa::best();
        set_edges(isa, &mut network, &preprocess, &objective, &Subset::all(&table));
        let edges = &network.read(0, network.weights())[0];
        assert_eq!(edges, &[-2.0, 0.0, 2.0, 0.0, 8.0, 16.0]);
    }
}
