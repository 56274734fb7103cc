//! The tables of the guide "Coming from Python": nothing that the packages document is left out, and each row
//! names tests that exist.

use std::{collections::HashSet, fs, path::Path};

const PAGE: &str = include_str!("../../src/guide/from_python.md");

/// What `codex-app-server-sdk` 0.4.1 documents.
const DOCUMENTED: &str = "CodexClient connect_stdio connect_websocket start close initialize request chat_once chat \
    ChatResult ConversationStep ChatContinuation cancel CancelResult interrupt_turn steer_turn set_approval_handler \
    approval_requests respond_approval approve_approval decline_approval cancel_approval CommandApprovalRequest \
    FileChangeApprovalRequest approval_mode set_user_input_handler user_input_requests respond_user_input \
    respond_user_input_choice respond_user_input_other user_input_timeout start_thread resume_thread fork_thread \
    set_thread_defaults read_thread list_threads archive_thread unarchive_thread compact_thread rollback_thread \
    set_thread_name start_review list_models exec_command read_config read_config_requirements write_config_value \
    batch_write_config ThreadHandle defaults update_defaults ThreadConfig TurnOverrides CodexError \
    CodexTransportError CodexTimeoutError CodexTurnInactiveError CodexProtocolError";

/// The public names of `openai-codex` 0.163.0, without those of its async twins and of what its methods return.
const OFFICIAL: &str = "Codex AsyncCodex CodexConfig metadata close login_api_key login_chatgpt \
    login_chatgpt_device_code account logout thread_start thread_list thread_resume thread_fork thread_archive \
    thread_unarchive models Thread run turn read set_name compact TurnHandle steer interrupt stream TurnResult \
    final_response TextInput ImageInput LocalImageInput SkillInput MentionInput Sandbox ApprovalMode CodexError \
    TransportClosedError JsonRpcError CodexRpcError retry_on_overload is_retryable_error";

/// The cells of each row of each table, without the heads.
fn rows() -> Vec<[&'static str; 4]> {
    let lines = PAGE.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| ---"));
    let cells = lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>());
    cells
        .map(|cells| <[&str; 4]>::try_from(cells).unwrap_or_else(|cells| panic!("not four cells: {cells:?}")))
        .filter(|[python, ..]| *python != "`codex-app-server-sdk`")
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
fn every_public_name_of_the_official_package_has_a_row_or_a_sentence() {
    let rows = rows();
    let told: HashSet<&str> = rows.iter().flat_map(|[_, official, ..]| names(official)).collect();
    let (_, sentences) = PAGE.split_once("## For users of `openai-codex`").unwrap();
    let (opening, _) = PAGE.split_once("```").unwrap();
    let told: HashSet<&str> = told.into_iter().chain(names(sentences)).chain(names(opening)).collect();
    let missing: Vec<_> = OFFICIAL.split_whitespace().filter(|name| !told.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert!(
        rows.iter().all(|[_, official, ..]| *official == "–" || official.contains('`')),
        "neither name nor –"
    );
}

#[test]
fn no_row_is_empty_and_each_names_tests_that_exist() {
    let mut functions_of_tests = HashSet::new();
    functions(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut functions_of_tests);
    for row @ [_, _, here, shown] in rows() {
        assert!(!here.is_empty(), "{row:?}");
        let mut tests = names(shown).peekable();
        assert!(tests.peek().is_some(), "no test shows {row:?}");
        for test in tests {
            assert!(functions_of_tests.contains(test), "there is no test {test}");
        }
    }
}
