use super::*;
use crate::layer::Block;

fn matrices(shapes: &[Shape]) -> Layout {
    Layout::new(shapes.iter().copied().map(Parameters::Matrix))
}

#[test]
fn shared_blocks_stand_between_matrices() {
    let block = |rows, role| Block { name: "x", shape: vec![rows, LANES], rows, role };
    let blocks = [block(300, Role::Weight), block(2, Role::Offset), block(3, Role::Statistic)];
    let matrix = Parameters::Matrix(Shape { inputs: 33, outputs: 7, bias: true });
    let layout = Layout::new([matrix, Parameters::None, Parameters::Shared(&blocks), matrix]);
    assert_eq!(layout.node_rows(0).end, layout.node_rows(2).start);
    assert_eq!(layout.node_rows(2).len(), 305);
    assert_eq!(layout.node_shared(2), 0..305);
    assert_eq!(layout.rows(), layout.node_rows(3).end);
    assert_eq!(layout.parameters(), 302 * LANES + 2 * 34 * 7);
    for threads in [1, 3] {
        let tasks = layout.tasks(threads);
        let mut next = 0;
        for (index, task) in tasks.tasks.iter().enumerate() {
            assert_eq!(task.rows().start, next);
            assert_eq!(task.rows(), tasks.bounds()[index]..tasks.bounds()[index + 1]);
            next = task.rows().end;
            if let Task::Shared(run) = task {
                assert!(run.rows.len() <= PART_ROWS && run.rows.len() == run.shared.len());
                assert_eq!(run.rows.start - layout.node_rows(2).start, run.shared.start);
            }
        }
        assert_eq!(next, layout.rows());
    }
}

#[test]
fn cuts_cover_and_are_nearly_equal() {
    for unit in [1, 16] {
        for len in 1..700 {
            let parts = cut(len, unit, 128);
            assert_eq!(parts[0].start, 0);
            assert_eq!(parts.last().unwrap().end, len);
            for pair in parts.windows(2) {
                assert_eq!(pair[0].end, pair[1].start);
                assert_eq!(pair[0].end % unit, 0);
            }
            assert!(parts.iter().all(|p| !p.is_empty() && p.len() <= 128));
            let sizes = parts.iter().map(|p| p.len().div_ceil(unit));
            assert!(sizes.clone().max().unwrap() - sizes.min().unwrap() <= 1, "{len} {unit}");
        }
    }
}

#[test]
fn parts_follow_each_other() {
    for (inputs, outputs) in [(1, 1), (64, 64), (65, 130), (300, 129), (784, 512)] {
        let shape = Shape { inputs, outputs, bias: true };
        let layout = matrices(&[shape, Shape { inputs: outputs, outputs: 3, bias: false }]);
        for threads in [1, 2, 3, 64] {
            let tasks = layout.tasks(threads);
            let mut row = 0;
            for (task, bounds) in tasks.tasks.iter().zip(tasks.bounds().windows(2)) {
                let Task::Tile(part) = task else { panic!("{task:?}") };
                assert_eq!(part.rows(), bounds[0]..bounds[1]);
                assert_eq!(part.weights.start, row);
                assert_eq!(part.weights.len(), part.input_panels().len() * part.outputs.len());
                assert_eq!(part.inputs.start % LANES, 0);
                assert_eq!(part.bias.start, part.weights.end);
                assert!(!part.inputs.is_empty() && part.inputs.len() <= PART_INPUTS);
                row = part.rows().end;
            }
            assert_eq!(row, layout.rows());
            assert_eq!(tasks.bias_terms(), outputs);
        }
    }
}

/// Each of two threads has rows to within a panel as many as the other.
#[test]
fn parts_can_be_shared_evenly() {
    for widths in [[28, 64, 64], [100, 30, 7], [17, 33, 100]] {
        let layer = |pair: &[usize]| Shape { inputs: pair[0], outputs: pair[1], bias: true };
        let layout = matrices(&widths.windows(2).map(layer).collect::<Vec<_>>());
        let tasks = layout.tasks(2);
        let half = layout.rows() / 2;
        let nearest = tasks.bounds().iter().map(|&row| row.abs_diff(half)).min();
        assert!(nearest.is_some_and(|distance| distance <= widths[1].max(widths[2]) / 2 + 1));
    }
}

#[test]
fn weights_written_are_read_back() {
    for (inputs, outputs, bias) in [(1, 1, true), (3, 1, false), (300, 129, true), (17, 260, true)]
    {
        let other = Shape { inputs: 5, outputs: inputs, bias: true };
        let layout = matrices(&[other, Shape { inputs, outputs, bias }]);
        let weights: Vec<f32> = (0..inputs * outputs).map(|x| x as f32 + 1.0).collect();
        let terms: Vec<f32> =
            (0..if bias { outputs } else { 0 }).map(|x| -(x as f32) - 1.0).collect();
        let mut arena = vec![[0.0; LANES]; layout.rows()];
        layout.write_weights(1, &weights, &terms, &mut arena);
        assert_eq!(layout.read_weights(1, &arena), (weights, terms));
        assert!(layout.read_weights(0, &arena).0.iter().all(|&x| x == 0.0));
        let written = arena.iter().flatten().filter(|&&x| x != 0.0).count();
        assert_eq!(written, outputs * (inputs + usize::from(bias)));
    }
}
