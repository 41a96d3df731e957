//! `cargo xtask`: what a maintainer does twice. One file per subcommand; this one only tells them apart.
#![forbid(unsafe_code)]

mod asm;
mod bench;
mod ceiling;
mod check_models;
mod datasets;
mod fetch;
mod fuzz;
mod import;
mod large;
mod named;
mod network;
mod ours;
mod paths;
mod peers;
mod process;
mod program;
mod report;
mod steps;
mod tidy;
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
    Import(import::Arguments),
    Asm(asm::Arguments),
    CheckModels(check_models::Arguments),
    Fuzz(fuzz::Arguments),
    Tidy(tidy::Arguments),
}

fn main() -> anyhow::Result<()> {
    match Command::parse() {
        Command::FetchData(arguments) => fetch::run(&arguments),
        Command::Datasets(arguments) => datasets::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
        Command::Steps(arguments) => steps::run(&arguments),
        Command::Peers(arguments) => peers::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Large(arguments) => large::run(&arguments),
        Command::Fit(arguments) => large::fit::run(&arguments),
        Command::Asm(arguments) => asm::run(&arguments),
        Command::CheckModels(arguments) => check_models::run(&arguments),
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Tidy(arguments) => tidy::run(&arguments),
    }
}
