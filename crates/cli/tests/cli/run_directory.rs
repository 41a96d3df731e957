//! What `gristmill train` finds in the directory of a run, and what it leaves there.

use crate::place::{Done, Place, flowers};
use std::fs;
use std::process::Command;

/// A table that cannot be learned from.
const BAD: &str = "a,b\n";

#[test]
fn a_directory_with_files_of_someone_else_is_refused_and_stays_as_it_is() {
    let place = Place::new();
    place.write("bad.csv", BAD);
    place.write("flowers.csv", flowers(30));
    for lock in [None, Some(""), Some("padlock")] {
        fs::create_dir(place.path("d")).unwrap();
        place.write("d/thesis.txt", "precious");
        if let Some(text) = lock {
            place.write("d/lock", text);
        }
        let before = place.names("d");
        for table in ["bad.csv", "flowers.csv"] {
            let parts = ["d is not empty: choose another directory"];
            place.fails(&format!("train {table} --out d"), &parts);
            assert_eq!(place.names("d"), before);
            assert_eq!(place.text("d/thesis.txt"), "precious");
        }
        if let Some(text) = lock {
            assert_eq!(place.text("d/lock"), text);
        }
        fs::remove_dir_all(place.path("d")).unwrap();
    }
}

#[test]
fn a_lock_of_someone_else_alone_is_a_file_of_someone_else() {
    let place = Place::new();
    place.write("flowers.csv", flowers(30));
    fs::create_dir(place.path("d")).unwrap();
    place.write("d/lock", "");
    place.fails("train flowers.csv --out d", &["d is not empty"]);
    assert_eq!((place.names("d"), place.text("d/lock")), (vec!["lock".to_owned()], String::new()));
}

/// A directory as a process leaves it that is killed before it has imported anything.
fn killed_draft(place: &Place, name: &str) {
    place.write("flowers.csv", flowers(30));
    place.ok("train flowers.csv --hidden 2 --epochs 1 --out killed");
    fs::create_dir(place.path(name)).unwrap();
    fs::copy(place.path("killed/lock"), place.path(name).join("lock")).unwrap();
}

#[test]
fn what_a_killed_process_left_is_taken_over() {
    let place = Place::new();
    killed_draft(&place, "d");
    let mut command = place.command("train ../flowers.csv --hidden 2 --epochs 1 --out .");
    let done = Done::of(command.current_dir(place.path("d")).output().unwrap());
    assert!(done.status.success(), "{}", done.stderr);
    assert!(place.names("d").contains(&"model.gristmill".to_owned()));
}

#[test]
fn what_a_user_put_beside_what_a_killed_process_left_stays() {
    let place = Place::new();
    killed_draft(&place, "d");
    place.write("d/mydata.csv", BAD);
    let before = place.names("d");
    for arguments in ["train mydata.csv --out .", "train ../flowers.csv --epochs 1 --out ."] {
        let done = place.command(arguments).current_dir(place.path("d")).output().unwrap();
        Done::of(done).assert_failed(arguments, &["is not empty: choose another directory"]);
        assert_eq!(place.names("d"), before);
    }
    assert_eq!(place.text("d/mydata.csv"), BAD);
}

#[test]
fn a_run_that_lost_its_configuration_is_neither_emptied_nor_mixed_with_another() {
    let place = Place::new();
    place.write("flowers.csv", flowers(30));
    place.ok("train flowers.csv --hidden 2 --epochs 3");
    fs::rename(place.path("runs/flowers-1/config.toml"), place.path("kept.toml")).unwrap();
    let before = place.names("runs/flowers-1");
    let model = place.read("runs/flowers-1/model.gristmill");

    place.fails("train flowers.csv --out runs/flowers-1", &["is not empty"]);
    place.write("flowers.csv", BAD);
    place.fails("train flowers.csv", &["flowers.csv"]);
    assert_eq!(place.names("runs"), ["flowers-1"]);
    place.write("flowers.csv", flowers(60));
    place.ok("train flowers.csv --hidden 3 --epochs 1");
    assert_eq!(place.names("runs"), ["flowers-1", "flowers-2"]);
    assert_eq!(place.names("runs/flowers-1"), before);
    assert_eq!(place.read("runs/flowers-1/model.gristmill"), model);
    let done = place.run("train --resume runs/flowers-2");
    assert!(done.stderr.contains("the run has ended after 1 epochs"), "{}", done.stderr);
}

#[test]
fn resuming_with_fewer_epochs_than_were_trained_changes_nothing() {
    let place = Place::new();
    place.write("flowers.csv", flowers(30));
    place.ok("train flowers.csv --hidden 2 --epochs 6 --out run");
    let (config, metrics) = (place.text("run/config.toml"), place.text("run/metrics.csv"));
    let model = place.read("run/model.gristmill");
    place.refuses("train --resume run --epochs 3", &["--epochs 3", "6 epochs"]);
    assert_eq!(place.text("run/config.toml"), config);
    assert_eq!(place.text("run/metrics.csv"), metrics);
    assert_eq!(place.read("run/model.gristmill"), model);
    place.ok("train --resume run --epochs 6");
}

fn make_pipe(place: &Place, name: &str) {
    assert!(Command::new("mkfifo").arg(place.path(name)).status().unwrap().success());
}

#[test]
fn pipes_in_place_of_files_are_refused_before_they_are_waited_for() {
    let place = Place::new();
    place.write("flowers.csv", flowers(30));
    place.ok("train flowers.csv --hidden 2 --epochs 1 --out run");
    for name in ["config.toml", "metrics.csv"] {
        let kept = place.read(&format!("run/{name}"));
        fs::remove_file(place.path("run").join(name)).unwrap();
        make_pipe(&place, &format!("run/{name}"));
        let parts = [name, "is a pipe"];
        place.fails("train --resume run --epochs 2", &parts);
        fs::remove_file(place.path("run").join(name)).unwrap();
        place.write(&format!("run/{name}"), kept);
    }
    place.ok("train --resume run --epochs 2");
}

#[test]
fn a_pipe_that_someone_left_where_temporary_files_are_is_not_waited_for() {
    let place = Place::new();
    place.write("flowers.csv", flowers(30));
    place.ok("train flowers.csv --hidden 2 --epochs 1 --out run");
    fs::create_dir(place.path("tmp/gristmill-rows-others")).unwrap();
    make_pipe(&place, "tmp/gristmill-rows-others/.in-use");
    place.ok("predict run/model.gristmill flowers.csv");
    assert_eq!(place.names("tmp/gristmill-rows-others"), [".in-use"]);
}

#[test]
fn files_of_others_among_the_checkpoints_stay() {
    let place = Place::new();
    place.write("flowers.csv", flowers(30));
    place.ok("train flowers.csv --hidden 2 --epochs 1 --set checkpoint.keep=1 --out run");
    let first = "step-000000000001.checkpoint";
    let others = [
        "step-1.checkpoint",
        "step-01.checkpoint",
        "step-000000000000.checkpoint",
        "step-000000000001.checkpoint.mine",
    ];
    for name in others {
        place.write(&format!("run/checkpoints/{name}"), "mine");
    }
    place.ok("train --resume run --epochs 20");
    let names = place.names("run/checkpoints");
    assert!(!names.contains(&first.to_owned()), "{names:?}");
    for name in others {
        assert_eq!(place.text(&format!("run/checkpoints/{name}")), "mine");
    }
}
