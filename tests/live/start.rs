//! A server that the client runs as its child, over stdio: what is told when it does not start.
//!
//! Relies on `support/live.rs`. Invariant: what is told are the server's own words.

use codex_blocking::{Client, Error};

use crate::support::cases::cases;
use crate::support::live::Live;
use crate::support::real::{RealHome, is_old_server};

cases![a_server_that_does_not_start_says_why];

fn a_server_that_does_not_start_says_why() {
    if is_old_server() {
        return; // It starts with this setting.
    }
    let home = RealHome::new();
    let config = home.home().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    let broken = text.replace(r#"approval_policy = "on-request""#, r#"approval_policy = "untrusted""#);
    assert_ne!(text, broken);
    std::fs::write(&config, broken).unwrap();
    let live = Live::with(home, Client::builder());
    let error = live.client.chat_once("hello").unwrap_err();
    let Error::Transport { failure, .. } = &error else { panic!("{error:?}") };
    assert_eq!(failure.exit_status.unwrap().code(), Some(1));
    let reason = failure.stderr_tail.join("\n");
    assert!(reason.contains("untrusted") && reason.contains("no longer supported"), "{reason}");
    assert!(error.to_string().contains("no longer supported"), "{error}");
}
