//! What the system refuses: threads and memory. Both are errors, and never the end of the program by a signal.
#![cfg(target_os = "linux")]

use crate::place::{Done, Place, flowers};

fn limited(place: &Place, kibibytes: u64, arguments: &str) -> Done {
    let script = format!("ulimit -v {kibibytes}");
    Done::of(place.command_after(&script, arguments).output().unwrap())
}

#[test]
fn threads_that_cannot_start_are_an_error() {
    let place = Place::new();
    place.write("flowers.csv", flowers(60));
    place.ok("import flowers.csv -o flowers.grist");
    // A thread's stack takes 2 MiB.
    let arguments = "train flowers.grist --threads 1000 --hidden 2 --epochs 1 --out run";
    limited(&place, 1_500_000, arguments).assert_failed(arguments, &["cannot start 1000 threads"]);
    assert!(!place.path("run").exists());
    let done = limited(&place, 1_500_000, &arguments.replace("1000", "2"));
    assert!(done.status.success(), "{}", done.stderr);
}

#[test]
fn a_network_that_memory_does_not_hold_is_an_error_that_says_how_much_it_takes() {
    let place = Place::new();
    place.write("flowers.csv", flowers(60));
    place.ok("import flowers.csv -o flowers.grist");
    // 30,000 x 30,000 weights of 4 bytes with two moments each.
    let arguments = "train flowers.grist --hidden 30000,30000 --threads 1 --epochs 1 --out run";
    let done = limited(&place, 2_000_000, arguments);
    done.assert_failed(arguments, &["bytes of memory", "fewer units"]);
    let error = done.stderr.lines().find(|line| line.starts_with("error")).unwrap();
    let bytes = error.split(' ').find_map(|word| word.parse::<u64>().ok()).unwrap();
    assert!((10_800_000_000..13_000_000_000).contains(&bytes), "{error}");
    assert!(!place.path("run").exists());
    // More than any layer may have.
    let arguments = "train flowers.grist --hidden 4000000000 --threads 1 --out run";
    let done = limited(&place, 2_000_000, arguments);
    assert!(done.stderr.contains("error: ") && done.stderr.contains("units"), "{}", done.stderr);
    assert!(!place.path("run").exists());
}
