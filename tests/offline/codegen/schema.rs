//! The server's schemas: read from what it gives out, stripped to facts, kept as one file.
//!
//! Relies on serde_json. Invariant: nothing of the schemas' prose gets into the file that is kept;
//! it has names, types, what is required or nullable, the words of enums, and what is experimental.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Map, Value, json};

/// Replies whose names follow neither from the name of the parameters nor from the method.
const RESPONSES: &[(&str, &str)] = &[
    ("account/gatewayOAuth/cancel", "GatewayOAuthCancelResponse"),
    ("account/logout", "LogoutAccountResponse"),
    ("account/rateLimits/read", "GetAccountRateLimitsResponse"),
    ("account/securitySetup/read", "GetAccountSecuritySetupResponse"),
    ("account/workspaceMessages/read", "GetWorkspaceMessagesResponse"),
    ("accountSession/list", "AccountSessionsResponse"),
    ("config/batchWrite", "ConfigWriteResponse"),
    ("config/mcpServer/reload", "McpServerRefreshResponse"),
    ("config/value/write", "ConfigWriteResponse"),
    ("externalAgentConfig/import/readHistories", "ExternalAgentConfigImportHistoriesReadResponse"),
];

/// The bundle that `codex app-server generate-json-schema` writes among others.
const BUNDLE: &str = "codex_app_server_protocol.schemas.json";

/// The structure of one version's protocol.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Protocol {
    /// The version of codex.
    pub(crate) codex: String,
    pub(crate) requests: Vec<Method>,
    pub(crate) notifications: Vec<Method>,
    pub(crate) server_requests: Vec<Method>,
    /// JSON Schema without prose; a `$ref` is just a name, `experimental` marks what is so.
    pub(crate) types: BTreeMap<String, Value>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Method {
    pub(crate) name: String,
    pub(crate) params: Option<String>,
    pub(crate) response: Option<String>,
    pub(crate) experimental: bool,
}

impl Protocol {
    /// Reads the file that `print` wrote.
    pub(crate) fn load(path: &Path) -> Protocol {
        let text =
            std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let value: Value = serde_json::from_str(&text).unwrap();
        let methods = |kind: &str| {
            let list = value[kind].as_array().unwrap();
            list.iter()
                .map(|method| {
                    let word = |key: &str| method[key].as_str().map(str::to_owned);
                    Method {
                        name: word("method").unwrap(),
                        params: word("params"),
                        response: word("response"),
                        experimental: method["experimental"] == true,
                    }
                })
                .collect()
        };
        Protocol {
            codex: value["codex"].as_str().unwrap().to_owned(),
            requests: methods("requests"),
            notifications: methods("notifications"),
            server_requests: methods("serverRequests"),
            types: value["types"].as_object().unwrap().clone().into_iter().collect(),
        }
    }

    /// Reads `stable/`, `experimental/` and `VERSION` below `dir`, as the server gives them out. A
    /// directory that holds one bundle itself is taken for both.
    pub(crate) fn import(dir: &Path) -> Protocol {
        let bundle = |kind: &str| {
            let path = if dir.join(BUNDLE).exists() { dir.join(BUNDLE) } else { dir.join(kind).join(BUNDLE) };
            let text =
                std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            definitions(&serde_json::from_str(&text).unwrap())
        };
        let version = std::fs::read_to_string(dir.join("VERSION")).unwrap_or_else(|_| "unknown".to_owned());
        let codex = version.split_whitespace().last().unwrap_or("unknown").to_owned();
        let stable = bundle("stable");
        let mut types = bundle("experimental");
        let methods = |kind: &str| {
            let names: BTreeSet<String> =
                methods_of(&stable, kind).into_iter().map(|(name, _)| name).collect();
            let all = methods_of(&types, kind);
            let known: BTreeSet<&String> = types.keys().collect();
            all.into_iter()
                .map(|(name, params)| Method {
                    response: (kind != "ServerNotification")
                        .then(|| response_of(&name, params.as_deref(), &known)),
                    experimental: !names.contains(&name),
                    name,
                    params,
                })
                .collect::<Vec<_>>()
        };
        let (requests, notifications, server_requests) =
            (methods("ClientRequest"), methods("ServerNotification"), methods("ServerRequest"));
        for (name, schema) in &mut types {
            match stable.get(name) {
                Some(stable) => mark(stable, schema),
                None => set_experimental(schema),
            }
        }
        let mut protocol = Protocol { codex, requests, notifications, server_requests, types };
        protocol.drop_unused();
        protocol
    }

    /// All methods, with the kind each belongs to.
    pub(crate) fn methods(&self) -> impl Iterator<Item = (&'static str, &Method)> {
        let requests = self.requests.iter().map(|method| ("request", method));
        let notifications = self.notifications.iter().map(|method| ("notification", method));
        requests
            .chain(notifications)
            .chain(self.server_requests.iter().map(|method| ("server request", method)))
    }

    /// What no method leads to describes the envelope, which is not generated.
    fn drop_unused(&mut self) {
        let mut queue: Vec<String> = self
            .methods()
            .flat_map(|(_, method)| method.params.iter().chain(&method.response).cloned())
            .collect();
        let mut used = BTreeSet::new();
        while let Some(name) = queue.pop() {
            if used.insert(name.clone()) {
                let schema = self.types.get(&name).unwrap_or_else(|| panic!("no type {name}"));
                refs(schema, &mut queue);
            }
        }
        self.types.retain(|name, _| used.contains(name));
    }

    /// The file that is kept: one line for what fits one, so that a change shows as few lines.
    pub(crate) fn print(&self) -> String {
        let methods = |list: &[Method]| {
            let lines = list.iter().map(|method| {
                let mut line = Map::new();
                line.insert("method".into(), json!(method.name));
                if let Some(params) = &method.params {
                    line.insert("params".into(), json!(params));
                }
                if let Some(response) = &method.response {
                    line.insert("response".into(), json!(response));
                }
                if method.experimental {
                    line.insert("experimental".into(), json!(true));
                }
                Value::Object(line)
            });
            Value::Array(lines.collect())
        };
        let value = json!({
            "codex": self.codex,
            "requests": methods(&self.requests),
            "notifications": methods(&self.notifications),
            "serverRequests": methods(&self.server_requests),
            "types": self.types,
        });
        let mut out = String::new();
        print(&value, 0, &mut out);
        out.push('\n');
        out
    }

    /// Tells two schemas apart. FNV-1a, since it needs no crate and guards against no enemy.
    pub(crate) fn hash(&self) -> u64 {
        self.print().bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        })
    }
}

/// The bundle's types by their bare names, without prose.
fn definitions(bundle: &Value) -> BTreeMap<String, Value> {
    let mut types: BTreeMap<String, Value> = BTreeMap::new();
    let mut add = |name: &String, schema: &Value| {
        let schema = strip(schema);
        if let Some(other) = types.insert(name.clone(), schema.clone()) {
            assert_eq!(other, schema, "two types called {name}");
        }
    };
    for (name, schema) in bundle["definitions"].as_object().unwrap() {
        if matches!(name.as_str(), "v1" | "v2") {
            schema.as_object().unwrap().iter().for_each(|(name, schema)| add(name, schema));
        } else {
            add(name, schema);
        }
    }
    types
}

/// A schema's facts. Names of properties are kept whatever they are.
fn strip(schema: &Value) -> Value {
    let Some(object) = schema.as_object() else {
        return schema.clone();
    };
    let mut out = Map::new();
    for (key, value) in object {
        let value = match key.as_str() {
            "$ref" => json!(value.as_str().unwrap().rsplit('/').next().unwrap()),
            "properties" => {
                let properties = value.as_object().unwrap();
                properties
                    .iter()
                    .map(|(name, schema)| (name.clone(), strip(schema)))
                    .collect::<Map<_, _>>()
                    .into()
            }
            "items" | "additionalProperties" => strip(value),
            "oneOf" | "anyOf" | "allOf" => {
                value.as_array().unwrap().iter().map(strip).collect::<Vec<_>>().into()
            }
            "type" | "required" | "enum" | "format" | "const" => value.clone(),
            "patternProperties" | "prefixItems" | "not" | "if" => {
                panic!("{key} is not understood here")
            }
            // Prose, defaults, limits.
            _ => continue,
        };
        out.insert(key.clone(), value);
    }
    // A reference with something beside it comes wrapped.
    if let Some([only]) = out.get("allOf").and_then(Value::as_array).map(Vec::as_slice) {
        if out.len() == 1 {
            return only.clone();
        }
    }
    Value::Object(out)
}

fn methods_of(types: &BTreeMap<String, Value>, kind: &str) -> Vec<(String, Option<String>)> {
    let Some(list) = types.get(kind).and_then(|schema| schema["oneOf"].as_array()) else {
        return Vec::new();
    };
    list.iter()
        .map(|message| {
            let name = message["properties"]["method"]["enum"][0].as_str().unwrap().to_owned();
            let mut names = Vec::new();
            refs(&message["properties"]["params"], &mut names);
            (name, names.pop())
        })
        .collect()
}

fn response_of(method: &str, params: Option<&str>, known: &BTreeSet<&String>) -> String {
    let by_method: String = method.split('/').map(super::model::pascal).collect();
    let guesses = [
        RESPONSES.iter().find(|(name, _)| *name == method).map(|(_, response)| (*response).to_owned()),
        params.and_then(|params| params.strip_suffix("Params")).map(|base| format!("{base}Response")),
        Some(format!("{by_method}Response")),
    ];
    let found = guesses.into_iter().flatten().find(|name| known.contains(name));
    found.unwrap_or_else(|| panic!("no reply type for {method}: add it to RESPONSES"))
}

fn set_experimental(schema: &mut Value) {
    match schema {
        Value::Object(object) => drop(object.insert("experimental".into(), json!(true))),
        other => *other = json!({"experimental": true}),
    }
}

/// Marks what `schema` has and `stable` has not.
fn mark(stable: &Value, schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    if let (Some(stable), Some(properties)) =
        (stable["properties"].as_object(), object.get_mut("properties").and_then(Value::as_object_mut))
    {
        for (name, schema) in properties {
            match stable.get(name) {
                Some(stable) => mark(stable, schema),
                None => set_experimental(schema),
            }
        }
    }
    if let Some(words) = object.get("enum").and_then(Value::as_array) {
        let known = stable["enum"].as_array().cloned().unwrap_or_default();
        let new: Vec<Value> = words.iter().filter(|word| !known.contains(word)).cloned().collect();
        if !new.is_empty() {
            object.insert("experimentalWords".into(), json!(new));
        }
    }
    for key in ["oneOf", "anyOf"] {
        let Some(members) = object.get_mut(key).and_then(Value::as_array_mut) else {
            continue;
        };
        let known = stable[key].as_array().cloned().unwrap_or_default();
        for member in members {
            match known.iter().find(|stable| same_member(stable, member)) {
                Some(stable) => mark(stable, member),
                None => set_experimental(member),
            }
        }
    }
}

/// Whether two members of a union are the same variant, whatever their fields.
fn same_member(a: &Value, b: &Value) -> bool {
    let key = |schema: &Value| -> Vec<String> {
        let mut key: Vec<String> = Vec::new();
        key.extend(schema["$ref"].as_str().map(str::to_owned));
        key.extend(schema["enum"].as_array().map(|words| words[0].to_string()));
        if let Some(properties) = schema["properties"].as_object() {
            let tags = properties
                .iter()
                .filter(|(_, schema)| schema["enum"].as_array().is_some_and(|e| e.len() == 1));
            let before = key.len();
            key.extend(tags.map(|(name, schema)| format!("{name}={}", schema["enum"][0])));
            if key.len() == before {
                key.push(schema["required"].to_string());
            }
        }
        key.push(schema["type"].to_string());
        key
    };
    key(a) == key(b)
}

/// All names that a schema refers to.
pub(crate) fn refs(schema: &Value, out: &mut Vec<String>) {
    match schema {
        Value::Object(object) => {
            if let Some(Value::String(name)) = object.get("$ref") {
                out.push(name.clone());
            }
            for (key, value) in object {
                // A property may be called `enum`; words are no schemas.
                if !matches!((key.as_str(), value), ("enum" | "required", Value::Array(_))) {
                    refs(value, out);
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|schema| refs(schema, out)),
        _ => {}
    }
}

fn print(value: &Value, depth: usize, out: &mut String) {
    let line = value.to_string();
    let nested = match value {
        Value::Object(object) => !object.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    };
    if !nested || (depth > 1 && line.len() + depth <= 100) {
        out.push_str(&line);
        return;
    }
    let indent = |depth: usize| " ".repeat(depth);
    let (open, close) = if value.is_object() { ('{', '}') } else { ('[', ']') };
    out.push(open);
    let entries: Vec<(Option<&String>, &Value)> = match value {
        Value::Object(object) => object.iter().map(|(key, value)| (Some(key), value)).collect(),
        Value::Array(list) => list.iter().map(|value| (None, value)).collect(),
        _ => Vec::new(),
    };
    for (at, (key, value)) in entries.iter().enumerate() {
        out.push_str(if at == 0 { "\n" } else { ",\n" });
        out.push_str(&indent(depth + 1));
        if let Some(key) = key {
            out.push_str(&format!("{}: ", json!(key)));
        }
        print(value, depth + 1, out);
    }
    out.push('\n');
    out.push_str(&indent(depth));
    out.push(close);
}
