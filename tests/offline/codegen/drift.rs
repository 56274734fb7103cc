//! How the protocol of one version differs from that of another, as a report to read.
//!
//! Relies on `schema`. Invariant: two protocols without a line between them are the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::schema::Protocol;

/// One line per difference: `+` appeared, `-` vanished, `~` changed.
pub(crate) fn report(old: &Protocol, new: &Protocol) -> String {
    let (old_facts, new_facts) = (facts(old), facts(new));
    let keys: BTreeSet<&String> = old_facts.keys().chain(new_facts.keys()).collect();
    let (mut lines, mut counts) = (String::new(), [0, 0, 0]);
    // What a new or vanished type consists of would only repeat it.
    let mut covered: Option<String> = None;
    for key in keys {
        if covered.as_ref().is_some_and(|prefix| key.starts_with(prefix.as_str())) {
            continue;
        }
        match (old_facts.get(key), new_facts.get(key)) {
            (Some(a), Some(b)) if a == b => continue,
            (Some(a), Some(b)) => {
                counts[2] += 1;
                writeln!(lines, "~ {key}: {a} -> {b}").unwrap();
            }
            (Some(a), None) => {
                counts[1] += 1;
                writeln!(lines, "- {key}: {a}").unwrap();
                covered = Some(format!("{key}."));
            }
            (None, Some(b)) => {
                counts[0] += 1;
                writeln!(lines, "+ {key}: {b}").unwrap();
                covered = Some(format!("{key}."));
            }
            (None, None) => {}
        }
    }
    let head = format!("codex {} -> {}", old.codex, new.codex);
    if lines.is_empty() {
        return format!("{head}: no difference\n");
    }
    format!("{head}: {} appeared, {} vanished, {} changed\n{lines}", counts[0], counts[1], counts[2])
}

/// A protocol as a list of small statements.
fn facts(protocol: &Protocol) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    for (kind, method) in protocol.methods() {
        let params = method.params.as_deref().unwrap_or("nothing");
        let response = method.response.as_ref().map(|name| format!(" => {name}")).unwrap_or_default();
        let stability = if method.experimental { ", experimental" } else { "" };
        out.insert(format!("{kind} {}", method.name), format!("{params}{response}{stability}"));
    }
    for (name, schema) in &protocol.types {
        let kind = match schema {
            _ if schema["oneOf"].is_array() || schema["anyOf"].is_array() => "union".to_owned(),
            _ => schema["type"].to_string(),
        };
        let stability = if schema["experimental"] == true { ", experimental" } else { "" };
        out.insert(name.clone(), format!("{kind}{stability}"));
        collect(name, schema, &mut out);
    }
    out
}

fn collect(path: &str, schema: &Value, out: &mut BTreeMap<String, String>) {
    let required: Vec<&Value> = schema["required"].as_array().into_iter().flatten().collect();
    for (name, field) in schema["properties"].as_object().into_iter().flatten() {
        let must = if required.iter().any(|word| *word == name) { "required " } else { "" };
        out.insert(format!("{path}.{name}"), format!("{must}{field}"));
    }
    for word in schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        out.insert(format!("{path}.{word:?}"), "word".to_owned());
    }
    for member in ["oneOf", "anyOf"].iter().flat_map(|key| schema[key].as_array().into_iter().flatten()) {
        let single = |field: &&Value| field["enum"].as_array().is_some_and(|words| words.len() == 1);
        let tag = member["properties"].as_object().and_then(|fields| fields.values().find(single));
        match tag.and_then(|tag| tag["enum"][0].as_str()) {
            Some(tag) => {
                let path = format!("{path}.{tag}");
                out.insert(path.clone(), "member".to_owned());
                collect(&path, member, out);
            }
            None if member["enum"].is_array() => collect(path, member, out),
            None => drop(out.insert(format!("{path}.{member}"), "member".to_owned())),
        }
    }
}
