//! How the memory of large buffers is mapped.

/// Asks the system for large pages under a large buffer, which is best not written to yet: rows of a table are read
/// at random, and of small pages almost every one has to be looked up. A hint without effect on any result.
pub(crate) fn prefer_large(buffer: &[f32]) {
    #[cfg(target_os = "linux")]
    {
        const LARGE: usize = 2 << 20;
        let begin = buffer.as_ptr().cast::<u8>();
        let skipped = begin.align_offset(LARGE);
        let length = size_of_val(buffer).saturating_sub(skipped) / LARGE * LARGE;
        if length >= 2 * LARGE {
            // SAFETY: these bytes are the buffer's, and the advice changes how they are mapped, not what they hold.
            unsafe {
                libc::madvise(
                    begin.wrapping_add(skipped).cast_mut().cast(),
                    length,
                    libc::MADV_HUGEPAGE,
                );
            }
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = buffer;
}
