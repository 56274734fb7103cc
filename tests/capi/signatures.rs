//! The functions of the header, read from it.

use std::fs;

use crate::library::root;

/// A function of the header.
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) returns: String,
    /// Each as `type name`.
    pub(crate) parameters: Vec<String>,
}

/// All functions of the committed header, sorted by name.
pub(crate) fn signatures() -> Vec<Signature> {
    signatures_of(&fs::read_to_string(root().join("src/capi/codex_blocking.h")).unwrap())
}

/// All functions of a header, sorted by name.
pub(crate) fn signatures_of(header: &str) -> Vec<Signature> {
    // What is no comment, no directive and no type.
    let lines = header.lines().filter(|line| {
        !["/*", " *", "#", "//", "typedef", "}", "extern"].iter().any(|start| line.starts_with(start))
    });
    let code: Vec<&str> = lines.collect();
    let code = code.join(" ");
    let statements = code.split(';').map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    let mut signatures: Vec<Signature> = statements.filter_map(|text| parse(&text)).collect();
    signatures.sort_by(|one, other| one.name.cmp(&other.name));
    signatures
}

fn parse(text: &str) -> Option<Signature> {
    let (start, parameters) = text.strip_suffix(')')?.split_once('(')?;
    let at = start.rfind(|letter: char| letter != '_' && !letter.is_alphanumeric())? + 1;
    let parameters = parameters.split(", ").filter(|parameter| *parameter != "void");
    Some(Signature {
        name: start[at..].to_owned(),
        returns: start[..at].trim().to_owned(),
        parameters: parameters.map(str::to_owned).collect(),
    })
}

impl Signature {
    pub(crate) fn line(&self) -> String {
        let parameters = match self.parameters.is_empty() {
            true => "void".to_owned(),
            false => self.parameters.join(", "),
        };
        let space = if self.returns.ends_with('*') { "" } else { " " };
        format!("{}{space}{}({parameters})\n", self.returns, self.name)
    }
}
