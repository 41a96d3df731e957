//! Data sets that change while a run uses them, or between its parts.

use crate::place::{Place, flowers, truncate};
use crate::resume::{endless, start_and_wait};
use std::fs;

/// Lets `change` happen to the data set of a run under way; what the run says then. The run must end
/// with status 1, and its last checkpoint must be good.
fn change_during(change: impl Fn(&Place)) -> (Place, String) {
    let place = Place::new();
    place.write("flowers.csv", flowers(3000));
    place.ok("import flowers.csv -o flowers.grist");
    fs::copy(place.path("flowers.grist"), place.path("copy.grist")).unwrap();
    let mut child = start_and_wait(&place, "portable", &endless("run"), "run");
    change(&place);
    assert_eq!(child.wait().unwrap().code(), Some(1), "{}", place.text("stderr.txt"));
    let said = place.text("stderr.txt");
    let newest = place.names("run/checkpoints").pop().unwrap();
    place.ok(&format!("inspect run/checkpoints/{newest}"));
    (place, said)
}

fn error(said: &str) -> &str {
    said.lines().find(|line| line.starts_with("error: ")).unwrap_or_else(|| panic!("{said}"))
}

#[test]
fn a_file_that_is_cut_short_ends_the_run_with_its_name() {
    let (place, said) = change_during(|place| truncate(&place.path("flowers.grist"), 5000));
    assert!(error(&said).contains("flowers.grist"), "{said}");
    place.fails("train --resume run", &["flowers.grist", "5000 bytes"]);

    // With the file restored the run goes on.
    fs::copy(place.path("copy.grist"), place.path("flowers.grist")).unwrap();
    let epochs = place.text("run/metrics.csv").lines().count();
    place.ok(&format!("train --resume run --epochs {epochs}"));
}

#[test]
fn a_file_that_is_replaced_ends_the_run_with_its_name() {
    let (_, said) = change_during(|place| {
        fs::rename(place.path("copy.grist"), place.path("flowers.grist")).unwrap();
    });
    let error = error(&said);
    assert!(error.contains("flowers.grist") && error.contains("another file"), "{said}");
}

#[test]
fn data_that_have_changed_since_the_checkpoint_are_refused_unless_accepted() {
    let place = Place::new();
    let import = |text: String| {
        place.write("flowers.csv", text);
        place.ok("import flowers.csv -o flowers.grist");
    };
    import(flowers(60));
    place.ok("train flowers.grist --epochs 2 --out run");
    let resume = "train --resume run --epochs 3";

    import(flowers(61));
    let flag = "--accept-changed-data";
    place.fails(resume, &["flowers.grist", "had 60 rows and now has 61", flag]);
    let done = place.run(&format!("{resume} {flag}"));
    assert!(done.status.success(), "{}", done.stderr);
    let warned = |line: &str| line.starts_with("warning") && line.contains("now has 61");
    assert!(done.stderr.lines().any(warned), "{}", done.stderr);
    // From then on these are the data of the run.
    place.ok("train --resume run --epochs 4");

    import(flowers(61).replace("0.0", "0.5"));
    place.fails("train --resume run --epochs 5", &["flowers.grist", "other values", flag]);

    import(flowers(61).replace("width", "height"));
    let parts = ["flowers.grist", "\"height\"", "\"width\""];
    place.fails("train --resume run --epochs 5", &parts);
    place.fails(&format!("train --resume run --epochs 5 {flag}"), &parts);
}
