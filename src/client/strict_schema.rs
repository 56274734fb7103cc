//! The schema of a type as OpenAI's strict mode takes it.
//!
//! Relies on schemars. Invariant: what strict mode can't express is an error that names the part of the type; a
//! schema that is returned has no keyword that strict mode does not know.

use std::collections::HashSet;

use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::error::{Error, Result};

type Object = Map<String, Value>;

/// The keywords that say nothing about what is valid, or that decoding checks.
const DROPPED: [&str; 14] = [
    "$schema",
    "$id",
    "$comment",
    "$defs",
    "title",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "contentEncoding",
    "contentMediaType",
    // Decoding makes a set of what is there twice.
    "uniqueItems",
    // Of a tagged enum.
    "discriminator",
];

/// The keywords that strict mode takes as they are.
const KEPT: [&str; 13] = [
    "description",
    "type",
    "enum",
    "const",
    "pattern",
    "format",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minItems",
    "maxItems",
];

/// The formats that strict mode knows. Those of numbers (`uint32`) are schemars' own; decoding checks them.
const FORMATS: [&str; 9] =
    ["date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid"];

/// Derives the strict schema of a type.
///
/// # Errors
/// `InvalidInput` if strict mode can't express the type.
pub(super) fn strict_schema<T: JsonSchema>() -> Result<Value> {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
    let root = schema.as_value();
    let name = T::schema_name().into_owned();
    let mut strict = Strict { root, defs: Map::new(), seen: HashSet::new(), inlined: Vec::new() };
    let mut made = match strict.schema(root, &name)? {
        Value::Object(made) => made,
        other => return Ok(other),
    };
    if let Some(target) = made.get("$ref").and_then(Value::as_str).and_then(|target| strict.target(target)) {
        let target = target.clone();
        made = match strict.schema(&target, &name)? {
            Value::Object(made) => made,
            other => return Ok(other),
        };
    }
    if made.get("type") != Some(&json!("object")) {
        return Err(refusal(&name, "is not a struct with one set of fields", "make it a field of one"));
    }
    if !strict.defs.is_empty() {
        made.insert("$defs".to_owned(), Value::Object(strict.defs));
    }
    Ok(Value::Object(made))
}

struct Strict<'a> {
    root: &'a Value,
    /// The definitions that the schema refers to.
    defs: Object,
    /// Those that are made or being made.
    seen: HashSet<String>,
    /// The references that are being replaced with what they refer to.
    inlined: Vec<String>,
}

fn refusal(path: &str, what: &str, advice: &str) -> Error {
    Error::invalid(format!("a strict schema can't express `{path}`, which {what}; {advice}"))
}

const ANY: &str = "may be any JSON";
const SPELL_OUT: &str = "spell its shape out, or make it a string that contains JSON";

impl<'a> Strict<'a> {
    fn schema(&mut self, schema: &Value, path: &str) -> Result<Value> {
        let Value::Object(source) = schema else { return Err(refusal(path, ANY, SPELL_OUT)) };
        let mut source = source.clone();
        source.retain(|keyword, value| {
            let is_harmless = match keyword.as_str() {
                "format" => !value.as_str().is_some_and(|format| FORMATS.contains(&format)),
                "unevaluatedProperties" => *value == Value::Bool(false),
                keyword => DROPPED.contains(&keyword) || keyword.starts_with("x-"),
            };
            !is_harmless
        });
        // A `char`, whose length decoding checks.
        if source.get("minLength") == Some(&json!(1)) && source.get("maxLength") == Some(&json!(1)) {
            source.remove("minLength");
            source.remove("maxLength");
        }
        if let Some(reference) = source.remove("$ref") {
            return self.reference(reference.as_str().unwrap_or_default(), source, path);
        }
        if let Some(Value::Array(parts)) = source.remove("allOf") {
            return self.all_of(parts, source, path);
        }
        match (source.remove("oneOf"), source.remove("anyOf")) {
            (None, None) => self.plain(source, path),
            (Some(Value::Array(variants)), None) | (None, Some(Value::Array(variants))) => {
                self.any_of(variants, source, path)
            }
            _ => Err(refusal(path, "is one of several things twice", "use a field for each")),
        }
    }

    fn target(&self, reference: &str) -> Option<&'a Value> {
        self.root.pointer(&percent_decoded(reference.strip_prefix('#')?))
    }

    /// A reference can't have siblings: what it refers to takes its place where it has any.
    fn reference(&mut self, reference: &str, mut siblings: Object, path: &str) -> Result<Value> {
        let Some(target) = self.target(reference) else {
            return Err(refusal(path, "refers to another document", SPELL_OUT));
        };
        let is_only_described = siblings.keys().all(|keyword| keyword == "description");
        let is_recursive = self.inlined.iter().any(|inlined| inlined == reference);
        if siblings.is_empty() || (is_only_described && is_recursive) {
            self.define(reference, target, path)?;
            return Ok(json!({ "$ref": reference }));
        }
        if is_recursive {
            return Err(refusal(path, "contains itself and more", "put what it contains into a field"));
        }
        let Value::Object(target) = target else { return Err(refusal(path, ANY, SPELL_OUT)) };
        let description = siblings.remove("description");
        let mut merged = merge(target.clone(), siblings, path)?;
        merged.extend(description.map(|description| ("description".to_owned(), description)));
        self.inlined.push(reference.to_owned());
        let made = self.schema(&Value::Object(merged), path);
        self.inlined.pop();
        made
    }

    fn define(&mut self, reference: &str, target: &Value, path: &str) -> Result<()> {
        let Some(name) = reference.strip_prefix("#/$defs/") else { return Ok(()) };
        if self.seen.insert(name.to_owned()) {
            let inlined = std::mem::take(&mut self.inlined);
            let made = self.schema(target, path)?;
            self.inlined = inlined;
            self.defs.insert(percent_decoded(name).replace("~1", "/").replace("~0", "~"), made);
        }
        Ok(())
    }

    fn all_of(&mut self, parts: Vec<Value>, rest: Object, path: &str) -> Result<Value> {
        let mut merged = rest;
        let mut replaced = 0;
        for part in parts {
            let Value::Object(mut part) = part else { return Err(refusal(path, ANY, SPELL_OUT)) };
            if let Some(reference) = part.remove("$ref") {
                let reference = reference.as_str().unwrap_or_default();
                let target = self.target(reference).and_then(Value::as_object);
                let is_recursive = self.inlined.iter().any(|inlined| inlined == reference);
                let Some(target) = target.filter(|_| !is_recursive) else {
                    return Err(refusal(
                        path,
                        "contains itself and more",
                        "put what it contains into a field",
                    ));
                };
                self.inlined.push(reference.to_owned());
                replaced += 1;
                part = merge(target.clone(), part, path)?;
            }
            merged = merge(part, merged, path)?;
        }
        let made = self.schema(&Value::Object(merged), path);
        self.inlined.truncate(self.inlined.len() - replaced);
        made
    }

    /// A union. What stands beside it belongs to each variant.
    fn any_of(&mut self, variants: Vec<Value>, mut beside: Object, path: &str) -> Result<Value> {
        let description = beside.remove("description");
        let mut made = Vec::new();
        for variant in variants {
            let variant = match variant {
                Value::Object(variant) => merge(variant, beside.clone(), path)?,
                _ => return Err(refusal(path, ANY, SPELL_OUT)),
            };
            let place = match name_of(&variant) {
                Some(name) => format!("{path}::{name}"),
                None => path.to_owned(),
            };
            made.push(self.schema(&Value::Object(variant), &place)?);
        }
        if made.is_empty() {
            return Err(refusal(path, "has no value", "give it a variant"));
        }
        let mut union = Object::new();
        union.extend(description.map(|description| ("description".to_owned(), description)));
        union.insert("anyOf".to_owned(), Value::Array(made));
        Ok(Value::Object(union))
    }

    /// A schema without references and unions.
    fn plain(&mut self, mut source: Object, path: &str) -> Result<Value> {
        let has_free_keys = |key: &str| source.get(key).is_some_and(|value| *value != Value::Bool(false));
        if has_free_keys("additionalProperties")
            || has_free_keys("unevaluatedProperties")
            || has_free_keys("patternProperties")
        {
            let advice = "use a list of structs that have the key as a field";
            return Err(refusal(path, "has keys that are not known in advance", advice));
        }
        if has_free_keys("prefixItems") {
            return Err(refusal(path, "is a tuple", "use a struct"));
        }
        let is_object = is_of_type(&source, "object") || source.contains_key("properties");
        let mut made = Object::new();
        if is_object {
            source.remove("additionalProperties");
            source.remove("required");
            let properties = match source.remove("properties") {
                Some(Value::Object(properties)) => properties,
                _ => Object::new(),
            };
            let mut strict = Object::new();
            for (name, property) in &properties {
                strict.insert(name.clone(), self.schema(property, &format!("{path}.{name}"))?);
            }
            made.insert("required".to_owned(), properties.keys().cloned().collect());
            made.insert("properties".to_owned(), Value::Object(strict));
            made.insert("additionalProperties".to_owned(), Value::Bool(false));
            source.entry("type").or_insert_with(|| json!("object"));
        }
        if is_of_type(&source, "array") {
            let Some(items) = source.remove("items") else {
                return Err(refusal(&format!("{path}[]"), ANY, SPELL_OUT));
            };
            made.insert("items".to_owned(), self.schema(&items, &format!("{path}[]"))?);
        }
        let says_what = ["type", "enum", "const"].iter().any(|keyword| source.contains_key(*keyword));
        if !says_what {
            return Err(refusal(path, ANY, SPELL_OUT));
        }
        for (keyword, value) in source {
            if !KEPT.contains(&keyword.as_str()) {
                let what = format!("is restricted by `{keyword}`");
                return Err(refusal(path, &what, "check the answer for it after decoding"));
            }
            made.insert(keyword, value);
        }
        Ok(Value::Object(made))
    }
}

/// The text of the fragment of a URI: schemars encodes the letters of a type's name that are not ASCII.
fn percent_decoded(fragment: &str) -> String {
    let mut parts = fragment.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                bytes.extend(&part.as_bytes()[2..]);
            }
            None => {
                bytes.push(b'%');
                bytes.extend(part.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn is_of_type(schema: &Object, name: &str) -> bool {
    match schema.get("type") {
        Some(Value::String(is)) => is == name,
        Some(Value::Array(types)) => types.iter().any(|is| is == name),
        _ => false,
    }
}

/// The name of a variant, if the schema is that of one.
fn name_of(variant: &Object) -> Option<&str> {
    if let Some(Value::String(name)) = variant.get("const") {
        return Some(name);
    }
    let properties = variant.get("properties")?.as_object()?;
    let tag = properties.values().find_map(|property| property.get("const")?.as_str());
    let is_external = variant.get("required").and_then(Value::as_array).is_some_and(|all| all.len() == 1);
    tag.or_else(|| {
        properties.keys().next().filter(|_| is_external && properties.len() == 1).map(String::as_str)
    })
}

/// A schema that requires both.
fn merge(mut base: Object, more: Object, path: &str) -> Result<Object> {
    for (keyword, value) in more {
        let Some(before) = base.remove(&keyword) else {
            base.insert(keyword, value);
            continue;
        };
        let both = match (keyword.as_str(), before, value) {
            (_, before, value) if before == value => value,
            ("properties", Value::Object(mut before), Value::Object(value)) => {
                for (name, property) in value {
                    match before.get(&name) {
                        Some(other) if *other != property => {
                            let place = format!("{path}.{name}");
                            return Err(refusal(&place, "has two shapes", "rename one of the fields"));
                        }
                        _ => drop(before.insert(name, property)),
                    }
                }
                Value::Object(before)
            }
            ("required", Value::Array(mut before), Value::Array(value)) => {
                before.extend(value);
                Value::Array(before)
            }
            // Closed it is in any case; if one of them is open, it stays so.
            ("additionalProperties" | "unevaluatedProperties", Value::Bool(false), other) => other,
            ("additionalProperties" | "unevaluatedProperties", other, _) => other,
            ("description", _, value) => value,
            (keyword, before, _) if DROPPED.contains(&keyword) => before,
            (keyword, ..) => {
                let what = format!("is restricted by `{keyword}` twice");
                return Err(refusal(path, &what, "use a field for each"));
            }
        };
        base.insert(keyword, both);
    }
    Ok(base)
}
