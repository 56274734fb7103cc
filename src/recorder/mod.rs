//! Records the messages of a connection, for bug reports and tests.
//!
//! Relies on `error`. Invariant: adding a message never waits for the file, keeps a bounded amount, and
//! masks nothing; all of that happens on the recorder's own thread, which also runs the writer, which is user code.

mod mask;
mod queue;

use std::{
    fmt,
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
    sync::{Arc, atomic::AtomicUsize},
    time::Instant,
};

use parking_lot::Mutex;
#[cfg(unix)]
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

pub(crate) use self::queue::Recording;
use crate::error::{Error, Result, TransportFailure};

type Output = Box<dyn Write + Send>;

/// Writes every message of a connection to a file, as a line of JSON: the record that a bug report needs, and that
/// [`testing::ScriptedServer::replay`](crate::testing::ScriptedServer::replay) plays back.
/// [`ClientBuilder::record`](crate::ClientBuilder::record) takes it. See also the
/// [guide](crate::guide::recording).
///
/// ```no_run
/// use codex_blocking::{Client, Recorder, Stdio};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let recorder = Recorder::file("codex.jsonl")?;
/// let client = Client::builder().record(recorder).connect(Stdio::default())?;
/// client.chat_once("Say hello")?;
/// client.close()?; // writes the rest
/// # Ok(())
/// # }
/// ```
///
/// # The lines
///
/// | line | what it is |
/// | --- | --- |
/// | `{"dir":"out","t":0.012345,"msg":{..}}` | a message that the client sent; `t` is the time in seconds since the recorder was created |
/// | `{"dir":"in","t":0.023456,"msg":{..}}` | a message that the server sent |
/// | `{"dir":"in","t":0.034567,"text":".."}` | a frame that is not JSON; bytes that are not UTF-8 are replaced |
/// | `{"dropped":3}` | three messages are missing here, because the file was too slow |
///
/// # What is masked
///
/// A recorder masks what looks like a secret, unless it is [`unmasked`](Self::unmasked). A masked message has the
/// same structure, and replays to the same steps. Ignoring case, `_` and `-` in names, these are masked:
///
/// - strings, also in lists and objects, of members whose name is `authorization`, or ends with `api_key`, `token`,
///   `secret` or `password`: they become `"***"`. If another member is the name of the value, as in
///   `{"name": "authorization", "value": ".."}` or in the other order, so is the value.
/// - all strings and numbers under `env` and `http_headers`: they become `"***"` and `0`.
/// - within any text: `sk-..` and `eyJ..` tokens, what follows `Bearer`, `authorization:`, or the name of a secret with
///   `=`. Each letter becomes an `x`.
/// - all of that in texts that are JSON, or base64 in members such as `deltaBase64`. Where JSON is a part of a text,
///   the strings of members with such names become `x` too.
/// - `userCode` and `authUrl` of a sign-in, with which somebody else could complete it.
/// - after a question for a secret ([`UserInputQuestion::is_secret`](crate::UserInputQuestion::is_secret)), all answers
///   to questions.
///
/// Nothing else is: secrets in prose, or spread over several deltas, stay. **Look through a record before you pass it
/// on.** It also contains what the agent read and wrote.
///
/// # What it costs
///
/// The messages are masked and written on a thread of the recorder. The thread that reads from the server only
/// copies each message into a queue of 64 MiB. What doesn't fit, because the file is slow, is dropped, and the record
/// says so. Messages are written a few milliseconds after they were sent or received;
/// [`Client::close`](crate::Client::close) waits, within its 5 s, until all of them are written.
///
/// If the file can't be written, recording ends; the `log` has one error. The connection is not affected, whatever the
/// writer does: also if it panics or never returns.
///
/// A recorder records one connection at a time; clones share the file. Connecting with one that is in use is
/// [`Error::InvalidInput`]. When the connection is closed, another one can go on with the same file; its lines have a
/// member `conn`, which is `"2"` for the second. A process that
/// was forked from the one that connected records nothing.
#[must_use = "nothing is recorded before a client is built with it"]
#[derive(Clone)]
pub struct Recorder {
    slot: Arc<Slot>,
    is_unmasked: bool,
}

/// What the clones of a recorder share.
struct Slot {
    /// `None` while a connection uses it, and for good after an error.
    output: Mutex<Option<Output>>,
    created: Instant,
    /// How many connections were recorded.
    connections: AtomicUsize,
}

impl Recorder {
    /// Records to this file, which is created, or replaced if it exists.
    ///
    /// On Unix only the user can read it, also if it existed with other permissions, and a symbolic link is an error,
    /// so that nobody can choose what is overwritten. On other systems the file has the permissions of its folder.
    ///
    /// # Errors
    /// The file can't be opened for writing, is a FIFO that nobody reads, can't be made private, because it belongs to
    /// another user, or is one to which another recorder writes, of this program or another.
    pub fn file(path: impl AsRef<Path>) -> io::Result<Recorder> {
        let mut options = OpenOptions::new();
        options.write(true).create(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            // So that the opening of a FIFO doesn't wait for a reader.
            let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
            options.mode(0o600).custom_flags(flags.bits() as i32);
        }
        #[cfg(windows)]
        {
            use std::os::windows::fs::OpenOptionsExt;
            // Others may read it, not write to it.
            options.share_mode(1);
        }
        let file = options.open(path)?;
        #[cfg(unix)]
        fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
        empty_and_private(&file)?;
        Ok(Recorder::new(file))
    }

    /// Records to this writer, on a thread of its own. Each write contains whole lines; it is flushed whenever there is
    /// nothing more to write.
    ///
    /// ```
    /// use codex_blocking::{Recorder, testing::ScriptedServer};
    ///
    /// let recorder = Recorder::new(std::io::stderr());
    /// let client = codex_blocking::Client::builder().record(recorder).connect(ScriptedServer::new())?;
    /// # client.close()?;
    /// # Ok::<(), codex_blocking::Error>(())
    /// ```
    pub fn new(writer: impl Write + Send + 'static) -> Recorder {
        let output = Mutex::new(Some(Box::new(writer) as Output));
        Recorder {
            slot: Arc::new(Slot { output, created: Instant::now(), connections: AtomicUsize::new(0) }),
            is_unmasked: false,
        }
    }

    /// Records messages as they are, with all their secrets.
    pub fn unmasked(mut self) -> Recorder {
        self.is_unmasked = true;
        self
    }

    /// Starts recording a connection.
    ///
    /// # Errors
    /// It records another connection, recording has failed before, or no thread can be started.
    pub(crate) fn start(&self) -> Result<Recording> {
        let output = self.slot.output.lock().take().ok_or_else(|| {
            Error::invalid(
                "the recorder records another connection, or its file has failed; use another recorder",
            )
        })?;
        Recording::start(output, Arc::clone(&self.slot), self.is_unmasked).map_err(|error| {
            TransportFailure::new("failed to spawn its thread")
                .with_source(error)
                .while_connecting("start the recorder")
        })
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("is_unmasked", &self.is_unmasked).finish_non_exhaustive()
    }
}

/// Removes the content of a file that existed, after only its owner can read it. A device has neither.
fn empty_and_private(file: &File) -> io::Result<()> {
    let about = file.metadata()?;
    if !about.is_file() {
        return Ok(());
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;

        use rustix::{fs::FlockOperation, io::Errno};
        // Not all file systems have locks.
        if let Err(Errno::WOULDBLOCK) = rustix::fs::flock(file, FlockOperation::NonBlockingLockExclusive) {
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, "another recorder writes to this file"));
        }
        if about.permissions().mode() & 0o777 != 0o600 {
            file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        }
    }
    file.set_len(0)
}
