//! The programs that can be compared, and what has to be built or installed for them.

use crate::{paths, process};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A framework with the variants of its training step that are compared.
pub(super) struct Framework {
    /// Its name on the command line.
    pub(super) name: &'static str,
    /// What its program takes as its first argument.
    pub(super) variants: &'static [&'static str],
    /// Whether it has programs of the networks that are no chains of dense layers.
    pub(super) has_networks: bool,
    kind: Kind,
}

enum Kind {
    /// A script under `benches/peers/`, run in the virtual environment.
    Python(&'static str),
    /// A Cargo workspace of its own under `benches/peers/`.
    Cargo,
    /// This program: `cargo xtask steps`.
    Ours,
}

/// Ours, and then every peer.
pub(super) const FRAMEWORKS: &[Framework] = &[
    Framework {
        name: OURS,
        variants: &["avx512", "avx2", "portable"],
        has_networks: true,
        kind: Kind::Ours,
    },
    Framework {
        name: "torch",
        variants: &["eager", "compile", "bf16", "compile-bf16"],
        has_networks: true,
        kind: Kind::Python("torch_peer.py"),
    },
    Framework {
        name: "jax",
        variants: &["jit", "scan"],
        has_networks: true,
        kind: Kind::Python("jax_peer.py"),
    },
    Framework {
        name: "sklearn",
        variants: &["partial_fit"],
        has_networks: false,
        kind: Kind::Python("sklearn_peer.py"),
    },
    Framework {
        name: "burn",
        variants: &["flex", "ndarray"],
        has_networks: false,
        kind: Kind::Cargo,
    },
    Framework { name: "candle", variants: &["cpu"], has_networks: false, kind: Kind::Cargo },
];

/// The name of ours among the frameworks.
pub(super) const OURS: &str = "gristmill";

/// Whether a variant computes in f32 throughout.
pub(super) fn is_f32(variant: &str) -> bool {
    !variant.ends_with("bf16")
}

fn folder() -> PathBuf {
    paths::repository().join("benches/peers")
}

impl Framework {
    /// Builds or installs the program and returns its path with the arguments before the variant.
    ///
    /// # Errors
    /// A build or an installation failed.
    pub(super) fn prepare(&self, venv: &Path) -> Result<Prepared> {
        let folder = folder();
        match self.kind {
            Kind::Python(script) => {
                Ok(Prepared { program: python(venv)?, first: Some(folder.join(script)) })
            }
            Kind::Cargo => {
                let target = paths::repository().join("target/peers");
                process::run(
                    Command::new("cargo")
                        .args(["build", "--release", "--locked", "--manifest-path"])
                        .arg(folder.join(self.name).join("Cargo.toml"))
                        .arg("--target-dir")
                        .arg(&target),
                )?;
                let program = target.join("release").join(format!("{}-peer", self.name));
                Ok(Prepared { program, first: None })
            }
            Kind::Ours => {
                let program = std::env::current_exe().context("where is this program?")?;
                Ok(Prepared { program, first: Some("steps".into()) })
            }
        }
    }
}

/// A program that can be started.
pub(super) struct Prepared {
    program: PathBuf,
    /// A script, or the like, that it is given first.
    first: Option<PathBuf>,
}

impl Prepared {
    /// The command that starts a variant, but for the workload.
    pub(super) fn command(&self, variant: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.first).arg(variant);
        command
    }
}

/// The Python of the virtual environment, which is made or completed if it must be.
///
/// # Errors
/// It cannot be made, or a package cannot be installed.
pub(crate) fn python(venv: &Path) -> Result<PathBuf> {
    let python = venv.join("bin/python");
    let complete = Command::new(&python)
        .args(["-c", "import jax, numpy, polars, pyarrow, sklearn, torch"])
        .output()
        .is_ok_and(|output| output.status.success());
    if !complete {
        eprintln!("installing the Python peers in {} (several GB)", venv.display());
        fs::create_dir_all(venv).with_context(|| format!("cannot make {}", venv.display()))?;
        process::run(Command::new("python3").args(["-m", "venv"]).arg(venv))?;
        process::run(
            Command::new(&python)
                .args(["-m", "pip", "install", "--quiet", "--requirement"])
                .arg(folder().join("requirements.txt")),
        )?;
    }
    Ok(python)
}
