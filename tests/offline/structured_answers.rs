//! Schemas that are derived from types: what reaches the server, and what is rejected before.

#![allow(dead_code, reason = "most fields are only part of a schema")]

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use codex_blocking::{
    ChatRequest, Error, JsonAnswer, Result, ThreadConfig, TurnOverrides,
    testing::{ScriptedServer, TurnScript},
};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

fn server(answer: &str) -> ScriptedServer {
    let answer = answer.to_owned();
    ScriptedServer::new().on_turn(move |_| TurnScript::new().message(&answer))
}

fn outcome<T: DeserializeOwned + JsonSchema>(server: &ScriptedServer) -> Result<JsonAnswer<T>> {
    server.client()?.chat_json_typed("go")
}

/// The schema that the server was sent.
fn schema_of<T: DeserializeOwned + JsonSchema>() -> Value {
    let server = server("{}");
    match outcome::<T>(&server) {
        Ok(_) | Err(Error::Decode { .. }) => {}
        Err(error) => panic!("{error}"),
    }
    let received = server.received();
    received.iter().find(|message| message["method"] == "turn/start").unwrap()["params"]["outputSchema"]
        .clone()
}

/// That nothing is sent, and that the error names the part.
#[track_caller]
fn refused<T: DeserializeOwned + JsonSchema>(part: &str) {
    let server = server("{}");
    let Err(error) = outcome::<T>(&server) else { panic!("accepted: {}", schema_of::<T>()) };
    assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
    assert!(error.to_string().contains(&format!("`{part}`")), "{error}");
    assert!(server.received().iter().all(|message| message["method"] != "turn/start"));
}

fn object(properties: Value) -> Value {
    let required: Vec<_> = properties.as_object().unwrap().keys().cloned().collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// Goes through all schemas that a schema consists of.
fn check_strict(schema: &Value) {
    let Value::Object(keywords) = schema else { panic!("{schema}") };
    assert!(!keywords.contains_key("$ref") || keywords.len() == 1, "{schema}");
    if keywords.contains_key("properties") {
        assert_eq!(schema["additionalProperties"], false, "{schema}");
        let names: BTreeSet<_> = schema["properties"].as_object().unwrap().keys().collect();
        let required: BTreeSet<_> = serde_json::from_value(schema["required"].clone()).unwrap();
        assert_eq!(names, required.iter().collect::<BTreeSet<&String>>(), "{schema}");
    }
    for (keyword, value) in keywords {
        match keyword.as_str() {
            "properties" | "$defs" => value.as_object().unwrap().values().for_each(check_strict),
            "anyOf" => value.as_array().unwrap().iter().for_each(check_strict),
            "items" => check_strict(value),
            "$ref"
            | "type"
            | "enum"
            | "const"
            | "description"
            | "required"
            | "additionalProperties"
            | "format"
            | "pattern"
            | "minimum"
            | "maximum"
            | "minItems"
            | "maxItems" => {}
            keyword => panic!("{keyword} in {schema}"),
        }
    }
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct Report {
    /// What it is about.
    short_title: String,
    #[serde(default)]
    findings: Vec<Finding>,
    worst: Option<Finding>,
    score: Option<f64>,
    initial: char,
    three: [u8; 3],
    names: BTreeSet<String>,
    /// The one who wrote it.
    author: Author,
    other: Author,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Finding {
    severity: Severity,
    place: Place,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
enum Severity {
    Low,
    High,
}

/// Where.
#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
enum Place {
    /// Nobody knows.
    Nowhere,
    File(String),
    Line {
        file: String,
        line: u32,
    },
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
struct Author {
    name: String,
}

#[test]
fn a_nested_type_has_all_its_fields_required_and_no_others() {
    let schema = schema_of::<Report>();
    check_strict(&schema);
    let line = json!({ "type": "integer", "minimum": 0 });
    let place = json!({
        "description": "Where.",
        "anyOf": [
            { "description": "Nobody knows.", "type": "string", "const": "Nowhere" },
            object(json!({ "File": { "type": "string" } })),
            object(json!({ "Line": object(json!({ "file": { "type": "string" }, "line": line })) })),
        ],
    });
    let mut author = object(json!({ "name": { "type": "string" } }));
    let mut expected = object(json!({
        "shortTitle": { "description": "What it is about.", "type": "string" },
        "findings": { "type": "array", "items": { "$ref": "#/$defs/Finding" } },
        "worst": { "anyOf": [{ "$ref": "#/$defs/Finding" }, { "type": "null" }] },
        "score": { "type": ["number", "null"] },
        "initial": { "type": "string" },
        "three": {
            "type": "array", "items": { "type": "integer", "minimum": 0, "maximum": 255 },
            "minItems": 3, "maxItems": 3,
        },
        "names": { "type": "array", "items": { "type": "string" } },
        "author": {},
        "other": { "$ref": "#/$defs/Author" },
    }));
    expected["$defs"] = json!({
        "Author": author,
        "Finding": object(json!({
            "severity": { "$ref": "#/$defs/Severity" }, "place": { "$ref": "#/$defs/Place" },
        })),
        "Severity": { "type": "string", "enum": ["Low", "High"] },
        "Place": place,
    });
    author["description"] = json!("The one who wrote it.");
    expected["properties"]["author"] = author;
    assert_eq!(schema, expected);
}

#[test]
fn an_answer_becomes_the_type_and_comes_with_its_result() {
    let text = r#"{"shortTitle":"t","findings":[{"severity":"High","place":{"Line":{"file":"f","line":3}}}],
        "worst":null,"score":0.5,"initial":"x","three":[1,2,3],"names":["a","a"],"author":{"name":"A"},
        "other":{"name":"B"}}"#;
    let answer = outcome::<Report>(&server(text)).unwrap();
    let place = Place::Line { file: "f".to_owned(), line: 3 };
    assert_eq!(answer.value.findings, [Finding { severity: Severity::High, place }]);
    assert_eq!((answer.value.worst, answer.value.names.len()), (None, 1));
    assert_eq!((answer.result.final_text.as_str(), answer.result.steps.len()), (text, 2));
    let error = outcome::<Report>(&server("{}")).unwrap_err();
    let Error::Decode { raw, .. } = &error else { panic!("{error:?}") };
    assert_eq!((&**raw, error.steps().len(), error.usage().is_some()), ("{}", 2, true));
}

#[test]
fn a_thread_asks_for_a_type_too_and_a_request_keeps_its_other_settings() {
    let server = server(r#"{"name":"A"}"#);
    let thread = server.client().unwrap().start_thread(ThreadConfig::new()).unwrap();
    let request = ChatRequest::new("who?").overrides(TurnOverrides::new().model("m"));
    assert_eq!(thread.chat_json_typed::<Author>(request).unwrap().value.name, "A");
    let received = server.received();
    let turn = received.iter().find(|message| message["method"] == "turn/start").unwrap();
    assert_eq!(turn["params"]["model"], "m");
    let twice = ChatRequest::new("x").overrides(TurnOverrides::new().output_schema(json!({})));
    let error = thread.chat_json_typed::<Author>(twice).unwrap_err();
    assert!(matches!(error, Error::InvalidInput { .. }), "{error:?}");
}

#[derive(Deserialize, JsonSchema)]
struct Tree {
    label: String,
    /// The branches.
    children: Vec<Tree>,
    next: Option<Box<Tree>>,
}

#[derive(Deserialize, JsonSchema)]
struct Formula {
    root: Expression,
}

#[derive(Deserialize, JsonSchema)]
enum Expression {
    Number(f64),
    Sum(Vec<Expression>),
    Negative {
        /// What is negated.
        of: Box<Expression>,
    },
}

#[test]
fn a_type_that_contains_itself_refers_to_itself() {
    let schema = schema_of::<Tree>();
    check_strict(&schema);
    let own = schema["properties"]["children"]["items"]["$ref"].as_str().unwrap();
    assert!(schema.pointer(&own[1..]).is_some(), "{schema}");
    check_strict(&schema_of::<Formula>());
}

#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "Größe in % ~/")]
struct Strange {
    value: u8,
    parts: Vec<Strange>,
}

#[test]
fn a_type_may_have_any_name() {
    #[derive(Deserialize, JsonSchema)]
    struct Strangers {
        plain: Strange,
        /// With a comment.
        described: Option<Strange>,
    }
    let schema = schema_of::<Strangers>();
    check_strict(&schema);
    let names: Vec<_> = schema["$defs"].as_object().unwrap().keys().collect();
    assert_eq!(names, ["Größe in % ~/"]);
    assert_eq!(
        schema["$defs"]["Größe in % ~/"]["properties"]["parts"]["items"],
        schema["properties"]["plain"]
    );
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "type")]
enum Tagged {
    Plain { text: String },
    Wrapped(Author),
    Unit,
}

#[derive(Deserialize, JsonSchema)]
#[serde(tag = "type", content = "is")]
enum Adjacent {
    Plain { text: String },
    Wrapped(Author),
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Untagged {
    Text(String),
    Author(Author),
}

#[derive(Deserialize, JsonSchema)]
struct Flat {
    #[serde(flatten)]
    author: Author,
    #[serde(flatten)]
    tagged: Tagged,
    own: bool,
}

#[derive(Deserialize, JsonSchema)]
struct Unions {
    tagged: Tagged,
    adjacent: Adjacent,
    untagged: Untagged,
    nothing: (),
    empty: Empty,
    id: Newtype,
}

#[derive(Deserialize, JsonSchema)]
struct Empty {}

/// An id.
#[derive(Deserialize, JsonSchema)]
struct Newtype(u64);

#[derive(Deserialize, JsonSchema)]
struct HasFlat {
    author: FlatAuthor,
}

#[derive(Deserialize, JsonSchema)]
struct FlatAuthor {
    #[serde(flatten)]
    author: Author,
    age: u8,
}

#[test]
fn enums_of_all_kinds_are_unions_of_strict_objects() {
    let schema = schema_of::<Unions>();
    check_strict(&schema);
    let tag = |name: &str| json!({ "type": "string", "const": name });
    assert_eq!(
        schema["$defs"]["Tagged"],
        json!({ "anyOf": [
            object(json!({ "text": { "type": "string" }, "type": tag("Plain") })),
            object(json!({ "name": { "type": "string" }, "type": tag("Wrapped") })),
            object(json!({ "type": tag("Unit") })),
        ] })
    );
    assert_eq!(
        schema["$defs"]["Untagged"],
        json!({ "anyOf": [{ "type": "string" }, { "$ref": "#/$defs/Author" }] })
    );
    assert_eq!(schema["$defs"]["Empty"], object(json!({})));
}

#[test]
fn flattened_fields_are_fields() {
    let schema = schema_of::<HasFlat>();
    check_strict(&schema);
    let age = json!({ "type": "integer", "minimum": 0, "maximum": 255 });
    assert_eq!(schema["$defs"]["FlatAuthor"], object(json!({ "name": { "type": "string" }, "age": age })));
    #[derive(Deserialize, JsonSchema)]
    struct Outer {
        flat: Flat,
    }
    let schema = schema_of::<Outer>();
    check_strict(&schema);
    assert_eq!(schema["$defs"]["Flat"]["anyOf"].as_array().unwrap().len(), 3, "{schema}");
}

#[derive(Deserialize, JsonSchema)]
struct Has<T> {
    items: Vec<Inner<T>>,
}

#[derive(Deserialize, JsonSchema)]
struct Inner<T> {
    part: T,
}

#[test]
fn what_no_strict_schema_expresses_is_rejected_with_its_path_before_anything_is_sent() {
    #[derive(Deserialize, JsonSchema)]
    #[schemars(rename = "Has")]
    struct Named<T> {
        items: Vec<Inner<T>>,
    }
    refused::<Named<HashMap<String, u32>>>("Has.items[].part");
    refused::<Named<BTreeMap<u32, Author>>>("Has.items[].part");
    refused::<Named<(u8, String)>>("Has.items[].part");
    refused::<Named<VecDeque<Value>>>("Has.items[].part[]");
    refused::<Named<Value>>("Has.items[].part");
    refused::<Named<Option<serde_json::Map<String, Value>>>>("Has.items[].part");

    #[derive(Deserialize, JsonSchema)]
    struct Open {
        name: String,
        #[serde(flatten)]
        more: HashMap<String, Value>,
    }
    refused::<Open>("Open");

    #[derive(Deserialize, JsonSchema)]
    struct Short {
        #[schemars(length(max = 10))]
        text: String,
    }
    refused::<Short>("Short.text");

    #[derive(Deserialize, JsonSchema)]
    enum Choice {
        Some(HashMap<String, String>),
    }
    #[derive(Deserialize, JsonSchema)]
    struct Chosen {
        choice: Choice,
    }
    refused::<Chosen>("Chosen.choice::Some.Some");
}

#[test]
fn an_answer_that_is_no_struct_is_rejected() {
    refused::<String>("string");
    refused::<Value>("AnyValue");
    refused::<Vec<Author>>("Array_of_Author");
    refused::<Option<Author>>("Nullable_Author");
    refused::<Severity>("Severity");
    refused::<Tagged>("Tagged");
    refused::<Flat>("Flat");
}
