//! Plugins, good ones and all that goes wrong with others: the script in `crates/io/tests/plugins` does what
//! the name says by which it is called.

use crate::place::{Done, Place, flowers, prices, signal};
use std::fs;
use std::io::Read;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};

const SCRIPT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../io/tests/plugins/gristmill-format-NAME");
/// Seconds that a plugin is given that hangs; a good one is faster on any machine.
const PATIENCE: &str = "2";

/// A place with the plugins of these names, and with `flowers.arrows`, which they read.
fn place(names: &[&str]) -> Place {
    let place = Place::new();
    fs::create_dir(place.path("plugins")).unwrap();
    for name in names {
        let link = place.path("plugins").join(format!("gristmill-format-{name}"));
        symlink(SCRIPT, link).unwrap();
    }
    place.write("flowers.csv", flowers(300));
    place.ok("import flowers.csv -o flowers.grist");
    place.ok("export-data flowers.grist -o flowers.arrows");
    place
}

fn command(place: &Place, arguments: &str) -> Command {
    let mut command = place.command(arguments);
    command.env("GRISTMILL_PLUGINS", place.path("plugins")).env("HOME", place.path("."));
    command
}

fn ok(place: &Place, arguments: &str) -> Done {
    let done = Done::of(command(place, arguments).output().unwrap());
    assert!(done.status.success(), "{arguments}: {}", done.stderr);
    done
}

/// Runs what must fail with an error that has all these parts, and leave nothing.
fn fails(place: &Place, arguments: &str, parts: &[&str]) -> String {
    ends(place, 1, arguments, parts)
}

/// Runs what must be refused as wrong usage, likewise.
fn refuses(place: &Place, arguments: &str, parts: &[&str]) {
    ends(place, 2, arguments, parts);
}

/// Runs what must end so, and leave nothing: no file, no directory, no process.
fn ends(place: &Place, code: i32, arguments: &str, parts: &[&str]) -> String {
    let before = place.names(".");
    let mut command = command(place, arguments);
    let done = Done::of(command.env("GRISTMILL_PLUGIN_TIMEOUT", PATIENCE).output().unwrap());
    done.assert_ended(code, arguments, parts);
    assert!(place.names("tmp").is_empty(), "{arguments} left {:?}", place.names("tmp"));
    if let Ok(child) = fs::read_to_string(place.path("child")) {
        assert_ends(child.trim());
        fs::remove_file(place.path("child")).unwrap();
    }
    assert_eq!(place.names("."), before, "{arguments}");
    done.stderr
}

/// Waits for the end of a process that was killed.
fn assert_ends(id: &str) {
    assert!(id.parse::<u32>().is_ok(), "{id}");
    let is_alive = || {
        let found = Command::new("ps").args(["-o", "stat=", "-p", id]).output().unwrap();
        let state = String::from_utf8(found.stdout).unwrap();
        !state.trim().is_empty() && !state.starts_with('Z')
    };
    for _ in 0..1000 {
        if !is_alive() {
            return;
        }
    }
    panic!("the process {id} is still there");
}

#[test]
fn a_plugin_reads_and_writes_tables() {
    let place = place(&["plain"]);
    ok(&place, "export-data flowers.grist -o flowers.plain");
    for options in ["--format plain --option rows=3", "--format plain-too", ""] {
        let source = if options.is_empty() { "flowers.plain" } else { "flowers.arrows" };
        ok(&place, &format!("import {source} {options} --target kind -o again.grist"));
        assert!(place.read("again.grist") == place.read("flowers.grist"), "{options}");
    }
    ok(&place, "train flowers.arrows --format plain --epochs 1 --out run");
    ok(&place, "train flowers.csv --epochs 1 --out run-csv");
    assert!(place.read("run/model.gristmill") == place.read("run-csv/model.gristmill"));
    let model = "run/model.gristmill";
    let by_plugin = ok(&place, &format!("predict {model} flowers.arrows --format plain")).stdout;
    assert_eq!(by_plugin, place.ok(&format!("predict {model} flowers.csv")));
    let by_plugin = ok(&place, &format!("evaluate {model} flowers.plain")).stdout;
    assert_eq!(by_plugin, place.ok(&format!("evaluate {model} flowers.csv")));
}

#[test]
fn a_plugin_that_takes_its_time_is_given_all() {
    let place = place(&["sips"]);
    place.write("many.csv", flowers(12_000));
    place.ok("import many.csv -o many.grist");
    ok(&place, "export-data many.grist -o many.sips");
    assert!(place.read("many.sips").len() > 4 << 16, "it fits a pipe");
    ok(&place, "import many.sips --target kind -o again.grist");
    assert!(place.read("again.grist") == place.read("many.grist"));
}

#[test]
fn the_role_of_the_target_goes_with_the_table() {
    let place = place(&["plain"]);
    place.ok("import flowers.csv --target width -o width.grist");
    ok(&place, "export-data width.grist -o width.plain");
    ok(&place, "import width.plain -o again.grist");
    assert_eq!(place.json("inspect --json again.grist")["targets"][0]["name"], "width");
}

#[test]
fn a_plugin_reads_and_writes_models() {
    let place = place(&["plain"]);
    place.ok("train flowers.csv --epochs 1 --out run");
    let found = ok(&place, "export run/model.gristmill -o m.plain --verify flowers.csv").stdout;
    assert_eq!(found, "largest difference over 300 rows: 0\n");
    place.ok("export run/model.gristmill -o m.safetensors");
    assert!(place.read("m.plain") == place.read("m.safetensors"));
    ok(&place, "import-model m.plain --from plain -o back.gristmill");
    let predict = |model: &str| place.ok(&format!("predict {model} flowers.csv"));
    assert_eq!(predict("back.gristmill"), predict("run/model.gristmill"));
}

#[test]
fn plugins_are_looked_for_in_directories() {
    let place = place(&["plain"]);
    place.refuses(
        "import flowers.arrows --format plain -o x.grist",
        &["no format \"plain\"", "csv"],
    );
    ok(&place, "import flowers.arrows --format arrow -o x.grist");
    place.ok("import flowers.arrows --format plain --plugins plugins -o x.grist");
    let path = format!("{}:{}", place.path("plugins").display(), std::env::var("PATH").unwrap());
    let mut command = place.command("import flowers.arrows --format plain -o x.grist");
    assert!(command.env("PATH", path).output().unwrap().status.success());
    refuses(&place, "import flowers.arrows --format none -o x.grist", &["gristmill-format-none"]);
    place.fails("formats --plugins nowhere", &["cannot read nowhere: No such file"]);
    place.fails("head flowers.csv --plugins plugins/gristmill-format-plain", &["Not a directory"]);
    let mut command = command_with_timeout(&place, "soon");
    Done::of(command.output().unwrap()).assert_failed("", &["GRISTMILL_PLUGIN_TIMEOUT", "soon"]);
}

fn command_with_timeout(place: &Place, seconds: &str) -> Command {
    let mut command = command(place, "import flowers.arrows --format plain -o y.grist");
    command.env("GRISTMILL_PLUGIN_TIMEOUT", seconds);
    command
}

#[test]
fn options_are_checked_before_the_plugin_runs() {
    let place = place(&["plain"]);
    let import = |options: &str, part: &str| {
        let arguments = format!("import flowers.arrows {options} -o x.grist");
        refuses(&place, &arguments, &[part]);
    };
    import("--format plain --option lines=3", "no option \"lines\" for read; it has rows");
    import("--format plain --option rows=many", "takes a value of type integer, not \"many\"");
    import("--format arrow --option rows=3", "arrow takes no options");
    let usage = command(&place, "import flowers.arrows --option rows -o x.grist").output().unwrap();
    assert_eq!(usage.status.code(), Some(2));
}

#[test]
fn descriptions_that_are_wrong_are_named() {
    let names = ["hangs-at-once", "drips", "floods-at-once", "dies-at-once", "babbles", "future"];
    let place = place(&names);
    let expected = [
        ["gave and took nothing for 2 seconds and was stopped", "GRISTMILL_PLUGIN_TIMEOUT"],
        ["took more than 2 seconds to describe itself", ""],
        ["describes itself in more than 1 MiB", ""],
        ["failed with exit code 3: no licence found", ""],
        ["its description is no JSON", ""],
        ["version 2 of the protocol, this program speaks version 1", ""],
    ];
    for (name, parts) in names.iter().zip(expected) {
        let program = format!("plugins/gristmill-format-{name}");
        let arguments = format!("import flowers.arrows --format {name} -o x.grist");
        fails(&place, &arguments, &[&program, parts[0], parts[1]]);
    }
    // They do not stand in the way of others, and are told where they might have been meant.
    place.write("unknown", b"\x7fELF\0\0");
    fails(&place, "import unknown -o x.grist", &["unknown: is of none", "exit code 3", "no JSON"]);
    ok(&place, "import flowers.csv -o x.grist");
}

#[test]
fn plugins_that_fail_to_read_are_named() {
    for (name, row, part) in [
        ("hangs", "", "gave and took nothing for 2 seconds and was stopped"),
        ("stops", "", "gave and took nothing for 2 seconds and was stopped"),
        ("stays", "", "did not end after all was done"),
        ("dies", ", row 1", "failed with exit code 3: disk on fire"),
        ("complains", "", "failed with exit code 3: that was all I could do"),
        ("floods", "", "has no message where one should begin"),
        ("shouts", "", "did not end after all was done and was stopped; it said:"),
        ("goes-on", ", row 301", "goes on after its end mark"),
        ("is-silent", "", "ends before its end mark"),
    ] {
        let place = place(&[name]);
        let arguments = format!("import flowers.arrows --format {name} -o x.grist");
        let plugin = format!("flowers.arrows{row}: the plugin gristmill-format-{name} ");
        let said = fails(&place, &arguments, &[&plugin, part]);
        assert!(said.len() < 10_000, "{name} said {} bytes", said.len());
    }
}

/// The bytes of the message at a place in a stream, without those of its body.
fn message(stream: &[u8], start: usize) -> std::ops::Range<usize> {
    let length = u32::from_le_bytes(stream[start + 4..start + 8].try_into().unwrap());
    start..start + 8 + length as usize
}

fn replace(bytes: &mut [u8], old: &[u8], new: &[u8]) {
    let at = bytes.windows(old.len()).position(|window| window == old).expect("it is there");
    bytes[at..at + new.len()].copy_from_slice(new);
}

#[test]
fn plugins_that_lie_are_named() {
    let place = place(&["plain"]);
    let reads = |bytes: &[u8], parts: &[&str]| {
        place.write("lie.arrows", bytes);
        fails(&place, "import lie.arrows --format plain -o x.grist", parts);
    };
    let flowers = place.read("flowers.arrows");
    place.write("prices.csv", prices(300));
    place.ok("import prices.csv -o prices.grist");
    place.ok("export-data prices.grist -o prices.arrows");
    let prices = place.read("prices.arrows");
    let (schema, other) = (message(&flowers, 0), message(&prices, 0));

    // A schema, and batches of another.
    let lie = [&flowers[schema.clone()], &prices[other.end..]].concat();
    reads(&lie, &["lie.arrows", "the plugin gristmill-format-plain gave a table that"]);

    // A schema in the middle.
    let lie = [&flowers[schema.clone()], &flowers].concat();
    reads(&lie, &["gristmill-format-plain", "a message that is not expected: Schema"]);

    // A batch that claims a body of 2^40 bytes.
    let batch = message(&flowers, schema.end);
    let body = (flowers.len() - 8 - batch.end) as u64;
    let mut lie = flowers.clone();
    replace(&mut lie[batch], &body.to_le_bytes(), &(1u64 << 40).to_le_bytes());
    reads(&lie, &["gristmill-format-plain", "a batch of 1099511627776 bytes; at most 256 MiB"]);

    // Numbers that are none, in place of the area in the second row.
    for number in [f32::NAN, f32::INFINITY] {
        let mut lie = prices.clone();
        replace(&mut lie[other.end..], &91.9f32.to_le_bytes(), &number.to_le_bytes());
        let place = "lie.arrows, row 2, column \"area\": ";
        reads(&lie, &[place, "gristmill-format-plain", "is not finite"]);
    }
}

#[test]
fn plugins_that_fail_to_write_are_named() {
    for (name, part) in [
        ("hangs", "gave and took nothing for 2 seconds"),
        ("dies", "failed with exit code 3: disk on fire"),
        ("is-silent", "made nothing of what it was given"),
        ("floods", "gave no end of bytes and was stopped"),
    ] {
        let place = place(&[name]);
        place.write(&format!("old.{name}"), "old");
        let arguments = format!("export-data flowers.grist -o old.{name}");
        let plugin = format!("old.{name}: the plugin gristmill-format-{name} ");
        fails(&place, &arguments, &[&plugin, part]);
        assert_eq!(place.text(&format!("old.{name}")), "old");
    }
}

#[test]
fn plugins_that_fail_with_models_are_named() {
    for (name, part) in [
        ("floods", "gave a model that is no safetensors"),
        ("dies", "failed with exit code 3: disk on fire"),
        ("goes-on", "gave a model that goes on after its tensors"),
    ] {
        let place = place(&[name]);
        place.ok("train flowers.csv --epochs 1 --out run");
        place.ok("export run/model.gristmill -o m.safetensors");
        let arguments = format!("import-model m.safetensors --from {name} -o x.gristmill");
        fails(&place, &arguments, &[&format!("the plugin gristmill-format-{name} "), part]);
    }
}

#[test]
fn an_interrupted_program_takes_its_plugins_with_it() {
    let place = place(&["hangs"]);
    let mut import = command(&place, "import flowers.arrows --format hangs -o x.grist");
    // The reader of this is told when the plugin has begun to hang: its child opens it.
    assert!(Command::new("mkfifo").arg(place.path("child")).status().unwrap().success());
    let mut import = import.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut child = String::new();
    fs::File::open(place.path("child")).unwrap().read_to_string(&mut child).unwrap();
    signal(&import, "INT");
    assert_eq!(import.wait().unwrap().code(), Some(130));
    assert_ends(child.trim());
    assert!(place.names("tmp").is_empty());
    assert!(!Path::new(&place.path("x.grist")).exists());
}

#[test]
fn formats_are_listed() {
    let place = place(&["plain", "babbles"]);
    let done = ok(&place, "formats --json");
    assert!(done.stderr.contains("warning: ") && done.stderr.contains("format-babbles"));
    let lines: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    let find = |name: &str, kind: &str| {
        let lines = lines.as_array().unwrap().iter();
        let mut found = lines.filter(|line| line["name"] == name && line["kind"] == kind);
        found.next().unwrap_or_else(|| panic!("no {name} of {kind}")).clone()
    };
    assert_eq!(find("csv", "data")["compressed"], true);
    assert_eq!(find("idx", "data")["writes"], false);
    assert_eq!(find("c", "model")["reads"], false);
    let plain = find("plain, plain-too", "model");
    assert_eq!(
        (plain["reads"].as_bool(), plain["detected_by"].as_str()),
        (Some(true), Some("content"))
    );
    assert_eq!(plain["options"][0]["type"], "integer");
    assert!(plain["plugin"].as_str().unwrap().ends_with("plugins/gristmill-format-plain"));
    let text = ok(&place, "formats").stdout;
    assert!(text.contains("  parquet ") && text.contains("gristmill-format-plain"), "{text}");
}

#[test]
fn a_plugin_is_checked_clause_by_clause() {
    let place = place(&["plain", "goes-on", "future"]);
    let check = |arguments: &str| {
        let done =
            Done::of(command(&place, &format!("formats check {arguments}")).output().unwrap());
        (done.status.code(), done.stdout, done.stderr)
    };
    // It gives what it is given, cut off or not, and says nothing of files that are not there.
    let (code, report, error) = check("plain --sample flowers.arrows");
    assert_eq!(code, Some(1), "{report}");
    let line = |clause: &str| {
        report.lines().find(|line| line.contains(clause)).unwrap_or_else(|| panic!("{report}"))
    };
    for clause in [
        "describe: the same",
        "read: an Arrow stream",
        "read: the same every time",
        "read: ends when nobody reads on",
        "read: a file that is not there",
        "write: numbers read back",
        "write: texts read back",
        "model-write: a model reads back",
    ] {
        assert!(line(clause).starts_with("kept "), "{report}");
    }
    assert!(line("write: a stream that is cut off").starts_with("BROKEN "), "{report}");
    assert!(report.contains("ended with exit code 0, as if all were well"), "{report}");
    // Its streams are Arrow's, which is asked first.
    assert!(report.contains("the sample is taken for arrow, unless --format says"), "{report}");
    assert!(error.contains("plain breaks 2 clauses of the protocol"), "{error}");

    let (code, report, _) = check("goes-on --sample flowers.arrows --json");
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    let found = report.as_array().unwrap().iter();
    let mut found = found.filter(|clause| clause["finding"] == "broken");
    let found = found.nth(1).unwrap();
    assert_eq!(
        (code, found["clause"].as_str()),
        (Some(1), Some("read: an Arrow stream of a table, exit code 0"))
    );
    assert!(found["reason"].as_str().unwrap().contains("goes on after its end mark"));

    let (code, report, _) = check("future");
    assert!(code == Some(1) && report.contains("version 2 of the protocol"), "{report}");
    let (code, report, error) = check("none");
    assert!(code == Some(1) && report.is_empty() && error.contains("gristmill-format-none"));
    assert!(place.names("tmp").is_empty());
}
