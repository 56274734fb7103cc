//! From schemas to what Rust needs to know: kinds of types, names, directions, families.
//!
//! Relies on `schema`. Invariant: what can't be understood is a panic that names the type, never a
//! type that accepts less than the schema does.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::schema::{Method, Protocol};

/// Written by hand, in `src/protocol`: what JSON-RPC defines, and words that the schema leaves open.
pub(crate) const BY_HAND: &[&str] = &["ReasoningEffort", "RequestId"];

/// The files of objects, by the first part of the methods that use them.
const FAMILIES: &[(&str, &[&str])] = &[
    ("threads", &["thread", "project", "scheduledTask", "memory", "rollout"]),
    ("turns", &["turn", "item", "review", "error", "model", "modelProvider", "rawResponseItem"]),
    ("accounts", &["account", "accountSession", "userVerification", "bedrock", "getAuthStatus"]),
    (
        "config",
        &[
            "config",
            "configRequirements",
            "experimentalFeature",
            "externalAgentConfig",
            "permissionProfile",
            "hooks",
        ],
    ),
    ("tools", &["mcpServer", "mcpServerStatus", "app", "plugin", "marketplace", "skills"]),
];

/// The requests whose types are there without the feature `types`: those behind the crate's own
/// methods (threads, turns, reviews, commands, models, configuration, accounts). All others are for
/// `Client::call` alone, and who does not call them need not compile them.
pub(crate) const ALWAYS: &[&str] = &[
    "initialize",
    "thread/start",
    "thread/resume",
    "thread/fork",
    "thread/read",
    "thread/list",
    "thread/loaded/list",
    "thread/turns/list",
    "thread/name/set",
    "thread/archive",
    "thread/unarchive",
    "thread/compact/start",
    "thread/revert",
    "turn/start",
    "turn/steer",
    "turn/interrupt",
    "review/start",
    "command/exec",
    "command/exec/write",
    "command/exec/resize",
    "command/exec/terminate",
    "model/list",
    "config/read",
    "config/value/write",
    "config/batchWrite",
    "configRequirements/read",
    "account/read",
    "account/login/start",
    "account/login/cancel",
    "account/logout",
    "account/rateLimits/read",
];

/// Types of the schema under another name: this crate has something else of that name at its root, and a
/// program may import all of both.
const RENAMED: &[(&str, &str)] = &[("Account", "AccountDetails"), ("Tool", "McpTool")];

/// The name that a type of the schema has here.
fn renamed(name: &str) -> &str {
    RENAMED.iter().find(|(old, _)| *old == name).map_or(name, |(_, new)| new)
}

/// Fields that the schema requires and that servers still in use (0.106.0, 0.128.0) leave out. They
/// are optional here, or nothing that holds them could be read from such a server.
pub(crate) const LATER: &[&str] = &[
    "CommandExecutionRequestApprovalParams.startedAtMs",
    "ExternalAgentConfigImportCompletedNotification.importId",
    "ExternalAgentConfigImportCompletedNotification.itemTypeResults",
    "ExternalAgentConfigImportResponse.importId",
    "FileChangeRequestApprovalParams.startedAtMs",
    "FuzzyFileSearchResult.match_type",
    "InitializeResponse.codexHome",
    "InitializeResponse.platformFamily",
    "InitializeResponse.platformOs",
    "ItemCompletedNotification.completedAtMs",
    "ItemGuardianApprovalReviewCompletedNotification.completedAtMs",
    "ItemGuardianApprovalReviewCompletedNotification.startedAtMs",
    "ItemGuardianApprovalReviewStartedNotification.startedAtMs",
    "ItemStartedNotification.startedAtMs",
    "ManagedHooksRequirements.PostCompact",
    "ManagedHooksRequirements.PreCompact",
    "ManagedHooksRequirements.SubagentStart",
    "ManagedHooksRequirements.SubagentStop",
    "PermissionsRequestApprovalParams.startedAtMs",
    "PluginDetail.appTemplates",
    "PluginDetail.hooks",
    "RemoteControlStatusChangedNotification.installationId",
    "RemoteControlStatusChangedNotification.serverName",
    "Thread.ephemeral",
    "Thread.projectId",
    "Thread.sessionId",
    "ThreadForkResponse.approvalsReviewer",
    "ThreadRealtimeStartedNotification.version",
    "ThreadResumeResponse.approvalsReviewer",
    "ThreadStartResponse.approvalsReviewer",
    "ToolRequestUserInputParams.isBlocking",
];

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Type {
    /// A scalar, by its Rust name.
    Scalar(&'static str),
    Any,
    List(Box<Type>),
    Map(Box<Type>),
    Named(String),
    /// An element that may be null.
    Nullable(Box<Type>),
}

#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) wire: String,
    pub(crate) name: String,
    pub(crate) ty: Type,
    pub(crate) required: bool,
    /// Required by the schema, but not there yet in servers still in use.
    pub(crate) later: bool,
    pub(crate) nullable: bool,
    pub(crate) experimental: bool,
    /// Held in a box, since the type would contain itself.
    pub(crate) boxed: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Variant {
    pub(crate) name: String,
    /// The tag or word; for a union without tag empty.
    pub(crate) wire: String,
    pub(crate) payload: Option<Type>,
    pub(crate) experimental: bool,
    /// For a union without tag, what it looks like: Rust expressions.
    pub(crate) shapes: Vec<Shape>,
}

#[derive(Debug, Clone)]
pub(crate) enum Shape {
    Bare(&'static str),
    Object { required: Vec<String>, optional: Vec<String>, words: Vec<(String, Vec<String>)> },
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Alias(Type),
    Object(Vec<Field>),
    Words(Vec<Variant>),
    Tagged { tag: String, variants: Vec<Variant>, boxed: bool },
    Mixed(Vec<Variant>),
    Untagged(Vec<Variant>),
}

/// Which feature a type or a request needs; one that several lead to belongs to the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Group {
    Always,
    Types,
    Experimental,
}

impl Group {
    /// The group of what the client may ask.
    pub(crate) fn of_request(method: &Method) -> Group {
        match method.experimental {
            true => Group::Experimental,
            false if ALWAYS.contains(&method.name.as_str()) => Group::Always,
            false => Group::Types,
        }
    }

    pub(crate) fn feature(self) -> Option<&'static str> {
        match self {
            Group::Always => None,
            Group::Types => Some("types"),
            Group::Experimental => Some("experimental"),
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Decl {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) experimental: bool,
    /// Written by the client.
    pub(crate) sent: bool,
    /// Written by the server.
    pub(crate) received: bool,
    pub(crate) group: Group,
    pub(crate) family: &'static str,
    /// The methods that lead to it.
    pub(crate) methods: Vec<String>,
    /// The union whose member it is, and the member's word.
    pub(crate) member_of: Option<(String, String)>,
}

pub(crate) struct Model {
    pub(crate) decls: BTreeMap<String, Decl>,
}

impl Model {
    pub(crate) fn new(protocol: &Protocol) -> Model {
        let mut builder = Builder { protocol, decls: BTreeMap::new() };
        for (name, schema) in &protocol.types {
            if !BY_HAND.contains(&name.as_str()) {
                builder.declare(renamed(name), schema);
            }
        }
        let mut model = Model { decls: builder.decls };
        model.box_cycles();
        model.box_unions();
        model.reach(protocol);
        model
    }

    /// The names a declaration leads to.
    fn parts(&self, name: &str) -> Vec<String> {
        let mut out = Vec::new();
        if let Some(decl) = self.decls.get(name) {
            decl.kind.each_type(&mut |ty| names_in(ty, &mut out));
        }
        out
    }

    fn leads_to(&self, roots: Vec<&str>) -> BTreeSet<String> {
        let mut queue: Vec<String> = roots.into_iter().map(str::to_owned).collect();
        let mut seen = BTreeSet::new();
        while let Some(name) = queue.pop() {
            if seen.insert(name.clone()) {
                queue.extend(self.parts(&name));
            }
        }
        seen
    }

    fn reach(&mut self, protocol: &Protocol) {
        struct Reached {
            sent: bool,
            received: bool,
            group: Group,
            families: BTreeSet<&'static str>,
            methods: Vec<String>,
        }
        let mut reached: BTreeMap<String, Reached> = BTreeMap::new();
        for (kind, method) in protocol.methods() {
            let group = if kind == "request" { Group::of_request(method) } else { Group::Always };
            for (root, is_params) in [(&method.params, true), (&method.response, false)] {
                let Some(root) = root else { continue };
                for name in self.leads_to(vec![root]) {
                    let entry = reached.entry(name).or_insert_with(|| Reached {
                        sent: false,
                        received: false,
                        group,
                        families: BTreeSet::new(),
                        methods: Vec::new(),
                    });
                    let from_client = (kind == "request") == is_params && kind != "notification";
                    entry.sent |= from_client;
                    entry.received |= !from_client;
                    entry.group = entry.group.min(group);
                    if group != Group::Experimental {
                        entry.families.insert(family(&method.name));
                    }
                    if !entry.methods.contains(&method.name) {
                        entry.methods.push(method.name.clone());
                    }
                }
            }
        }
        for (name, decl) in &mut self.decls {
            let reached = reached.remove(name).unwrap_or_else(|| panic!("nothing leads to {name}"));
            decl.sent = reached.sent;
            decl.received = reached.received;
            decl.group = reached.group;
            decl.methods = reached.methods;
            decl.family = match reached.families.into_iter().collect::<Vec<_>>()[..] {
                [only] => only,
                _ => "common",
            };
        }
    }

    /// Boxes each field through which an object would contain itself.
    fn box_cycles(&mut self) {
        let names: Vec<String> = self.decls.keys().cloned().collect();
        for name in names {
            let Kind::Object(fields) = self.decls[&name].kind.clone() else {
                continue;
            };
            let boxed: Vec<bool> = fields
                .iter()
                .map(|field| match &field.ty {
                    Type::Named(target) => self.contains(target, &name, &mut BTreeSet::new()),
                    _ => false,
                })
                .collect();
            if let Some(Kind::Object(fields)) = self.decls.get_mut(&name).map(|decl| &mut decl.kind) {
                fields.iter_mut().zip(boxed).for_each(|(field, boxed)| field.boxed |= boxed);
            }
        }
    }

    fn contains(&self, from: &str, target: &str, seen: &mut BTreeSet<String>) -> bool {
        if from == target {
            return true;
        }
        if !seen.insert(from.to_owned()) {
            return false;
        }
        let mut held = Vec::new();
        if let Some(decl) = self.decls.get(from) {
            if let Kind::Object(fields) = &decl.kind {
                for field in fields.iter().filter(|field| !field.boxed) {
                    held.extend(held_name(&field.ty));
                }
            } else {
                decl.kind.each_type(&mut |ty| held.extend(held_name(ty)));
            }
        }
        held.iter().any(|name| self.contains(name, target, seen))
    }

    /// Boxes the members of unions that would be big in all their variants.
    fn box_unions(&mut self) {
        let names: Vec<String> = self.decls.keys().cloned().collect();
        for name in names {
            let Kind::Tagged { variants, .. } = &self.decls[&name].kind else {
                continue;
            };
            let biggest = variants.iter().filter_map(|v| v.payload.as_ref()).map(|ty| self.size(ty, 0)).max();
            let big = biggest.unwrap_or(0) > 160;
            if let Some(Kind::Tagged { boxed, .. }) = self.decls.get_mut(&name).map(|decl| &mut decl.kind) {
                *boxed = big;
            }
        }
    }

    /// About how many bytes a value takes; an estimate is enough to decide what to box.
    fn size(&self, ty: &Type, depth: usize) -> usize {
        if depth > 12 {
            return 8;
        }
        match ty {
            Type::Scalar("String") | Type::List(_) | Type::Map(_) => 24,
            Type::Scalar(_) => 8,
            Type::Any => 32,
            Type::Nullable(inner) => self.size(inner, depth) + 8,
            Type::Named(name) => match self.decls.get(name).map(|decl| &decl.kind) {
                None | Some(Kind::Words(_)) => 24,
                Some(Kind::Alias(ty)) => self.size(ty, depth + 1),
                Some(Kind::Object(fields)) => {
                    let size = |field: &Field| {
                        if field.boxed { 8 } else { self.size(&field.ty, depth + 1) + 4 }
                    };
                    fields.iter().map(size).sum()
                }
                Some(Kind::Tagged { boxed: true, .. }) => 56,
                Some(Kind::Tagged { variants, .. } | Kind::Mixed(variants) | Kind::Untagged(variants)) => {
                    let sizes =
                        variants.iter().filter_map(|v| v.payload.as_ref()).map(|ty| self.size(ty, depth + 1));
                    sizes.max().unwrap_or(0).max(48) + 8
                }
            },
        }
    }
}

impl Kind {
    fn each_type(&self, f: &mut dyn FnMut(&Type)) {
        match self {
            Kind::Alias(ty) => f(ty),
            Kind::Object(fields) => fields.iter().for_each(|field| f(&field.ty)),
            Kind::Words(_) => {}
            Kind::Tagged { variants, .. } | Kind::Mixed(variants) | Kind::Untagged(variants) => {
                variants.iter().filter_map(|variant| variant.payload.as_ref()).for_each(f);
            }
        }
    }
}

fn names_in(ty: &Type, out: &mut Vec<String>) {
    match ty {
        Type::Named(name) => out.push(name.clone()),
        Type::List(inner) | Type::Map(inner) | Type::Nullable(inner) => names_in(inner, out),
        Type::Scalar(_) | Type::Any => {}
    }
}

fn held_name(ty: &Type) -> Option<String> {
    match ty {
        Type::Named(name) => Some(name.clone()),
        Type::Nullable(inner) => held_name(inner),
        _ => None,
    }
}

fn family(method: &str) -> &'static str {
    let first = method.split('/').next().unwrap_or(method);
    FAMILIES.iter().find(|(_, prefixes)| prefixes.contains(&first)).map_or("system", |(family, _)| family)
}

struct Builder<'a> {
    protocol: &'a Protocol,
    decls: BTreeMap<String, Decl>,
}

impl Builder<'_> {
    fn add(&mut self, name: &str, kind: Kind, schema: &Value, member_of: Option<(String, String)>) {
        let decl = Decl {
            name: name.to_owned(),
            kind,
            experimental: schema["experimental"] == true,
            sent: false,
            received: false,
            group: Group::Always,
            family: "common",
            methods: Vec::new(),
            member_of,
        };
        assert!(self.decls.insert(name.to_owned(), decl).is_none(), "two types called {name}");
    }

    fn declare(&mut self, name: &str, schema: &Value) {
        let kind = if let Some(members) = schema["oneOf"].as_array().or_else(|| schema["anyOf"].as_array()) {
            self.union(name, schema, members)
        } else if let Some(words) = words_of(schema) {
            Kind::Words(self.words(name, &words, &experimental_words(schema)))
        } else if schema["type"] == "object" && !schema["additionalProperties"].is_object()
            || schema["properties"].is_object()
        {
            Kind::Object(self.fields(name, &[schema]))
        } else {
            let (ty, nullable) = self.ty(name, schema);
            assert!(!nullable, "{name}: a nullable alias");
            Kind::Alias(ty)
        };
        self.add(name, kind, schema, None);
    }

    fn union(&mut self, name: &str, schema: &Value, members: &[Value]) -> Kind {
        // Only words, perhaps in several groups.
        if members.iter().all(|member| words_of(member).is_some()) {
            let words: Vec<String> = members.iter().filter_map(words_of).flatten().collect();
            let mut experimental: Vec<String> = members.iter().flat_map(experimental_words).collect();
            for member in members.iter().filter(|member| member["experimental"] == true) {
                experimental.extend(words_of(member).unwrap_or_default());
            }
            return Kind::Words(self.words(name, &words, &experimental));
        }
        if let Some(tag) = tag_of(members) {
            let mut variants = Vec::new();
            let words: Vec<String> =
                members.iter().map(|m| strings(&m["properties"][&tag]["enum"]).remove(0)).collect();
            for (member, word) in members.iter().zip(&words) {
                let mut variant = variant(word, None, member["experimental"] == true);
                // `a/b` beside `aB`.
                if words.iter().any(|other| other != word && pascal(other) == variant.name) {
                    variant.name = pascal(&word.replace('/', "-slash-"));
                }
                let payload_name = format!("{}{name}", variant.name);
                let mut fields = self.fields(&payload_name, &[schema, member]);
                fields.retain(|field| field.wire != tag);
                if !fields.is_empty() {
                    variant.payload = Some(Type::Named(payload_name.clone()));
                    self.add(
                        &payload_name,
                        Kind::Object(fields),
                        member,
                        Some((name.to_owned(), word.clone())),
                    );
                }
                variants.push(variant);
            }
            distinct(name, &mut variants, "Unknown");
            return Kind::Tagged { tag, variants, boxed: false };
        }
        let keyed = |member: &Value| {
            member["additionalProperties"] == false
                && member["properties"].as_object().is_some_and(|p| p.len() == 1)
        };
        // "A string or an object", said without saying which, is what an open union says anyway.
        let anything = |member: &Value| member["type"].as_array().is_some_and(|types| types.len() == 2);
        if members.iter().any(keyed) {
            let (mut words, mut entries) = (Vec::new(), Vec::new());
            for member in members.iter().filter(|member| !anything(member)) {
                let experimental = member["experimental"] == true;
                if let Some(list) = words_of(member) {
                    let new = experimental_words(member);
                    words.extend(
                        list.iter().map(|word| variant(word, None, experimental || new.contains(word))),
                    );
                    continue;
                }
                assert!(keyed(member), "{name}: a member that is neither a word nor one key: {member}");
                let (key, inner) = member["properties"].as_object().unwrap().iter().next().unwrap();
                let ty = if inner["properties"].is_object() {
                    let payload_name = format!("{}{name}", pascal(key));
                    let fields = self.fields(&payload_name, &[inner]);
                    self.add(
                        &payload_name,
                        Kind::Object(fields),
                        inner,
                        Some((name.to_owned(), key.clone())),
                    );
                    Type::Named(payload_name)
                } else {
                    self.ty(name, inner).0
                };
                entries.push(variant(key, Some(ty), experimental));
            }
            words.extend(entries);
            distinct(name, &mut words, "Unknown");
            return Kind::Mixed(words);
        }
        // `X | null`, a name for the optional parameters of a method.
        let real: Vec<&Value> = members.iter().filter(|member| member["type"] != "null").collect();
        if let [only] = real[..] {
            return Kind::Alias(self.ty(name, only).0);
        }
        let mut variants = Vec::new();
        for (at, member) in real.into_iter().enumerate() {
            let (label, ty) = if let Some(target) = member["$ref"].as_str() {
                (common_part(target, name), Type::Named(renamed(target).to_owned()))
            } else if member["properties"].is_object() {
                // Named after the first field that it needs and others don't have.
                let label =
                    member["required"].as_array().unwrap().iter().filter_map(Value::as_str).find(|field| {
                        members
                            .iter()
                            .enumerate()
                            .all(|(other, m)| other == at || m["properties"][field].is_null())
                    });
                let label =
                    pascal(label.unwrap_or_else(|| panic!("{name}: nothing tells its members apart")));
                let payload_name = format!("{label}{name}");
                let fields = self.fields(&payload_name, &[member]);
                self.add(&payload_name, Kind::Object(fields), member, Some((name.to_owned(), String::new())));
                (label, Type::Named(payload_name))
            } else {
                let ty = self.ty(name, member).0;
                let label = match &ty {
                    Type::Scalar("String") => "Text",
                    Type::Scalar("bool") => "Bool",
                    Type::Scalar(_) => "Number",
                    Type::List(_) => "List",
                    other => panic!("{name}: a member without name: {other:?}"),
                };
                (label.to_owned(), ty)
            };
            let shapes = self.shapes(name, member);
            let experimental = member["experimental"] == true;
            variants.push(Variant {
                name: label,
                wire: String::new(),
                payload: Some(ty),
                experimental,
                shapes,
            });
        }
        distinct(name, &mut variants, "Unknown");
        Kind::Untagged(variants)
    }

    /// What the members of a union without tag may look like.
    fn shapes(&self, name: &str, member: &Value) -> Vec<Shape> {
        if let Some(target) = member["$ref"].as_str() {
            return self.shapes(target, &self.protocol.types[target]);
        }
        if let Some(members) = member["anyOf"].as_array().or_else(|| member["oneOf"].as_array()) {
            return members.iter().flat_map(|member| self.shapes(name, member)).collect();
        }
        match member["type"].as_str() {
            Some("string") => vec![Shape::Bare("Text")],
            Some("boolean") => vec![Shape::Bare("Bool")],
            Some("integer") => vec![Shape::Bare("Integer")],
            Some("array") => vec![Shape::Bare("List")],
            Some("object") => {
                let required = strings(&member["required"]);
                let properties = member["properties"].as_object().cloned().unwrap_or_default();
                let optional = properties.keys().filter(|name| !required.contains(name)).cloned().collect();
                let words = properties.iter().filter_map(|(name, schema)| {
                    let schema =
                        schema["$ref"].as_str().map_or(schema, |target| &self.protocol.types[target]);
                    words_of(schema).map(|words| (name.clone(), words))
                });
                vec![Shape::Object { words: words.collect(), required, optional }]
            }
            _ => panic!("{name}: a member without shape: {member}"),
        }
    }

    fn words(&self, name: &str, words: &[String], experimental: &[String]) -> Vec<Variant> {
        let mut variants: Vec<Variant> =
            words.iter().map(|word| variant(word, None, experimental.contains(word))).collect();
        distinct(name, &mut variants, "Other");
        variants
    }

    /// The fields of an object whose schema comes in layers: a union's own, a member's, and groups
    /// of which one applies.
    fn fields(&mut self, owner: &str, layers: &[&Value]) -> Vec<Field> {
        let mut fields: BTreeMap<String, Field> = BTreeMap::new();
        for (depth, layer) in layers.iter().enumerate() {
            let required = strings(&layer["required"]);
            self.add_fields(owner, layer, &required, &mut fields);
            // The first layer's groups are the union itself.
            if depth + 1 < layers.len() {
                continue;
            }
            for group in layer["anyOf"].as_array().into_iter().flatten() {
                self.add_fields(owner, group, &[], &mut fields);
            }
        }
        let fields: Vec<Field> = fields.into_values().collect();
        let names: BTreeSet<&str> = fields.iter().map(|field| field.name.as_str()).collect();
        assert_eq!(names.len(), fields.len(), "{owner}: two fields of one name");
        fields
    }

    fn add_fields(
        &mut self,
        owner: &str,
        schema: &Value,
        required: &[String],
        out: &mut BTreeMap<String, Field>,
    ) {
        for (wire, schema) in schema["properties"].as_object().into_iter().flatten() {
            let (ty, nullable) = if words_of(schema).is_some_and(|words| words.len() > 1) {
                let name = format!("{owner}{}", pascal(wire));
                self.declare(&name, schema);
                (Type::Named(name), false)
            } else {
                self.ty(owner, schema)
            };
            let later = LATER.contains(&format!("{owner}.{wire}").as_str());
            let field = Field {
                wire: wire.clone(),
                name: snake(wire),
                ty,
                required: required.contains(wire) && !later,
                later,
                nullable,
                experimental: schema["experimental"] == true,
                boxed: false,
            };
            out.insert(wire.clone(), field);
        }
    }

    /// A type and whether it may be null.
    fn ty(&self, owner: &str, schema: &Value) -> (Type, bool) {
        if let Some(target) = schema["$ref"].as_str() {
            // A name for `X | null` is as good as saying so here.
            let (inner, nullable) = match self.protocol.types[target]["anyOf"].as_array() {
                Some(members) if members.len() == 2 && members[1]["type"] == "null" => {
                    self.ty(owner, &members[0])
                }
                _ => (Type::Named(renamed(target).to_owned()), false),
            };
            return (inner, nullable);
        }
        for key in ["anyOf", "oneOf", "allOf"] {
            if let Some(members) = schema[key].as_array() {
                let real: Vec<&Value> = members.iter().filter(|member| member["type"] != "null").collect();
                let [only] = real[..] else { panic!("{owner}: a union inside of a field: {schema}") };
                let (ty, nullable) = self.ty(owner, only);
                return (ty, nullable || real.len() < members.len());
            }
        }
        let types = match &schema["type"] {
            Value::String(word) => vec![word.clone()],
            Value::Array(_) => strings(&schema["type"]),
            _ => return (Type::Any, false),
        };
        let nullable = types.iter().any(|ty| ty == "null");
        let real: Vec<&String> = types.iter().filter(|ty| *ty != "null").collect();
        let element = |schema: &Value| {
            let (ty, nullable) = self.ty(owner, schema);
            Box::new(if nullable { Type::Nullable(Box::new(ty)) } else { ty })
        };
        let ty = match real[..] {
            [only] => match (only.as_str(), schema["format"].as_str()) {
                ("string", _) => Type::Scalar("String"),
                ("boolean", _) => Type::Scalar("bool"),
                ("number", _) => Type::Scalar("f64"),
                ("integer", Some("int32" | "int16" | "int8")) => Type::Scalar("i32"),
                ("integer", Some("uint16" | "uint8")) => Type::Scalar("u16"),
                ("integer", Some("uint32")) => Type::Scalar("u32"),
                ("integer", Some("uint64" | "uint")) => Type::Scalar("u64"),
                ("integer", _) => Type::Scalar("i64"),
                ("array", _) => Type::List(element(&schema["items"])),
                ("object", _) if schema["properties"].is_object() => {
                    panic!("{owner}: an object inside of a field")
                }
                ("object", _) => Type::Map(element(&schema["additionalProperties"])),
                (other, _) => panic!("{owner}: the type {other}"),
            },
            _ => Type::Any,
        };
        (ty, nullable)
    }
}

fn variant(wire: &str, payload: Option<Type>, experimental: bool) -> Variant {
    Variant { name: pascal(wire), wire: wire.to_owned(), payload, experimental, shapes: Vec::new() }
}

/// Makes names differ from each other and from the one for what is unknown.
fn distinct(owner: &str, variants: &mut [Variant], taken: &str) {
    let mut seen = BTreeSet::from([taken.to_owned()]);
    for variant in variants {
        if variant.name == taken {
            variant.name.push('_');
        }
        assert!(seen.insert(variant.name.clone()), "{owner}: two variants called {}", variant.name);
    }
}

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn words_of(schema: &Value) -> Option<Vec<String>> {
    (schema["type"] == "string").then(|| schema["enum"].as_array().map(|_| strings(&schema["enum"])))?
}

fn experimental_words(schema: &Value) -> Vec<String> {
    strings(&schema["experimentalWords"])
}

/// The field that holds another single word in each member.
fn tag_of(members: &[Value]) -> Option<String> {
    let is_tag = |name: &&String| {
        members
            .iter()
            .all(|m| m["properties"][name.as_str()]["enum"].as_array().is_some_and(|words| words.len() == 1))
    };
    members[0]["properties"].as_object()?.keys().find(is_tag).cloned()
}

/// A member's name without what it shares with its union's.
fn common_part(member: &str, union: &str) -> String {
    let words = |name: &str| -> Vec<String> { snake(name).split('_').map(pascal).collect() };
    let (member_words, union_words) = (words(member), words(union));
    let start = member_words.iter().zip(&union_words).take_while(|(a, b)| a == b).count();
    let rest = &member_words[start..];
    let end = rest.iter().rev().zip(union_words[start..].iter().rev()).take_while(|(a, b)| a == b).count();
    match &rest[..rest.len() - end] {
        [] => member.to_owned(),
        rest => rest.concat(),
    }
}

/// `fooBar`, `foo-bar`, `foo_bar`, `foo/bar` → `FooBar`; `FOO_BAR` as well.
pub(crate) fn pascal(word: &str) -> String {
    let shout = !word.chars().any(|c| c.is_ascii_lowercase());
    let parts = word.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let name: String = parts
        .map(|part| {
            let (first, rest) = part.split_at(1);
            let rest = if shout { rest.to_ascii_lowercase() } else { rest.to_owned() };
            first.to_ascii_uppercase() + &rest
        })
        .collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("N{name}") } else { name }
}

/// `fooBar` → `foo_bar`, with an underscore behind what Rust keeps for itself.
pub(crate) fn snake(word: &str) -> String {
    let chars: Vec<char> = word.chars().collect();
    let mut out = String::new();
    for (at, c) in chars.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            if !out.is_empty() {
                out.push('_');
            }
            continue;
        }
        if c.is_ascii_uppercase() && at > 0 {
            let after_small = chars[at - 1].is_ascii_lowercase() || chars[at - 1].is_ascii_digit();
            let before_small = chars.get(at + 1).is_some_and(char::is_ascii_lowercase);
            if after_small || (before_small && chars[at - 1].is_ascii_uppercase()) {
                out.push('_');
            }
        }
        out.push(c.to_ascii_lowercase());
    }
    let keywords =
        ["type", "enum", "async", "const", "ref", "match", "move", "use", "mod", "self", "struct", "where"];
    if keywords.contains(&out.as_str()) {
        out.push('_');
    }
    out
}

/// The type that the parameters of a method have: its own, or one made for it.
pub(crate) fn params_type(method: &Method) -> String {
    match &method.params {
        Some(params) => params.clone(),
        None => method.name.split('/').map(pascal).collect::<String>() + "Params",
    }
}
