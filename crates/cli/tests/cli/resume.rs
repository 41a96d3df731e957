//! The same model, whatever the threads and however often the run was stopped.

use crate::place::{Done, Place, flowers, prices, signal};
use std::fs::File;
use std::process::{Child, Stdio};

const ISAS: [&str; 3] = ["portable", "avx2", "avx512"];

/// Runs with an instruction set; `None` if this CPU lacks it.
fn train(place: &Place, isa: &str, arguments: &str) -> Option<Done> {
    let done = place.command(arguments).env("GRISTMILL_ISA", isa).output().unwrap();
    let done = Done::of(done);
    if done.stderr.contains("not available on this CPU") {
        eprintln!("skipped: this CPU has no {isa}");
        return None;
    }
    assert!(done.status.success(), "{arguments}: {}", done.stderr);
    assert!(done.stderr.contains(&format!("instruction set {isa}")), "{}", done.stderr);
    Some(done)
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let place = Place::new();
    place.write("prices.csv", prices(700));
    place.ok("import prices.csv -o prices.grist");
    let options = "--hidden 96,64 --dropout 0.1 --clip-norm 5 --validation-split 0.1 --epochs 2";
    for isa in ISAS {
        let mut first = None;
        for threads in [1, 2, 3, 8] {
            let run = format!("{isa}-{threads}");
            let arguments = format!("train prices.grist {options} --threads {threads} --out {run}");
            if train(&place, isa, &arguments).is_none() {
                break;
            }
            let model = place.read(&format!("{run}/model.gristmill"));
            let first = first.get_or_insert_with(|| model.clone());
            assert!(*first == model, "{isa}: {threads} threads make another model");
        }
    }
}

#[test]
fn a_longer_run_goes_on_where_the_shorter_ended() {
    let place = Place::new();
    place.write("flowers.csv", flowers(200));
    let options = "--hidden 12 --dropout 0.2 --optimizer momentum --validation-split 0.2";
    place.ok(&format!("train flowers.csv {options} --epochs 5 --out whole"));
    place.ok(&format!("train flowers.csv {options} --epochs 2 --out parts"));
    let before = place.read("parts/model.gristmill");
    assert_ne!(before, place.read("whole/model.gristmill"));
    let done = place.run("train --resume parts --epochs 5 --threads 1");
    assert!(done.stderr.contains("resuming after 2 epochs"), "{}", done.stderr);
    assert_eq!(place.read("parts/model.gristmill"), place.read("whole/model.gristmill"));
    let epochs = |run: &str| -> Vec<String> {
        let metrics = place.text(&format!("{run}/metrics.csv"));
        metrics.lines().map(|line| line.split(',').next().unwrap().to_owned()).collect()
    };
    assert_eq!(epochs("parts"), ["epoch", "1", "2", "3", "4", "5"]);
    assert_eq!(epochs("whole"), epochs("parts"));

    // A run that has ended is not changed by resuming it.
    let done = place.run("train --resume parts");
    assert!(done.status.success(), "{}", done.stderr);
    assert!(done.stderr.contains("the run has ended after 5 epochs"), "{}", done.stderr);
    assert!(!done.stderr.contains("instruction set"), "nothing is trained: {}", done.stderr);
    assert_eq!(place.read("parts/model.gristmill"), place.read("whole/model.gristmill"));
    assert_eq!(epochs("whole"), epochs("parts"));
}

#[test]
fn a_run_without_checkpoints_starts_from_the_beginning() {
    let place = Place::new();
    place.write("flowers.csv", flowers(60));
    place.ok("train flowers.csv --epochs 2 --out whole");
    place.ok("train flowers.csv --epochs 2 --out run --set checkpoint.every_epochs=0");
    assert!(place.names("run/checkpoints").is_empty());
    let done = place.run("train --resume run");
    assert!(done.stderr.contains("from the beginning"), "{}", done.stderr);
    assert_eq!(place.text("run/metrics.csv").lines().count(), 3);
    assert_eq!(place.read("run/model.gristmill"), place.read("whole/model.gristmill"));
}

#[test]
fn what_cannot_be_resumed_is_named() {
    let place = Place::new();
    place.write("flowers.csv", flowers(60));
    place.fails("train --resume none", &["none", "holds no run"]);
    place.ok("train flowers.csv --epochs 1 --out run");
}

/// A network whose epochs are long enough to be stopped within.
const LONG: &str = "--hidden 256,256 --batch-size 16";

/// A run that ends only when it is stopped, however fast the machine.
pub(crate) fn endless(run: &str) -> String {
    format!("train flowers.grist {LONG} --epochs 1000000 --out {run}")
}

/// Starts a run, or goes on with it, and waits until it has saved two checkpoints. What it says goes to
/// `stderr.txt`.
pub(crate) fn start_and_wait(place: &Place, isa: &str, arguments: &str, run: &str) -> Child {
    let mut child = place
        .command(arguments)
        .env("GRISTMILL_ISA", isa)
        .stdout(Stdio::null())
        .stderr(File::create(place.path("stderr.txt")).unwrap())
        .spawn()
        .unwrap();
    wait_for_checkpoints(place, &mut child, run);
    child
}

/// Waits until a run has saved two more checkpoints.
fn wait_for_checkpoints(place: &Place, child: &mut Child, run: &str) {
    let checkpoints = format!("{run}/checkpoints");
    let newest = || {
        let names = place.path(&checkpoints).exists().then(|| place.names(&checkpoints));
        names.into_iter().flatten().rfind(|name| name.starts_with("step-"))
    };
    let mut last = newest();
    for _ in 0..2 {
        while newest() == last {
            assert!(child.try_wait().unwrap().is_none(), "the run ended before it was stopped");
            std::thread::yield_now();
        }
        last = newest();
    }
}

/// Ends a stopped endless run two epochs on; its model, and that of a run that was never stopped.
fn finish_both(place: &Place, isa: &str, run: &str) -> [Vec<u8>; 2] {
    let epochs = place.text(&format!("{run}/metrics.csv")).lines().count() - 1 + 2;
    let whole = format!("{run}-whole");
    train(place, isa, &format!("train --resume {run} --epochs {epochs}")).unwrap();
    let arguments = format!("train flowers.grist {LONG} --epochs {epochs} --out {whole}");
    train(place, isa, &arguments).unwrap();
    [run, &whole].map(|run| place.read(&format!("{run}/model.gristmill")))
}

#[test]
fn a_killed_run_ends_with_the_same_bytes() {
    let place = Place::new();
    place.write("flowers.csv", flowers(3000));
    place.ok("import flowers.csv -o flowers.grist");
    for isa in ISAS {
        if train(&place, isa, &format!("train flowers.grist --epochs 1 --out {isa}")).is_none() {
            continue;
        }
        let run = format!("killed-{isa}");
        let mut child = start_and_wait(&place, isa, &endless(&run), &run);
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().code(), None, "it was killed, and did not exit");
        assert!(!place.path(&format!("{run}/model.gristmill")).exists());

        let [resumed, whole] = finish_both(&place, isa, &run);
        assert!(resumed == whole, "{isa}: the resumed run made another model");
    }
}

#[test]
fn an_interrupted_run_saves_and_exits_with_130() {
    let place = Place::new();
    place.write("flowers.csv", flowers(3000));
    place.ok("import flowers.csv -o flowers.grist");
    let isa = "portable";
    let arguments = endless("run");
    for (name, continuation) in [("INT", arguments.as_str()), ("TERM", "train --resume run")] {
        let mut child = start_and_wait(&place, isa, continuation, "run");
        place.fails("train --resume run", &["run", "in use"]);
        signal(&child, name);
        assert_eq!(child.wait().unwrap().code(), Some(130), "SIG{name}");
        assert!(!place.path("run/model.gristmill").exists());
    }
    let [resumed, whole] = finish_both(&place, isa, "run");
    assert!(resumed == whole, "the interrupted run made another model");
}

#[test]
#[cfg(target_os = "linux")]
fn a_terminal_that_hangs_up_interrupts_unless_that_is_to_be_ignored() {
    let place = Place::new();
    place.write("flowers.csv", flowers(3000));
    place.ok("import flowers.csv -o flowers.grist");
    // The tests themselves may run where it is ignored.
    let default = "exec env --default-signal=HUP \"$0\" \"$@\"";
    let mut command = place.command_after(default, &endless("hung-up"));
    let stderr = File::create(place.path("stderr.txt")).unwrap();
    let mut child = command.stdout(Stdio::null()).stderr(stderr).spawn().unwrap();
    wait_for_checkpoints(&place, &mut child, "hung-up");
    signal(&child, "HUP");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(place.text("stderr.txt").contains("interrupted and saved"));

    let mut command = place.command_after("trap '' HUP", &endless("run"));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for_checkpoints(&place, &mut child, "run");
    signal(&child, "HUP");
    wait_for_checkpoints(&place, &mut child, "run");
    signal(&child, "INT");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

/// A run that cannot go on, because nobody reads what it says, is ended by the second signal at the
/// latest.
#[test]
#[cfg(target_os = "linux")]
fn a_second_interrupt_ends_a_run_at_once() {
    let place = Place::new();
    place.write("flowers.csv", flowers(60));
    place.ok("import flowers.csv -o flowers.grist");
    let arguments = "train flowers.grist --epochs 1000000 --out run";
    let mut child = place.command(arguments).stderr(Stdio::piped()).spawn().unwrap();
    let tasks = format!("/proc/{}/task", child.id());
    let is_stuck = || {
        std::fs::read_dir(&tasks).unwrap().any(|task| {
            // The number of the system call that a thread sleeps in, and its arguments.
            let call = std::fs::read_to_string(task.unwrap().path().join("syscall"));
            call.is_ok_and(|call| call.split(' ').nth(1) == Some("0x2"))
        })
    };
    while !is_stuck() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before it was stopped");
        std::thread::yield_now();
    }
    let before = place.names("run/checkpoints");
    while child.try_wait().unwrap().is_none() {
        signal(&child, "INT");
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(!String::from_utf8(output.stderr).unwrap().contains("interrupted"));
    assert_eq!(place.names("run/checkpoints"), before, "nothing more was saved");
}
