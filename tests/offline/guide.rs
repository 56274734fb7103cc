//! The tables of the guide "Coming from Python": nothing that is documented there lacks its row, and each row
//! names tests that exist.

use std::{collections::HashSet, fs, path::Path};

const PAGE: &str = include_str!("../../src/guide/from_python.md");

/// What the Python SDK documents.
const DOCUMENTED: &str = "CodexClient connect_stdio connect_websocket start close initialize request chat_once chat \
    ChatResult ConversationStep ChatContinuation cancel CancelResult interrupt_turn steer_turn set_approval_handler \
    approval_requests respond_approval approve_approval decline_approval cancel_approval CommandApprovalRequest \
    FileChangeApprovalRequest approval_mode set_user_input_handler user_input_requests respond_user_input \
    respond_user_input_choice respond_user_input_other user_input_timeout start_thread resume_thread fork_thread \
    set_thread_defaults read_thread list_threads archive_thread unarchive_thread compact_thread rollback_thread \
    set_thread_name start_review list_models exec_command read_config read_config_requirements write_config_value \
    batch_write_config ThreadHandle defaults update_defaults ThreadConfig TurnOverrides CodexError \
    CodexTransportError CodexTimeoutError CodexTurnInactiveError CodexProtocolError";

/// The cells of each row of each table, without the heads.
fn rows() -> Vec<[&'static str; 3]> {
    let lines = PAGE.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
    let cells = lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>());
    cells
        .map(|cells| {
            <[&str; 3]>::try_from(cells).unwrap_or_else(|cells| panic!("not three cells: {cells:?}"))
        })
        .filter(|[python, ..]| *python != "Python")
        .collect()
}

/// The words between backticks, cut at what is no part of a name.
fn names(cell: &str) -> impl Iterator<Item = &str> {
    let quoted = cell.split('`').skip(1).step_by(2);
    quoted.flat_map(|code| code.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')))
}

fn functions(folder: &Path, found: &mut HashSet<String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            functions(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            let names = text.split("fn ").skip(1).filter_map(|rest| rest.split('(').next());
            found.extend(names.map(str::to_owned));
        }
    }
}

#[test]
fn every_documented_name_has_a_row() {
    let rows = rows();
    let told: HashSet<&str> = rows.iter().flat_map(|[python, ..]| names(python)).collect();
    let missing: Vec<_> = DOCUMENTED.split_whitespace().filter(|name| !told.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn no_row_is_empty_and_each_names_tests_that_exist() {
    let mut functions_of_tests = HashSet::new();
    functions(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut functions_of_tests);
    for row @ [_, here, shown] in rows() {
        assert!(!here.is_empty(), "{row:?}");
        let mut tests = names(shown).peekable();
        assert!(tests.peek().is_some(), "no test shows {row:?}");
        for test in tests {
            assert!(functions_of_tests.contains(test), "there is no test {test}");
        }
    }
}
