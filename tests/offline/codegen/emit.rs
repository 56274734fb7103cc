//! Writes the Rust of `src/protocol/generated` and the table that the tests of the types use.
//!
//! Relies on `model` and `docs`. Invariant: the text is what rustfmt would leave as it is (types
//! stand inside of macros with braces, which it does not touch), so that no formatter is needed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use super::docs;
use super::model::{Decl, Field, Group, Kind, Model, Shape, Type, Variant, params_type, pascal};
use super::schema::{Method, Protocol};

const WIDTH: usize = 100;

/// All files by their paths from the crate's root.
pub(crate) fn files(protocol: &Protocol, model: &Model) -> BTreeMap<String, String> {
    let emitter = Emitter { protocol, model, roles: roles(protocol) };
    let mut files = BTreeMap::new();
    let mut modules = Vec::new();
    let mut add = |name: &str, about: &str, uses: &[&str], body: String| {
        let text = format!("{}{}\n{body}", emitter.header(about), emitter.uses(uses, &body));
        files.insert(format!("src/protocol/generated/{name}.rs"), text);
        modules.push(name.to_owned());
    };

    let is_words = |decl: &&Decl| matches!(decl.kind, Kind::Words(_));
    let is_object = |decl: &&Decl| matches!(decl.kind, Kind::Object(_));
    let of = |group: Group| model.decls.values().filter(move |decl| decl.group == group);
    let always = || of(Group::Always);
    add(
        "enums",
        "Enums of words, open to new ones.",
        &["string_enum"],
        emitter.decls(always().filter(is_words)),
    );
    let unions = always().filter(|decl| !is_words(decl) && !is_object(decl));
    add(
        "unions",
        "Unions, which keep the members that they don't know, and names for plain strings.",
        UNIONS,
        emitter.decls(unions),
    );
    let families: BTreeSet<&str> = always().filter(is_object).map(|decl| decl.family).collect();
    for family in families {
        let about = match family {
            "common" => "Objects that several families share.".to_owned(),
            family => format!("Objects that only the family `{family}` uses."),
        };
        let decls = always().filter(is_object).filter(|decl| decl.family == family);
        add(family, &about, &["object", "build"], emitter.decls(decls));
    }
    let requests = emitter.methods("REQUESTS", "The requests of the stable API.", false)
        + "\n"
        + &emitter.requests(Group::Always);
    add("requests", "What a client may ask.", REQUESTS, requests);
    add("notifications", "What the server tells.", &["messages"], emitter.notifications());
    add("server_requests", "What the server asks.", &["messages"], emitter.server_requests());
    let table =
        emitter.methods("EXPERIMENTAL_REQUESTS", "The requests of the experimental API.", true) + "\n";
    for (group, table, which) in [
        (Group::Types, String::new(), "requests that this crate's own methods don't send"),
        (Group::Experimental, table, "experimental requests"),
    ] {
        let feature = group.feature().unwrap();
        let small = emitter.decls(of(group).filter(|decl| !is_object(decl)));
        add(
            feature,
            &format!("The {which}, and the enums and unions that only they use."),
            &[UNIONS, REQUESTS, &["string_enum"]].concat(),
            table + &emitter.requests(group) + "\n" + &small,
        );
        add(
            &format!("{feature}_objects"),
            &format!("Objects that only {which} use."),
            &["object", "build"],
            emitter.decls(of(group).filter(is_object)),
        );
    }
    modules.sort();
    files.insert("src/protocol/generated/mod.rs".to_owned(), emitter.module(&modules));
    files.insert("tests/offline/protocol/table.rs".to_owned(), emitter.table());
    files
}

const UNIONS: &[&str] = &["convert", "mixed", "shared", "tagged", "untagged"];
const REQUESTS: &[&str] = &["methods", "no_params", "requests"];

/// What a type is to the methods that name it.
fn roles(protocol: &Protocol) -> BTreeMap<String, String> {
    let mut roles: BTreeMap<String, Vec<(&str, String)>> = BTreeMap::new();
    for (kind, method) in protocol.methods() {
        let (params, response) = match kind {
            "request" => ("Parameters of", "Reply to"),
            "notification" => ("What the server tells with", ""),
            _ => ("What the server asks with", "Answer to"),
        };
        roles.entry(params_type(method)).or_default().push((params, method.name.clone()));
        if let Some(name) = &method.response {
            roles.entry(name.clone()).or_default().push((response, method.name.clone()));
        }
    }
    roles
        .into_iter()
        .map(|(name, uses)| {
            let methods: Vec<String> = uses.iter().map(|(_, method)| format!("`{method}`")).collect();
            (name, format!("{} {}.", uses[0].0, methods.join(" and ")))
        })
        .collect()
}

struct Emitter<'a> {
    protocol: &'a Protocol,
    model: &'a Model,
    roles: BTreeMap<String, String>,
}

impl Emitter<'_> {
    fn header(&self, about: &str) -> String {
        format!(
            "//! {about}\n//!\n//! @generated from the schemas of codex {} (structure {:016x}) by\n\
             //! `CODEGEN=write cargo test --test offline codegen`; do not edit.\n\n",
            self.protocol.codex,
            self.protocol.hash(),
        )
    }

    /// The imports that a body needs.
    fn uses(&self, macros: &[&str], body: &str) -> String {
        let mut out = String::new();
        let has = |word: &str| body.contains(word);
        if has("BTreeMap<") {
            out.push_str("use std::collections::BTreeMap;\n\n");
        }
        if has("Value") && body.split(|c: char| !c.is_alphanumeric()).any(|word| word == "Value") {
            out.push_str("use serde_json::Value;\n\n");
        }
        // String enums need nothing else.
        if macros != ["string_enum"] {
            out.push_str("use super::*;\n");
        }
        if has("Setting<") {
            out.push_str("use crate::Setting;\n");
        }
        let open: Vec<&str> =
            ["build", "convert", "mixed", "object", "shared", "string_enum", "tagged", "untagged"]
                .into_iter()
                .filter(|name| macros.contains(name) && has(&format!("{name}! {{")))
                .collect();
        let request: Vec<&str> = ["messages", "methods", "no_params", "requests"]
            .into_iter()
            .filter(|name| macros.contains(name) && has(&format!("{name}! {{")))
            .collect();
        if has("ServerRequestParams for") {
            out.push_str("use crate::protocol::ServerRequestParams;\n");
        }
        for (module, mut names) in [("request", request), ("wire", open)] {
            names.sort_by_key(|name| (name.starts_with(char::is_lowercase), *name));
            match names[..] {
                [] => {}
                [only] => writeln!(out, "use crate::protocol::{module}::{only};").unwrap(),
                _ => writeln!(out, "use crate::protocol::{module}::{{{}}};", names.join(", ")).unwrap(),
            }
        }
        out
    }

    fn module(&self, modules: &[String]) -> String {
        let mut out = self.header("The types of the protocol, as the server's own schemas describe them.");
        for declare in ["mod {};", "pub use {}::*;"] {
            for module in modules {
                let gated = [Group::Types, Group::Experimental].into_iter().filter_map(Group::feature);
                if let Some(feature) = gated.into_iter().find(|feature| module.starts_with(feature)) {
                    writeln!(out, "#[cfg(feature = {feature:?})]").unwrap();
                }
                writeln!(out, "{}", declare.replace("{}", module)).unwrap();
            }
            out.push('\n');
        }
        out.push_str(
            "#[allow(unused_imports, reason = \"names that all files may use\")]\nuse super::{ReasoningEffort, RequestId};\n",
        );
        writeln!(
            out,
            "\n/// The version of codex whose schemas the types come from.\npub const CODEX_VERSION: &str = \"{}\";",
            self.protocol.codex
        )
        .unwrap();
        out
    }

    fn decls<'d>(&self, decls: impl Iterator<Item = &'d Decl>) -> String {
        let blocks: Vec<String> = decls.map(|decl| self.decl(decl)).collect();
        blocks.join("\n")
    }

    fn decl(&self, decl: &Decl) -> String {
        let name = &decl.name;
        let docs = self.type_docs(decl);
        match &decl.kind {
            Kind::Alias(ty) => format!("{}pub type {name} = {};\n", doc(0, &docs), rust(ty)),
            Kind::Object(fields) => self.object(decl, fields, &docs),
            Kind::Words(variants) => {
                let mut out = format!("string_enum! {{\n{}    pub enum {name} {{\n", doc(4, &docs));
                for variant in variants {
                    out += &variant_doc(name, variant);
                    writeln!(out, "        {} = {:?},", variant.name, variant.wire).unwrap();
                }
                out + "    }\n}\n"
            }
            Kind::Tagged { tag, variants, boxed } => {
                let mut out = format!("tagged! {{\n{}    pub enum {name} by {tag:?} {{\n", doc(4, &docs));
                for variant in variants {
                    out += &variant_doc(name, variant);
                    let payload = match &variant.payload {
                        Some(ty) if *boxed => format!("(item: Box<{}>)", rust(ty)),
                        Some(ty) => format!("(item: {})", rust(ty)),
                        None => String::new(),
                    };
                    writeln!(out, "        {}{payload} = {:?},", variant.name, variant.wire).unwrap();
                }
                out += "    }\n}\n";
                out += &self.shared(name, variants);
                let made: Vec<&Variant> =
                    variants.iter().filter(|variant| variant.payload.is_some()).collect();
                if decl.sent && !made.is_empty() {
                    writeln!(out, "\nconvert! {{\n    {name} {{").unwrap();
                    for variant in made {
                        let payload = rust(variant.payload.as_ref().unwrap());
                        writeln!(out, "        {}({payload}),", variant.name).unwrap();
                    }
                    out += "    }\n}\n";
                }
                out
            }
            Kind::Mixed(variants) => {
                let mut out = format!("mixed! {{\n{}    pub enum {name} {{\n", doc(4, &docs));
                let first = variants.iter().position(|variant| variant.payload.is_some());
                for (at, variant) in variants.iter().enumerate() {
                    if Some(at) == first {
                        out += "    } or {\n";
                    }
                    out += &variant_doc(name, variant);
                    let payload =
                        variant.payload.as_ref().map(|ty| format!("({})", rust(ty))).unwrap_or_default();
                    writeln!(out, "        {}{payload} = {:?},", variant.name, variant.wire).unwrap();
                }
                out + "    }\n}\n"
            }
            Kind::Untagged(variants) => {
                let mut out = format!("untagged! {{\n{}    pub enum {name} {{\n", doc(4, &docs));
                for variant in variants {
                    let payload = rust(variant.payload.as_ref().unwrap());
                    let about = match &variant.payload {
                        Some(Type::Named(payload)) => format!("A [`{payload}`]."),
                        Some(Type::List(_)) => "A list.".to_owned(),
                        Some(Type::Scalar("String")) => "A string.".to_owned(),
                        _ => "A number.".to_owned(),
                    };
                    out += &doc(8, &[about]);
                    out += &variant_doc(name, variant);
                    writeln!(out, "        {}({payload}) = [", variant.name).unwrap();
                    for shape in &variant.shapes {
                        out += &shape_text(shape);
                    }
                    out += "        ],\n";
                }
                out + "    }\n}\n"
            }
        }
    }

    fn object(&self, decl: &Decl, fields: &[Field], docs: &[String]) -> String {
        let name = &decl.name;
        let mut out = format!("object! {{\n{}", doc(4, docs));
        if decl.sent && fields.iter().all(|field| !field.required) {
            out += "    #[derive(Default)]\n";
        }
        writeln!(out, "    pub struct {name} {{").unwrap();
        for field in fields {
            out += &doc(8, &field_docs(name, field));
            let null = if field.required && field.nullable { " or null" } else { "" };
            writeln!(
                out,
                "        pub {}: {} = {:?}{null},",
                field.name,
                field_type(decl, field),
                field.wire
            )
            .unwrap();
        }
        out += "    }\n}\n";
        if decl.sent {
            let mut required: Vec<&Field> = fields.iter().filter(|field| field.required).collect();
            required.sort_by_key(|field| (rank(&field.wire), field.wire.clone()));
            let required: Vec<String> =
                required.iter().map(|field| format!("{}: {}", field.name, field_type(decl, field))).collect();
            let optional: Vec<&Field> = fields.iter().filter(|field| !field.required).collect();
            let line = format!("    {name}({}) {{", required.join(", "));
            let head = if line.len() <= WIDTH {
                line
            } else {
                format!("    {name}(\n        {},\n    ) {{", required.join(",\n        "))
            };
            write!(out, "\nbuild! {{\n{head}").unwrap();
            if optional.is_empty() {
                out += "}\n}\n";
            } else {
                out += "\n";
                for field in optional {
                    // An `Option` is set by what it holds.
                    let ty = match nullness(decl, field) {
                        Nullness::Option => base(field),
                        _ => field_type(decl, field),
                    };
                    writeln!(out, "        {}: {ty},", field.name).unwrap();
                }
                out += "    }\n}\n";
            }
        }
        out
    }

    /// Required strings that all members of a union have.
    fn shared(&self, name: &str, variants: &[Variant]) -> String {
        let fields = |variant: &Variant| match &variant.payload {
            Some(Type::Named(payload)) => match &self.model.decls[payload].kind {
                Kind::Object(fields) => fields.clone(),
                _ => Vec::new(),
            },
            _ => Vec::new(),
        };
        let is_text = |field: &Field| field.required && !field.nullable && field.ty == Type::Scalar("String");
        let shared: Vec<Field> = fields(&variants[0])
            .into_iter()
            .filter(|field| {
                variants
                    .iter()
                    .all(|v| fields(v).iter().any(|other| other.wire == field.wire && is_text(other)))
            })
            .collect();
        if shared.is_empty() || variants.len() < 2 {
            return String::new();
        }
        let mut out = format!("\nshared! {{\n    {name} {{\n");
        for field in shared {
            writeln!(out, "        {} = {:?} in [", field.name, field.wire).unwrap();
            for variant in variants {
                writeln!(out, "            {},", variant.name).unwrap();
            }
            out += "        ],\n";
        }
        out + "    }\n}\n"
    }

    fn type_docs(&self, decl: &Decl) -> Vec<String> {
        let mut docs = Vec::new();
        let sentence =
            docs::TYPES.iter().find(|(name, _)| *name == decl.name).map(|(_, text)| (*text).to_owned());
        let role = self.roles.get(&decl.name).cloned().or_else(|| {
            let (union, word) = decl.member_of.as_ref()?;
            Some(if word.is_empty() {
                format!("A member of [`{union}`].")
            } else {
                format!("`{word}` of [`{union}`].")
            })
        });
        docs.extend(sentence);
        let direct = role.is_some();
        docs.extend(role);
        if !direct {
            let shown: Vec<String> =
                decl.methods.iter().take(3).map(|method| format!("`{method}`")).collect();
            let more = match decl.methods.len().saturating_sub(3) {
                0 => String::new(),
                1 => " and one more method".to_owned(),
                more => format!(" and {more} more methods"),
            };
            docs.push(format!("Used by {}{more}.", shown.join(", ")));
        }
        if decl.experimental {
            docs.push("Belongs to the experimental API.".to_owned());
        }
        docs
    }

    /// The methods as data. Those without a type are listed too: what the server can do does not
    /// depend on features.
    fn methods(&self, name: &str, about: &str, experimental: bool) -> String {
        let mut out = format!(
            "methods! {{\n    experimental: {experimental};\n    /// {about}\n    pub const {name};\n"
        );
        for method in self.protocol.requests.iter().filter(|method| method.experimental == experimental) {
            out += &request_line(method);
        }
        out + "}\n"
    }

    fn requests(&self, group: Group) -> String {
        let list = || self.protocol.requests.iter().filter(move |method| Group::of_request(method) == group);
        let mut out = String::from("no_params! {\n");
        for method in list().filter(|method| method.params.is_none()) {
            out += &doc(
                4,
                &[format!("Parameters of `{}`, which takes none: they are sent as null.", method.name)],
            );
            writeln!(out, "    pub struct {};", params_type(method)).unwrap();
        }
        writeln!(out, "}}\n\nrequests! {{\n    experimental: {};", group == Group::Experimental).unwrap();
        for method in list() {
            out += &request_line(method);
        }
        out + "}\n"
    }

    fn messages(&self, name: &str, about: &str, list: &[Method]) -> String {
        let mut out = format!("messages! {{\n{}    pub enum {name} {{\n", doc(4, &[about.to_owned()]));
        for method in list {
            if method.experimental {
                out += &doc(8, &["Belongs to the experimental API.".to_owned()]);
            }
            let variant: String = method.name.split('/').map(pascal).collect();
            writeln!(out, "        {variant}({}) = {:?},", params_type(method), method.name).unwrap();
        }
        out + "    }\n}\n"
    }

    fn notifications(&self) -> String {
        let about = "A notification of the server, decoded.";
        self.messages("ServerNotification", about, &self.protocol.notifications)
    }

    fn server_requests(&self) -> String {
        let about = "A request of the server, decoded; the id is in the envelope.";
        let mut out = self.messages("ServerRequestMessage", about, &self.protocol.server_requests);
        for method in &self.protocol.server_requests {
            let (params, response) = (params_type(method), method.response.as_ref().unwrap());
            write!(
                out,
                "\nimpl ServerRequestParams for {params} {{\n    type Response = {response};\n    \
                 const METHOD: &'static str = {:?};\n}}\n",
                method.name
            )
            .unwrap();
        }
        out
    }

    /// Functions for the tests to reach each type by its name.
    fn table(&self) -> String {
        let mut out = self.header("The types of the protocol by their names, for the tests.");
        out += "use codex_blocking::protocol::*;\n\nuse super::{Check, check, encode};\n\n";
        out += "#[rustfmt::skip]\npub(crate) const TYPES: &[(&str, Check)] = &[\n";
        for decl in self.model.decls.values() {
            writeln!(out, "    ({:?}, check::<{}>),", decl.name, decl.name).unwrap();
        }
        out += "];\n\n/// Method, parameters, reply.\n#[rustfmt::skip]\npub(crate) const REQUESTS: &[(&str, Check, Check)] = &[\n";
        for method in &self.protocol.requests {
            let params = match &method.params {
                Some(params) => format!("check::<{params}>"),
                None => format!("|_| encode(&{}::new())", params_type(method)),
            };
            let response = method.response.as_ref().unwrap();
            writeln!(out, "    ({:?}, {params}, check::<{response}>),", method.name).unwrap();
        }
        out +=
            "];\n\n/// Method, answer.\n#[rustfmt::skip]\npub(crate) const ANSWERS: &[(&str, Check)] = &[\n";
        for method in &self.protocol.server_requests {
            writeln!(out, "    ({:?}, check::<{}>),", method.name, method.response.as_ref().unwrap())
                .unwrap();
        }
        out + "];\n"
    }
}

#[derive(PartialEq)]
enum Nullness {
    Plain,
    Option,
    Setting,
}

/// The client's own fields tell null from absence; the server's don't.
fn nullness(decl: &Decl, field: &Field) -> Nullness {
    match (field.required, field.nullable) {
        (true, false) => Nullness::Plain,
        (false, true) if decl.sent && !decl.received => Nullness::Setting,
        _ => Nullness::Option,
    }
}

fn base(field: &Field) -> String {
    if field.boxed { format!("Box<{}>", rust(&field.ty)) } else { rust(&field.ty) }
}

fn field_type(decl: &Decl, field: &Field) -> String {
    match nullness(decl, field) {
        Nullness::Plain => base(field),
        Nullness::Option => format!("Option<{}>", base(field)),
        Nullness::Setting => format!("Setting<{}>", base(field)),
    }
}

fn rust(ty: &Type) -> String {
    match ty {
        Type::Scalar(name) => (*name).to_owned(),
        Type::Any => "Value".to_owned(),
        Type::List(inner) => format!("Vec<{}>", rust(inner)),
        Type::Map(inner) => format!("BTreeMap<String, {}>", rust(inner)),
        Type::Named(name) => name.clone(),
        Type::Nullable(inner) => format!("Option<{}>", rust(inner)),
    }
}

fn request_line(method: &Method) -> String {
    let response = method.response.as_ref().unwrap();
    format!("    {:?}: {} => {response},\n", method.name, params_type(method))
}

/// What a constructor asks for first.
fn rank(wire: &str) -> usize {
    match wire {
        "threadId" => 0,
        "turnId" | "expectedTurnId" => 1,
        "itemId" => 2,
        _ if wire.ends_with("Id") || wire == "id" => 3,
        _ => 4,
    }
}

fn field_docs(owner: &str, field: &Field) -> Vec<String> {
    let mut docs = Vec::new();
    let key = format!("{owner}.{}", field.wire);
    docs.extend(docs::FIELDS.iter().find(|(name, _)| *name == key).map(|(_, text)| (*text).to_owned()));
    let ends = |ends: &[&str]| ends.iter().any(|end| field.wire.ends_with(end));
    if let Type::Scalar("i64" | "u64" | "i32" | "u32" | "u16" | "f64") = field.ty {
        let unit = if ends(&["AtMs"]) {
            Some("Milliseconds since the Unix epoch.")
        } else if ends(&["Ms", "_ms"]) {
            Some("Milliseconds.")
        } else if ends(&["At", "_at"]) {
            Some("Unix seconds.")
        } else if ends(&["Sec", "Secs", "Seconds", "_sec", "_secs", "_seconds"]) {
            Some("Seconds.")
        } else if ends(&["Bytes", "_bytes"]) {
            Some("Bytes.")
        } else if ends(&["Percent"]) {
            Some("Per cent.")
        } else {
            None
        };
        docs.extend(unit.map(str::to_owned));
    }
    if field.required && field.nullable {
        docs.push("Always there, but may be null.".to_owned());
    }
    if field.later {
        docs.push("Older servers leave it out.".to_owned());
    }
    if field.experimental {
        docs.push("Belongs to the experimental API.".to_owned());
    }
    docs
}

fn variant_doc(owner: &str, variant: &Variant) -> String {
    let key = format!("{owner}.{}", variant.wire);
    let mut docs = Vec::new();
    docs.extend(docs::FIELDS.iter().find(|(name, _)| *name == key).map(|(_, text)| (*text).to_owned()));
    if variant.experimental {
        docs.push("Belongs to the experimental API.".to_owned());
    }
    doc(8, &docs)
}

/// A documentation comment, each sentence a paragraph of its own.
fn doc(indent: usize, paragraphs: &[String]) -> String {
    let mut out = String::new();
    let pad = " ".repeat(indent);
    for (at, paragraph) in paragraphs.iter().enumerate() {
        if at > 0 {
            writeln!(out, "{pad}///").unwrap();
        }
        let mut line = format!("{pad}///");
        for word in paragraph.split(' ') {
            if line.len() + 1 + word.len() > WIDTH {
                writeln!(out, "{line}").unwrap();
                line = format!("{pad}///");
            }
            line.push(' ');
            line.push_str(word);
        }
        writeln!(out, "{line}").unwrap();
    }
    out
}

fn shape_text(shape: &Shape) -> String {
    let list = |names: &[String]| {
        let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
        format!("&[{}]", names.join(", "))
    };
    match shape {
        Shape::Bare(name) => format!("            Shape::{name},\n"),
        Shape::Object { required, optional, words } => {
            let words: Vec<String> =
                words.iter().map(|(name, words)| format!("({name:?}, {})", list(words))).collect();
            format!(
                "            Shape::Object {{\n                required: {},\n                optional: {},\n                \
                 words: &[{}],\n            }},\n",
                list(required),
                list(optional),
                words.join(", ")
            )
        }
    }
}
