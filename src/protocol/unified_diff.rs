//! A file change as a diff with headers, whatever its kind.
//!
//! Relies on the generated types. Invariant: what a path or a file contains stays within its line of the diff:
//! paths are quoted as Git does, and each line of an added or deleted file has its sign.

use std::fmt::Write as _;

use super::{FileUpdateChange, PatchChangeKind};

impl FileUpdateChange {
    /// The change as a unified diff in Git's format, as `git apply` accepts it, and `patch -p1` if it has hunks.
    /// [`diff`](Self::diff) is one only for updates, and lacks the headers: the server sends the whole file when
    /// one is added or deleted, and appends a line with the new path when one is moved.
    ///
    /// The paths are the server's absolute ones without the first slash, as in those of `git diff --no-index`:
    /// the diff applies to the root directory. The mode of the file is not known, and given as 100644. Empty if
    /// an update changes nothing; of a kind that this version doesn't know, `diff` unchanged.
    ///
    /// ```
    /// use codex_blocking::protocol::FileUpdateChange;
    /// use serde_json::json;
    ///
    /// let change = json!({ "path": "/w/new.txt", "kind": { "type": "add" }, "diff": "one\n" });
    /// let change: FileUpdateChange = serde_json::from_value(change)?;
    /// assert_eq!(
    ///     change.unified_diff(),
    ///     "diff --git a/w/new.txt b/w/new.txt\n\
    ///      new file mode 100644\n\
    ///      --- /dev/null\n\
    ///      +++ b/w/new.txt\n\
    ///      @@ -0,0 +1,1 @@\n\
    ///      +one\n"
    /// );
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    pub fn unified_diff(&self) -> String {
        let (old, new) = (name("a/", &self.path), name("b/", &self.path));
        match &self.kind {
            PatchChangeKind::Add => {
                let head = format!("diff --git {old} {new}\nnew file mode 100644\n");
                let names = format!("--- /dev/null\n+++ {}", ended(&new));
                whole_file(head, &names, '+', &self.diff)
            }
            PatchChangeKind::Delete => {
                let head = format!("diff --git {old} {new}\ndeleted file mode 100644\n");
                let names = format!("--- {}\n+++ /dev/null", ended(&old));
                whole_file(head, &names, '-', &self.diff)
            }
            PatchChangeKind::Update(update) => self.updated(&old, update.move_path.as_deref()),
            PatchChangeKind::Unknown(_) => self.diff.clone(),
        }
    }

    fn updated(&self, old: &str, move_path: Option<&str>) -> String {
        let moved_to = move_path.map(|path| format!("\n\nMoved to: {path}")).unwrap_or_default();
        let hunks = self.diff.strip_suffix(&moved_to).unwrap_or(&self.diff);
        let move_path = move_path.filter(|path| *path != self.path);
        let new = name("b/", move_path.unwrap_or(&self.path));
        let mut diff = String::with_capacity(hunks.len() + 6 * (old.len() + new.len()) + 64);
        if move_path.is_none() && hunks.is_empty() {
            return diff;
        }
        let _ = writeln!(diff, "diff --git {old} {new}");
        if let Some(path) = move_path {
            let _ = writeln!(diff, "rename from {}\nrename to {}", name("", &self.path), name("", path));
        }
        if !hunks.is_empty() {
            let _ = writeln!(diff, "--- {}\n+++ {}", ended(old), ended(&new));
            diff.push_str(hunks);
            if !hunks.ends_with('\n') {
                diff.push('\n');
            }
        }
        diff
    }
}

/// The diff of a file that is added or deleted as a whole. An empty one has no hunk.
fn whole_file(mut diff: String, names: &str, sign: char, text: &str) -> String {
    if text.is_empty() {
        return diff;
    }
    let count = text.split_inclusive('\n').count();
    diff.reserve(names.len() + text.len() + count + 64);
    // Writing to a `String` can't fail.
    let _ = match sign {
        '+' => writeln!(diff, "{names}\n@@ -0,0 +1,{count} @@"),
        _ => writeln!(diff, "{names}\n@@ -1,{count} +0,0 @@"),
    };
    for line in text.split_inclusive('\n') {
        diff.push(sign);
        diff.push_str(line);
    }
    if !text.ends_with('\n') {
        diff.push_str("\n\\ No newline at end of file\n");
    }
    diff
}

/// A path in a header: relative to the root directory, with slashes, and quoted if it has to be.
fn name(side: &str, path: &str) -> String {
    let is_of_windows =
        matches!(path.as_bytes(), [b'A'..=b'Z' | b'a'..=b'z', b':', b'\\', ..] | [b'\\', b'\\', ..]);
    let path = if is_of_windows { path.replace('\\', "/") } else { path.to_owned() };
    let plain = format!("{side}{}", path.trim_start_matches('/'));
    if !plain.contains(|letter: char| letter.is_ascii_control() || matches!(letter, '"' | '\\')) {
        return plain;
    }
    let mut quoted = String::from('"');
    for letter in plain.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            '\r' => quoted.push_str("\\r"),
            _ if letter.is_ascii_control() => drop(write!(quoted, "\\{:03o}", u32::from(letter))),
            _ => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// A name at the end of a line. A tab ends one with spaces, which otherwise would end at the first.
fn ended(name: &str) -> String {
    match name.contains(' ') {
        true => format!("{name}\t"),
        false => name.to_owned(),
    }
}
