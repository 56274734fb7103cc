//! The changes of files as diffs, whatever their kind: `git apply` makes of the old file the new one.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use codex_blocking::{ApprovalRequest, protocol::FileUpdateChange};
use serde_json::{Value, json};

use crate::support::memory::{PATIENCE, chatting, manual};

/// A change as the server sends it.
fn change(path: &str, kind: Value, diff: &str) -> FileUpdateChange {
    serde_json::from_value(json!({ "path": format!("/{path}"), "kind": kind, "diff": diff })).unwrap()
}

fn add(path: &str, content: &str) -> FileUpdateChange {
    change(path, json!({ "type": "add" }), content)
}

fn delete(path: &str, content: &str) -> FileUpdateChange {
    change(path, json!({ "type": "delete" }), content)
}

fn update(path: &str, hunks: &str) -> FileUpdateChange {
    change(path, json!({ "type": "update", "move_path": null }), hunks)
}

/// As 0.169.0 sends it.
fn moved(path: &str, to: &str, hunks: &str) -> FileUpdateChange {
    let kind = json!({ "type": "update", "move_path": format!("/{to}") });
    change(path, kind, &format!("{hunks}\n\nMoved to: /{to}"))
}

/// A folder of the test's own, which stands for the root directory.
fn folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("file-changes-{number}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Applies a diff with Git in this folder, outside of any repository.
fn apply(folder: &Path, diff: &str) {
    let git = Command::new("git")
        .args(["-c", "core.autocrlf=false", "apply", "--whitespace=nowarn", "-"])
        .current_dir(folder)
        .env("GIT_CEILING_DIRECTORIES", folder.parent().unwrap())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut git = git.unwrap();
    git.stdin.take().unwrap().write_all(diff.as_bytes()).unwrap();
    let output = git.wait_with_output().unwrap();
    assert!(output.status.success(), "{}\n{diff}", String::from_utf8_lossy(&output.stderr));
}

fn has_git() -> bool {
    let found = Command::new("git").arg("--version").output().is_ok();
    if !found {
        println!("not checked, there is no git");
    }
    found
}

/// The files of a folder, with their content.
fn files(folder: &Path) -> Vec<(String, String)> {
    fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(root, &path, found);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                found.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    collect(folder, folder, &mut found);
    found
}

/// That the change makes of these files those.
#[track_caller]
fn makes(change: &FileUpdateChange, before: &[(&str, &str)], after: &[(&str, &str)]) {
    let folder = folder();
    for (name, content) in before {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    apply(&folder, &change.unified_diff());
    let after: Vec<_> =
        after.iter().map(|(name, content)| ((*name).to_owned(), (*content).to_owned())).collect();
    assert_eq!(files(&folder), after, "{}", change.unified_diff());
}

/// Contents that a diff could take for something else.
const CONTENTS: [&str; 9] = [
    "",
    "\n",
    "one\n",
    "one\ntwo",
    "one\r\ntwo\r\n",
    "one\r\ntwo\r",
    "--- a/x\n+++ b/x\n@@ -1,1 +1,1 @@\n-x\n+y\n",
    "diff --git a/x b/x\n\\ No newline at end of file\n\n\n",
    "ünï\u{2028}cödé\u{c}\u{b}\n \t\n",
];

/// Paths that a header could not hold as they are.
const PATHS: [&str; 7] =
    ["new.txt", "w/deep/new.txt", "sp ace/a b.txt", "dash/-n", "ünï/cödé", "w/ trailing ", "b/a b/b"];

#[test]
fn the_diff_of_an_added_and_of_a_deleted_file_applies_whatever_the_content_and_the_path() {
    if !has_git() {
        return;
    }
    for content in CONTENTS {
        makes(&add("w/f", content), &[], &[("w/f", content)]);
        makes(&delete("w/f", content), &[("w/f", content)], &[]);
    }
    for path in PATHS {
        makes(&add(path, "x\n"), &[], &[(path, "x\n")]);
        makes(&delete(path, "x\n"), &[(path, "x\n")], &[]);
        makes(&add(path, ""), &[], &[(path, "")]);
    }
}

#[cfg(unix)]
#[test]
fn a_path_with_line_ends_and_quotes_stays_within_its_header() {
    if !has_git() {
        return;
    }
    for path in ["w/\"quoted\"", "w/back\\slash", "w/tab\there", "w/two\nlines", "w/cr\r", "w/\u{1}\u{7f}"] {
        makes(&add(path, "x\n"), &[], &[(path, "x\n")]);
        makes(&delete(path, "x"), &[(path, "x")], &[]);
        makes(&update(path, "@@ -1,1 +1,1 @@\n-x\n+y\n"), &[(path, "x\n")], &[(path, "y\n")]);
        makes(&moved(path, "w/to", ""), &[(path, "x\n")], &[("w/to", "x\n")]);
    }
}

#[test]
fn the_diff_of_an_update_applies_with_and_without_a_new_path() {
    if !has_git() {
        return;
    }
    const HUNK: &str = "@@ -1,3 +1,3 @@\n one\n-two\n+TWO\n three\n";
    let (old, new) = ("one\ntwo\nthree\n", "one\nTWO\nthree\n");
    for path in PATHS {
        makes(&update(path, HUNK), &[(path, old)], &[(path, new)]);
        makes(&moved(path, "to/a new/path", HUNK), &[(path, old)], &[("to/a new/path", new)]);
        makes(&moved(path, "to/path", ""), &[(path, old)], &[("to/path", old)]);
        makes(&moved(path, path, HUNK), &[(path, old)], &[(path, new)]);
    }
    let crlf = HUNK.replace('\n', "\r\n").replacen("\r\n", "\n", 1);
    makes(&update("f", &crlf), &[("f", &old.replace('\n', "\r\n"))], &[("f", &new.replace('\n', "\r\n"))]);
    let no_end = "@@ -1,2 +1,2 @@\n one\n-two\n\\ No newline at end of file\n+TWO\n";
    makes(&update("f", no_end), &[("f", "one\ntwo")], &[("f", "one\nTWO\n")]);
    // Without the end of its last line, as no server was seen to send it.
    makes(&update("f", HUNK.trim_end()), &[("f", old)], &[("f", new)]);
}

#[test]
fn a_line_of_an_update_that_only_looks_like_the_note_of_a_move_is_kept() {
    if !has_git() {
        return;
    }
    let hunk = "@@ -1,1 +1,3 @@\n one\n+\n+Moved to: /elsewhere\n";
    makes(&update("f", hunk), &[("f", "one\n")], &[("f", "one\n\nMoved to: /elsewhere\n")]);
    makes(&moved("f", "g", hunk), &[("f", "one\n")], &[("g", "one\n\nMoved to: /elsewhere\n")]);
}

#[test]
fn the_note_of_a_move_is_no_part_of_its_diff() {
    // Git would skip it.
    let hunk = "@@ -1,1 +1,1 @@\n-x\n+y\n";
    assert_eq!(
        moved("w/f", "w/g", hunk).unified_diff(),
        format!("diff --git a/w/f b/w/g\nrename from w/f\nrename to w/g\n--- a/w/f\n+++ b/w/g\n{hunk}")
    );
    assert_eq!(
        moved("w/f", "w/g", "").unified_diff(),
        "diff --git a/w/f b/w/g\nrename from w/f\nrename to w/g\n"
    );
}

#[test]
fn an_update_of_nothing_is_empty_and_an_unknown_kind_is_shown_as_it_is() {
    assert_eq!(update("f", "").unified_diff(), "");
    assert_eq!(change("f", json!({ "type": "moon" }), "as is").unified_diff(), "as is");
}

#[test]
fn a_path_of_windows_has_slashes_in_its_header() {
    let change: FileUpdateChange =
        serde_json::from_value(json!({ "path": "C:\\w\\f", "kind": { "type": "add" }, "diff": "x\n" }))
            .unwrap();
    assert!(change.unified_diff().starts_with("diff --git a/C:/w/f b/C:/w/f\n"), "{}", change.unified_diff());
}

#[test]
fn a_large_file_is_shown_in_linear_time() {
    let content = "\n".repeat(8 << 20);
    let diff = add("f", &content).unified_diff();
    assert!(diff.len() > 2 * content.len());
}

#[test]
fn the_approval_of_file_changes_shows_them_as_one_diff() {
    let (client, mut server) = manual();
    let _chat = chatting(&client, &mut server);
    let changes = json!([
        { "path": "/w/new", "kind": { "type": "add" }, "diff": "x\n" },
        { "path": "/w/old", "kind": { "type": "delete" }, "diff": "y\n" },
    ]);
    let item = json!({ "type": "fileChange", "id": "i", "status": "inProgress", "changes": changes });
    server.notify("item/started", json!({ "threadId": "t", "turnId": "u", "item": item }));
    let mut requests = client.approval_requests();
    let params = json!({ "threadId": "t", "turnId": "u", "itemId": "i", "reason": null, "grantRoot": null });
    server.ask(0, "item/fileChange/requestApproval", &params);
    let Some(ApprovalRequest::FileChange(request)) = requests.next_timeout(PATIENCE) else { panic!() };
    let diff = request.unified_diff().unwrap();
    if has_git() {
        let folder = folder();
        fs::create_dir(folder.join("w")).unwrap();
        fs::write(folder.join("w/old"), "y\n").unwrap();
        apply(&folder, &diff);
        assert_eq!(files(&folder), [("w/new".to_owned(), "x\n".to_owned())]);
    }
    // An item that was not announced to this client.
    let params = json!({ "threadId": "t", "turnId": "u", "itemId": "j", "reason": null, "grantRoot": null });
    server.ask(1, "item/fileChange/requestApproval", &params);
    let Some(ApprovalRequest::FileChange(request)) = requests.next_timeout(PATIENCE) else { panic!() };
    assert_eq!(request.unified_diff(), None);
}
