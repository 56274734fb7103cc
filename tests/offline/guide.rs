//! The tables of the guides about other packages: nothing that the packages have is left out.

use std::{collections::HashSet, fs, path::Path};

const FROM_PYTHON: &str = include_str!("../../src/guide/from_python.md");
const OFFICIAL_SDK: &str = include_str!("../../src/guide/official_sdk.md");

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

/// The public names of `openai-codex` 0.163.0, members and parameters, by the headings of the page about it. The names of
/// its async classes are the last of them; their members are those of the others.
const OFFICIAL: &[(&str, &str)] = &[
    (
        "Connecting",
        "Codex CodexConfig config metadata close codex_bin launch_args_override config_overrides cwd env client_name \
         client_title client_version experimental_api",
    ),
    (
        "The account",
        "Codex login_api_key api_key login_chatgpt login_chatgpt_device_code account refresh_token logout \
         ChatgptLoginHandle auth_url DeviceCodeLoginHandle verification_url user_code login_id wait cancel",
    ),
    (
        "Threads",
        "Codex Thread thread_start thread_list thread_resume thread_fork thread_archive thread_unarchive models \
         approval_mode base_instructions config cwd developer_instructions ephemeral model model_provider personality \
         sandbox service_name service_tier session_start_source thread_source archived cursor limit model_providers \
         search_term section_id sort_direction sort_key source_kinds use_state_db_only thread_id include_turns \
         include_hidden id read set_name name compact",
    ),
    (
        "Turns",
        "Thread run turn input approval_mode cwd effort model output_schema personality sandbox service_tier source \
         summary turn_service_tier TurnHandle thread_id id steer interrupt stream TurnResult status error started_at \
         completed_at duration_ms final_response items usage",
    ),
    (
        "Inputs",
        "Input InputItem RunInput TextInput text ImageInput url LocalImageInput SkillInput MentionInput name path \
         ExternalMessage tool_name content namespace",
    ),
    (
        "Approvals and sandboxes",
        "ApprovalMode deny_all auto_review Sandbox read_only workspace_write full_access",
    ),
    (
        "Errors and retries",
        "CodexError JsonRpcError code message data TransportClosedError CodexRpcError ParseError InvalidRequestError \
         MethodNotFoundError InvalidParamsError InternalRpcError ServerBusyError RetryLimitExceededError \
         is_retryable_error retry_on_overload max_attempts initial_delay_s max_delay_s jitter_ratio",
    ),
    (
        "Models of the protocol",
        "__version__ Notification method payload UnknownNotification params InitializeResponse serverInfo userAgent \
         platformFamily platformOs ServerInfo name version",
    ),
    (
        "The async classes",
        "AsyncCodex AsyncThread AsyncTurnHandle AsyncChatgptLoginHandle AsyncDeviceCodeLoginHandle",
    ),
    (
        "The client underneath",
        "CodexClient AsyncCodexClient config approval_handler start close initialize request method params \
         response_model notify next_notification register_login_notifications unregister_login_notifications \
         next_login_notification register_turn_notifications unregister_turn_notifications next_turn_notification \
         register_goal_operation reserve_goal_operation unregister_goal_operation next_goal_notification \
         account_login_start account_login_cancel account_read account_logout thread_start thread_resume thread_list \
         thread_read thread_fork thread_archive thread_unarchive thread_set_name thread_compact thread_goal_clear \
         thread_goal_set pause_goal cancel_goal_operation start_goal_operation turn_start turn_interrupt turn_steer \
         model_list request_with_retry_on_overload wait_for_turn_completed wait_for_login_completed stream_text \
         default_codex_home",
    ),
];

/// The cells of each row of each table, without the heads.
fn rows(text: &str) -> impl Iterator<Item = [&str; 3]> {
    let lines: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).collect();
    let is_head = |line: usize| lines.get(line + 1).is_some_and(|next| next.starts_with("| ---"));
    let is_row = |line: usize| !is_head(line) && !lines[line].starts_with("| ---");
    let rows: Vec<&str> = (0..lines.len()).filter(|line| is_row(*line)).map(|line| lines[line]).collect();
    rows.into_iter().map(|line| {
        let cells = line.trim_start_matches("| ").strip_suffix('|').unwrap();
        let cells: Vec<&str> = cells.split(" | ").map(str::trim).collect();
        <[&str; 3]>::try_from(cells).unwrap_or_else(|cells| panic!("not three cells: {cells:?}"))
    })
}

/// The names of a text that are not in the other one.
fn missing<'a>(names: &'a str, told: &HashSet<&str>) -> Vec<&'a str> {
    names.split_whitespace().filter(|name| !told.contains(name)).collect()
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
    let told = rows(FROM_PYTHON).flat_map(|[python, ..]| names(python)).collect();
    assert_eq!(missing(DOCUMENTED, &told), [""; 0]);
}

#[test]
fn every_public_name_of_the_official_sdk_is_told_where_it_belongs() {
    for (heading, expected) in OFFICIAL {
        let (_, section) = OFFICIAL_SDK.split_once(&format!("\n## {heading}\n")).expect(heading);
        let section = section.split("\n## ").next().unwrap();
        let prose = section.lines().filter(|line| !line.starts_with('|'));
        let told = rows(section).map(|[there, ..]| there).chain(prose).flat_map(names).collect();
        assert_eq!(missing(expected, &told), [""; 0], "{heading}");
    }
}

#[test]
fn each_row_about_the_official_sdk_has_a_name_there_and_something_or_a_dash_here() {
    for row @ [there, here, _] in rows(OFFICIAL_SDK) {
        assert!(
            there.contains('`') && (here == "–" || here.contains('`') || here.contains("](#")),
            "{row:?}"
        );
    }
}

#[test]
fn what_the_page_about_the_official_sdk_calls_a_setter_of_the_same_name_is_one() {
    let api = include_str!("../public_api.txt");
    let mut count = 0;
    for [there, here, _] in rows(OFFICIAL_SDK) {
        let Some(of) = here.strip_prefix("setters of [`") else { continue };
        let (of, _) = of.split_once('`').unwrap();
        for name in names(there).filter(|name| !name.is_empty()) {
            assert!(api.contains(&format!("\n{of}::{name} fn")), "{of} has no setter {name}");
            count += 1;
        }
    }
    assert!(count > 25, "{count} setters");
}

#[test]
fn no_row_is_empty_and_each_names_tests_that_exist() {
    let mut functions_of_tests = HashSet::new();
    functions(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests"), &mut functions_of_tests);
    for row @ [_, here, shown] in rows(FROM_PYTHON) {
        assert!(!here.is_empty(), "{row:?}");
        let mut tests = names(shown).peekable();
        assert!(tests.peek().is_some(), "no test shows {row:?}");
        for test in tests {
            assert!(functions_of_tests.contains(test), "there is no test {test}");
        }
    }
}
