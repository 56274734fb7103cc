//! The header is what the sources say, and so is the record of the exported functions.

use std::{fs, path::Path};

/// The sources, in the order of the header.
const SOURCES: [&str; 10] = [
    "mod.rs",
    "logging.rs",
    "client.rs",
    "chat.rs",
    "stream.rs",
    "questions.rs",
    "thread.rs",
    "command.rs",
    "account.rs",
    "transcript.rs",
];

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn header() -> String {
    let config = cbindgen::Config::from_file(root().join("tests/capi/cbindgen.toml")).unwrap();
    let sources = root().join("src/capi");
    let builder = SOURCES
        .iter()
        .fold(cbindgen::Builder::new().with_config(config), |builder, name| builder.with_src(sources.join(name)));
    let mut header = Vec::new();
    builder.generate().unwrap().write(&mut header);
    let header = String::from_utf8(header).unwrap();
    // cbindgen leaves the parentheses out.
    let lines = header.lines().map(|line| match line.rsplit_once(" -") {
        Some((name, digits)) if name.starts_with("#define ") => format!("{name} (-{digits})\n"),
        _ => format!("{line}\n"),
    });
    lines.collect()
}

#[test]
fn the_header_is_up_to_date() {
    let path = root().join("src/capi/codex_blocking.h");
    let header = header();
    if std::env::var_os("C_ABI").is_some_and(|mode| mode == "write") {
        fs::write(&path, &header).unwrap();
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(header == committed, "run C_ABI=write cargo test -p capi-tests header");
}
