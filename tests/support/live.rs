//! A client of the real app-server, with a stub as the server's model, for tests.
//!
//! Relies on `real.rs` and `daemon.rs`. Invariant: the client goes before its server, and both before the home
//! that the server works in.

use std::cell::Cell;

use codex_blocking::testing::{ModelReply, ModelRequest, ModelStub};
use codex_blocking::{Client, ClientBuilder, Stdio};
use crossbeam_channel::{Sender, unbounded};

use super::daemon::Daemon;
use super::real::{RealHome, is_before};
use super::{PATIENCE, await_that};

/// How clients reach their servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// Each client has a server of its own as its child.
    Stdio,
    /// With a token, where the server knows of tokens.
    WebSocket,
    #[cfg(unix)]
    UnixSocket,
}

thread_local! {
    /// What the test on this thread uses.
    static VIA: Cell<Via> = const { Cell::new(Via::Stdio) };
}

impl Via {
    /// Those that the server offers.
    pub(crate) fn all() -> Vec<Via> {
        vec![
            Via::Stdio,
            Via::WebSocket,
            #[cfg(unix)]
            Via::UnixSocket,
        ]
        .into_iter()
        .filter(|via| matches!(via, Via::Stdio | Via::WebSocket) || !is_before(128))
        .collect()
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Via::Stdio => "stdio",
            Via::WebSocket => "ws",
            #[cfg(unix)]
            Via::UnixSocket => "unix",
        }
    }

    /// From now on the test on this thread uses this one.
    pub(crate) fn choose(self) {
        VIA.set(self);
    }

    pub(crate) fn chosen() -> Via {
        VIA.get()
    }
}

/// A client and its server. Chats in it are to be declared after it, so that they go first.
pub(crate) struct Live {
    pub(crate) client: Client,
    /// None over stdio, where the client has the server.
    pub(crate) daemon: Option<Daemon>,
    pub(crate) home: RealHome,
}

impl Live {
    /// With the stub's own script.
    pub(crate) fn new() -> Live {
        Live::with(RealHome::new(), Client::builder())
    }

    pub(crate) fn with(home: RealHome, builder: ClientBuilder) -> Live {
        let (client, daemon) = serve(&home, builder);
        Live { client, daemon, home }
    }

    pub(crate) fn with_script(script: impl Fn(&ModelRequest) -> ModelReply + Send + Sync + 'static) -> Live {
        Live::with(RealHome::with_model(ModelStub::start_with(script).unwrap()), Client::builder())
    }

    /// A model that answers `late` to everything, each time after the sender has been told to; when the sender
    /// is dropped it answers at once.
    ///
    /// Take them as `let (live, release) = …`: the second is dropped first, so that no test that fails waits
    /// for a script that waits for the test.
    pub(crate) fn held() -> (Live, Sender<()>) {
        let (release, released) = unbounded();
        let live = Live::with_script(move |_| {
            let _ = released.recv();
            ModelReply::new().text("late")
        });
        (live, release)
    }

    /// Ends the server, and puts another one with a new client in its place: nothing is loaded there.
    pub(crate) fn restart(&mut self) {
        self.client.close().unwrap();
        self.daemon = None;
        (self.client, self.daemon) = serve(&self.home, Client::builder());
    }

    /// One more client of the same server, which listens on a socket.
    pub(crate) fn another_client(&self, builder: ClientBuilder) -> Client {
        self.daemon.as_ref().expect("over stdio a server has one client").connect(builder)
    }

    /// Nothing is running, and nothing is kept, once the threads of chats are unloaded.
    #[track_caller]
    pub(crate) fn comes_to_rest(&self) {
        await_that("the client is at rest", || {
            let stats = self.client.stats();
            (stats.running_turns, stats.pending_requests, stats.kept_bytes) == (0, 0, 0)
        });
    }

    pub(crate) fn model(&self) -> &ModelStub {
        self.home.model()
    }

    /// Waits until the model was asked so often in all.
    pub(crate) fn wait_for_model(&self, count: u64) {
        assert!(self.model().wait_for_requests(count, PATIENCE), "the model was not asked {count} times");
    }
}

fn serve(home: &RealHome, builder: ClientBuilder) -> (Client, Option<Daemon>) {
    let daemon = match Via::chosen() {
        Via::Stdio => return (builder.connect(stdio(home, home.command())).unwrap(), None),
        Via::WebSocket if is_before(128) => Daemon::on_websocket(home, &[]),
        Via::WebSocket => Daemon::with_token(home),
        #[cfg(unix)]
        Via::UnixSocket => Daemon::on_unix_socket(home, home.home().join("socket")),
    };
    (daemon.connect(builder), Some(daemon))
}

/// How the server is run: in the home's own environment and workspace.
pub(crate) fn stdio(home: &RealHome, command: Vec<String>) -> Stdio {
    let stdio = Stdio::command(command).cwd(home.workspace());
    home.envs().into_iter().fold(stdio, |stdio, (name, value)| stdio.env(name, value))
}
