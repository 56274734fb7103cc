//! Types, bounds and signatures of rustdoc's JSON as text.
//!
//! Relies on the format's version that `public_api.rs` names. Invariant: a type has the same text wherever
//! it is used and in whatever module it is defined, and a kind of type that is not known here is a panic.

use std::{cell::RefCell, collections::BTreeSet};

use serde_json::Value;

pub(crate) struct Renderer<'a> {
    /// The paths of everything that is named, by id.
    pub(crate) paths: &'a Value,
    pub(crate) crates: &'a Value,
    /// The types of other crates that were named, std's aside.
    pub(crate) foreign: RefCell<BTreeSet<String>>,
}

/// The elements of a list.
pub(crate) fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// The only member of an object, which names its kind.
pub(crate) fn kind(value: &Value) -> (&str, &Value) {
    match value {
        Value::String(kind) => (kind, &Value::Null),
        _ => value.as_object().unwrap().iter().next().map(|(kind, inner)| (kind.as_str(), inner)).unwrap(),
    }
}

impl Renderer<'_> {
    /// A name without its modules; with its crate, where that is neither this one nor std.
    fn name(&self, path: &Value) -> String {
        let known = &self.paths[path["id"].to_string()];
        let written = text(&path["path"]).rsplit("::").next().unwrap();
        let Some(full) = known["path"].as_array() else { return written.to_owned() };
        let name = text(full.last().unwrap());
        let of_crate = match known["crate_id"].to_string().as_str() {
            "0" => return name.to_owned(),
            id => text(&self.crates[id]["name"]),
        };
        match of_crate {
            "core" | "alloc" | "std" if matches!(name, "Error" | "Result") => {
                format!("{}::{name}", text(&full[full.len() - 2]))
            }
            "core" | "alloc" | "std" => name.to_owned(),
            _ => {
                let name = format!("{}::{name}", of_crate.replace("serde_core", "serde"));
                self.foreign.borrow_mut().insert(name.clone());
                name
            }
        }
    }

    /// A name with its arguments.
    pub(crate) fn path(&self, path: &Value) -> String {
        self.name(path) + &self.args(&path["args"])
    }

    fn args(&self, args: &Value) -> String {
        if args.is_null() {
            return String::new();
        }
        let (kind, inner) = kind(args);
        if kind == "parenthesized" {
            return self.call(list(&inner["inputs"]).map(|ty| self.ty(ty)).collect(), &inner["output"]);
        }
        let one = |arg: &Value| match self::kind(arg) {
            ("type", ty) => self.ty(ty),
            ("lifetime", name) => text(name).to_owned(),
            ("const", value) => text(&value["expr"]).to_owned(),
            (other, _) => panic!("an argument of kind {other}"),
        };
        let bound = |bound: &Value| match self::kind(&bound["binding"]) {
            ("equality", term) => format!("{} = {}", text(&bound["name"]), one(term)),
            ("constraint", bounds) => format!("{}: {}", text(&bound["name"]), self.bounds(bounds)),
            (other, _) => panic!("a constraint of kind {other}"),
        };
        let all: Vec<_> =
            list(&inner["args"]).map(one).chain(list(&inner["constraints"]).map(bound)).collect();
        if all.is_empty() { String::new() } else { format!("<{}>", all.join(", ")) }
    }

    fn call(&self, inputs: Vec<String>, output: &Value) -> String {
        let output = if output.is_null() { String::new() } else { format!(" -> {}", self.ty(output)) };
        format!("({}){output}", inputs.join(", "))
    }

    pub(crate) fn ty(&self, ty: &Value) -> String {
        let (kind, inner) = kind(ty);
        let all = |types: &Value| list(types).map(|ty| self.ty(ty)).collect::<Vec<_>>().join(", ");
        match kind {
            "resolved_path" => self.path(inner),
            "generic" | "primitive" => text(inner).to_owned(),
            "tuple" => format!("({})", all(inner)),
            "slice" => format!("[{}]", self.ty(inner)),
            "array" => format!("[{}; {}]", self.ty(&inner["type"]), text(&inner["len"])),
            "impl_trait" => format!("impl {}", self.bounds(inner)),
            "borrowed_ref" => {
                let lifetime = inner["lifetime"].as_str().map_or(String::new(), |name| format!("{name} "));
                let mutable = if inner["is_mutable"] == true { "mut " } else { "" };
                format!("&{lifetime}{mutable}{}", self.ty(&inner["type"]))
            }
            "dyn_trait" => {
                let traits = list(&inner["traits"]).map(|one| self.path(&one["trait"]));
                let lifetime = inner["lifetime"].as_str().map(str::to_owned);
                format!("(dyn {})", traits.chain(lifetime).collect::<Vec<_>>().join(" + "))
            }
            "qualified_path" if inner["trait"].is_null() => {
                format!("{}::{}", self.ty(&inner["self_type"]), text(&inner["name"]))
            }
            "qualified_path" => format!(
                "<{} as {}>::{}",
                self.ty(&inner["self_type"]),
                self.path(&inner["trait"]),
                text(&inner["name"])
            ),
            "function_pointer" => {
                let sig = &inner["sig"];
                let inputs = list(&sig["inputs"]).map(|input| self.ty(&input[1])).collect();
                format!("fn{}", self.call(inputs, &sig["output"]))
            }
            other => panic!("a type of kind {other}"),
        }
    }

    pub(crate) fn bounds(&self, bounds: &Value) -> String {
        let one = |bound: &Value| match kind(bound) {
            ("trait_bound", bound) => {
                let maybe = if bound["modifier"] == "maybe" { "?" } else { "" };
                format!("{maybe}{}", self.path(&bound["trait"]))
            }
            ("outlives", name) => text(name).to_owned(),
            (other, _) => panic!("a bound of kind {other}"),
        };
        list(bounds).map(one).collect::<Vec<_>>().join(" + ")
    }

    /// The parameters and, apart, the conditions on them.
    pub(crate) fn generics(&self, generics: &Value) -> (String, String) {
        let bounded = |name: &str, bounds: &Value| match list(bounds).count() {
            0 => name.to_owned(),
            _ => format!("{name}: {}", self.bounds(bounds)),
        };
        let param = |param: &Value| {
            let name = text(&param["name"]);
            match kind(&param["kind"]) {
                ("type", inner) if inner["is_synthetic"] == true => None,
                ("type", inner) if inner["default"].is_null() => Some(bounded(name, &inner["bounds"])),
                ("type", inner) => {
                    Some(format!("{} = {}", bounded(name, &inner["bounds"]), self.ty(&inner["default"])))
                }
                ("lifetime", _) => Some(name.to_owned()),
                ("const", inner) => Some(format!("const {name}: {}", self.ty(&inner["type"]))),
                (other, _) => panic!("a parameter of kind {other}"),
            }
        };
        let condition = |condition: &Value| match kind(condition) {
            ("bound_predicate", inner) => {
                format!("{}: {}", self.ty(&inner["type"]), self.bounds(&inner["bounds"]))
            }
            ("lifetime_predicate", inner) => {
                let outlived: Vec<_> = list(&inner["outlives"]).map(text).collect();
                format!("{}: {}", text(&inner["lifetime"]), outlived.join(" + "))
            }
            (other, _) => panic!("a condition of kind {other}"),
        };
        let params: Vec<_> = list(&generics["params"]).filter_map(param).collect();
        let conditions: Vec<_> = list(&generics["where_predicates"]).map(condition).collect();
        (
            if params.is_empty() { String::new() } else { format!("<{}>", params.join(", ")) },
            if conditions.is_empty() { String::new() } else { format!(" where {}", conditions.join(", ")) },
        )
    }

    /// `fn` with everything but its name.
    pub(crate) fn function(&self, function: &Value) -> String {
        let (params, conditions) = self.generics(&function["generics"]);
        let input = |input: &Value| {
            let (name, ty) = (text(&input[0]), self.ty(&input[1]));
            match (name, ty.as_str()) {
                ("self", "Self") => "self".to_owned(),
                ("self", "&Self") => "&self".to_owned(),
                ("self", "&mut Self") => "&mut self".to_owned(),
                _ => format!("{name}: {ty}"),
            }
        };
        let sig = &function["sig"];
        let constant = if function["header"]["is_const"] == true { "const " } else { "" };
        let call = self.call(list(&sig["inputs"]).map(input).collect(), &sig["output"]);
        format!("{constant}fn{params}{call}{conditions}")
    }
}
