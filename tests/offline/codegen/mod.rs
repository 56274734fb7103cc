//! The generator of `src/protocol/generated`, as a test: checks that the types are what the kept
//! schema gives, and rewrites them on demand.
//!
//! Relies on `tests/schema/protocol.json`, the structure of the pinned server's schemas. Invariant:
//! without `CODEGEN` it writes nothing. Modes, each `CODEGEN=<mode> cargo test --test offline codegen`:
//!
//! - `write`: rewrites the types. Should a bad schema make them fail to compile, this test can't be
//!   built either: `git checkout src/protocol/generated` and try again.
//! - `import`: takes the schemas of another version from `CODEX_SCHEMA_DIR` (made as told in
//!   `src/protocol/mod.rs`), without their prose. Then `write`.
//! - `drift`: tells (with `-- --nocapture`) how the schemas in `CODEX_SCHEMA_DIR` differ.

mod docs;
mod drift;
mod emit;
pub(crate) mod model;
pub(crate) mod schema;

use std::path::{Path, PathBuf};

use self::model::Model;
use self::schema::Protocol;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn kept() -> PathBuf {
    root().join("tests/schema/protocol.json")
}

fn given() -> Protocol {
    let dir =
        std::env::var_os("CODEX_SCHEMA_DIR").expect("CODEX_SCHEMA_DIR names the directory with the schemas");
    Protocol::import(Path::new(&dir))
}

#[test]
fn the_generated_types_are_what_the_schema_gives() {
    let mode = std::env::var("CODEGEN").unwrap_or_default();
    match mode.as_str() {
        "import" => {
            let given = given();
            std::fs::write(kept(), given.print()).unwrap();
            std::fs::write(kept().with_file_name("VERSION"), format!("{}\n", given.codex)).unwrap();
        }
        "drift" => print!("{}", drift::report(&Protocol::load(&kept()), &given())),
        "write" | "" => {
            let protocol = Protocol::load(&kept());
            let mut stale = Vec::new();
            let files = emit::files(&protocol, &Model::new(&protocol));
            for (path, text) in &files {
                let path = root().join(path);
                if std::fs::read_to_string(&path).is_ok_and(|old| old == *text) {
                    continue;
                }
                if mode == "write" {
                    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
                    std::fs::write(&path, text).unwrap();
                } else {
                    stale.push(path);
                }
            }
            for entry in std::fs::read_dir(root().join("src/protocol/generated")).unwrap() {
                let path = entry.unwrap().path();
                let known = files.keys().any(|known| root().join(known) == path);
                if !known && mode == "write" {
                    std::fs::remove_file(path).unwrap();
                } else if !known {
                    stale.push(path);
                }
            }
            assert!(
                stale.is_empty(),
                "run `CODEGEN=write cargo test --test offline codegen`; not up to date: {stale:#?}"
            );
        }
        other => panic!("CODEGEN is {other:?}: none of write, import, drift"),
    }
}

#[test]
fn the_kept_schema_is_printed_as_it_is_kept() {
    let text = std::fs::read_to_string(kept()).unwrap();
    let protocol = Protocol::load(&kept());
    assert_eq!(protocol.print(), text);
    let version = std::fs::read_to_string(kept().with_file_name("VERSION")).unwrap();
    assert_eq!(version.trim(), protocol.codex);
}

#[test]
fn the_kept_schema_has_no_prose() {
    let text = std::fs::read_to_string(kept()).unwrap();
    for line in text.lines() {
        // Facts are names and words: none has a blank inside of quotes.
        let inside = line.split('"').skip(1).step_by(2);
        for word in inside {
            assert!(!word.contains(' '), "{line}");
        }
    }
}

#[test]
fn every_hand_kept_sentence_belongs_to_something() {
    let protocol = Protocol::load(&kept());
    let model = Model::new(&protocol);
    for (name, _) in docs::TYPES {
        assert!(model.decls.contains_key(*name), "no type {name}");
    }
    for name in model::ALWAYS {
        assert!(protocol.requests.iter().any(|method| method.name == *name), "no request {name}");
    }
    let fields = docs::FIELDS.iter().map(|(key, _)| key);
    for key in fields.chain(model::LATER) {
        let (owner, field) = key.split_once('.').unwrap();
        use model::Kind;
        let is_known = match &model.decls[owner].kind {
            Kind::Object(fields) => fields.iter().any(|known| known.wire == field),
            Kind::Words(variants) | Kind::Tagged { variants, .. } | Kind::Mixed(variants) => {
                variants.iter().any(|known| known.wire == field)
            }
            Kind::Alias(_) | Kind::Untagged(_) => false,
        };
        assert!(is_known, "no field or word {key}");
    }
}

#[test]
fn a_schema_does_not_drift_from_itself() {
    let protocol = Protocol::load(&kept());
    assert!(drift::report(&protocol, &protocol).contains("no difference"));
}

#[test]
fn drift_names_what_appeared_vanished_and_changed() {
    let old = Protocol::load(&kept());
    let mut new = old.clone();
    new.codex = "99.0.0".to_owned();
    new.requests.retain(|method| method.name != "turn/steer");
    new.requests[0].experimental = true;
    new.notifications[0].name = "brand/new".to_owned();
    new.types.get_mut("Turn").unwrap()["properties"]["mood"] = serde_json::json!({"type": "string"});
    let fields = new.types.get_mut("Thread").unwrap()["properties"].as_object_mut().unwrap();
    fields.remove("cwd");
    let report = drift::report(&old, &new);
    for line in [
        "- request turn/steer",
        "+ notification brand/new",
        "+ Turn.mood",
        "- Thread.cwd",
        "~ request initialize",
    ] {
        assert!(report.contains(line), "{line} is not in:\n{report}");
    }
}
