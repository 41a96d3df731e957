//! A line that says how far an operation is, and never takes more than one line of the terminal.

use crate::output::Output;
use gristmill_io::shown;
use indicatif::{ProgressBar, ProgressStyle};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How often the line changes.
const REFRESH: Duration = Duration::from_millis(100);
/// Characters of the bar.
const BAR: u64 = 30;

/// A line at the bottom of the terminal, or one that nobody sees.
pub(crate) struct ProgressLine {
    bar: ProgressBar,
    shown: Mutex<Option<Instant>>,
}

impl ProgressLine {
    /// A line about an operation of `length` units.
    pub(crate) fn new(output: &Output, length: u64) -> ProgressLine {
        let bar = match output.bars() {
            Some(bars) => bars.add(ProgressBar::new(length)),
            None => ProgressBar::hidden(),
        };
        ProgressLine::of(bar)
    }

    fn of(bar: ProgressBar) -> ProgressLine {
        // A message that is too wide is cut off, by the width that the terminal has at that time.
        let style = ProgressStyle::with_template("{wide_msg}").expect("the template is valid");
        bar.set_style(style);
        ProgressLine { bar, shown: Mutex::new(None) }
    }

    /// What is done of what: units, their number in all, and how many are done a second.
    pub(crate) fn bar(&self) -> &ProgressBar {
        &self.bar
    }

    /// Sets how many units are done, and now and then shows what is said of that: the parts that matter
    /// most first, since narrow terminals cut the line off.
    pub(crate) fn advance(&self, done: u64, parts: impl FnOnce(&ProgressBar) -> Vec<String>) {
        if self.bar.is_hidden() {
            return;
        }
        self.bar.set_position(done);
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.is_none_or(|shown| shown.elapsed() >= REFRESH) {
            *shown = Some(Instant::now());
            self.show(&parts(&self.bar));
        }
    }

    fn show(&self, parts: &[String]) {
        let length = self.bar.length().unwrap_or(0).max(1);
        let done = self.bar.position().min(length);
        let share = |of: u64| (u128::from(done) * u128::from(of) / u128::from(length)) as usize;
        let (filled, percent) = (share(BAR), share(100));
        let bar = format!("{}>{}", "=".repeat(filled), " ".repeat(BAR as usize - filled));
        let said = parts.join("  ");
        self.bar.set_message(format!("{percent:>3}%  {}  [{bar}]", shown(&said)));
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::{ProgressDrawTarget, TermLike};
    use std::io;
    use std::sync::Arc;

    /// A terminal that can be made narrower, and notes how long its lines were.
    #[derive(Debug, Clone, Default)]
    struct Terminal(Arc<Mutex<(u16, Vec<String>)>>);

    impl Terminal {
        fn text(&self) -> Vec<String> {
            std::mem::take(&mut self.0.lock().unwrap().1)
        }

        fn write(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().1.push(text.to_owned());
            Ok(())
        }
    }

    impl TermLike for Terminal {
        fn width(&self) -> u16 {
            self.0.lock().unwrap().0
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write(&format!("{text}\n"))
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.write(text)
        }
        fn clear_line(&self) -> io::Result<()> {
            self.0.lock().unwrap().1.clear();
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_line_fits_the_terminal_whatever_its_width() {
        let terminal = Terminal::default();
        let target = ProgressDrawTarget::term_like_with_hz(Box::new(terminal.clone()), 255);
        let line = ProgressLine::of(ProgressBar::with_draw_target(Some(200), target));
        line.bar.set_position(86);
        for width in [120, 40, 10, 1, 200] {
            terminal.0.lock().unwrap().0 = width;
            terminal.text();
            line.show(&["epoch 1/20".to_owned(), "loss \u{1b}[0m 0.1234".to_owned()]);
            line.bar.tick();
            let drawn = terminal.text().concat();
            assert!(!drawn.contains('\n'), "{width}: {drawn:?}");
            let drawn = drawn.trim_end();
            assert!(drawn.chars().count() <= usize::from(width), "{width}: {drawn:?}");
            if width == 40 {
                assert!(drawn.starts_with(" 43%  epoch 1/20  loss \\u{1b}[0m"), "{drawn:?}");
            }
            if width == 200 {
                let bar = format!("[{}>{}]", "=".repeat(12), " ".repeat(18));
                assert!(drawn.ends_with(&bar), "{drawn:?}");
            }
        }
    }
}
