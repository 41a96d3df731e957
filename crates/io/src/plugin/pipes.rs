//! The three streams of a plugin. Each is moved by a thread of its own, so that no wait is longer than the
//! plugin is given, whoever holds the other end of a pipe.

use std::io::{self, Read, Write};
use std::process::{ChildStderr, ChildStdin, ChildStdout};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Bytes moved at a time...
const BLOCK: usize = 1 << 16;
/// ... and how many such blocks may wait in each direction.
const BLOCKS: usize = 8;
/// The last bytes of standard error that are kept...
const KEPT_TALK: usize = 1 << 12;
/// ... and how long its end is waited for once the plugin is gone.
const LAST_TALK: Duration = Duration::from_secs(1);

/// What both directions know of each other: a plugin that still takes is not standing still, though it gives
/// nothing.
#[derive(Default)]
pub(super) struct Traffic {
    given: AtomicU64,
    taken: AtomicU64,
    is_stalled: AtomicBool,
    is_closed: AtomicBool,
    is_dropped: AtomicBool,
    is_refused: AtomicBool,
}

impl Traffic {
    /// Whether it was waited for in vain.
    pub(super) fn is_stalled(&self) -> bool {
        self.is_stalled.load(Ordering::Relaxed)
    }

    /// Whether its output has ended.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::Relaxed)
    }

    /// Whether its output is no longer read: what comes of that is not its fault.
    pub(super) fn is_dropped(&self) -> bool {
        self.is_dropped.load(Ordering::Relaxed)
    }

    /// Whether it no longer takes what it is given.
    pub(super) fn is_refused(&self) -> bool {
        self.is_refused.load(Ordering::Relaxed)
    }

    fn refused(&self) -> io::Error {
        self.is_refused.store(true, Ordering::Relaxed);
        io::ErrorKind::BrokenPipe.into()
    }

    /// Bytes that the plugin has taken.
    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    fn moved(&self) -> u64 {
        self.given.load(Ordering::Relaxed) + self.taken()
    }

    /// What comes out of a channel, as long as anything moves in either direction; `None` where the other end
    /// was dropped.
    fn wait<T>(&self, channel: &Receiver<T>, patience: Duration) -> io::Result<Option<T>> {
        loop {
            let before = self.moved();
            match channel.recv_timeout(patience) {
                Ok(item) => return Ok(Some(item)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {
                    if self.moved() == before {
                        self.is_stalled.store(true, Ordering::Relaxed);
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                }
            }
        }
    }
}

/// Starts a thread that moves bytes.
fn start(pump: impl FnOnce() + Send + 'static) -> io::Result<()> {
    thread::Builder::new().name("plugin".to_owned()).spawn(pump).map(drop)
}

/// What a plugin writes to standard output.
pub(super) struct Output {
    blocks: Receiver<io::Result<Vec<u8>>>,
    block: Vec<u8>,
    given: usize,
    traffic: Arc<Traffic>,
    patience: Duration,
}

impl Output {
    pub(super) fn new(
        stdout: Option<ChildStdout>,
        traffic: &Arc<Traffic>,
        patience: Duration,
    ) -> io::Result<Output> {
        let (send, blocks) = mpsc::sync_channel(BLOCKS);
        let pump_traffic = Arc::clone(traffic);
        start(move || {
            let Some(mut stdout) = stdout else { return };
            loop {
                let mut block = vec![0; BLOCK];
                let read = match stdout.read(&mut block) {
                    Ok(0) => break,
                    Ok(count) => {
                        block.truncate(count);
                        pump_traffic.given.fetch_add(count as u64, Ordering::Relaxed);
                        Ok(block)
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                if send.send(read).is_err() {
                    return;
                }
            }
            pump_traffic.is_closed.store(true, Ordering::Relaxed);
        })?;
        Ok(Output { blocks, block: Vec::new(), given: 0, traffic: Arc::clone(traffic), patience })
    }
}

impl Read for Output {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if self.given == self.block.len() {
            match self.traffic.wait(&self.blocks, self.patience)? {
                Some(block) => (self.block, self.given) = (block?, 0),
                None => return Ok(0),
            }
        }
        let count = (&self.block[self.given..]).read(bytes)?;
        self.given += count;
        Ok(count)
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.traffic.is_dropped.store(true, Ordering::Relaxed);
    }
}

/// What a plugin reads from standard input. It ends where it is closed.
pub(super) struct Input {
    /// Blocks to be filled: as many as are in here can be written without waiting.
    empty: Receiver<Vec<u8>>,
    full: Sender<Vec<u8>>,
    block: Vec<u8>,
    traffic: Arc<Traffic>,
    patience: Duration,
}

impl Input {
    pub(super) fn new(
        stdin: Option<ChildStdin>,
        traffic: &Arc<Traffic>,
        patience: Duration,
    ) -> io::Result<Input> {
        let (full, filled) = mpsc::channel::<Vec<u8>>();
        let (emptied, empty) = mpsc::channel();
        for _ in 0..BLOCKS {
            // The receiver is alive: it stands above.
            let _ = emptied.send(Vec::with_capacity(BLOCK));
        }
        let pump_traffic = Arc::clone(traffic);
        start(move || {
            let Some(mut stdin) = stdin else { return };
            for mut block in filled {
                if write_counted(&mut stdin, &block, &pump_traffic).is_err() {
                    return;
                }
                block.clear();
                // Once the stream has been ended nobody takes it back; what was written before goes on.
                let _ = emptied.send(block);
            }
        })?;
        let traffic = Arc::clone(traffic);
        Ok(Input { empty, full, block: Vec::new(), traffic, patience })
    }

    /// Ends the stream.
    pub(super) fn close(mut self) -> io::Result<()> {
        self.flush()
    }
}

fn write_counted(to: &mut ChildStdin, mut bytes: &[u8], traffic: &Traffic) -> io::Result<()> {
    while !bytes.is_empty() {
        match to.write(bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => {
                traffic.taken.fetch_add(count as u64, Ordering::Relaxed);
                bytes = &bytes[count..];
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

impl Write for Input {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.block.capacity() == 0 {
            let block = self.traffic.wait(&self.empty, self.patience)?;
            self.block = block.ok_or_else(|| self.traffic.refused())?;
        }
        let count = bytes.len().min(self.block.capacity() - self.block.len());
        self.block.extend_from_slice(&bytes[..count]);
        if self.block.len() == self.block.capacity() {
            self.flush()?;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let block = std::mem::take(&mut self.block);
        self.full.send(block).map_err(|_| self.traffic.refused())
    }
}

/// What a plugin says on standard error: its end is kept.
pub(super) struct Talk {
    kept: Arc<Mutex<Vec<u8>>>,
    is_over: Receiver<()>,
}

impl Talk {
    pub(super) fn new(stderr: Option<ChildStderr>) -> io::Result<Talk> {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let (over, is_over) = mpsc::channel::<()>();
        let keep = Arc::clone(&kept);
        start(move || {
            // Dropped at the end, which is what is waited for.
            let _over = over;
            let Some(mut stderr) = stderr else { return };
            let mut block = vec![0; BLOCK];
            loop {
                match stderr.read(&mut block) {
                    Ok(0) => return,
                    Ok(count) => {
                        let mut kept = keep.lock().unwrap_or_else(PoisonError::into_inner);
                        kept.extend_from_slice(&block[..count]);
                        let surplus = kept.len().saturating_sub(KEPT_TALK);
                        kept.drain(..surplus);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return,
                }
            }
        })?;
        Ok(Talk { kept, is_over })
    }

    /// The last that a plugin said that has ended: text without control characters.
    pub(super) fn text(&self) -> String {
        let _ = self.is_over.recv_timeout(LAST_TALK);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let text: String = String::from_utf8_lossy(&kept)
            .chars()
            .filter(|c| *c == '\n' || !c.is_control())
            .collect();
        text.trim().to_owned()
    }
}
