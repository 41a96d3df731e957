//! The run directory: what is in it and who may write to it.

use gristmill_io::schema::{Encoding, InputColumn, InputKind, Target};
use gristmill_io::{Checkpoint, Dataset, SynthOptions, synth};
use gristmill_trainer::config::RunConfig;
use gristmill_trainer::metrics::Metric;
use gristmill_trainer::observer::{Control, EpochReport, Observer, StepReport};
use gristmill_trainer::run::{Draft, Run, RunError};
use gristmill_trainer::samples::Table;
use gristmill_trainer::{Isa, Reason, Session};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

fn report(epoch: u32) -> EpochReport {
    EpochReport {
        epoch,
        epochs: 9,
        learning_rate: 0.5,
        train_loss: 0.25,
        train: Vec::new(),
        validation: vec![(Metric::RocAuc, 0.75)],
        seconds: 2.0,
        samples_per_second: 1000.0,
    }
}

fn checkpoint(step: u64, epoch: u32) -> Checkpoint {
    let inputs = vec![InputColumn { name: "x".into(), kind: InputKind::Number { fill: None } }];
    let target = Target::Numbers { columns: vec!["y".into()] };
    Checkpoint {
        config: String::new(),
        fingerprint: 1,
        encoding: Encoding { inputs, target },
        epoch,
        step_in_epoch: 0,
        step,
        counters: Vec::new(),
        history: Vec::new(),
        tensors: vec![("weights".into(), vec![1.0, 2.0])],
    }
}

/// Opens a run that warns of nothing.
fn open(path: &Path) -> (Run, Option<Checkpoint>) {
    Run::open(path, &mut |warning| panic!("{warning}")).unwrap()
}

fn metrics(path: &Path) -> String {
    fs::read_to_string(path.join("metrics.csv")).unwrap()
}

#[test]
fn a_draft_that_never_starts_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a/b");
    let draft = Draft::create(&path).unwrap();
    fs::write(draft.path().join("data.grist"), "rows").unwrap();
    drop(draft);
    assert!(!path.exists());

    fs::create_dir(&path).unwrap();
    drop(Draft::create(&path).unwrap());
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0, "an empty directory stays one");
}

#[test]
fn a_draft_of_a_killed_process_is_taken_over() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("lock"), "").unwrap();
    fs::write(directory.path().join("data.grist"), "rows").unwrap();
    Draft::create(directory.path()).unwrap().start(&RunConfig::default()).unwrap();
    open(directory.path());
}

#[test]
fn nothing_is_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("letter.txt"), "dear").unwrap();
    assert!(matches!(Draft::create(directory.path()), Err(RunError::NotEmpty(_))));

    let path = directory.path().join("run");
    drop(Draft::create(&path).unwrap().start(&RunConfig::default()).unwrap());
    assert!(matches!(Draft::create(&path), Err(RunError::Exists(_))));
    assert!(path.join("config.toml").exists());
}

#[test]
fn numbers_count_up() {
    let directory = tempfile::tempdir().unwrap();
    let runs = directory.path().join("runs");
    for expected in ["iris-1", "iris-2", "iris-3"] {
        let draft = Draft::numbered(&runs, "iris").unwrap();
        assert_eq!(draft.path(), runs.join(expected));
        draft.start(&RunConfig::default()).unwrap();
    }
}

#[test]
fn one_process_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run");
    let draft = Draft::create(&path).unwrap();
    assert!(matches!(Draft::create(&path), Err(RunError::Locked(_))));
    let run = draft.start(&RunConfig::default()).unwrap();
    assert!(matches!(Run::open(&path, &mut |_| {}), Err(RunError::Locked(_))));
    drop(run);
    open(&path);
}

#[test]
fn what_is_no_run_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let error = Run::open(directory.path(), &mut |_| {}).unwrap_err();
    assert!(matches!(error, RunError::NoRun(_)));
    fs::write(directory.path().join("config.toml"), "sed = 1").unwrap();
    let error = Run::open(directory.path(), &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("config.toml") && error.contains("sed"), "{error}");
}

#[test]
fn the_newest_checkpoint_is_resumed_and_no_metrics_line_is_there_twice() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run");
    let mut config = RunConfig { seed: 7, ..Default::default() };
    config.checkpoint.keep = 2;
    let mut run = Draft::create(&path).unwrap().start(&config).unwrap();
    assert_eq!(metrics(&path), "");
    for epoch in 1..=3 {
        run.record(&report(epoch)).unwrap();
        run.save_checkpoint(&checkpoint(10 * u64::from(epoch), epoch)).unwrap();
    }
    run.record(&report(4)).unwrap();
    assert_eq!(metrics(&path).lines().count(), 5);
    drop(run);
    assert_eq!(fs::read_dir(path.join("checkpoints")).unwrap().count(), 2);

    let (mut run, found) = open(&path);
    assert_eq!(run.config(), &config);
    assert_eq!(found.unwrap().step, 30);
    assert_eq!(metrics(&path).lines().count(), 4);
    run.record(&report(4)).unwrap();
    let line = "0.5,0.25,0.75,2,1000";
    let names = "epoch,learning_rate,train_loss,val_roc_auc,seconds,samples_per_second";
    assert_eq!(metrics(&path), format!("{names}\n1,{line}\n2,{line}\n3,{line}\n4,{line}\n"));
}

#[test]
fn a_damaged_checkpoint_is_passed_over_with_a_warning() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run");
    let run = Draft::create(&path).unwrap().start(&RunConfig::default()).unwrap();
    for step in [10, 20] {
        run.save_checkpoint(&checkpoint(step, 0)).unwrap();
    }
    drop(run);
    let checkpoints = path.join("checkpoints");
    let newest = Checkpoint::path_in(&checkpoints, 20);
    let bytes = fs::read(&newest).unwrap();
    fs::write(&newest, &bytes[..bytes.len() / 2]).unwrap();
    fs::write(checkpoints.join(".step-000000000030.checkpoint.1-0.tmp"), "killed").unwrap();

    let mut warnings = Vec::new();
    let (_, found) = Run::open(&path, &mut |warning| warnings.push(warning.to_owned())).unwrap();
    assert_eq!(found.unwrap().step, 10);
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("step-000000000020"), "{warnings:?}");
    assert_eq!(fs::read_dir(&checkpoints).unwrap().count(), 2, "temporary files are removed");

    fs::write(Checkpoint::path_in(&checkpoints, 10), "nothing").unwrap();
    let error = Run::open(&path, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("step-000000000020"), "{error}");
}

/// Stops a run after so many steps.
struct StopAfter(u64);

impl Observer for StopAfter {
    fn step(&mut self, _: &StepReport) -> Control {
        self.0 -= 1;
        if self.0 == 0 { Control::Stop } else { Control::Continue }
    }
}

#[test]
fn a_run_stopped_after_any_step_ends_with_the_same_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let features: Vec<f32> = (0..60).map(|i| ((i * 37) % 11) as f32).collect();
    let labels = (0..30).map(|i| i % 3).collect();
    let names = ["a", "b", "c"].map(String::from).to_vec();
    let table = Table::of_classes(&features, labels, names).unwrap();
    let config = RunConfig::from_toml(
        "network = { hidden = [5], dropout = 0.3 }
        training = { batch_size = 8, epochs = 3 }
        schedule.kind = 'cosine'
        validation.split = 0.2",
    );
    let isa = Isa::best();
    let session = || Session::new(config.as_ref().unwrap(), isa, &table, None).unwrap();
    let start = |name: &str| {
        let draft = Draft::create(&directory.path().join(name)).unwrap();
        draft.start(session().config()).unwrap()
    };

    let mut whole = start("whole");
    let outcome = whole.fit(&mut session(), &mut ()).unwrap();
    assert_eq!(outcome.reason, Reason::Finished);
    let model = fs::read(whole.model_path()).unwrap();
    // 24 rows are learned from: 3 epochs of 3 steps.
    for stop in 1..=9 {
        let mut run = start(&format!("stopped-{stop}"));
        let outcome = run.fit(&mut session(), &mut StopAfter(stop)).unwrap();
        assert_eq!(outcome.reason, Reason::Interrupted, "after {stop} steps");
        assert!(!run.model_path().exists());
        let path = run.path().to_owned();
        drop(run);

        let (mut run, checkpoint) = open(&path);
        let checkpoint = checkpoint.unwrap();
        assert_eq!(checkpoint.step, stop);
        let mut session = session();
        session.restore(&checkpoint).unwrap();
        run.fit(&mut session, &mut ()).unwrap();
        assert!(fs::read(run.model_path()).unwrap() == model, "stopped after {stop} steps");
        let lines = metrics(&path);
        assert_eq!(lines.lines().count(), 4, "stopped after {stop} steps: {lines}");
    }
}

/// Has someone write to the data at the second step, and perhaps ends the run at the third.
struct Meddler {
    file: PathBuf,
    stops: bool,
}

impl Observer for Meddler {
    fn step(&mut self, report: &StepReport) -> Control {
        if report.step == 2 {
            let file = fs::File::options().write(true).open(&self.file).unwrap();
            file.set_modified(SystemTime::now() + Duration::from_secs(1)).unwrap();
        }
        if self.stops && report.step == 3 { Control::Stop } else { Control::Continue }
    }
}

#[test]
fn what_came_of_data_that_were_written_to_is_not_saved() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("data.grist");
    synth(&file, &SynthOptions { rows: 100, features: 3, ..SynthOptions::default() }, &()).unwrap();
    let text = "network.hidden = [4]\ntraining.batch_size = 10\ntraining.epochs = 1";
    let config = RunConfig::from_toml(text).unwrap();
    for stops in [true, false] {
        let data = Dataset::open(&file).unwrap();
        let mut session = Session::new(&config, Isa::best(), &data, None).unwrap();
        let mut saved = 0;
        let save = &mut |_: &Checkpoint| {
            saved += 1;
            Ok(())
        };
        let error = session.fit(&mut Meddler { file: file.clone(), stops }, save).unwrap_err();
        assert!(error.to_string().contains("written to"), "{error}");
        assert_eq!(saved, 0);
    }
}
