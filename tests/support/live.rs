//! A client of the real app-server, with a stub as the server's model, for tests.
//!
//! Relies on `real.rs`. Invariant: the client goes before the home that its server works in.

#![allow(dead_code, reason = "each test program that includes this file uses a part of it")]

#[path = "real.rs"]
pub(crate) mod real;

use std::time::Duration;

use codex_blocking::testing::{ModelReply, ModelRequest, ModelStub};
use codex_blocking::{Client, ClientBuilder, Stdio};
use crossbeam_channel::{Sender, unbounded};

use self::real::RealHome;

/// Generous: a cold start on a busy machine takes seconds.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A client and its server. Chats in it are to be declared after it, so that they go first.
pub(crate) struct Live {
    pub(crate) client: Client,
    pub(crate) home: RealHome,
}

impl Live {
    /// With the stub's own script.
    pub(crate) fn new() -> Live {
        Live::with(RealHome::new(), Client::builder())
    }

    pub(crate) fn with(home: RealHome, builder: ClientBuilder) -> Live {
        let client = builder.connect(stdio(&home, home.command())).unwrap();
        Live { client, home }
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

    pub(crate) fn model(&self) -> &ModelStub {
        self.home.model()
    }

    /// Waits until the model was asked so often in all.
    pub(crate) fn wait_for_model(&self, count: u64) {
        assert!(self.model().wait_for_requests(count, PATIENCE), "the model was not asked {count} times");
    }
}

/// How the server is run: in the home's own environment and workspace.
pub(crate) fn stdio(home: &RealHome, command: Vec<String>) -> Stdio {
    let stdio = Stdio::command(command).cwd(home.workspace());
    home.envs().into_iter().fold(stdio, |stdio, (name, value)| stdio.env(name, value))
}
