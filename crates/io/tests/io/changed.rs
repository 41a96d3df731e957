//! Files that others change while something is made of them: nothing comes of it but an error.
#![cfg(unix)]

use crate::common::{names_in, write_multiples};
use gristmill_io::{
    Dataset, Error, FormatChoice, ImportOptions, ImportProgress, Plan, SplitOptions, export, head,
    histograms, import, split,
};
use std::fs::{self, File, FileTimes, OpenOptions};
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Once;

const ROWS: u64 = 5000;

/// Overwrites a value of the first row, and hides it as well as a user can.
fn overwrite(path: &Path) {
    let file = OpenOptions::new().write(true).open(path).unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    file.write_all_at(&[0x41], 4096 + 3).unwrap();
    file.set_times(FileTimes::new().set_modified(modified)).unwrap();
}

/// Does something to a file once the operation that it follows has begun.
struct Change<'a, F: Fn(&Path) + Sync> {
    path: &'a Path,
    change: F,
    once: Once,
}

impl<F: Fn(&Path) + Sync> ImportProgress for Change<'_, F> {
    fn begin(&self, _: u64) {
        self.once.call_once(|| (self.change)(self.path));
    }
}

/// Runs `make` on a data set, which `change` is done to meanwhile. Returns what came of it, and the names of
/// the files that it left beside the data set.
fn during(
    change: impl Fn(&Path) + Sync,
    make: impl Fn(&Dataset, &Path, &dyn ImportProgress) -> Result<(), Error>,
) -> (Result<(), Error>, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("d.grist");
    let dataset = write_multiples(&path, ROWS);
    let progress = Change { path: &path, change, once: Once::new() };
    let made = make(&dataset, directory.path(), &progress);
    assert!(progress.once.is_completed(), "the change was made");
    (made, names_in(directory.path()).into_iter().filter(|name| name != "d.grist").collect())
}

type Make = fn(&Dataset, &Path, &dyn ImportProgress) -> Result<(), Error>;

const MAKERS: [(&str, Make); 5] = [
    ("export", |dataset, directory, progress| {
        let choice = FormatChoice::default();
        export(dataset, &directory.join("out.csv"), &choice, progress).map(drop)
    }),
    ("split", |dataset, directory, progress| {
        let outputs = ["a.grist", "b.grist"].map(|name| directory.join(name));
        let options = SplitOptions { fractions: vec![0.5, 0.5], seed: 0, stratified: true };
        split(dataset, &outputs, &options, progress).map(drop)
    }),
    ("head", |dataset, directory, progress| {
        head(dataset, 10, &directory.join("out.grist"), progress).map(drop)
    }),
    ("histograms", |dataset, _, progress| histograms(dataset, 4, progress).map(drop)),
    ("defects", |dataset, _, progress| dataset.defects(progress).map(drop)),
];

#[test]
fn nothing_is_made_of_a_data_set_that_is_overwritten() {
    for (what, make) in MAKERS {
        let (made, left) = during(overwrite, make);
        let error = made.expect_err(what).to_string();
        assert!(error.contains("d.grist was changed while it was in use"), "{what}: {error}");
        assert!(error.contains("checksums"), "{what}: {error}");
        assert_eq!(left, [""; 0], "{what}");
    }
}

#[test]
fn what_changes_no_byte_of_a_data_set_is_no_change() {
    let changes: [fn(&Path); 2] = [
        |path| fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap(),
        |path| fs::hard_link(path, path.with_extension("link")).unwrap(),
    ];
    for change in changes {
        for (what, make) in MAKERS {
            let (made, _) = during(change, make);
            made.unwrap_or_else(|error| panic!("{what}: {error}"));
        }
    }
}

/// Imports two tables, one of which `change` is done to meanwhile.
fn import_during(change: impl Fn(&Path) + Sync) -> (Result<(), Error>, Vec<String>) {
    let directory = tempfile::tempdir().unwrap();
    let sources: [PathBuf; 2] = ["1.csv", "2.csv"].map(|name| directory.path().join(name));
    for source in &sources {
        fs::write(source, "a,b,y\n1,2,0\n3,4,1\n").unwrap();
    }
    let progress = Change { path: &sources[1], change, once: Once::new() };
    let plan = Plan::Learn(ImportOptions::default());
    let made = import(&sources, &directory.path().join("d.grist"), &plan, &progress);
    (made.map(drop), names_in(directory.path()))
}

/// What a change is said to be, and how it is made.
type SaidChange = (&'static str, fn(&Path));

#[test]
fn nothing_is_made_of_a_table_that_changes() {
    let changes: [SaidChange; 5] = [
        ("had 18 bytes and now has 22", |path| {
            fs::write(path, "a,b,y\n1,2,0\n3,4,1\n5,6,").unwrap();
        }),
        ("its bytes, mode or links", |path| {
            let modified = fs::metadata(path).unwrap().modified().unwrap();
            fs::write(path, "a,b,y\n9,9,9\n9,9,9\n").unwrap();
            let file = File::options().write(true).open(path).unwrap();
            file.set_modified(modified).unwrap();
        }),
        ("another file is in its place", |path| {
            let other = path.with_extension("other");
            fs::copy(path, &other).unwrap();
            fs::rename(&other, path).unwrap();
        }),
        ("it was removed or renamed", |path| fs::remove_file(path).unwrap()),
        ("had 18 bytes and now has 13", |path| fs::write(path, "\"no table\n\n\n\n").unwrap()),
    ];
    for (expected, change) in changes {
        let (made, left) = import_during(change);
        let error = made.expect_err(expected).to_string();
        assert!(error.contains("2.csv was changed"), "{error}");
        assert!(error.contains(expected), "{error}");
        assert!(!left.contains(&"d.grist".to_owned()) && left.len() <= 2, "{left:?}");
    }
    let (made, left) = import_during(|_| ());
    made.unwrap();
    assert_eq!(left, ["1.csv", "2.csv", "d.grist"]);
}
