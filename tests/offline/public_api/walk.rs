//! All public items of the crate, one line for each.
//!
//! Relies on `render`. Invariant: what can be reached from outside by a path has a line that begins with
//! this path, `protocol` aside.

use std::{cell::RefCell, collections::BTreeSet};

use serde_json::Value;

use super::render::{Renderer, kind, list};

/// The module whose items are left out.
const LEFT_OUT: &str = "protocol";

/// The traits that the compiler implements by itself and that matter to those who use a type.
const AUTO: &[&str] = &["Send", "Sync"];

pub(crate) struct Api {
    /// Sorted.
    pub(crate) lines: Vec<String>,
    /// The names at the root, those of modules aside.
    pub(crate) root: Vec<String>,
    /// What can be reached by more than one path.
    pub(crate) twice: Vec<String>,
    /// The types of other crates.
    pub(crate) foreign: Vec<String>,
}

struct Walk<'a> {
    index: &'a Value,
    renderer: Renderer<'a>,
    lines: BTreeSet<String>,
    seen: BTreeSet<String>,
    twice: Vec<String>,
}

impl Api {
    pub(crate) fn new(json: &Value) -> Api {
        let renderer =
            Renderer { paths: &json["paths"], crates: &json["external_crates"], foreign: RefCell::default() };
        let mut walk = Walk {
            index: &json["index"],
            renderer,
            lines: BTreeSet::new(),
            seen: BTreeSet::new(),
            twice: Vec::new(),
        };
        walk.module("", &json["root"]);
        let root = walk.lines.iter().filter(|line| !line.ends_with(" mod"));
        let root = root.filter_map(|line| line.split(' ').next()).filter(|path| !path.contains("::"));
        let root: BTreeSet<_> = root.map(str::to_owned).collect();
        Api {
            root: root.into_iter().collect(),
            lines: walk.lines.into_iter().collect(),
            twice: walk.twice,
            foreign: walk.renderer.foreign.into_inner().into_iter().collect(),
        }
    }
}

fn joined(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}::{name}") }
}

impl<'a> Walk<'a> {
    fn item(&self, id: &Value) -> &'a Value {
        &self.index[id.to_string()]
    }

    fn module(&mut self, path: &str, id: &Value) {
        for id in list(&self.item(id)["inner"]["module"]["items"]) {
            let item = self.item(id);
            if item["visibility"] != "public" {
                continue;
            }
            let (of_kind, inner) = kind(&item["inner"]);
            let (id, name) = match of_kind {
                "use" => (&inner["id"], inner["name"].as_str().unwrap()),
                _ => (id, item["name"].as_str().unwrap()),
            };
            let path = joined(path, name);
            if of_kind == "use" && inner["is_glob"] == true {
                panic!("{path}: all of a module is re-exported");
            }
            let home = &self.renderer.paths[id.to_string()]["path"];
            if of_kind == "use" && home[1] == LEFT_OUT {
                let original = list(home).last().unwrap().as_str().unwrap();
                self.lines.insert(format!("{path} use {LEFT_OUT}::{original}"));
                continue;
            }
            if !self.seen.insert(id.to_string()) {
                self.twice.push(path.clone());
            }
            self.public(&path, id);
        }
    }

    fn line(&mut self, path: &str, what: impl AsRef<str>) {
        self.lines.insert(format!("{path} {}", what.as_ref()));
    }

    /// The attributes that those who use an item have to know.
    fn attributes(item: &Value) -> String {
        let shown = |attr: &Value| match attr {
            Value::String(word) if word == "non_exhaustive" => Some(" #[non_exhaustive]"),
            Value::Object(attr) if attr.contains_key("must_use") => Some(" #[must_use]"),
            _ => None,
        };
        list(&item["attrs"]).filter_map(shown).collect()
    }

    fn public(&mut self, path: &str, id: &Value) {
        let item = self.item(id);
        let (of_kind, inner) = kind(&item["inner"]);
        let (params, conditions) = self.renderer.generics(&inner["generics"]);
        let attributes = Self::attributes(item);
        match of_kind {
            "module" => {
                self.line(path, "mod");
                if path != LEFT_OUT {
                    self.module(path, id);
                }
            }
            "struct" => {
                let fields = self.fields(path, &inner["kind"]);
                self.line(path, format!("struct{params}{fields}{conditions}{attributes}"));
                self.impls(path, &inner["impls"]);
            }
            "enum" => {
                self.line(path, format!("enum{params}{conditions}{attributes}"));
                for variant in list(&inner["variants"]) {
                    let variant = self.item(variant);
                    let path = joined(path, variant["name"].as_str().unwrap());
                    let fields = self.fields(&path, &variant["inner"]["variant"]["kind"]);
                    self.line(&path, format!("variant{fields}{}", Self::attributes(variant)));
                }
                self.impls(path, &inner["impls"]);
            }
            "trait" => {
                let bounds = self.renderer.bounds(&inner["bounds"]);
                let bounds = if bounds.is_empty() { bounds } else { format!(": {bounds}") };
                self.line(path, format!("trait{params}{bounds}{conditions}"));
                self.members(path, &inner["items"], None);
            }
            "type_alias" => {
                let ty = self.renderer.ty(&inner["type"]);
                self.line(path, format!("type{params} = {ty}"));
            }
            "constant" => {
                self.line(path, format!("const: {}", self.renderer.ty(&inner["type"])));
            }
            "function" => self.line(path, self.renderer.function(inner) + &attributes),
            other => panic!("{path}: an item of kind {other}"),
        }
    }

    /// The fields of a struct or a variant: those without a name as text, those with one as lines.
    fn fields(&mut self, path: &str, fields: &Value) -> String {
        let (of_kind, inner) = kind(fields);
        match of_kind {
            "unit" | "plain" if inner.is_null() => String::new(),
            "tuple" => {
                let one = |id: &Value| match id {
                    Value::Null => "_".to_owned(),
                    id => self.renderer.ty(&self.item(id)["inner"]["struct_field"]),
                };
                format!("({})", list(inner).map(one).collect::<Vec<_>>().join(", "))
            }
            "plain" | "struct" => {
                for id in list(&inner["fields"]) {
                    let field = self.item(id);
                    let path = joined(path, field["name"].as_str().unwrap());
                    self.line(&path, format!("field: {}", self.renderer.ty(&field["inner"]["struct_field"])));
                }
                if inner["has_stripped_fields"] == true { " { .. }".to_owned() } else { " {}".to_owned() }
            }
            other => panic!("{path}: fields of kind {other}"),
        }
    }

    fn impls(&mut self, path: &str, impls: &Value) {
        for id in list(impls) {
            let inner = &self.item(id)["inner"]["impl"];
            let of_trait = &inner["trait"];
            if of_trait.is_null() {
                let is_concrete = |arg: &Value| arg.get("type").is_some_and(|ty| ty.get("generic").is_none());
                let args = &inner["for"]["resolved_path"]["args"]["angle_bracketed"]["args"];
                let only_for = list(args).any(is_concrete).then(|| self.renderer.ty(&inner["for"]));
                self.members(path, &inner["items"], only_for.as_deref());
                continue;
            }
            let written = of_trait["path"].as_str().unwrap();
            let is_left_out = !inner["blanket_impl"].is_null()
                || written == "StructuralPartialEq"
                || inner["is_synthetic"] == true && !AUTO.contains(&written);
            if is_left_out {
                continue;
            }
            let not = if inner["is_negative"] == true { "!" } else { "" };
            let name = self.renderer.path(of_trait);
            let (params, conditions) = self.renderer.generics(&inner["generics"]);
            let ty = self.renderer.ty(&inner["for"]);
            self.line(path, format!("impl{params} {not}{name} for {ty}{conditions}"));
        }
    }

    /// The members of a trait, or of an implementation, perhaps only for some of a generic type.
    fn members(&mut self, path: &str, items: &Value, only_for: Option<&str>) {
        let only_for = only_for.map_or(String::new(), |ty| format!(" for {ty}"));
        for id in list(items) {
            let item = self.item(id);
            // Those of a trait are as public as the trait.
            let of_trait = item["visibility"] == "default";
            if !of_trait && item["visibility"] != "public" {
                continue;
            }
            let path = joined(path, item["name"].as_str().unwrap());
            let (of_kind, inner) = kind(&item["inner"]);
            let attributes = Self::attributes(item);
            let what = match of_kind {
                "function" => {
                    let provided = if of_trait && inner["has_body"] == true { " { .. }" } else { "" };
                    self.renderer.function(inner) + provided + &attributes
                }
                "assoc_const" => format!("const: {}", self.renderer.ty(&inner["type"])),
                "assoc_type" => format!("type: {}", self.renderer.bounds(&inner["bounds"])),
                other => panic!("{path}: a member of kind {other}"),
            };
            self.line(&path, what + &only_for);
        }
    }
}
