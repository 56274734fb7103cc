//! A server that the client runs as its child, over stdio: which program that is, and what is told when it does not
//! start.
//!
//! Relies on `support/live.rs`. Invariant: what is told are the server's own words.

use codex_blocking::{Client, Error, Stdio};

use crate::support::cases::cases;
use crate::support::live::Live;
use crate::support::real::{RealHome, codex_bin, is_old_server};

cases![a_server_that_does_not_start_says_why, codex_from_npm_runs_without_node];

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

/// npm's script for Codex is on `PATH`, but Node, which would run it, is not.
fn codex_from_npm_runs_without_node() {
    let binary = codex_bin();
    let modules = binary.ancestors().filter(|directory| directory.ends_with("node_modules")).last();
    let (Some(modules), false) = (modules, is_old_server()) else {
        return; // `CODEX_BIN` is not npm's, or the package has another layout.
    };
    let home = RealHome::new();
    let stdio =
        Stdio::command(["codex", "app-server"]).cwd(home.workspace()).env("PATH", modules.join(".bin"));
    let stdio = home.envs().into_iter().fold(stdio, |stdio, (name, value)| stdio.env(name, value));
    let client = Client::connect(stdio).unwrap();
    assert_eq!(client.chat_once("hello").unwrap().final_text, "echo: hello");
    client.close().unwrap();
}
