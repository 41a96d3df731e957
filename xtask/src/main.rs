//! `cargo xtask`: what a maintainer does twice. One file per subcommand; this one only tells them apart.
#![forbid(unsafe_code)]

mod asm;
mod bench;
mod ceiling;
mod datasets;
mod fetch;
mod large;
mod ours;
mod paths;
mod peers;
mod process;
mod program;
mod report;
mod steps;
mod trace;
mod workload;

use clap::Parser;

/// Chores of gristmill's maintainers.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    FetchData(fetch::Arguments),
    Datasets(datasets::Arguments),
    Bench(bench::Arguments),
    Peers(peers::Arguments),
    Large(large::Arguments),
    #[command(hide = true)]
    Fit(large::fit::Arguments),
    #[command(hide = true)]
    Steps(steps::Arguments),
    Asm(asm::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::FetchData(arguments) => fetch::run(&arguments),
        Command::Datasets(arguments) => datasets::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Steps(arguments) => steps::run(&arguments),
        Command::Peers(arguments) => peers::run(&arguments),
        Command::Large(arguments) => large::run(&arguments),
        Command::Fit(arguments) => large::fit::run(&arguments),
        Command::Asm(arguments) => asm::run(&arguments),
    }
}
