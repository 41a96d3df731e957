//! Runs whose learning rate is too high: they end with an error, or go back and on with a lower one.

use gristmill_trainer::config::RunConfig;
use gristmill_trainer::data::samples::Table;
use gristmill_trainer::observer::{Control, Observer, StepReport};
use gristmill_trainer::{CheckpointView, Isa, Reason, Session, TrainError};

/// A learning rate that ruins the first epoch, and of which some halves do not.
const RECOVERS: f64 = 8.0;

fn table() -> Table {
    let features: Vec<f32> = (0..64).map(|i| ((i * 37) % 11) as f32).collect();
    let targets = (0..32).map(|i| ((i * 13) % 7) as f32).collect();
    Table::of_numbers(&features, targets, 1).unwrap()
}

fn config(on_nan: &str, learning_rate: f64) -> RunConfig {
    RunConfig::from_toml(&format!(
        "network.hidden = [5]
        optimizer = {{ kind = 'sgd', learning_rate = {learning_rate:?} }}
        training = {{ batch_size = 8, epochs = 4, on_nan = '{on_nan}' }}"
    ))
    .unwrap()
}

/// Takes note of warnings, and ends the run after `stop_after` steps.
#[derive(Default)]
struct Watcher {
    warnings: Vec<String>,
    steps: u64,
    stop_after: Option<u64>,
}

impl Observer for Watcher {
    fn step(&mut self, _: &StepReport) -> Control {
        self.steps += 1;
        if Some(self.steps) == self.stop_after { Control::Stop } else { Control::Continue }
    }

    fn warn(&mut self, message: &str) {
        self.warnings.push(message.to_owned());
    }
}

#[test]
fn without_rollback_it_ends_with_an_error_and_saves_nothing_that_is_no_number() {
    let table = table();
    for rate in [50.0, 1e10, 1e38] {
        let mut session = Session::new(&config("stop", rate), Isa::best(), &table, None).unwrap();
        let mut bad = 0;
        let save = &mut |checkpoint: &CheckpointView<'_>| {
            let checkpoint = checkpoint.collect();
            let values = checkpoint.tensors.iter().flat_map(|tensor| tensor.values.iter());
            bad += values.filter(|value| !value.is_finite()).count();
            Ok(())
        };
        let error = session.fit(&mut (), save).unwrap_err();
        assert!(matches!(error, TrainError::Diverged { culprit: None, .. }), "{rate}: {error}");
        assert!(error.to_string().contains("lower the learning rate"), "{error}");
        assert_eq!(bad, 0, "{rate}");
    }
}

#[test]
fn with_rollback_it_halves_the_learning_rate_until_the_network_learns() {
    let table = table();
    let mut session =
        Session::new(&config("rollback", RECOVERS), Isa::best(), &table, None).unwrap();
    let mut watcher = Watcher::default();
    let outcome = session.fit(&mut watcher, &mut |_| Ok(())).unwrap();
    assert_eq!(outcome.reason, Reason::Finished);
    let times =
        watcher.warnings.iter().filter(|line| line.contains("half the learning rate")).count();
    assert!((1..=10).contains(&times), "{:?}", watcher.warnings);
    let last = &session.history()[3].values;
    assert_eq!(last[0], ("learning_rate".to_owned(), RECOVERS * 0.5f64.powi(times as i32)));
    assert!(last[1].1.is_finite());

    let mut hopeless = Session::new(&config("rollback", 1e30), Isa::best(), &table, None).unwrap();
    let mut watcher = Watcher::default();
    assert!(hopeless.fit(&mut watcher, &mut |_| Ok(())).is_err());
    assert_eq!(watcher.warnings.len(), 10);
}

#[test]
fn a_run_that_is_stopped_anywhere_goes_back_to_where_the_whole_run_does() {
    let table = table();
    let config = config("rollback", RECOVERS);
    let session = || Session::new(&config, Isa::best(), &table, None).unwrap();
    let mut whole = session();
    let mut watcher = Watcher::default();
    whole.fit(&mut watcher, &mut |_| Ok(())).unwrap();
    assert!(!watcher.warnings.is_empty());
    for stop in 1..watcher.steps {
        let mut last = None;
        let save = &mut |checkpoint: &CheckpointView<'_>| {
            last = Some(checkpoint.collect());
            Ok(())
        };
        let mut first = session();
        let mut watcher = Watcher { stop_after: Some(stop), ..Watcher::default() };
        // It may be stopped where its state is one that is not saved.
        let _ = first.fit(&mut watcher, save);
        let Some(checkpoint) = last else { continue };
        let mut second = session();
        second.restore(&checkpoint).unwrap();
        second.fit(&mut (), &mut |_| Ok(())).unwrap();
        assert!(second.model() == whole.model(), "stopped after {stop} steps");
    }
}
