//! The run directory: what is in it and who may write to it.

use crate::stop_after::StopAfter;
use gristmill_io::schema::{Encoding, InputColumn, InputKind, Target};
use gristmill_io::{AtomicFile, Checkpoint, Dataset, SynthOptions, Tensor, synth};
use gristmill_trainer::config::RunConfig;
use gristmill_trainer::data::samples::Table;
use gristmill_trainer::metrics::Metric;
use gristmill_trainer::observer::{Control, EpochReport, Observer, StepReport};
use gristmill_trainer::run::{DATA, Draft, Run, RunError};
use gristmill_trainer::{CheckpointView, Isa, Reason, Session};
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
        tensors: vec![Tensor::vector("parameters.dense1.weight", vec![1.0, 2.0])],
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
    let mut draft = Draft::create(&path).unwrap();
    import(&mut draft, 1).unwrap();
    assert!(path.join("data.grist").exists());
    drop(draft);
    assert!(!path.exists());

    fs::create_dir(&path).unwrap();
    drop(Draft::create(&path).unwrap());
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0, "an empty directory stays one");
}

/// Makes data in a draft.
fn import(draft: &mut Draft, seed: u64) -> Result<Dataset, RunError> {
    draft.import(DATA, |path| {
        let options = SynthOptions { rows: 5, features: 2, seed, ..SynthOptions::default() };
        synth(path, &options, &())?;
        Ok(Dataset::open(path)?)
    })
}

/// The names in a directory, sorted.
fn names(path: &Path) -> Vec<String> {
    let entries = fs::read_dir(path).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// What a file of this name is called until it is complete.
fn temporary_name(name: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let _file = AtomicFile::create(&directory.path().join(name)).unwrap();
    names(directory.path()).remove(0)
}

/// What a process that is killed during its preparations leaves.
fn killed_draft(path: &Path) {
    let mut draft = Draft::create(path).unwrap();
    import(&mut draft, 1).unwrap();
    // Nothing of it is dropped, and only the lock goes with the process.
    let copy = path.with_extension("copy");
    fs::create_dir(&copy).unwrap();
    for name in names(path) {
        fs::copy(path.join(&name), copy.join(&name)).unwrap();
    }
    drop(draft);
    fs::rename(copy, path).unwrap();
    fs::write(path.join(temporary_name("validation.grist")), "").unwrap();
    fs::write(path.join("metrics.csv"), "").unwrap();
    fs::create_dir(path.join("checkpoints")).unwrap();
}

#[test]
fn a_draft_of_a_killed_process_is_taken_over() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run");
    killed_draft(&path);
    let left = names(&path);
    assert_eq!(left[1..], ["checkpoints", "data.grist", "lock", "metrics.csv"]);
    let mut draft = Draft::create(&path).unwrap();
    assert_eq!(names(&path), ["lock"]);
    import(&mut draft, 2).unwrap();
    draft.start(&RunConfig::default()).unwrap();
    open(&path);
}

#[test]
fn what_a_killed_draft_cannot_have_made_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| {
        let path = directory.path().join(name.replace('/', "-"));
        killed_draft(&path);
        fs::write(path.join(name), text).unwrap();
        let before = names(&path);
        let error = Draft::create(&path).unwrap_err();
        assert!(matches!(error, RunError::NotEmpty(_)), "{name}: {error}");
        assert_eq!(names(&path), before, "{name}");
        assert_eq!(fs::read_to_string(path.join(name)).unwrap(), text);
    };
    let files = ["mydata.csv", "metrics.csv", "model.gristmill", ".notes.tmp", "data.grist"];
    for name in files {
        put(name, "1,2");
    }
    put("checkpoints/step-000000000001.checkpoint", "1,2");
    // Another data set under the name of the draft's.
    let path = directory.path().join("other");
    killed_draft(&path);
    let options = SynthOptions { rows: 5, features: 2, seed: 3, ..SynthOptions::default() };
    synth(&path.join("data.grist"), &options, &()).unwrap();
    assert!(matches!(Draft::create(&path), Err(RunError::NotEmpty(_))));
}

#[test]
fn a_lock_of_someone_else_is_neither_written_to_nor_removed() {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in [("empty", ""), ("text", "padlock")] {
        let path = directory.path().join(name);
        fs::create_dir(&path).unwrap();
        fs::write(path.join("lock"), text).unwrap();
        assert!(matches!(Draft::create(&path), Err(RunError::NotEmpty(_))), "{name}");
        assert_eq!(fs::read_to_string(path.join("lock")).unwrap(), text);
    }
    // Also where the run is ours.
    let path = directory.path().join("run");
    drop(Draft::create(&path).unwrap().start(&RunConfig::default()).unwrap());
    fs::write(path.join("lock"), "padlock").unwrap();
    open(&path);
    assert_eq!(fs::read_to_string(path.join("lock")).unwrap(), "padlock");
}

#[test]
fn only_what_a_draft_made_is_removed_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run");
    let mut draft = Draft::create(&path).unwrap();
    import(&mut draft, 1).unwrap();
    fs::write(path.join("letter.txt"), "dear").unwrap();
    drop(draft);
    assert_eq!(names(&path), ["letter.txt"]);

    // Nor does it replace what someone puts in its way.
    let path = directory.path().join("busy");
    for name in ["data.grist", "metrics.csv", "config.toml", "checkpoints"] {
        let mut draft = Draft::create(&path).unwrap();
        fs::write(path.join(name), "dear").unwrap();
        let error = match name {
            "data.grist" => import(&mut draft, 1).map(drop).unwrap_err(),
            _ => draft.start(&RunConfig::default()).map(drop).unwrap_err(),
        };
        assert!(matches!(error, RunError::NotEmpty(_)), "{error}");
        assert_eq!(fs::read_to_string(path.join(name)).unwrap(), "dear");
        fs::remove_dir_all(&path).unwrap();
    }
}

#[test]
fn a_run_without_its_configuration_is_not_mixed_with_another() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("iris-1");
    let run = Draft::create(&path).unwrap().start(&RunConfig::default()).unwrap();
    run.save_checkpoint(&checkpoint(10, 1)).unwrap();
    drop(run);
    fs::remove_file(path.join("config.toml")).unwrap();
    assert!(matches!(Draft::create(&path), Err(RunError::NotEmpty(_))));
    assert_eq!(names(&path.join("checkpoints")), ["step-000000000010.checkpoint"]);
    let draft = Draft::numbered(directory.path(), "iris").unwrap();
    assert_eq!(draft.path(), directory.path().join("iris-2"));
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
    let stale = checkpoints.join(temporary_name("step-000000000030.checkpoint"));
    let notes = checkpoints.join(".notes.tmp");
    fs::write(&stale, "killed").unwrap();
    fs::write(&notes, "someone's").unwrap();

    let mut warnings = Vec::new();
    let (_, found) = Run::open(&path, &mut |warning| warnings.push(warning.to_owned())).unwrap();
    assert_eq!(found.unwrap().step, 10);
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains("step-000000000020"), "{warnings:?}");
    assert!(!stale.exists());
    assert!(notes.exists());

    fs::write(Checkpoint::path_in(&checkpoints, 10), "nothing").unwrap();
    let error = Run::open(&path, &mut |_| {}).unwrap_err().to_string();
    assert!(error.contains("step-000000000020"), "{error}");
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
        let save = &mut |_: &CheckpointView<'_>| {
            saved += 1;
            Ok(())
        };
        let error = session.fit(&mut Meddler { file: file.clone(), stops }, save).unwrap_err();
        assert!(error.to_string().contains("written to"), "{error}");
        assert_eq!(saved, 0);
    }
}
