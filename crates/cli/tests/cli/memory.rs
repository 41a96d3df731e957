//! Data sets larger than the memory that they are given: what is said, and that the results are the same.

use crate::place::Place;

#[test]
fn a_sorted_file_is_shuffled_within_little_memory_and_told_of_where_it_is_not() {
    let place = Place::new();
    place.ok("synth -o sorted.grist --rows 50000 --classes 4 --sorted");
    let said = |options: &str| {
        let done = place.run(&format!("train sorted.grist --hidden 4 --epochs 1 {options}"));
        assert!(done.status.success(), "{options}: {}", done.stderr);
        done.stderr
    };
    for (options, order) in [
        ("", "in full shuffle; the file is read once"),
        ("--memory 1M", "shuffled in windows of 65 blocks of 48 rows"),
        ("--memory 200K", "shuffled in windows of "),
    ] {
        let text = said(options);
        assert!(text.contains(order), "{options}: {text}");
        assert!(!text.contains("warning"), "{options}: {text}");
    }
    for (options, advice) in [
        ("--shuffle none", "(the file may be sorted): shuffle them with --shuffle auto"),
        (
            "--set training.block_rows=10000 --set training.window_blocks=1",
            "(the file may be sorted): leave training.block_rows and training.window_blocks out",
        ),
        ("--shuffle full --memory 1M", "does not fit in memory"),
    ] {
        let text = said(options);
        assert!(text.contains(advice), "{options}: {text}");
    }
}

#[test]
fn results_do_not_depend_on_memory() {
    let place = Place::new();
    place.ok("synth -o rows.grist --rows 30000 --classes 3");
    place.ok("synth -o more.grist --rows 10000 --classes 3 --seed 1");
    for validation in ["--validation-split 0.1", "--validation more.grist"] {
        let model = |memory: &str| {
            let options = "--hidden 8 --epochs 2 --shuffle full --out run";
            place.ok(&format!("train rows.grist {validation} {options} {memory}"));
            let model = place.read("run/model.gristmill");
            std::fs::remove_dir_all(place.path("run")).unwrap();
            model
        };
        // A model holds the metrics of its last epoch.
        assert!(model("--memory 300K") == model(""), "{validation}");
    }
    place.ok("train rows.grist --hidden 8 --epochs 1 --out run");
    for command in ["evaluate --json", "predict"] {
        let of =
            |memory: &str| place.ok(&format!("{command} run/model.gristmill rows.grist{memory}"));
        assert!(of(" --memory 100K") == of(""), "{command}");
    }
}
