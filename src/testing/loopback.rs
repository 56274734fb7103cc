//! Listening on loopback: the thread that accepts connections, and one thread for each connection.
//!
//! Relies on the standard library, crossbeam channels, parking_lot and log. Invariant: whatever a connection's
//! thread waits for on its socket ends when the connection is cut, and no join waits longer than `JOIN_LIMIT`.

use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use crossbeam_channel::{Receiver, bounded};
use parking_lot::Mutex;

/// How long the code of a test may take to return before its thread is left behind.
const JOIN_LIMIT: Duration = Duration::from_secs(5);
/// How long the acceptor waits after a failed `accept` (too many open files).
const ACCEPT_REST: Duration = Duration::from_millis(50);
/// On Windows, how long a thread waits before it tries again to read or write.
const REST: Duration = Duration::from_millis(2);

/// Listens on a free port of 127.0.0.1.
pub(super) struct Acceptor {
    address: SocketAddr,
    must_stop: Arc<AtomicBool>,
    /// Taken by `stop` only.
    thread: Option<JoinHandle<()>>,
}

impl Acceptor {
    /// Starts the thread, which passes each connection to `serve`. `name` is that of the thread.
    pub(super) fn start(
        name: &str,
        mut serve: impl FnMut(TcpStream) -> io::Result<()> + Send + 'static,
    ) -> io::Result<Acceptor> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let must_stop = Arc::new(AtomicBool::new(false));
        let thread = thread::Builder::new().name(name.to_owned()).spawn({
            let must_stop = Arc::clone(&must_stop);
            move || {
                loop {
                    let accepted = listener.accept();
                    if must_stop.load(Ordering::Acquire) {
                        return;
                    }
                    if let Err(error) = accepted.and_then(|(stream, _)| serve(stream)) {
                        log::warn!("a server of the tests lost a connection: {error}");
                        thread::sleep(ACCEPT_REST);
                    }
                }
            }
        })?;
        Ok(Acceptor { address, must_stop, thread: Some(thread) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Ends the thread.
    pub(super) fn stop(&mut self) {
        self.must_stop.store(true, Ordering::Release);
        let Some(thread) = self.thread.take() else { return };
        // This connection wakes it. If that fails, it is left to the next one.
        let is_woken = TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).is_ok();
        if !is_woken && !thread.is_finished() {
            log::error!("the acceptor at {} can't be woken", self.address);
        } else if thread.join().is_err() {
            log::error!("the acceptor at {} panicked", self.address);
        }
    }
}

/// The open connections, each with its thread.
#[derive(Default)]
pub(super) struct Connections(Mutex<Vec<Connection>>);

struct Connection {
    stream: Weak<TcpStream>,
    /// Disconnected at the end of the thread.
    ended: Receiver<()>,
    thread: JoinHandle<()>,
}

impl Connections {
    /// Serves a connection on a thread of its own. It is closed when `serve` returns or panics.
    pub(super) fn serve(
        &self,
        name: &str,
        stream: TcpStream,
        serve: impl FnOnce(&LoopbackStream) + Send + 'static,
    ) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(cfg!(windows))?;
        let (alive, ended) = bounded::<()>(0);
        let tcp = Arc::new(stream);
        let stream = Arc::downgrade(&tcp);
        let mut connections = self.0.lock();
        connections.retain(|connection| !connection.thread.is_finished());
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _alive = alive;
            serve(&LoopbackStream(tcp));
        })?;
        connections.push(Connection { stream, ended, thread });
        Ok(())
    }

    /// Closes the connections and joins their threads, except those whose code doesn't return in time.
    pub(super) fn cut(&self) {
        let connections = std::mem::take(&mut *self.0.lock());
        for stream in connections.iter().filter_map(|connection| connection.stream.upgrade()) {
            // Fails if the client has closed the connection first.
            let _ = stream.shutdown(Shutdown::Both);
        }
        let deadline = Instant::now() + JOIN_LIMIT;
        for Connection { ended, thread, .. } in connections {
            if ended.recv_deadline(deadline).is_err_and(|error| error.is_timeout()) {
                log::error!(
                    "{} does not return; it is left behind",
                    thread.thread().name().unwrap_or_default()
                );
            } else {
                // A panic, which can only be that of a script or handler, has been reported on its thread.
                let _ = thread.join();
            }
        }
    }

    /// Whether no thread serves a connection any more.
    #[cfg(test)]
    pub(super) fn are_over(&self) -> bool {
        self.0.lock().iter().all(|connection| connection.thread.is_finished())
    }
}

/// The server's end of a connection. Clones share it, so that one thread may read and another write.
///
/// A read or write blocks, and a shutdown ends it. On Windows, where it doesn't always, they try again instead, until
/// the client has written or read, or the connection is shut down.
#[derive(Clone)]
pub(super) struct LoopbackStream(Arc<TcpStream>);

impl LoopbackStream {
    /// Ends the response; requests can still be read.
    pub(super) fn finish(&self) -> io::Result<()> {
        self.0.shutdown(Shutdown::Write)
    }
}

impl Read for &LoopbackStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        until_ready(|| (&*self.0).read(buffer))
    }
}

impl Write for &LoopbackStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        until_ready(|| (&*self.0).write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn until_ready(mut transfer: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match transfer() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => thread::sleep(REST),
            transferred => return transferred,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    /// An acceptor whose connections are served like this, and a client of it.
    fn served(
        serve: impl Fn(&LoopbackStream) + Send + Sync + 'static,
    ) -> (Acceptor, Arc<Connections>, TcpStream) {
        let (connections, serve) = (Arc::new(Connections::default()), Arc::new(serve));
        let (told, accepted) = bounded(1);
        let acceptor = Acceptor::start("codex-test", {
            let connections = Arc::clone(&connections);
            move |stream| {
                let serve = Arc::clone(&serve);
                connections.serve("codex-test", stream, move |stream| serve(stream))?;
                told.send(()).map_err(io::Error::other)
            }
        });
        let acceptor = acceptor.unwrap();
        let client = TcpStream::connect(acceptor.address()).unwrap();
        client.set_read_timeout(Some(PATIENCE)).unwrap();
        accepted.recv_timeout(PATIENCE).unwrap();
        (acceptor, connections, client)
    }

    #[test]
    fn a_cut_ends_a_write_that_nobody_reads() {
        let (mut acceptor, connections, mut client) =
            served(|mut stream| while stream.write_all(&[0; 64 * 1024]).is_ok() {});
        client.read_exact(&mut [0]).unwrap();
        acceptor.stop();
        let clock = Instant::now();
        connections.cut();
        assert!(clock.elapsed() < JOIN_LIMIT, "the writer was left behind");
    }

    #[test]
    fn a_cut_ends_a_read_of_what_nobody_writes() {
        let (mut acceptor, connections, mut client) = served(|mut stream| {
            stream.write_all(&[0]).unwrap();
            let _ = stream.read(&mut [0]);
        });
        client.read_exact(&mut [0]).unwrap();
        acceptor.stop();
        let clock = Instant::now();
        connections.cut();
        assert!(clock.elapsed() < JOIN_LIMIT, "the reader was left behind");
    }

    #[test]
    fn a_client_that_reads_late_gets_all() {
        const MANY: usize = 32 * 1024 * 1024;
        let (_acceptor, _connections, mut client) = served(|mut stream| {
            stream.write_all(&vec![7; MANY]).unwrap();
            stream.read_exact(&mut [0]).unwrap();
        });
        let mut received = vec![0; MANY];
        client.read_exact(&mut received).unwrap();
        assert!(received.iter().all(|byte| *byte == 7));
        client.write_all(&[0]).unwrap();
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn a_connection_is_closed_when_its_code_panics() {
        let (_acceptor, _connections, mut client) = served(|_| std::panic::resume_unwind(Box::new(())));
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
    }

    #[test]
    fn code_that_does_not_return_is_left_behind() {
        let (hold, held) = bounded::<()>(0);
        let (mut acceptor, connections, _client) = served(move |_| {
            let _ = held.recv();
        });
        acceptor.stop();
        connections.cut();
        assert!(connections.are_over());
        drop(hold);
    }
}
