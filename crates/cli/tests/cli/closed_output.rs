//! Standard output that was closed before the program began: results that cannot be printed are an error.

use crate::place::{Done, Place, flowers};
use std::fs::OpenOptions;
use std::process::Stdio;

/// Commands that print a result, and one that prints it only when all else is done.
const PRINTERS: [&str; 15] = [
    "predict run/model.gristmill flowers.csv",
    "predict run/model.gristmill flowers.csv -o /dev/stdout",
    "evaluate run/model.gristmill flowers.csv",
    "evaluate run/model.gristmill flowers.csv --json",
    "inspect flowers.grist",
    "inspect run/model.gristmill --json",
    "head flowers.csv",
    "head flowers.grist --csv",
    "stats flowers.grist",
    "verify flowers.grist",
    "gradcheck --hidden 2",
    "formats",
    "train flowers.grist --hidden 2 --epochs 1 --out other",
    "--help",
    "--version",
];

/// Commands whose results are files.
const WRITERS: [&str; 6] = [
    "import flowers.csv -o a.grist",
    "synth --rows 10 -o b.grist",
    "head flowers.grist -o c.grist",
    "predict run/model.gristmill flowers.csv -o d.csv",
    "export-data flowers.grist -o e.csv",
    "export run/model.gristmill -o f.onnx",
];

/// A place with a table, a data set and a model.
fn place() -> Place {
    let place = Place::new();
    place.write("flowers.csv", flowers(60));
    place.ok("import flowers.csv -o flowers.grist");
    place.ok("train flowers.grist --hidden 2 --epochs 1 --out run");
    place
}

#[test]
fn results_that_nobody_can_get_are_an_error() {
    let place = place();
    for arguments in PRINTERS {
        let done = Done::of(place.command_after("exec >&-", arguments).output().unwrap());
        done.assert_failed(arguments, &["cannot write to standard output: it is closed"]);
        assert!(place.names("tmp").is_empty(), "{arguments}");
    }
    assert!(place.path("other/model.gristmill").exists(), "what is trained is saved all the same");
}

#[test]
fn results_that_are_files_need_no_standard_output() {
    let place = place();
    for arguments in WRITERS {
        let done = Done::of(place.command_after("exec >&-", arguments).output().unwrap());
        assert_eq!(done.status.code(), Some(0), "{arguments}: {}", done.stderr);
    }
    // What is opened next must not become standard output and get what is printed.
    assert!(place.text("d.csv").starts_with("kind,p(aster)"));
}

#[test]
fn wrong_usage_is_wrong_usage_all_the_same() {
    let place = Place::new();
    for script in ["exec >&-", "exec >&- 2>&-", "exec <&- >&- 2>&-"] {
        let done = Done::of(place.command_after(script, "grind").output().unwrap());
        assert_eq!(done.status.code(), Some(2), "{script}: {}", done.stderr);
    }
}

#[test]
fn every_way_to_want_no_results_is_no_failure() {
    let place = place();
    for arguments in PRINTERS.iter().filter(|arguments| !arguments.starts_with("train")) {
        for script in
            ["exec >/dev/null", "exec </dev/null >/dev/null 2>&1", "exec 2>&-", "exec <&-"]
        {
            let done = Done::of(place.command_after(script, arguments).output().unwrap());
            assert_eq!(done.status.code(), Some(0), "{script}; {arguments}: {}", done.stderr);
        }
        // As Python's DEVNULL, and as daemons have all three; a closed one is reopened in the same way.
        let null =
            || Stdio::from(OpenOptions::new().read(true).write(true).open("/dev/null").unwrap());
        let done = place.command(arguments).stdout(null()).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(done.status.code(), Some(0), "{arguments}: {}", Done::of(done).stderr);
        let mut daemon = place.command(arguments);
        let status = daemon.stdin(null()).stdout(null()).stderr(null()).status().unwrap();
        assert_eq!(status.code(), Some(0), "{arguments}");
    }
}
