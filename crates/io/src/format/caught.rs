//! Running code of other crates that may panic on damaged files: the panic becomes an error.

use std::any::Any;
use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

thread_local! {
    /// Whether this thread is within [`caught`], so that a panic is nobody's business but ours.
    static IS_CAUGHT: Cell<bool> = const { Cell::new(false) };
}

/// What `read` returns, or the reason for which it panicked. What it worked on must not be used again
/// after that.
pub(super) fn caught<T>(read: impl FnOnce() -> T) -> Result<T, String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !IS_CAUGHT.get() {
                before(info);
            }
        }));
    });
    let outer = IS_CAUGHT.replace(true);
    let result = panic::catch_unwind(AssertUnwindSafe(read));
    IS_CAUGHT.set(outer);
    result.map_err(|payload| format!("contradicts itself: {}", message(&*payload)))
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "the reader gave up".to_owned())
}

#[cfg(test)]
mod tests {
    use super::caught;

    #[test]
    fn a_panic_becomes_its_reason() {
        assert_eq!(caught(|| 7), Ok(7));
        let reason = caught(|| -> u8 { panic!("at {}", 3) }).unwrap_err();
        assert_eq!(reason, "contradicts itself: at 3");
        let reason = caught(|| caught(|| -> u8 { panic!("inner") })).unwrap();
        assert_eq!(reason.unwrap_err(), "contradicts itself: inner");
    }
}
