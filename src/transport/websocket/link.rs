//! A WebSocket that is up: the thread that reads it, and the link that writes on it.
//!
//! Relies on `frames` (what the bytes mean), `outbox` (writing without waiting), `socket` and `tls`.
//! Invariant: the thread waits in one place only, for the socket, for a waker, or for the next
//! moment of the keepalive; it never waits for a writer, and no writer for it.

use std::{
    io::{self, Read},
    ops::ControlFlow,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use mio::{Events, Poll, Token, Waker};
use parking_lot::Mutex;

use super::{
    Session,
    frames::{self, Decoder, Received, Violation},
    socket::{Patient, Socket, wait},
};
use crate::{
    deadline::earlier,
    error::TransportFailure,
    transport::{Link, Shutdown, Sink, join, outbox::Outbox, stdio::Daemon},
};

/// The server drops a connection without a word for a message above this.
const LONGEST_MESSAGE: usize = 64 * 1024 * 1024;
/// The server takes 16 MiB in one frame.
const LONGEST_FRAGMENT: usize = 8 * 1024 * 1024;

const CHUNK: usize = 64 * 1024;
/// A server that sends so much at once goes on sending.
const FLOOD: usize = 16 * 1024;

/// How long the rest of an ending connection is waited for: a close frame written, the server's end.
const ORDERLY_END: Duration = Duration::from_secs(1);
const QUICK_END: Duration = Duration::from_millis(150);
/// Once nothing can be written any more, only what is left to be read is: why, perhaps.
const LAST_WORDS: Duration = Duration::from_millis(500);

const NORMAL: u16 = 1000;
const PROTOCOL_ERROR: u16 = 1002;
const TOO_BIG: u16 = 1009;

const WAKER: Token = Token(usize::MAX);

/// When a silent server is asked whether it is there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keepalive {
    pub(super) ping_interval: Option<Duration>,
    pub(super) pong_timeout: Option<Duration>,
}

impl Default for Keepalive {
    fn default() -> Self {
        let usual = Some(Duration::from_secs(20));
        Keepalive { ping_interval: usual, pong_timeout: usual }
    }
}

/// What is needed to go on with a connection that has come up.
pub(super) struct Connected {
    pub(super) patient: Patient,
    pub(super) session: Option<Session>,
    /// What came along with the answer to the upgrade.
    pub(super) first: Vec<u8>,
    /// Whom it is to, for errors.
    pub(super) peer: String,
    pub(super) keepalive: Keepalive,
    /// The server, where it is a child of this connection.
    pub(super) daemon: Option<Daemon>,
}

struct Shared {
    outbox: Outbox<Socket>,
    session: Option<Session>,
    /// Held while the frames of a message are queued: they must not mix with another's.
    order: Mutex<()>,
    /// The connection is to end by then.
    ends_at: OnceLock<Instant>,
    /// Whether a close frame was sent.
    has_closed: AtomicBool,
}

/// Starts the thread that reads into `sink`.
pub(super) fn start(connected: Connected, sink: Sink) -> io::Result<SocketLink> {
    let Connected { patient, session, first, peer, keepalive, daemon } = connected;
    let Patient { socket, poll, token, .. } = patient;
    let socket = Arc::new(socket);
    socket.watch(poll.registry(), token, false)?;
    let waker = Waker::new(poll.registry(), WAKER)?;
    let shared = Arc::new(Shared {
        outbox: Outbox::new(Arc::clone(&socket), move || {
            // It fails when nobody waits any more.
            let _ = waker.wake();
        }),
        session,
        order: Mutex::new(()),
        ends_at: OnceLock::new(),
        has_closed: AtomicBool::new(false),
    });
    let daemon = daemon.map(Arc::new);
    let reader = Reader {
        shared: Arc::clone(&shared),
        socket,
        poll,
        token,
        watches_writable: false,
        decoder: Decoder::new(sink.max_frame_bytes()),
        pulse: Pulse::new(keepalive),
        breaks_at: None,
        peer,
        daemon: daemon.clone(),
    };
    let thread =
        thread::Builder::new().name("codex-socket".to_owned()).spawn(move || reader.run(sink, &first))?;
    Ok(SocketLink { shared, thread: Mutex::new(Some(thread)), daemon })
}

/// The writing side.
pub(super) struct SocketLink {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    daemon: Option<Arc<Daemon>>,
}

impl Link for SocketLink {
    fn send(&self, message: Vec<u8>) -> Result<(), TransportFailure> {
        if message.len() > LONGEST_MESSAGE {
            return Err(TransportFailure::new(format!(
                "a message of {} bytes is longer than the server takes ({LONGEST_MESSAGE})",
                message.len()
            )));
        }
        if self.shared.has_closed.load(Ordering::Acquire) {
            return Err(TransportFailure::new("the connection is closed"));
        }
        self.shared.outbox.check()?;
        let random = |error| TransportFailure::new("the system gives no random numbers").with_source(error);
        {
            let _order = self.shared.order.lock();
            for frame in frames::message(&message, LONGEST_FRAGMENT) {
                self.shared.queue(frame.map_err(random)?);
            }
        }
        self.shared.outbox.flush();
        Ok(())
    }

    fn max_message_bytes(&self) -> Option<usize> {
        Some(LONGEST_MESSAGE)
    }

    fn shutdown(&self, how: Shutdown) {
        self.shared.close(NORMAL);
        let grace = match how {
            Shutdown::Orderly => ORDERLY_END,
            Shutdown::Quick => QUICK_END,
        };
        let _ = self.shared.ends_at.set(Instant::now() + grace);
        self.shared.outbox.wake();
        // First, since the thread may be waiting for its last words.
        if let Some(daemon) = &self.daemon {
            daemon.stop(how);
        }
        join(self.thread.lock().take(), "the thread of a WebSocket");
    }
}

impl Drop for SocketLink {
    fn drop(&mut self) {
        self.shutdown(Shutdown::Quick);
    }
}

impl Shared {
    /// A frame, through TLS where there is TLS.
    fn queue(&self, frame: Vec<u8>) {
        match &self.session {
            None => self.outbox.queue(frame),
            Some(session) => {
                if let Err(error) = session.seal(&frame, |sealed| self.outbox.queue(sealed)) {
                    log::error!("a message could not be encrypted: {error}");
                }
            }
        }
    }

    /// A frame that is nobody's message; it may stand between the fragments of one.
    fn control(&self, frame: io::Result<Vec<u8>>) {
        if let (Ok(()), Ok(frame)) = (self.outbox.check(), frame) {
            self.queue(frame);
            self.outbox.flush();
        }
    }

    /// Says once that nothing more will be sent, after what is queued.
    fn close(&self, code: u16) {
        if self.has_closed.swap(true, Ordering::AcqRel) {
            return;
        }
        {
            let _order = self.order.lock();
            self.control(frames::close(code));
        }
        if let Some(session) = &self.session {
            // What can't be encrypted any more need not be.
            let _ = session.close(|sealed| self.outbox.queue(sealed));
            self.outbox.flush();
        }
    }
}

/// When something was heard last, and what is to be done about silence.
struct Pulse {
    limits: Keepalive,
    heard: Instant,
    /// When the server was asked, or took something since; and how much was written by then.
    asked: Option<(Instant, u64)>,
}

/// What to do about silence.
enum Silence {
    /// Nothing yet.
    Fine,
    Ask,
    /// It was asked, and said nothing for so long.
    Dead(Duration),
}

impl Pulse {
    fn new(limits: Keepalive) -> Self {
        Pulse { limits, heard: Instant::now(), asked: None }
    }

    fn heard(&mut self) {
        self.heard = Instant::now();
        self.asked = None;
    }

    /// The moment at which to [`check`](Self::check).
    fn due(&self) -> Option<Instant> {
        let (since, limit) = match self.asked {
            Some((at, _)) => (at, self.limits.pong_timeout),
            None => (self.heard, self.limits.ping_interval),
        };
        limit.and_then(|limit| since.checked_add(limit))
    }

    /// `written`: how much was, in all; `is_full`: whether more waits to be.
    fn check(&mut self, written: u64, is_full: bool) -> Silence {
        let now = Instant::now();
        if self.due().is_none_or(|due| now < due) {
            return Silence::Fine;
        }
        match self.asked {
            None => {
                self.asked = Some((now, written));
                Silence::Ask
            }
            // It has yet to come to the question, but goes on reading: it lives.
            Some((_, before)) if is_full && written > before => {
                self.asked = Some((now, written));
                Silence::Fine
            }
            Some((at, _)) => Silence::Dead(now - at),
        }
    }
}

/// Why the reading thread is to end.
type Ended = ControlFlow<TransportFailure>;

/// The reading thread.
struct Reader {
    shared: Arc<Shared>,
    socket: Arc<Socket>,
    poll: Poll,
    token: Token,
    watches_writable: bool,
    decoder: Decoder,
    pulse: Pulse,
    /// When a server that reads no more has had its last words.
    breaks_at: Option<Instant>,
    peer: String,
    daemon: Option<Arc<Daemon>>,
}

impl Reader {
    fn run(mut self, mut sink: Sink, first: &[u8]) {
        let mut failure = match self.read_to_the_end(&mut sink, first) {
            ControlFlow::Break(failure) => failure,
            ControlFlow::Continue(never) => match never {},
        };
        sink.flush();
        self.shared.outbox.end();
        // How a server ended that was ours says more than how its connection did.
        if let Some(daemon) = self.daemon.as_ref().filter(|_| !self.is_ending()) {
            daemon.explain(&mut failure);
        }
        sink.close(failure);
    }

    fn is_ending(&self) -> bool {
        self.shared.ends_at.get().is_some()
    }

    fn read_to_the_end(&mut self, sink: &mut Sink, first: &[u8]) -> ControlFlow<TransportFailure, Never> {
        let (mut chunk, mut plain) = (vec![0; CHUNK], Vec::new());
        let mut events = Events::with_capacity(8);
        // What TLS had taken in by then.
        self.deliver(first, sink)?;
        self.open(&[], &mut plain, sink)?;
        loop {
            match (&*self.socket).read(&mut chunk) {
                Ok(0) => return self.lost("it closed the connection without saying why"),
                Ok(length) => {
                    self.pulse.heard();
                    match self.shared.session {
                        None => self.deliver(&chunk[..length], sink)?,
                        Some(_) => self.open(&chunk[..length], &mut plain, sink)?,
                    }
                    // A read this large is one of many: the next one is tried before anybody is woken.
                    if length >= FLOOD {
                        self.shared.outbox.resume();
                    } else {
                        sink.flush();
                    }
                    // A flood must not hide that it is to end.
                    self.check_end()?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    sink.flush();
                    self.check_end()?;
                    self.look_around(&mut events)?;
                }
                Err(error) => {
                    let doing = format!("the connection to {} broke: {error}", self.peer);
                    return ControlFlow::Break(TransportFailure::new(doing).with_source(error));
                }
            }
        }
    }

    /// Whether what is still waited for has had its time: the server's end after the shutdown, or what
    /// it has to say though it reads no more.
    fn check_end(&mut self) -> Ended {
        if self.shared.ends_at.get().is_some_and(|at| Instant::now() >= *at) {
            return ControlFlow::Break(TransportFailure::new("the connection was shut down"));
        }
        if self.shared.outbox.is_broken() {
            let now = Instant::now();
            if now >= *self.breaks_at.get_or_insert(now + LAST_WORDS) {
                return self.lost("it does not read any more");
            }
        }
        ControlFlow::Continue(())
    }

    /// Sees to everything but reading, and waits until there is something to do.
    fn look_around(&mut self, events: &mut Events) -> Ended {
        // What could not be written may be by now; if it can't, the socket says when it can.
        self.shared.outbox.resume();
        let is_full = self.shared.outbox.full().is_some();
        match self.pulse.check(self.shared.outbox.written(), is_full) {
            Silence::Fine => {}
            Silence::Ask => self.shared.control(frames::ping()),
            Silence::Dead(silence) => {
                return self.lost(&format!("it did not answer a ping for {} s", silence.as_secs_f32()));
            }
        }
        let ends_at = earlier(self.shared.ends_at.get().copied(), self.breaks_at);
        match self.wait(events, earlier(ends_at, self.pulse.due())) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                ControlFlow::Break(TransportFailure::new("waiting for the socket failed").with_source(error))
            }
        }
    }

    fn wait(&mut self, events: &mut Events, until: Option<Instant>) -> io::Result<()> {
        let is_full = self.shared.outbox.full().is_some();
        if is_full != self.watches_writable {
            self.socket.watch(self.poll.registry(), self.token, is_full)?;
            self.watches_writable = is_full;
        }
        wait(&mut self.poll, events, until)
    }

    /// Bytes of TLS.
    fn open(&mut self, sealed: &[u8], plain: &mut Vec<u8>, sink: &mut Sink) -> Ended {
        let shared = Arc::clone(&self.shared);
        let Some(session) = &shared.session else { return ControlFlow::Continue(()) };
        let opened = session.open(sealed, plain, |sealed| shared.outbox.queue(sealed));
        shared.outbox.flush();
        self.deliver(plain, sink)?;
        plain.clear();
        match opened {
            Ok(false) => ControlFlow::Continue(()),
            Ok(true) => self.lost("it closed the connection without saying why"),
            Err(error) => {
                let message = format!("what {} sent is no TLS: {error}", self.peer);
                ControlFlow::Break(TransportFailure::new(message).with_source(error))
            }
        }
    }

    /// Bytes of WebSocket.
    fn deliver(&mut self, bytes: &[u8], sink: &mut Sink) -> Ended {
        let shared = &self.shared;
        let mut close = None;
        let taken = self.decoder.take(bytes, |incoming| {
            match incoming {
                // Nobody is there to take it any more.
                Received::Message(_) if shared.ends_at.get().is_some() => {}
                Received::Message(message) => return sink.frame(message),
                Received::Ping(payload) => shared.control(frames::pong(&payload)),
                Received::Pong => {}
                Received::Close(frame) => {
                    close = Some(frame);
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        });
        match (taken, close) {
            (Ok(ControlFlow::Continue(())), _) => ControlFlow::Continue(()),
            (Ok(ControlFlow::Break(())), Some(frame)) => self.closed(frame),
            (Ok(ControlFlow::Break(())), None) => {
                shared.close(PROTOCOL_ERROR);
                ControlFlow::Break(TransportFailure::new("what the server sent is no message (strict)"))
            }
            (Err(violation), _) => {
                shared.close(match violation {
                    Violation::TooLong(_) => TOO_BIG,
                    Violation::Malformed(_) => PROTOCOL_ERROR,
                });
                ControlFlow::Break(TransportFailure::new(format!("the server sent {violation}")))
            }
        }
    }

    /// The server's close frame.
    fn closed(&self, frame: Option<(u16, String)>) -> Ended {
        let code = frame.as_ref().map(|(code, _)| *code);
        self.shared.close(code.unwrap_or(NORMAL));
        let what = match frame {
            None => "it closed the connection".to_owned(),
            Some((code, reason)) if reason.is_empty() => format!("it closed the connection ({code})"),
            Some((code, reason)) => format!("it closed the connection ({code}: {reason})"),
        };
        self.lost(&what).map_break(|mut failure| {
            failure.close_code = code;
            failure
        })
    }

    fn lost<T>(&self, what: &str) -> ControlFlow<TransportFailure, T> {
        ControlFlow::Break(TransportFailure::new(format!("the app-server at {}: {what}", self.peer)))
    }
}

/// Nothing: what ends only by breaking off.
enum Never {}
