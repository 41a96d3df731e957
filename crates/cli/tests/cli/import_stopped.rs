//! Imports that do not come to their end, and those that are kept within their memory.

use crate::place::{Place, flowers, prices};
use std::process::{Child, Command, Stdio};

/// A table that takes long to import, since it is named many times.
fn start(place: &Place, output: &str) -> Child {
    let sources = "big.csv ".repeat(300);
    let mut child = place
        .command(&format!("import {sources} -o {output}"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while temporary(place, output).is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "the import ended before it was stopped");
        std::thread::yield_now();
    }
    child
}

/// The temporary files of an import under way.
fn temporary(place: &Place, output: &str) -> Vec<String> {
    let prefix = format!(".{output}.");
    place.names(".").into_iter().filter(|name| name.starts_with(&prefix)).collect()
}

#[test]
fn what_a_killed_import_left_is_swept_and_what_a_living_one_has_is_not() {
    let place = Place::new();
    place.write("big.csv", prices(100_000));
    place.write("small.csv", prices(20));
    let mut living = start(&place, "living.grist");
    // It stays as it is, however long the others take.
    let stop = Command::new("kill").args(["-s", "STOP", &living.id().to_string()]).status();
    assert!(stop.unwrap().success());
    let mut killed = start(&place, "killed.grist");
    killed.kill().unwrap();
    killed.wait().unwrap();
    let left = temporary(&place, "killed.grist");
    assert!(!left.is_empty() && !place.path("killed.grist").exists());

    place.ok("import small.csv -o small.grist");
    assert_eq!(temporary(&place, "killed.grist"), [""; 0]);
    assert!(!temporary(&place, "living.grist").is_empty());
    assert!(living.try_wait().unwrap().is_none(), "the import ended before it was looked at");
    living.kill().unwrap();
    living.wait().unwrap();
    // Any command that writes there sweeps.
    place.ok("synth -o s.grist --rows 10");
    assert_eq!(place.names("."), ["big.csv", "s.grist", "small.csv", "small.grist", "tmp"]);
}

#[test]
fn what_a_killed_evaluation_left_is_swept_and_what_a_living_one_has_is_not() {
    let place = Place::new();
    place.write("flowers.csv", flowers(60));
    place.ok("train flowers.csv --hidden 4 --epochs 1 --out run");
    let temporary = place.path("tmp");
    let scratch = |name: &str, lock: &str| {
        let directory = temporary.join(name);
        std::fs::create_dir(&directory).unwrap();
        std::fs::write(directory.join("rows.grist"), "half").unwrap();
        std::fs::File::create(directory.join(lock)).unwrap()
    };
    drop(scratch("gristmill-rows-dead", ".in-use"));
    let alive = scratch("gristmill-rows-alive", ".in-use");
    alive.lock().unwrap();
    drop(scratch("gristmill-rows-of-someone", "lock"));
    drop(scratch("gristmill-run", ".in-use"));
    place.ok("evaluate run/model.gristmill flowers.csv");
    let left = ["gristmill-rows-alive", "gristmill-rows-of-someone", "gristmill-run"];
    assert_eq!(place.names("tmp"), left);
}

#[test]
fn an_interrupted_import_leaves_nothing_and_exits_with_130() {
    let place = Place::new();
    place.write("big.csv", prices(100_000));
    for name in ["INT", "TERM"] {
        let mut child = start(&place, "big.grist");
        // Twice, as `timeout` sends it.
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &id, &id]).status().unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(130), "SIG{name}");
        assert_eq!(place.names("."), ["big.csv", "tmp"]);
    }
}

#[test]
fn threads_and_patterns_change_no_byte() {
    let place = Place::new();
    for part in ["part-1.csv", "part-2.csv", "part-3.csv"] {
        place.write(part, prices(30_000));
    }
    place.ok("import part-1.csv part-2.csv part-3.csv -o a.grist");
    for threads in [1, 2, 5] {
        place.ok(&format!("import part-*.csv -o b.grist --threads {threads}"));
        assert!(place.read("a.grist") == place.read("b.grist"), "{threads} threads");
    }
    place.fails("import none-*.csv -o c.grist", &["none-*.csv", "matches no file"]);
}

#[cfg(target_os = "linux")]
#[test]
fn an_import_keeps_to_its_memory() {
    const MEMORY: u64 = 48;
    let place = Place::new();
    place.write("part.csv", prices(400_000));
    let sources = "part.csv ".repeat(10);
    let small = format!("import {sources} -o small.grist --memory {MEMORY}M --threads 2");
    let mut child = place.command(&small).stderr(Stdio::null()).spawn().unwrap();
    let (mut peak, mut looks) = (0, 0);
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id()));
        let status = status.unwrap_or_default();
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kilobytes = most.and_then(|text| text.split_whitespace().next()?.parse::<u64>().ok());
        peak = peak.max(kilobytes.unwrap_or(0));
        looks += usize::from(kilobytes.is_some());
        std::thread::yield_now();
    }
    assert!(child.wait().unwrap().success());
    assert!(looks > 10 && peak > 0, "{looks} looks");
    assert!(peak <= MEMORY << 10, "the peak was {peak} kB, allowed were {MEMORY} MiB");
    place.ok(&format!("import {sources} -o large.grist"));
    assert!(place.read("small.grist") == place.read("large.grist"));
    place.refuses("import part.csv -o a.grist --memory 1M", &["at least 32 MiB"]);
}
