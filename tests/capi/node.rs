//! The example for Node, with the package that it calls C with.

use std::{fs, process::Command};

use crate::library::{checked, folder, library, root};

#[test]
#[ignore = "needs a package, which npm fetches once"]
fn the_example_for_node_prints_the_answer() {
    let library = library().join("libcodex_blocking.so");
    if !library.exists() {
        eprintln!("NOT TESTED: the shared library has another name on this system");
        return;
    }
    let home = folder().join("node");
    fs::create_dir_all(&home).unwrap();
    for name in ["chat.mjs", "package.json"] {
        fs::copy(root().join("examples/node").join(name), home.join(name)).unwrap();
    }
    let installed =
        Command::new("npm").args(["install", "--no-audit", "--no-fund"]).current_dir(&home).output();
    if !installed.is_ok_and(|output| output.status.success()) {
        eprintln!("NOT TESTED: there is no Node on this machine, or npm can't reach koffi");
        return;
    }
    let mut node = Command::new("node");
    node.args(["chat.mjs", r#"{"transport": "scripted"}"#, "hello"]).current_dir(&home);
    node.env("CODEX_BLOCKING_LIBRARY", &library);
    assert_eq!(String::from_utf8(checked(&mut node).stdout).unwrap(), "echo: hello\n");
    let failed = node.args(["-"]).env("CODEX_BLOCKING_LIBRARY", "/no/such/library").output().unwrap();
    assert_eq!(failed.status.code(), Some(1));
}
