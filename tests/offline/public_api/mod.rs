//! The record of the public API: what the crate offers is what `public_api.txt` says.
//!
//! Relies on the JSON of rustdoc, whose format changes with the toolchain: with another one than the one
//! known here nothing is checked, and a note says so. Invariant: a change of the API changes the record, so
//! that it is seen in review. To write it anew:
//!
//! ```text
//! PUBLIC_API=write cargo test --test offline public_api
//! ```
//!
//! The record leaves out what lies in `protocol`: that follows the server and has its own tests.

mod render;
mod walk;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// The version of the format that `render` and `walk` read.
const FORMAT: u64 = 57;

/// What rustdoc says of this crate with all features, if this toolchain's rustdoc is one that we read.
fn documented() -> Option<Value> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("public-api");
    // JSON is a nightly feature. The target folder is one of its own, since that rebuilds dependencies.
    let built = Command::new(env!("CARGO"))
        .args(["rustdoc", "--quiet", "--lib", "--all-features", "--target-dir"])
        .arg(&target)
        .args(["--", "-Z", "unstable-options", "--output-format", "json"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env_remove("RUSTDOCFLAGS")
        .output()
        .unwrap();
    if !built.status.success() {
        println!("not checked, rustdoc gives no JSON: {}", String::from_utf8_lossy(&built.stderr));
        return None;
    }
    let json: Value =
        serde_json::from_slice(&fs::read(target.join("doc/codex_blocking.json")).unwrap()).unwrap();
    if json["format_version"] != FORMAT {
        println!("not checked, the JSON of rustdoc has version {}, not {FORMAT}", json["format_version"]);
        return None;
    }
    Some(json)
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(name)
}

#[test]
fn the_public_api_is_as_recorded() {
    let Some(json) = documented() else { return };
    let api = walk::Api::new(&json);
    let record = file("public_api.txt");
    if std::env::var("PUBLIC_API").is_ok_and(|mode| mode == "write") {
        fs::write(&record, api.lines.join("\n") + "\n").unwrap();
    }
    let recorded = fs::read_to_string(&record).unwrap_or_default();
    let (old, new): (BTreeSet<_>, BTreeSet<_>) =
        (recorded.lines().collect(), api.lines.iter().map(String::as_str).collect());
    let changes: Vec<String> = (old.difference(&new).map(|line| format!("-{line}")))
        .chain(new.difference(&old).map(|line| format!("+{line}")))
        .collect();
    assert!(
        changes.is_empty(),
        "the public API has changed; if it should, run `PUBLIC_API=write cargo test --test offline public_api`:\n{}",
        changes.join("\n")
    );

    assert!(api.twice.is_empty(), "these have more than one path: {:?}", api.twice);
    // What else other crates have in ours, their versions would be part of our API.
    let foreign: Vec<_> = api.foreign.iter().filter(|path| !FOREIGN.contains(&path.as_str())).collect();
    assert!(foreign.is_empty(), "types of other crates in the public API: {foreign:?}");
    // The test that no name of the root is one of `protocol` too has to name them all.
    let names = fs::read_to_string(file("offline/api.rs")).unwrap();
    let names: BTreeSet<&str> = names.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
    let missing: Vec<_> = api.root.iter().filter(|name| !names.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "`names` in tests/offline/api.rs leaves out {missing:?}");
}

/// What other crates have in the public API on purpose.
const FOREIGN: &[&str] = &[
    "crossbeam_channel::Receiver",
    // The bound of `chat_json_typed`, with the feature of this name.
    "schemars::JsonSchema",
    "serde::Deserialize",
    "serde::DeserializeOwned",
    "serde::Serialize",
    "serde_json::Value",
];
