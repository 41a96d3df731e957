//! The comparison as a picture: how much of what the machine can do each framework makes of it.

use super::{ProgramResults, WorkloadResults};
use anyhow::{Context, Result, anyhow};
use plotters::prelude::*;
use std::path::Path;

const WIDTH: u32 = 760;
const BAR: i32 = 17;
const GAP: i32 = 34;
const LEFT: i32 = 130;
/// Pixels of the whole roofline.
const SCALE: f64 = 520.0;
const OURS: RGBColor = RGBColor(196, 98, 16);
const THEIRS: RGBColor = RGBColor(140, 150, 160);

/// Workloads of less than this share of the roofline are bound by latency, which it says nothing of.
const LEAST_SHARE: f64 = 0.05;

/// Draws a bar for the fastest f32 variant of each framework on each workload.
///
/// # Errors
/// The file cannot be written.
pub(super) fn draw(workloads: &[WorkloadResults], file: &Path) -> Result<()> {
    let groups: Vec<_> = workloads
        .iter()
        .filter(|w| w.ours_over_roofline.is_some_and(|share| share >= LEAST_SHARE))
        .map(|w| (w, best_of_each(&w.programs)))
        .collect();
    let bars: usize = groups.iter().map(|(_, programs)| programs.len()).sum();
    let height = 20 + GAP * groups.len() as i32 + BAR * bars as i32;
    let area = SVGBackend::new(file, (WIDTH, height as u32)).into_drawing_area();
    let failed = |error| anyhow!("cannot draw {}: {error}", file.display());
    area.fill(&WHITE).map_err(failed)?;
    let text = |words: String, x: i32, y: i32, size: i32| {
        area.draw(&Text::new(words, (x, y), ("sans-serif", size).into_font())).map_err(failed)
    };
    let mut y = 10;
    for (workload, programs) in groups {
        let (name, batch) = (&workload.workload.name, workload.workload.batch);
        text(format!("{name}: {}, batch {batch}", workload.workload.title()), 10, y, 15)?;
        y += 20;
        for program in programs {
            let share = program.median / workload.roofline;
            let end = LEFT + (share * SCALE) as i32;
            let color = if program.ours { OURS } else { THEIRS };
            let bar = Rectangle::new([(LEFT, y), (end.max(LEFT + 1), y + BAR - 4)], color.filled());
            area.draw(&bar).map_err(failed)?;
            text(framework(program).to_owned(), 20, y, 13)?;
            text(format!("{:.0} %", 100.0 * share), end + 6, y, 13)?;
            y += BAR;
        }
        y += GAP - 20;
    }
    area.present().with_context(|| format!("cannot write {}", file.display()))
}

fn framework(program: &ProgramResults) -> &str {
    program.program.split(' ').next().unwrap_or_default()
}

/// The fastest f32 variant of each framework, fastest first.
fn best_of_each(programs: &[ProgramResults]) -> Vec<&ProgramResults> {
    let mut sorted: Vec<_> = programs.iter().filter(|p| p.f32).collect();
    sorted.sort_by(|a, b| b.median.total_cmp(&a.median));
    let mut best: Vec<&ProgramResults> = Vec::new();
    for program in sorted {
        if best.iter().all(|p| framework(p) != framework(program)) {
            best.push(program);
        }
    }
    best
}
