//! The types of the protocol against the schema they come from and against recorded conversations.
//!
//! Relies on `tests/schema`, `tests/fixtures/transcripts` and the generated table of types.
//! Invariant: what is tested follows from the schema; there is no list of types or methods here.

mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::process::Command;

use codex_blocking::ServerResponse;
use codex_blocking::protocol::{self, ClientRequest, ServerNotification, ServerRequestMessage, decode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::codegen::model::snake;
use crate::codegen::model::{Decl, Field, Kind, Model, Type};
use crate::codegen::schema::{self, Protocol};
use crate::support::memory::{PATIENCE, served};
use crate::support::real::codex_bin;

/// What came of a value that was decoded and encoded again.
pub(crate) struct Checked {
    encoded: Value,
    debug: String,
}

pub(crate) type Check = fn(&str) -> Result<Checked, String>;

/// Decodes text as a type, encodes it again, and does the same with a tree in place of text.
pub(crate) fn check<T: DeserializeOwned + Serialize + Debug + Clone + PartialEq>(
    text: &str,
) -> Result<Checked, String> {
    let value: T = decode(text).map_err(|error| error.to_string())?;
    let tree: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let encoded = serde_json::to_value(value.clone()).map_err(|error| error.to_string())?;
    let again: T = serde_json::from_value(encoded.clone()).map_err(|error| format!("once more: {error}"))?;
    let from_tree: T = serde_json::from_value(tree).map_err(|error| format!("from a tree: {error}"))?;
    let same = |other: &T| serde_json::to_value(other).is_ok_and(|other| other == encoded);
    if !same(&again) || !same(&from_tree) {
        return Err(format!("{value:?} differs from {again:?} or {from_tree:?}"));
    }
    Ok(Checked { encoded, debug: format!("{value:?}") })
}

/// For types that are only written.
pub(crate) fn encode<T: Serialize + Debug>(value: &T) -> Result<Checked, String> {
    let encoded = serde_json::to_value(value).map_err(|error| error.to_string())?;
    Ok(Checked { encoded, debug: format!("{value:?}") })
}

fn kept() -> Protocol {
    Protocol::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schema/protocol.json"))
}

/// How a made value looks.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mode {
    /// Only what is required.
    Required,
    All,
    /// Null wherever it is allowed.
    Nulls,
    /// Words that no enum knows.
    UnknownWords,
    /// Members that no union knows.
    UnknownTags,
    /// Everything, and fields that nobody knows.
    Extras,
}

const MODES: [Mode; 6] =
    [Mode::Required, Mode::All, Mode::Nulls, Mode::UnknownWords, Mode::UnknownTags, Mode::Extras];
const EXTRA: &str = "aFieldOfTomorrow";

struct Maker<'a> {
    model: &'a Model,
    mode: Mode,
}

impl Maker<'_> {
    fn make(&self, ty: &Type, depth: usize) -> Value {
        match ty {
            Type::Scalar("String") => json!("text with \"quotes\" and ünïcode"),
            Type::Scalar("bool") => json!(true),
            Type::Scalar("f64") => json!(1.5),
            Type::Scalar(_) => json!(7),
            Type::Any => json!({"any": [1, "x"]}),
            // Nesting ends where a list may be empty.
            Type::List(inner) if depth < 5 => json!([self.make(inner, depth + 1)]),
            Type::List(_) => json!([]),
            Type::Map(inner) if depth < 5 => json!({"key": self.make(inner, depth + 1)}),
            Type::Map(_) => json!({}),
            Type::Nullable(_) if self.mode == Mode::Nulls => Value::Null,
            Type::Nullable(inner) => self.make(inner, depth),
            Type::Named(name) => match self.model.decls.get(name) {
                Some(decl) => self.make_decl(decl, 0, depth),
                None => json!("an id"),
            },
        }
    }

    /// A value of a type; of a union the given member.
    fn make_decl(&self, decl: &Decl, member: usize, depth: usize) -> Value {
        match &decl.kind {
            Kind::Alias(ty) => self.make(ty, depth),
            Kind::Object(fields) => {
                let mut object = serde_json::Map::new();
                for field in fields {
                    let leave_out = self.mode == Mode::Required || depth >= 5;
                    let value = match (field.required, field.nullable) {
                        (_, true) if self.mode == Mode::Nulls => Value::Null,
                        (false, _) if leave_out => continue,
                        _ => self.make(&field.ty, depth + 1),
                    };
                    object.insert(field.wire.clone(), value);
                }
                if self.mode == Mode::Extras {
                    object.insert(EXTRA.to_owned(), json!({"a": [null]}));
                }
                object.into()
            }
            Kind::Words(_) if self.mode == Mode::UnknownWords => json!("aWordOfTomorrow"),
            Kind::Words(words) => json!(words[member % words.len()].wire),
            Kind::Tagged { tag, .. } if self.mode == Mode::UnknownTags => {
                json!({tag: "ofTomorrow", "x": [1.50]})
            }
            Kind::Tagged { tag, variants, .. } => {
                let variant = &variants[member % variants.len()];
                let payload = variant.payload.as_ref().map_or_else(|| json!({}), |ty| self.make(ty, depth));
                let mut object = json!({tag: variant.wire});
                object.as_object_mut().unwrap().extend(payload.as_object().unwrap().clone());
                object
            }
            Kind::Mixed(_) if self.mode == Mode::UnknownTags => json!({"ofTomorrow": {"x": 1}}),
            Kind::Mixed(_) if self.mode == Mode::UnknownWords => json!("aWordOfTomorrow"),
            Kind::Mixed(variants) => {
                let variant = &variants[member % variants.len()];
                match &variant.payload {
                    Some(ty) => json!({&variant.wire: self.make(ty, depth + 1)}),
                    None => json!(variant.wire),
                }
            }
            Kind::Untagged(_) if self.mode == Mode::UnknownTags => json!(true),
            Kind::Untagged(variants) => {
                self.make(variants[member % variants.len()].payload.as_ref().unwrap(), depth + 1)
            }
        }
    }
}

fn members(decl: &Decl) -> usize {
    match &decl.kind {
        Kind::Alias(_) | Kind::Object(_) => 1,
        Kind::Words(v) | Kind::Tagged { variants: v, .. } | Kind::Mixed(v) | Kind::Untagged(v) => v.len(),
    }
}

/// Without what a type need not keep: nulls and unknown fields.
fn essence(value: &Value) -> Value {
    match value {
        Value::Object(object) => object
            .iter()
            .filter(|(key, value)| *key != EXTRA && !value.is_null())
            .map(|(key, value)| (key.clone(), essence(value)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(list) => list.iter().map(essence).collect(),
        other => other.clone(),
    }
}

#[test]
fn every_type_of_the_schema_survives_decoding_and_encoding() {
    let protocol = kept();
    let model = Model::new(&protocol);
    let table: BTreeMap<&str, Check> = table::TYPES.iter().copied().collect();
    let mut checked = 0;
    for decl in model.decls.values() {
        let check = table[decl.name.as_str()];
        for mode in MODES {
            for member in 0..members(decl) {
                let maker = Maker { model: &model, mode };
                let value = maker.make_decl(decl, member, 0);
                let result = check(&value.to_string())
                    .unwrap_or_else(|error| panic!("{} {mode:?} {member}: {error}\n{value}", decl.name));
                assert_eq!(essence(&result.encoded), essence(&value), "{} {mode:?} {member}", decl.name);
                let kept_raw = result.debug.contains("Unknown {");
                let known = matches!(mode, Mode::Required | Mode::All | Mode::Nulls | Mode::Extras);
                assert!(!(known && kept_raw), "{} {mode:?} {member}: {}\n{value}", decl.name, result.debug);
                checked += 1;
            }
        }
    }
    assert!(checked > 1000, "only {checked}");
}

#[test]
fn a_client_tells_null_from_absence() {
    let protocol = kept();
    let model = Model::new(&protocol);
    let table: BTreeMap<&str, Check> = table::TYPES.iter().copied().collect();
    for decl in model.decls.values().filter(|decl| decl.sent && !decl.received) {
        let Kind::Object(fields) = &decl.kind else {
            continue;
        };
        for mode in [Mode::Required, Mode::Nulls] {
            let value = Maker { model: &model, mode }.make_decl(decl, 0, 0);
            let encoded =
                table[decl.name.as_str()](&value.to_string()).map(|checked| checked.encoded).unwrap();
            for field in fields.iter().filter(|field| field.nullable) {
                let there = encoded.get(&field.wire);
                match mode {
                    Mode::Nulls => {
                        assert_eq!(there, Some(&Value::Null), "{}.{}", decl.name, field.wire)
                    }
                    _ if field.required => assert!(there.is_some(), "{}.{}", decl.name, field.wire),
                    _ => assert_eq!(there, None, "{}.{}", decl.name, field.wire),
                }
            }
        }
    }
}

/// A value that the field can't hold.
fn broken(model: &Model, field: &Field) -> Option<Value> {
    match &field.ty {
        Type::Scalar("String") => Some(json!({"not": "a string"})),
        Type::Scalar("bool") => Some(json!([1])),
        Type::Scalar(_) => Some(json!("not a number")),
        Type::List(_) | Type::Map(_) => Some(json!("neither list nor map")),
        Type::Named(name) => match &model.decls.get(name)?.kind {
            Kind::Words(_) => Some(json!(5)),
            Kind::Object(fields) if fields.iter().any(|field| field.required && !field.nullable) => {
                Some(json!({}))
            }
            Kind::Object(_) => Some(json!("no object")),
            _ => None,
        },
        Type::Any | Type::Nullable(_) => None,
    }
}

#[test]
fn what_is_required_is_required_and_what_is_optional_may_be_broken() {
    let protocol = kept();
    let model = Model::new(&protocol);
    let table: BTreeMap<&str, Check> = table::TYPES.iter().copied().collect();
    for decl in model.decls.values() {
        let Kind::Object(fields) = &decl.kind else {
            continue;
        };
        let check = table[decl.name.as_str()];
        let whole = Maker { model: &model, mode: Mode::All }.make_decl(decl, 0, 0);
        let setting = decl.sent && !decl.received;
        for field in fields {
            let place = format!("{}.{}", decl.name, field.wire);
            let mut value = whole.clone();
            if field.required && !field.nullable {
                value.as_object_mut().unwrap().remove(&field.wire);
                let error =
                    check(&value.to_string()).err().unwrap_or_else(|| panic!("{place} may be missing"));
                assert!(error.contains(&format!("`{}`", field.wire)), "{place}: {error}");
            }
            let Some(broken) = broken(&model, field) else {
                continue;
            };
            value[&field.wire] = broken;
            let result = check(&value.to_string());
            if (field.required && !field.nullable) || (setting && field.nullable && !field.required) {
                let error = result.err().unwrap_or_else(|| panic!("{place} may be anything"));
                assert!(error.starts_with(&field.wire), "{place}: {error}");
            } else {
                let encoded = result.unwrap_or_else(|error| panic!("{place}: {error}")).encoded;
                assert!(encoded.get(&field.wire).is_none_or(Value::is_null), "{place}: {encoded}");
            }
        }
    }
}

/// The schemas that the real server gives out, as the generator imports them.
fn schemas_of_the_real_server() -> PathBuf {
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("schemas-of-the-real-server");
    let run = |arguments: &[&str]| {
        let output = Command::new(codex_bin()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        output.stdout
    };
    for (kind, flag) in [("stable", None), ("experimental", Some("--experimental"))] {
        let out = dir.join(kind);
        std::fs::create_dir_all(&out).unwrap();
        let out = out.to_str().unwrap();
        let mut arguments = vec!["app-server", "generate-json-schema", "--out", out];
        arguments.extend(flag);
        run(&arguments);
    }
    std::fs::write(dir.join("VERSION"), run(&["--version"])).unwrap();
    dir
}

/// Of the version in CODEX_SCHEMA_DIR, or of the server that the live tests run.
#[test]
#[ignore = "needs npm once"]
fn what_another_version_sends_decodes() {
    let given = std::env::var_os("CODEX_SCHEMA_DIR").map(PathBuf::from);
    let protocol = Protocol::import(&given.unwrap_or_else(schemas_of_the_real_server));
    let model = Model::new(&protocol);
    let table: BTreeMap<&str, Check> = table::TYPES.iter().copied().collect();
    let mut failures = Vec::new();
    for decl in model.decls.values().filter(|decl| decl.received) {
        let Some(check) = table.get(decl.name.as_str()) else { continue };
        for mode in [Mode::Required, Mode::All, Mode::Nulls] {
            for member in 0..members(decl) {
                let value = Maker { model: &model, mode }.make_decl(decl, member, 0).to_string();
                if let Err(error) = check(&value) {
                    failures.push(format!("{} {mode:?}: {error}", decl.name));
                }
            }
        }
    }
    assert!(failures.is_empty(), "{}\n{} in all", failures.join("\n"), failures.len());
}

#[test]
fn every_method_of_the_schema_has_its_types() {
    let protocol = kept();
    let names =
        |list: &[schema::Method]| list.iter().map(|method| method.name.clone()).collect::<BTreeSet<_>>();
    let owned = |list: &[&str]| list.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(owned(ServerNotification::METHODS), names(&protocol.notifications));
    assert_eq!(owned(ServerRequestMessage::METHODS), names(&protocol.server_requests));
    let requests = [protocol::REQUESTS, protocol::EXPERIMENTAL_REQUESTS].concat();
    let schema: BTreeSet<_> = protocol.requests.iter().collect_names();
    let have: BTreeSet<_> = requests
        .iter()
        .map(|info| (info.method.to_owned(), info.response.to_owned(), info.experimental))
        .collect();
    assert_eq!(have, schema);
    assert_eq!(table::REQUESTS.len(), requests.len());
    // The numbers that the pinned version is known to have.
    if protocol.codex == "0.169.0" {
        assert_eq!(protocol.notifications.len(), 86);
        assert_eq!(protocol.server_requests.len(), 11);
        assert_eq!(protocol.requests.len(), 184);
    }
    assert_eq!(protocol::CODEX_VERSION, protocol.codex);
}

trait CollectNames {
    fn collect_names(self) -> BTreeSet<(String, String, bool)>;
}

impl<'a, I: Iterator<Item = &'a schema::Method>> CollectNames for I {
    fn collect_names(self) -> BTreeSet<(String, String, bool)> {
        self.map(|method| (method.name.clone(), method.response.clone().unwrap(), method.experimental))
            .collect()
    }
}

#[test]
fn every_notification_and_server_request_decodes_into_its_variant() {
    let protocol = kept();
    let model = Model::new(&protocol);
    for mode in [Mode::Required, Mode::All, Mode::Extras] {
        let maker = Maker { model: &model, mode };
        for method in &protocol.notifications {
            let params = maker.make(&Type::Named(method.params.clone().unwrap()), 0).to_string();
            let message = ServerNotification::decode(&method.name, &params).unwrap();
            assert_eq!(message.method(), method.name);
            assert!(!matches!(message, ServerNotification::Unknown { .. }), "{}", method.name);
        }
        for method in &protocol.server_requests {
            let params = maker.make(&Type::Named(method.params.clone().unwrap()), 0).to_string();
            let message = ServerRequestMessage::decode(&method.name, &params).unwrap();
            assert_eq!(message.method(), method.name);
            assert!(!matches!(message, ServerRequestMessage::Unknown { .. }), "{}", method.name);
        }
    }
}

/// Whether a view contains this member of a request, under its name on the wire or in Rust.
fn shows(view: &Value, name: &str, member: &Value) -> bool {
    let is_it = |key: &str| key == name || key == snake(name) || key == format!("command_{name}");
    match view {
        Value::Object(members) => {
            members.iter().any(|(key, shown)| is_it(key) && shown == member || shows(shown, name, member))
        }
        Value::Array(list) => list.iter().any(|shown| shows(shown, name, member)),
        _ => false,
    }
}

#[test]
fn nothing_that_a_server_request_says_is_lost_in_its_view() {
    let protocol = kept();
    let model = Model::new(&protocol);
    let maker = Maker { model: &model, mode: Mode::All };
    let mut requests: Vec<(String, Value)> = protocol
        .server_requests
        .iter()
        .map(|method| {
            let params = maker.make(&Type::Named(method.params.clone().unwrap()), 0);
            (method.name.clone(), params)
        })
        .collect();
    assert!(requests.len() >= 11);
    // The approval of a tool is an elicitation with these marks. Its mode is that of a form, like theirs all.
    let meta = json!({
        "codex_approval_kind": "mcp_tool_call", "persist": ["session"], "tool_name": "ask",
        "tool_description": "asks", "tool_params": { "a": 1 }, "tool_params_display": [2],
    });
    let mut approval = json!({
        "threadId": "t", "turnId": "u", "serverName": "tiny", "message": "may I?",
        "requestedSchema": { "type": "object", "properties": {} },
    });
    approval.as_object_mut().unwrap().extend(meta.as_object().unwrap().clone());
    let mut params = approval.clone();
    params["_meta"] = meta;
    params["mode"] = json!("form");
    requests.push(("mcpServer/elicitation/request".to_owned(), approval));

    let (client, mut server) = served();
    let mut stream = client.server_requests();
    let last = requests.len() - 1;
    for (number, (method, said)) in requests.iter().enumerate() {
        server.ask(7, method, if number == last { &params } else { said });
        let request = stream.next_timeout(PATIENCE).unwrap();
        // Some wait for an answer by hand.
        let _ = client.respond_server_request(&request, ServerResponse::pass());
        server.recv();
        let view = serde_json::to_value(&request).unwrap();
        assert_eq!(view["request_id"], 7);
        for (name, member) in said.as_object().unwrap() {
            assert!(shows(&view, name, member), "{method}: {name} is lost in {view}");
        }
    }
}

#[test]
fn an_unknown_notification_keeps_its_parameters() {
    let message = ServerNotification::decode("of/tomorrow", r#"{"a": 1.50}"#).unwrap();
    assert_eq!(message.method(), "of/tomorrow");
    let ServerNotification::Unknown { method, params, .. } = message else { panic!("{message:?}") };
    assert_eq!((method.as_str(), params.raw()), ("of/tomorrow", r#"{"a": 1.50}"#));
}

#[test]
fn parameters_that_do_not_exist_are_sent_as_null() {
    assert_eq!(serde_json::to_string(&protocol::AccountLogoutParams::new()).unwrap(), "null");
    assert_eq!(protocol::AccountLogoutParams::METHOD, "account/logout");
}

/// All messages of a recording, with who wrote them and on which connection.
fn messages(path: &Path) -> Vec<(bool, String, Value)> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .filter(|line| line["msg"].is_object())
        .map(|line| (line["dir"] == "out", line["conn"].to_string(), line["msg"].clone()))
        .collect()
}

#[test]
fn every_recorded_message_decodes_with_nothing_unknown() {
    let requests: BTreeMap<&str, (Check, Check)> =
        table::REQUESTS.iter().map(|(m, p, r)| (*m, (*p, *r))).collect();
    let answers: BTreeMap<&str, Check> = table::ANSWERS.iter().copied().collect();
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/transcripts");
    let (mut files, mut decoded) = (0, BTreeMap::<&str, usize>::new());
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        files += 1;
        // Who asked what, by direction, connection and id.
        let mut asked: BTreeMap<(bool, String, String), String> = BTreeMap::new();
        for (out, conn, message) in messages(&path) {
            let place = format!("{}: {message}", path.display());
            let id = message.get("id").map(Value::to_string);
            let params = message.get("params").map_or_else(|| "null".to_owned(), Value::to_string);
            let debug = match (message["method"].as_str(), id) {
                (Some(method), None) if !out => {
                    *decoded.entry("notification").or_default() += 1;
                    let read = ServerNotification::decode(method, &params);
                    format!("{:?}", read.unwrap_or_else(|error| panic!("{error}\n{place}")))
                }
                (Some(method), Some(id)) if !out => {
                    *decoded.entry("server request").or_default() += 1;
                    asked.insert((out, conn, id), method.to_owned());
                    let read = ServerRequestMessage::decode(method, &params);
                    format!("{:?}", read.unwrap_or_else(|error| panic!("{error}\n{place}")))
                }
                (Some(method), Some(id)) => {
                    asked.insert((out, conn, id), method.to_owned());
                    // Some recordings ask for what does not exist or send nonsense on purpose.
                    let Some((check, _)) = requests.get(method) else {
                        continue;
                    };
                    match check(&params) {
                        Ok(checked) => checked.debug,
                        Err(_) => continue,
                    }
                }
                (None, Some(id)) if message.get("result").is_some() => {
                    let Some(method) = asked.get(&(!out, conn, id)) else {
                        continue;
                    };
                    let check = if out { answers[method.as_str()] } else { requests[method.as_str()].1 };
                    *decoded.entry("reply").or_default() += 1;
                    let checked = check(&message["result"].to_string());
                    checked.unwrap_or_else(|error| panic!("{method}: {error}\n{place}")).debug
                }
                _ => continue,
            };
            assert!(!debug.contains("Unknown {") && !debug.contains("Other(\""), "{debug}\n{place}");
        }
    }
    assert_eq!(files, 42);
    assert!(
        decoded["notification"] > 500 && decoded["reply"] > 150 && decoded["server request"] > 10,
        "{decoded:?}"
    );
}
