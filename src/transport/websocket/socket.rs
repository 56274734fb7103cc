//! Non-blocking sockets, and connecting them: name resolution and connection attempts.
//!
//! Relies on mio. Invariant: nothing waits beyond the connect deadline, and an unresponsive address can't
//! use up the time of the others.

use std::{
    fmt,
    io::{self, Read, Write},
    net::{SocketAddr, ToSocketAddrs},
    thread,
    time::{Duration, Instant},
};

use crossbeam_channel::{RecvTimeoutError, bounded};
use mio::{Events, Interest, Poll, Registry, Token, net::TcpStream};

use super::address::Address;
use crate::{
    deadline::{Deadline, earlier, recv_until},
    error::{Error, Result, Timeout, TransportFailure},
};

/// The delay before the next address is tried; earlier attempts continue.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// The delay before retrying a Unix socket whose listen queue is full.
#[cfg(unix)]
const BACKLOG_WAIT: Duration = Duration::from_millis(20);

/// A connected socket; its two directions are independent.
pub(super) enum Socket {
    Tcp(TcpStream),
    #[cfg(unix)]
    Unix(mio::net::UnixStream),
}

impl Read for &Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => { stream }.read(buffer),
            #[cfg(unix)]
            Socket::Unix(stream) => { stream }.read(buffer),
        }
    }
}

impl Write for &Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            // std writes to TCP sockets without SIGPIPE.
            Socket::Tcp(stream) => { stream }.write(bytes),
            #[cfg(unix)]
            Socket::Unix(stream) => crate::transport::no_sigpipe::write_to_socket(stream, bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Socket {
    /// Sets which events of the registered socket to wait for. Polling for writability only when needed
    /// saves a wake-up for each message that the server reads.
    #[cfg(unix)]
    pub(super) fn watch(&self, registry: &Registry, token: Token, writable: bool) -> io::Result<()> {
        use std::os::fd::AsRawFd;

        let socket = match self {
            Socket::Tcp(stream) => stream.as_raw_fd(),
            Socket::Unix(stream) => stream.as_raw_fd(),
        };
        let interest = if writable { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        registry.reregister(&mut mio::unix::SourceFd(&socket), token, interest)
    }

    /// On other platforms both stay enabled, as they were registered.
    #[cfg(not(unix))]
    pub(super) fn watch(&self, _: &Registry, _: Token, _: bool) -> io::Result<()> {
        Ok(())
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Socket")
    }
}

/// A socket during connection setup: reads and writes block until the deadline.
#[derive(Debug)]
pub(super) struct ConnectingSocket {
    pub(super) socket: Socket,
    /// The poll where the socket is registered for reading and writing.
    pub(super) poll: Poll,
    pub(super) token: Token,
    until: Option<Instant>,
}

impl ConnectingSocket {
    /// Shortens the deadline to at most `limit` from now.
    pub(super) fn shorten_deadline(&mut self, limit: Duration) {
        self.until = earlier(self.until, Some(Instant::now() + limit));
    }

    fn wait(&mut self) -> io::Result<()> {
        wait(&mut self.poll, &mut Events::with_capacity(4), self.until)?;
        match self.until.is_some_and(|until| Instant::now() >= until) {
            true => Err(io::ErrorKind::TimedOut.into()),
            false => Ok(()),
        }
    }

    fn retry(&mut self, mut act: impl FnMut(&Socket) -> io::Result<usize>) -> io::Result<usize> {
        loop {
            match act(&self.socket) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait()?,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => return outcome,
            }
        }
    }
}

impl Read for ConnectingSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.retry(|mut socket| socket.read(buffer))
    }
}

impl Write for ConnectingSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.retry(|mut socket| socket.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Waits for events until `until`, or without a limit. An interruption counts as no event.
pub(super) fn wait(poll: &mut Poll, events: &mut Events, until: Option<Instant>) -> io::Result<()> {
    // Rounded up, so that the deadline has passed when the wait ends.
    let limit =
        until.map(|until| until.saturating_duration_since(Instant::now()) + Duration::from_micros(999));
    match poll.poll(events, limit) {
        Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
        outcome => outcome,
    }
}

/// Converts an error during connection setup; if the deadline has passed, to its timeout error.
pub(super) fn failed(
    deadline: Deadline,
    doing: &str,
    what: &str,
    error: impl std::error::Error + Send + Sync + 'static,
) -> Error {
    match deadline.has_passed() {
        true => deadline.error(Timeout::Connect),
        false => TransportFailure::new(format!("{what}: {error}")).with_source(error).while_connecting(doing),
    }
}

/// Connects to the first address of the host that accepts the connection.
pub(super) fn dial(
    address: &Address,
    only_loopback: bool,
    deadline: Deadline,
    doing: &str,
) -> Result<ConnectingSocket> {
    let mut addresses = resolve(address, deadline, doing)?;
    if only_loopback {
        addresses.retain(|address| address.ip().to_canonical().is_loopback());
    }
    race(&addresses, &address.host, deadline, doing)
}

/// Tries the addresses one after the other with a delay between them, and returns the first that
/// connects.
fn race(addresses: &[SocketAddr], host: &str, deadline: Deadline, doing: &str) -> Result<ConnectingSocket> {
    let (mut poll, mut events) = match Poll::new() {
        Ok(poll) => (poll, Events::with_capacity(16)),
        Err(error) => return Err(failed(deadline, doing, "failed to create a poll", error)),
    };
    let mut waiting: Vec<Option<TcpStream>> = Vec::new();
    let mut failures: Vec<(SocketAddr, io::Error)> = Vec::new();
    let mut next_at = Instant::now();
    loop {
        let is_all_tried = waiting.len() == addresses.len();
        let has_any = waiting.iter().any(Option::is_some);
        if let Some(&next) = addresses.get(waiting.len()).filter(|_| !has_any || Instant::now() >= next_at) {
            waiting.push(match begin(next, poll.registry(), Token(waiting.len())) {
                Ok(stream) => Some(stream),
                Err(error) => {
                    failures.push((next, error));
                    None
                }
            });
            next_at = Instant::now() + ATTEMPT_DELAY;
            continue;
        }
        if !has_any && is_all_tried {
            return Err(unreachable(host, failures, doing));
        }
        let until = if is_all_tried { deadline.at() } else { earlier(deadline.at(), Some(next_at)) };
        if let Err(error) = wait(&mut poll, &mut events, until) {
            return Err(failed(deadline, doing, "failed to wait for the connection", error));
        }
        for token in events.iter().map(mio::event::Event::token) {
            let Some(stream) = waiting.get_mut(token.0) else { continue };
            match stream.as_ref().map(outcome) {
                Some(Ok(true)) => {
                    let Some(stream) = stream.take() else { continue };
                    // Send each message when it is written, without waiting for earlier ones to be
                    // acknowledged.
                    if let Err(error) = stream.set_nodelay(true) {
                        return Err(failed(deadline, doing, "failed to set up the socket", error));
                    }
                    return Ok(ConnectingSocket {
                        socket: Socket::Tcp(stream),
                        poll,
                        token,
                        until: deadline.at(),
                    });
                }
                Some(Err(error)) => {
                    failures.push((addresses[token.0], error));
                    *stream = None;
                }
                Some(Ok(false)) | None => {}
            }
        }
        if deadline.has_passed() {
            return Err(deadline.error(Timeout::Connect));
        }
    }
}

/// Resolves a host. A name is resolved on a separate thread, which is detached if the system takes too
/// long, since the call can't be interrupted.
fn resolve(address: &Address, deadline: Deadline, doing: &str) -> Result<Vec<SocketAddr>> {
    if let Some(ip) = address.ip() {
        return Ok(vec![SocketAddr::new(ip, address.port)]);
    }
    let (found, addresses) = bounded(1);
    let host = (address.host.clone(), address.port);
    let thread = thread::Builder::new().name("codex-resolve".to_owned()).spawn(move || {
        let _ = found.send(host.to_socket_addrs().map(Vec::from_iter));
    });
    let looked_up = match thread {
        Ok(_) => recv_until(&addresses, deadline.at()),
        Err(error) => return Err(failed(deadline, doing, "failed to spawn a thread", error)),
    };
    match looked_up {
        Ok(Ok(addresses)) => Ok(addresses),
        Ok(Err(error)) => Err(failed(deadline, doing, "failed to resolve its name", error)),
        Err(RecvTimeoutError::Timeout) => Err(deadline.error(Timeout::Connect)),
        Err(RecvTimeoutError::Disconnected) => {
            Err(TransportFailure::new("failed to resolve its name").while_connecting(doing))
        }
    }
}

fn begin(address: SocketAddr, registry: &Registry, token: Token) -> io::Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    registry.register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
    Ok(stream)
}

/// Whether the stream is connected; an error if the attempt has failed.
fn outcome(stream: &TcpStream) -> io::Result<bool> {
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    // Platforms report a pending connection with different errors.
    Ok(stream.peer_addr().is_ok())
}

fn unreachable(host: &str, failures: Vec<(SocketAddr, io::Error)>, doing: &str) -> Error {
    let tried: Vec<_> = failures.iter().map(|(address, error)| format!("{address}: {error}")).collect();
    let mut message = match tried.is_empty() {
        true => format!("{host} has no address that can be used"),
        false => format!("none of its addresses accepts a connection ({})", tried.join("; ")),
    };
    if failures.iter().all(|(_, error)| error.kind() == io::ErrorKind::ConnectionRefused) && !tried.is_empty()
    {
        message.push_str("; nobody listens there");
    }
    let failure = TransportFailure::new(message);
    match failures.into_iter().next_back() {
        Some((_, error)) => failure.with_source(error),
        None => failure,
    }
    .while_connecting(doing)
}

/// Connects to a Unix socket. If its listen queue is full, retries until the deadline.
#[cfg(unix)]
pub(super) fn dial_unix(path: &std::path::Path, deadline: Deadline) -> io::Result<ConnectingSocket> {
    let mut stream = loop {
        match mio::net::UnixStream::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && !deadline.has_passed() => {
                thread::sleep(BACKLOG_WAIT);
            }
            outcome => break outcome?,
        }
    };
    let (poll, token) = (Poll::new()?, Token(0));
    poll.registry().register(&mut stream, token, Interest::READABLE | Interest::WRITABLE)?;
    Ok(ConnectingSocket { socket: Socket::Unix(stream), poll, token, until: deadline.at() })
}

#[cfg(all(test, target_os = "linux"))]
#[allow(clippy::unwrap_used, reason = "a panic is how a test fails, in its helpers too")]
mod tests {
    use std::{net::TcpListener, os::fd::OwnedFd};

    use rustix::net::{AddressFamily, SocketType, bind, listen, socket};

    use super::*;

    /// An address that neither accepts nor refuses a connection: its listen queue is full.
    fn black_hole() -> (SocketAddr, OwnedFd, std::net::TcpStream) {
        let listener = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&listener, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        listen(&listener, 0).unwrap();
        let address: SocketAddr = rustix::net::getsockname(&listener).unwrap().try_into().unwrap();
        let only = std::net::TcpStream::connect(address).unwrap();
        (address, listener, only)
    }

    fn within(limit: Duration) -> Deadline {
        Deadline::after(Some(limit))
    }

    #[test]
    fn an_address_that_is_silent_or_refuses_leaves_its_time_to_the_next() {
        let (silent, _listener, _only) = black_hole();
        let refusing = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        let answers = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let addresses = [refusing, silent, silent, refusing, answers.local_addr().unwrap()];
        let socket = race(&addresses, "h", within(Duration::from_secs(60)), "connect").unwrap();
        let Socket::Tcp(stream) = &socket.socket else { panic!("not over TCP") };
        assert_eq!(stream.peer_addr().unwrap(), answers.local_addr().unwrap());
        assert!(stream.nodelay().unwrap());
    }

    #[test]
    fn silent_addresses_are_given_up_at_the_deadline() {
        let (silent, _listener, _only) = black_hole();
        let limit = Duration::from_millis(600);
        let clock = Instant::now();
        let error = race(&[silent, silent], "h", within(limit), "connect").unwrap_err();
        assert!(matches!(error, Error::Timeout { limit: Timeout::Connect, .. }), "{error:?}");
        assert!(clock.elapsed() >= limit);
    }

    #[test]
    fn every_address_that_refused_is_told() {
        let refusing = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
        let error = race(&[refusing, refusing], "h", within(Duration::from_secs(60)), "connect").unwrap_err();
        assert_eq!(error.to_string().matches(&refusing.to_string()).count(), 2, "{error}");
        let error = race(&[], "h", within(Duration::from_secs(60)), "connect").unwrap_err();
        assert!(error.to_string().contains("h has no address"), "{error}");
    }
}
