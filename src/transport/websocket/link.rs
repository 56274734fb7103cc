//! An established WebSocket connection: its reading thread, and the link for writing.
//!
//! Relies on `frames` (encoding), `outbox` (writing without blocking), `socket` and `tls`. Invariant: the
//! thread waits in one place only, for the socket, a wake-up, or the next keepalive deadline; it never
//! waits for a writer, and no writer waits for it.

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
    TlsSession,
    frames::{self, Decoder, ReceivedFrame, Violation},
    socket::{ConnectingSocket, Socket, wait},
};
use crate::{
    deadline::earlier,
    error::TransportFailure,
    secrets::Secrets,
    transport::{Link, Shutdown, Sink, join, outbox::Outbox, stdio::Daemon},
};

/// The server drops the connection without a close frame on a message longer than this.
const MAX_MESSAGE_BYTES: usize = 64 * 1024 * 1024;
/// The server accepts frames of up to 16 MiB.
const MAX_FRAGMENT_BYTES: usize = 8 * 1024 * 1024;

const CHUNK: usize = 64 * 1024;
/// After a read of at least this many bytes, more data is likely to follow.
const FLOOD: usize = 16 * 1024;

/// How long a shutdown waits for the close frame to be written and for the server to close.
const ORDERLY_END: Duration = Duration::from_secs(1);
const QUICK_END: Duration = Duration::from_millis(150);
/// How long to read on after writing has failed: the server may have sent the reason.
const DRAIN_LIMIT: Duration = Duration::from_millis(500);

const NORMAL: u16 = 1000;
const PROTOCOL_ERROR: u16 = 1002;
const TOO_BIG: u16 = 1009;

const WAKER: Token = Token(usize::MAX);

/// When to ping a silent server, and how long to wait for a response.
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

/// A connection that is set up, ready for the reading thread.
pub(super) struct Connected {
    pub(super) socket: ConnectingSocket,
    pub(super) session: Option<TlsSession>,
    /// The bytes received after the upgrade response.
    pub(super) first: Vec<u8>,
    /// The server's address, for errors.
    pub(super) peer: String,
    pub(super) secrets: Secrets,
    pub(super) keepalive: Keepalive,
    /// The server process, if this connection owns one.
    pub(super) daemon: Option<Daemon>,
    /// The URL of the server, without what may be a secret.
    pub(super) url: Option<String>,
}

struct SocketShared {
    outbox: Outbox<Socket>,
    session: Option<TlsSession>,
    /// Held while the frames of a message are queued, so that messages don't interleave.
    order: Mutex<()>,
    /// The deadline of a shutdown.
    ends_at: OnceLock<Instant>,
    /// Whether a close frame has been sent.
    has_closed: AtomicBool,
}

/// Starts the thread that reads into `sink`.
pub(super) fn start(connected: Connected, sink: Sink) -> io::Result<SocketLink> {
    let Connected { socket, session, first, peer, secrets, keepalive, daemon, url } = connected;
    let ConnectingSocket { socket, poll, token, .. } = socket;
    let socket = Arc::new(socket);
    socket.watch(poll.registry(), token, false)?;
    let waker = Waker::new(poll.registry(), WAKER)?;
    let shared = Arc::new(SocketShared {
        outbox: Outbox::new(Arc::clone(&socket), move || {
            // Fails if no thread waits any more.
            let _ = waker.wake();
        }),
        session,
        order: Mutex::new(()),
        ends_at: OnceLock::new(),
        has_closed: AtomicBool::new(false),
    });
    let daemon = daemon.map(Arc::new);
    let reader = SocketReader {
        shared: Arc::clone(&shared),
        socket,
        poll,
        token,
        watches_writable: false,
        decoder: Decoder::new(sink.max_frame_bytes()),
        keepalive: KeepaliveTimer::new(keepalive),
        ping: None,
        breaks_at: None,
        peer,
        secrets,
        daemon: daemon.clone(),
    };
    let thread =
        thread::Builder::new().name("codex-socket".to_owned()).spawn(move || reader.run(sink, &first))?;
    Ok(SocketLink { shared, thread: Mutex::new(Some(thread)), daemon, url })
}

/// The writing half.
pub(super) struct SocketLink {
    shared: Arc<SocketShared>,
    thread: Mutex<Option<JoinHandle<()>>>,
    daemon: Option<Arc<Daemon>>,
    url: Option<String>,
}

impl Link for SocketLink {
    fn server_url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    fn server_pid(&self) -> Option<u32> {
        self.daemon.as_ref()?.pid()
    }

    fn send(&self, message: Vec<u8>) -> Result<(), TransportFailure> {
        if message.len() > MAX_MESSAGE_BYTES {
            return Err(TransportFailure::new(format!(
                "a message of {} bytes exceeds the server's limit of {MAX_MESSAGE_BYTES}",
                message.len()
            )));
        }
        if self.shared.has_closed.load(Ordering::Acquire) {
            return Err(TransportFailure::new("the connection is closed"));
        }
        self.shared.outbox.check()?;
        let random = |error| TransportFailure::new("failed to generate random numbers").with_source(error);
        {
            let _order = self.shared.order.lock();
            for frame in frames::message(&message, MAX_FRAGMENT_BYTES) {
                self.shared.queue(frame.map_err(random)?);
            }
        }
        self.shared.outbox.flush();
        Ok(())
    }

    fn max_message_bytes(&self) -> Option<usize> {
        Some(MAX_MESSAGE_BYTES)
    }

    fn shutdown(&self, how: Shutdown) {
        self.shared.close(NORMAL);
        let grace = match how {
            Shutdown::Orderly => ORDERLY_END,
            Shutdown::Quick => QUICK_END,
        };
        let _ = self.shared.ends_at.set(Instant::now() + grace);
        self.shared.outbox.wake();
        // Must come first: the reading thread may be waiting for the process's exit status and stderr.
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

impl SocketShared {
    /// Queues a frame, encrypted if the connection uses TLS.
    fn queue(&self, frame: Vec<u8>) {
        match &self.session {
            None => self.outbox.queue(frame),
            Some(session) => {
                if let Err(error) = session.seal(&frame, |sealed| self.outbox.queue(sealed)) {
                    log::error!("failed to encrypt a message: {error}");
                }
            }
        }
    }

    /// Sends a control frame, which may appear between the fragments of a message.
    fn control(&self, frame: io::Result<Vec<u8>>) {
        if let (Ok(()), Ok(frame)) = (self.outbox.check(), frame) {
            self.queue(frame);
            self.outbox.flush();
        }
    }

    /// Sends a close frame, once, after the queued messages.
    fn close(&self, code: u16) {
        if self.has_closed.swap(true, Ordering::AcqRel) {
            return;
        }
        {
            let _order = self.order.lock();
            self.control(frames::close(code));
        }
        if let Some(session) = &self.session {
            // A close alert that can't be encrypted isn't needed.
            let _ = session.close(|sealed| self.outbox.queue(sealed));
            self.outbox.flush();
        }
    }
}

/// When data was last received, and whether a ping is outstanding.
struct KeepaliveTimer {
    limits: Keepalive,
    last_received: Instant,
    /// When the ping was sent or the server last made progress reading, and the bytes written by then.
    pinged: Option<(Instant, u64)>,
}

/// What the keepalive requires.
enum KeepaliveAction {
    /// Nothing for now.
    Nothing,
    Ping,
    /// The server sent nothing for this long after a ping.
    Lost(Duration),
}

impl KeepaliveTimer {
    fn new(limits: Keepalive) -> Self {
        KeepaliveTimer { limits, last_received: Instant::now(), pinged: None }
    }

    fn received(&mut self) {
        self.last_received = Instant::now();
        self.pinged = None;
    }

    /// When to [`check`](Self::check) next.
    fn due(&self) -> Option<Instant> {
        let (since, limit) = match self.pinged {
            Some((at, _)) => (at, self.limits.pong_timeout),
            None => (self.last_received, self.limits.ping_interval),
        };
        limit.and_then(|limit| since.checked_add(limit))
    }

    /// `written`: the bytes written so far; `is_full`: whether more are queued.
    fn check(&mut self, written: u64, is_full: bool) -> KeepaliveAction {
        let now = Instant::now();
        if self.due().is_none_or(|due| now < due) {
            return KeepaliveAction::Nothing;
        }
        match self.pinged {
            None => {
                self.pinged = Some((now, written));
                KeepaliveAction::Ping
            }
            // The server hasn't reached the ping yet but is still reading, so it is alive.
            Some((_, before)) if is_full && written > before => {
                self.pinged = Some((now, written));
                KeepaliveAction::Nothing
            }
            Some((at, _)) => KeepaliveAction::Lost(now - at),
        }
    }
}

/// Breaks with the reason why the reading thread must end.
type Ended = ControlFlow<TransportFailure>;

/// The reading thread.
struct SocketReader {
    shared: Arc<SocketShared>,
    socket: Arc<Socket>,
    poll: Poll,
    token: Token,
    watches_writable: bool,
    decoder: Decoder,
    keepalive: KeepaliveTimer,
    /// The payload of the newest ping that was not answered.
    ping: Option<Vec<u8>>,
    /// When to stop reading from a server that no longer reads.
    breaks_at: Option<Instant>,
    peer: String,
    secrets: Secrets,
    daemon: Option<Arc<Daemon>>,
}

impl SocketReader {
    fn run(mut self, mut sink: Sink, first: &[u8]) {
        let mut failure = match self.read_to_the_end(&mut sink, first) {
            ControlFlow::Break(failure) => failure,
            ControlFlow::Continue(never) => match never {},
        };
        sink.flush();
        self.shared.outbox.end();
        // The exit status of a child server explains more than the failure of its connection.
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
        // The data that TLS decrypted during the upgrade.
        self.deliver(first, sink)?;
        self.open(&[], &mut plain, sink)?;
        loop {
            match (&*self.socket).read(&mut chunk) {
                Ok(0) => return self.lost("it closed the connection without saying why"),
                Ok(length) => {
                    self.keepalive.received();
                    match self.shared.session {
                        None => self.deliver(&chunk[..length], sink)?,
                        Some(_) => self.open(&chunk[..length], &mut plain, sink)?,
                    }
                    self.answer_ping();
                    // More data is likely to follow a read this large, so the next read comes before the
                    // wake-up.
                    if length >= FLOOD {
                        self.shared.outbox.resume();
                    } else {
                        sink.flush();
                    }
                    // A flood must not delay a shutdown.
                    self.check_end()?;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    sink.flush();
                    self.check_end()?;
                    self.service_and_wait(&mut events)?;
                }
                Err(error) => {
                    let doing = format!("the connection to {} broke: {error}", self.peer);
                    return ControlFlow::Break(TransportFailure::new(doing).with_source(error));
                }
            }
        }
    }

    /// Breaks if the time for the remaining input is over: after a shutdown, or after writing has failed.
    fn check_end(&mut self) -> Ended {
        if self.shared.ends_at.get().is_some_and(|at| Instant::now() >= *at) {
            return ControlFlow::Break(TransportFailure::new("the connection was shut down"));
        }
        if self.shared.outbox.is_broken() {
            let now = Instant::now();
            if now >= *self.breaks_at.get_or_insert(now + DRAIN_LIMIT) {
                return self.lost("it no longer reads");
            }
        }
        ControlFlow::Continue(())
    }

    /// Does everything but reading, then waits until there is something to do.
    fn service_and_wait(&mut self, events: &mut Events) -> Ended {
        // Retries the queued messages; if the socket is still full, it is polled for writability.
        self.shared.outbox.resume();
        self.answer_ping();
        let is_full = self.shared.outbox.full().is_some();
        match self.keepalive.check(self.shared.outbox.written(), is_full) {
            KeepaliveAction::Nothing => {}
            KeepaliveAction::Ping => self.shared.control(frames::ping()),
            KeepaliveAction::Lost(silence) => {
                return self.lost(&format!("it did not answer a ping for {} s", silence.as_secs_f32()));
            }
        }
        let ends_at = earlier(self.shared.ends_at.get().copied(), self.breaks_at);
        match self.wait(events, earlier(ends_at, self.keepalive.due())) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                ControlFlow::Break(TransportFailure::new("failed to wait for the socket").with_source(error))
            }
        }
    }

    /// Answers the newest ping, which stands for all before it. While the socket is full it waits, so that a
    /// server that pings and doesn't read costs nothing.
    fn answer_ping(&mut self) {
        if self.shared.outbox.full().is_none() {
            if let Some(payload) = self.ping.take() {
                self.shared.control(frames::pong(&payload));
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

    /// Decrypts TLS records.
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
                let message = format!("{} sent invalid TLS data: {error}", self.peer);
                ControlFlow::Break(TransportFailure::new(message).with_source(error))
            }
        }
    }

    /// Decodes WebSocket frames.
    fn deliver(&mut self, bytes: &[u8], sink: &mut Sink) -> Ended {
        let SocketReader { shared, decoder, ping, .. } = self;
        let mut close = None;
        let taken = decoder.take(bytes, |incoming| {
            match incoming {
                // After a shutdown no receiver is left.
                ReceivedFrame::Message(_) if shared.ends_at.get().is_some() => {}
                ReceivedFrame::Message(message) => return sink.frame(message),
                ReceivedFrame::Ping(payload) => *ping = Some(payload),
                ReceivedFrame::Pong => {}
                ReceivedFrame::Close(frame) => {
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
                ControlFlow::Break(TransportFailure::new("the server sent an invalid message (strict mode)"))
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

    /// Handles the server's close frame.
    fn closed(&self, frame: Option<(u16, String)>) -> Ended {
        let code = frame.as_ref().map(|(code, _)| *code);
        self.shared.close(code.unwrap_or(NORMAL));
        let what = match frame {
            None => "it closed the connection".to_owned(),
            Some((code, reason)) if reason.is_empty() => format!("it closed the connection ({code})"),
            Some((code, reason)) => {
                format!("it closed the connection ({code}: {})", self.secrets.mask(&reason))
            }
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

/// Uninhabited: the read loop only ends with a failure.
enum Never {}
