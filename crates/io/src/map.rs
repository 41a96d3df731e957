//! A file mapped read-only, and what is asked of the system about its pages: the only place in this
//! crate where `unsafe` may be.
//!
//! If the file is cut short by another process, reading the pages that are gone raises SIGBUS. The
//! first map installs a handler that recognises the addresses of maps, names the file on standard
//! error and ends the process with status 1; every other SIGBUS is left to whatever handled it before.
#![allow(unsafe_code)]

use memmap2::Mmap;
use std::fs::File;
use std::io;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// The bytes of a file, mapped read-only. Keep no wider type than bytes over them, and decode them
/// where they are used: another process may change them at any time.
#[derive(Debug)]
pub(crate) struct Map {
    // Dropped before the bytes are unmapped and their addresses used for something else.
    #[cfg(unix)]
    _guard: guard::Guarded,
    bytes: Mmap,
    file: File,
    /// Whether parts are read as huge pages.
    is_huge: AtomicBool,
}

/// No system has smaller ones.
const PAGE: usize = 4096;

/// What is read at once where parts are read as huge pages.
#[cfg(target_os = "linux")]
const HUGE_PAGE: usize = 2 << 20;

/// What is going to happen to a range of the map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// It will be read soon: start reading it from the disk, without waiting for it.
    WillNeed,
    /// It will not be read for long: its pages leave the process and, where no one else uses them,
    /// the system's cache. It can still be read.
    DontNeed,
    /// It will be read here and there: what follows a page that is read is not read ahead.
    Random,
    /// It will be read from its beginning to its end.
    Sequential,
    /// It will be read as most files are; takes back `Random` and `Sequential`.
    Normal,
    /// Parts of it will be populated, each of some megabytes: where the system can, these are read as
    /// huge pages, at a small part of the cost, and nothing but these.
    Parts,
}

impl Map {
    /// Maps the whole of `file` as long as it is now; errors about it will name `path`.
    pub(crate) fn new(file: File, path: &Path) -> io::Result<Map> {
        // SAFETY: the map is read-only, and no reference to its bytes outlives it. What the language
        // cannot rule out is another process writing to the file or truncating it while it is
        // mapped; our own writers never do (they rename a new file over the old one), and readers
        // treat the bytes as plain data in which no value is invalid.
        let bytes = unsafe { Mmap::map(&file) }?;
        Ok(Map {
            #[cfg(unix)]
            _guard: guard::Guarded::new(bytes.as_ptr_range(), path),
            bytes,
            file,
            is_huge: AtomicBool::new(false),
        })
    }

    /// Tells the system what is going to happen to a range of bytes.
    #[cfg(unix)]
    pub(crate) fn advise(&self, range: &Range<usize>, advice: Advice) -> io::Result<()> {
        let (start, length) = (range.start, range.len());
        match advice {
            Advice::WillNeed => self.bytes.advise_range(memmap2::Advice::WillNeed, start, length),
            Advice::Random => self.bytes.advise_range(memmap2::Advice::Random, start, length),
            Advice::Sequential => {
                self.bytes.advise_range(memmap2::Advice::Sequential, start, length)
            }
            Advice::Parts => {
                self.read_huge_pages();
                Ok(())
            }
            Advice::Normal => self.bytes.advise_range(memmap2::Advice::Normal, start, length),
            Advice::DontNeed => {
                // SAFETY: the pages are those of a shared read-only map of a file, which are read from
                // the file again when they are next used; no byte that was written is lost.
                unsafe {
                    let advice = memmap2::UncheckedAdvice::DontNeed;
                    self.bytes.unchecked_advise_range(advice, start, length)?;
                }
                self.drop_from_cache(range);
                Ok(())
            }
        }
    }

    /// Advice is not needed for anything to be right.
    #[cfg(not(unix))]
    pub(crate) fn advise(&self, _: &Range<usize>, _: Advice) -> io::Result<()> {
        Ok(())
    }

    /// Pages that someone else has mapped stay, and so may all where the system knows no better.
    #[cfg(unix)]
    fn drop_from_cache(&self, range: &Range<usize>) {
        #[cfg(target_os = "linux")]
        {
            use std::os::fd::AsRawFd;
            let (start, length) = (range.start as i64, range.len() as i64);
            if length > 0 {
                // SAFETY: the descriptor is open, and the call touches no memory of this process.
                unsafe {
                    libc::posix_fadvise(
                        self.file.as_raw_fd(),
                        start,
                        length,
                        libc::POSIX_FADV_DONTNEED,
                    );
                }
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _ = range;
    }

    /// Has a page that is missing read with all others of its huge page, and no more.
    #[cfg(unix)]
    fn read_huge_pages(&self) {
        #[cfg(target_os = "linux")]
        if reads_huge_pages() && self.bytes.advise(memmap2::Advice::HugePage).is_ok() {
            let is_exact = self.bytes.advise(memmap2::Advice::Random).is_ok();
            self.is_huge.store(is_exact, Ordering::Relaxed);
        }
    }

    /// Reads a range of the file into memory and maps its pages, so that using them does not wait.
    /// Fails, instead of ending the process, if the file does not reach as far any more.
    pub(crate) fn populate(&self, range: &Range<usize>) -> io::Result<()> {
        if self.file.metadata()?.len() < range.end as u64 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        // Reading ahead asks the disk for more at a time than going from page to page does, but makes
        // small pages of it: what fills huge ones is left to be read as such.
        for part in self.small_parts(range) {
            self.advise(&part, Advice::WillNeed)?;
        }
        #[cfg(target_os = "linux")]
        {
            let advice = memmap2::Advice::PopulateRead;
            match self.bytes.advise_range(advice, range.start, range.len()) {
                // Before Linux 5.14.
                Err(error) if error.raw_os_error() == Some(libc::EINVAL) => {}
                Err(error) if error.raw_os_error() == Some(libc::EFAULT) => {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                result => return result,
            }
        }
        for byte in self.bytes[range.clone()].iter().step_by(PAGE) {
            std::hint::black_box(*byte);
        }
        Ok(())
    }
}

impl Map {
    /// What of a range does not fill huge pages, where these are read.
    fn small_parts(&self, range: &Range<usize>) -> [Range<usize>; 2] {
        #[cfg(target_os = "linux")]
        if self.is_huge.load(Ordering::Relaxed) {
            let first = range.start.next_multiple_of(HUGE_PAGE);
            let last = range.end / HUGE_PAGE * HUGE_PAGE;
            if first < last {
                return [range.start..first, last..range.end];
            }
        }
        [range.clone(), range.end..range.end]
    }
}

/// Whether this kernel reads huge pages of files where it is advised to: Linux does since 5.18.
#[cfg(target_os = "linux")]
fn reads_huge_pages() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    numbers.next().zip(numbers.next()).is_some_and(|version| version >= (5, 18))
}

impl Deref for Map {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(unix)]
mod guard {
    //! The handler of SIGBUS and the list of maps that it looks through.

    use std::ops::Range;
    use std::path::Path;
    use std::ptr;
    use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};
    use std::sync::{Mutex, Once, OnceLock, PoisonError};

    /// A map as the handler sees it. The list only grows, and what is in it stays for the life of the
    /// process (some hundred bytes per map): a signal handler can neither lock nor free anything.
    struct Entry {
        addresses: Range<usize>,
        message: Vec<u8>,
        is_mapped: AtomicBool,
        older: Option<&'static Entry>,
    }

    /// The newest entry.
    static NEWEST: AtomicPtr<Entry> = AtomicPtr::new(ptr::null_mut());
    static ADDING: Mutex<Option<&'static Entry>> = Mutex::new(None);
    static INSTALL: Once = Once::new();
    static PREVIOUS: OnceLock<libc::sigaction> = OnceLock::new();

    /// A map is in the list as long as this lives.
    pub(super) struct Guarded(&'static Entry);

    impl Guarded {
        pub(super) fn new(bytes: Range<*const u8>, path: &Path) -> Guarded {
            INSTALL.call_once(install);
            let mut newest = ADDING.lock().unwrap_or_else(PoisonError::into_inner);
            let entry: &'static Entry = Box::leak(Box::new(Entry {
                addresses: bytes.start as usize..bytes.end as usize,
                message: message(path),
                is_mapped: AtomicBool::new(true),
                older: *newest,
            }));
            *newest = Some(entry);
            NEWEST.store(ptr::from_ref(entry).cast_mut(), Ordering::Release);
            Guarded(entry)
        }
    }

    impl Drop for Guarded {
        fn drop(&mut self) {
            self.0.is_mapped.store(false, Ordering::Release);
        }
    }

    impl std::fmt::Debug for Guarded {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{:x?}", self.0.addresses)
        }
    }

    fn message(path: &Path) -> Vec<u8> {
        // The line break is for a progress bar that may stand in the last line.
        format!(
            "\nerror: {} was cut short, or could not be read from the disk, while it was in use: \
             restore it and start again, from the last checkpoint if there is one\n",
            crate::shown::shown_path(path)
        )
        .into_bytes()
    }

    fn install() {
        // SAFETY: all-zero bytes are a valid `sigaction`; the pointers are to live values of the type
        // asked for; the handler calls only what a signal handler may, on the alternative stack
        // where the thread has one.
        unsafe {
            let mut previous: libc::sigaction = std::mem::zeroed();
            if libc::sigaction(libc::SIGBUS, ptr::null(), &mut previous) != 0 {
                return;
            }
            // Known before the handler that reads it can run.
            PREVIOUS.get_or_init(|| previous);
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_bus_error as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigemptyset(&mut action.sa_mask);
            libc::sigaction(libc::SIGBUS, &action, ptr::null_mut());
        }
    }

    extern "C" fn on_bus_error(
        signal: libc::c_int,
        info: *mut libc::siginfo_t,
        _: *mut libc::c_void,
    ) {
        // SAFETY: the system gives a handler installed with SA_SIGINFO a valid `info`; entries are
        // never freed; sigaction, raise, write and _exit may be called in a signal handler.
        unsafe {
            let address = (*info).si_addr() as usize;
            let mut newest = NEWEST.load(Ordering::Acquire).as_ref();
            while let Some(Entry { addresses, message, is_mapped, older }) = newest {
                if is_mapped.load(Ordering::Acquire) && addresses.contains(&address) {
                    libc::write(libc::STDERR_FILENO, message.as_ptr().cast(), message.len());
                    libc::_exit(1);
                }
                newest = *older;
            }
            // Not ours. The instruction that faulted runs again when this returns, and meets whatever
            // was there before; a signal that someone sent has to be sent again.
            if let Some(previous) = PREVIOUS.get() {
                libc::sigaction(signal, previous, ptr::null_mut());
            }
            if (*info).si_code <= 0 {
                libc::raise(signal);
            }
        }
    }
}
