//! Typed requests of every family on the real app-server: each reply decodes, and is what it should be.
//!
//! Relies on `support/live.rs`; uses the public API only. Invariant: nothing leaves the machine; where a
//! method would need an account or the network, its refusal is looked at.

use std::path::Path;

use codex_blocking::protocol::{
    ClientRequest, CollaborationModeListParams, CommandExecParams, ConfigReadParams,
    ConfigRequirementsReadParams, ConfigValueWriteParams, ExperimentalFeatureListParams, FsCopyParams,
    FsCreateDirectoryParams, FsGetMetadataParams, FsReadDirectoryParams, FsReadFileParams, FsRemoveParams,
    FsWriteFileParams, FuzzyFileSearchParams, GetAccountParams, GetAccountRateLimitsParams,
    ListMcpServerStatusParams, MergeStrategy, ModelListParams, PluginListParams, ProcessKillParams,
    ProcessSpawnParams, ServerNotification, SkillsListParams, SortDirection, ThreadArchiveParams,
    ThreadDeleteParams, ThreadForkParams, ThreadGoalClearParams, ThreadGoalGetParams, ThreadGoalSetParams,
    ThreadItem, ThreadItemsListParams, ThreadListParams, ThreadLoadedListParams, ThreadQueueAddParams,
    ThreadQueueListParams, ThreadReadParams, ThreadRevertParams, ThreadSetNameParams, ThreadStartParams,
    ThreadTurnsListParams, ThreadUnarchiveParams, TurnInterruptParams, TurnItemsView, TurnStartParams,
    TurnStatus, WriteStatus,
};
use codex_blocking::{
    ApprovalPolicy, ChatRequest, Client, CollaborationMode, Error, InputItem, ReasoningEffort, Reply,
    SandboxMode, SandboxPolicy, TurnOverrides,
};
use serde_json::Value;

use crate::support::PATIENCE;
use crate::support::cases::cases;
use crate::support::live::Live;
use crate::support::real::{RealHome, is_before, is_old_server};

cases![
    the_account_the_configuration_and_what_is_offered,
    files,
    commands_and_processes,
    threads_from_their_start_to_their_end,
    turns_queues_and_modes,
    the_server_says_which_methods_it_has,
    every_notification_of_busy_turns_decodes,
];

/// Calls, and checks that the server's text is one with what it is serialised to, and holds this.
fn call<P: ClientRequest>(client: &Client, params: P, holds: &str) -> Reply<P::Response> {
    let reply = client.call(params).unwrap_or_else(|error| panic!("{}: {error}", P::METHOD));
    let raw: Value = serde_json::from_str(reply.raw()).unwrap();
    assert_eq!(serde_json::to_value(&reply).unwrap(), raw, "{}", P::METHOD);
    assert!(reply.raw().contains(holds), "{} says {}", P::METHOD, reply.raw());
    reply
}

/// Calls what may need an account or the network: an answer, or the server's refusal.
fn call_or_be_refused<P: ClientRequest>(client: &Client, params: P) -> Option<Reply<P::Response>> {
    match client.call(params) {
        Ok(reply) => Some(reply),
        Err(Error::Rpc { method, .. }) => {
            assert_eq!(method, P::METHOD);
            None
        }
        Err(error) => panic!("{}: {error}", P::METHOD),
    }
}

fn experimental() -> Live {
    Live::with(RealHome::new(), Client::builder().experimental_api(true))
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_owned()
}

fn the_account_the_configuration_and_what_is_offered() {
    let live = Live::new();
    let client = &live.client;
    let account = call(client, GetAccountParams::new(), "requiresOpenaiAuth");
    assert!(account.account.is_none() && !account.requires_openai_auth);
    let refused = client.call(GetAccountRateLimitsParams::new()).unwrap_err();
    assert!(matches!(refused, Error::Rpc { .. }), "{refused}");

    let write = ConfigValueWriteParams::new("model_verbosity", MergeStrategy::Upsert, "low");
    let written = call(client, write, "filePath");
    assert_eq!(written.status, WriteStatus::Ok);
    assert!(Path::new(&written.file_path).starts_with(live.home.home()));
    let read = call(client, ConfigReadParams::new().include_layers(true), "model_verbosity");
    assert_eq!(read.config.model_verbosity.as_ref().unwrap().as_str(), "low");
    assert!(read.origins.contains_key("model_verbosity") && !read.layers.as_ref().unwrap().is_empty());
    let requirements = call(client, ConfigRequirementsReadParams::new(), "requirements");
    assert!(requirements.requirements.is_none());

    let models = call(client, ModelListParams::new().limit(2), "supportedReasoningEfforts");
    assert_eq!(models.data.len(), 2);
    assert!(models.data.iter().any(|model| {
        let efforts = &model.supported_reasoning_efforts;
        efforts.iter().any(|option| option.reasoning_effort == ReasoningEffort::Medium)
    }));
    let cursor = models.next_cursor.clone().unwrap();
    let rest = call(client, ModelListParams::new().cursor(cursor), "data");
    assert!(rest.data.iter().all(|model| model.id != models.data[0].id));

    let features = call(client, ExperimentalFeatureListParams::new(), "stage");
    assert!(!features.data.is_empty());
    let skills = call(client, SkillsListParams::new(), "skills");
    assert_eq!(skills.data.len(), 1);
    assert!(call(client, ListMcpServerStatusParams::new(), "data").data.is_empty());
    // The list of plugins may need the network, which a test has none of.
    if let Some(plugins) = call_or_be_refused(client, PluginListParams::new()) {
        assert!(plugins.raw().contains("marketplaces"));
    }
}

fn files() {
    if is_before(128) {
        return; // It has none of these methods.
    }
    let live = Live::new();
    let client = &live.client;
    let dir = live.home.workspace().join("a/b");
    let (file, copy) = (dir.join("one.txt"), dir.join("two.txt"));
    call(client, FsCreateDirectoryParams::new(text(&dir)).recursive(true), "{");
    call(client, FsWriteFileParams::new("aGVsbG8=", text(&file)), "{");
    assert_eq!(std::fs::read(&file).unwrap(), b"hello");
    assert_eq!(call(client, FsReadFileParams::new(text(&file)), "aGVsbG8=").data_base64, "aGVsbG8=");
    call(client, FsCopyParams::new(text(&copy), text(&file)), "{");
    let metadata = call(client, FsGetMetadataParams::new(text(&copy)), "isSymlink");
    assert!(metadata.is_file && !metadata.is_directory && metadata.modified_at_ms > 0);
    let entries = call(client, FsReadDirectoryParams::new(text(&dir)), "two.txt");
    let mut names: Vec<_> = entries.entries.iter().map(|entry| entry.file_name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["one.txt", "two.txt"]);
    let search = FuzzyFileSearchParams::new("two", vec![text(&live.home.workspace())]);
    let found = call(client, search, "two.txt");
    assert_eq!(found.files[0].file_name, "two.txt");
    call(client, FsRemoveParams::new(text(&copy)), "{");
    assert!(!copy.exists());
    let missing = client.call(FsReadFileParams::new(text(&copy))).unwrap_err();
    assert!(matches!(missing, Error::Rpc { ref method, .. } if method == "fs/readFile"), "{missing}");
}

fn commands_and_processes() {
    if is_old_server() {
        return; // It has not all of these methods.
    }
    let live = experimental();
    let client = &live.client;
    let command = ["sh", "-c", "echo out; echo err >&2; exit 3"].map(str::to_owned).to_vec();
    let params = CommandExecParams::new(command)
        .cwd(text(&live.home.workspace()))
        .sandbox_policy(SandboxPolicy::DangerFullAccess);
    let done = call(client, params, "exitCode");
    assert_eq!((done.exit_code, done.stdout.as_str(), done.stderr.as_str()), (3, "out\n", "err\n"));

    let mut notifications = client.notifications();
    let sleep = vec!["sleep".to_owned(), "600".to_owned()];
    call(client, ProcessSpawnParams::new(sleep, text(&live.home.workspace()), "p1"), "{");
    call(client, ProcessKillParams::new("p1"), "{");
    let ended =
        std::iter::from_fn(|| notifications.next_timeout(PATIENCE)).find_map(
            |notification| match notification.decode().unwrap() {
                ServerNotification::ProcessExited(ended) => Some(ended),
                _ => None,
            },
        );
    let ended = ended.unwrap();
    assert_eq!(ended.process_handle, "p1");
    assert_ne!(ended.exit_code, 0);
}

fn threads_from_their_start_to_their_end() {
    if is_old_server() {
        return; // It has not all of these methods.
    }
    let live = Live::new();
    let client = &live.client;
    let start = ThreadStartParams::new()
        .cwd(text(&live.home.workspace()))
        .sandbox(SandboxMode::ReadOnly)
        .approval_policy(ApprovalPolicy::Never);
    let started = call(client, start, "approvalPolicy");
    assert_eq!(started.approval_policy, ApprovalPolicy::Never);
    assert!(matches!(started.sandbox, SandboxPolicy::ReadOnly(_)), "{:?}", started.sandbox);
    let id = started.into_inner().thread.id;
    let loaded = call(client, ThreadLoadedListParams::new(), &id);
    assert_eq!(loaded.data.len(), 1);
    for said in ["one", "two"] {
        client.chat_once(ChatRequest::new(said).thread(&id)).unwrap();
    }

    call(client, ThreadSetNameParams::new(&id, "my name"), "{");
    let read = call(client, ThreadReadParams::new(&id).include_turns(true), "my name");
    assert_eq!((read.thread.name.as_deref(), read.thread.turns.len()), (Some("my name"), 2));
    assert_eq!(read.thread.turns[0].status, TurnStatus::Completed);
    let turns = ThreadTurnsListParams::new(&id)
        .items_view(TurnItemsView::Full)
        .sort_direction(SortDirection::Asc)
        .limit(1);
    let turns = call(client, turns, "echo: one");
    assert_eq!(turns.data.len(), 1);
    let texts: Vec<_> = turns.data[0]
        .items
        .iter()
        .filter_map(|item| match item {
            ThreadItem::AgentMessage(message) => Some(message.text.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(texts, ["echo: one"]);
    let items = call(client, ThreadItemsListParams::new(&id).limit(10), "echo: two");
    assert!(items.data.iter().any(|entry| matches!(&entry.item, ThreadItem::UserMessage(_))));

    let set = ThreadGoalSetParams::new(&id).objective("be done").token_budget(1000);
    let set = call(client, set, "be done");
    assert_eq!((set.goal.objective.as_str(), set.goal.token_budget), ("be done", Some(1000)));
    let get = call(client, ThreadGoalGetParams::new(&id), "be done");
    assert_eq!(get.goal.as_ref().unwrap().thread_id, id);
    assert!(call(client, ThreadGoalClearParams::new(&id), "cleared").cleared);

    let forked = call(client, ThreadForkParams::new(&id).exclude_turns(true), "forkedFromId");
    let fork = forked.thread.id.clone();
    assert_eq!(forked.thread.forked_from_id.as_deref(), Some(id.as_str()));
    let reverted = call(client, ThreadRevertParams::new(&id, &read.thread.turns[1].id), &id);
    assert_eq!(reverted.thread.id, id);
    let turns = call(client, ThreadTurnsListParams::new(&id), "data");
    assert_eq!(turns.data.len(), 1);

    call(client, ThreadArchiveParams::new(&id), "{");
    let archived = call(client, ThreadListParams::new().archived(true), &id);
    // One that was reverted is listed once for each of its files.
    assert!(archived.data.iter().all(|thread| thread.id == id));
    assert_eq!(call(client, ThreadUnarchiveParams::new(&id), &id).thread.id, id);
    let listed = call(client, ThreadListParams::new().limit(5), &id);
    assert!(listed.data.iter().any(|thread| thread.id == id));
    call(client, ThreadDeleteParams::new(&fork), "{");
    assert!(matches!(client.call(ThreadReadParams::new(&fork)), Err(Error::Rpc { .. })));
}

fn turns_queues_and_modes() {
    if is_old_server() {
        return; // It has not all of these methods.
    }
    let live = experimental();
    let client = &live.client;
    let modes = call(client, CollaborationModeListParams::new(), "plan");
    assert!(modes.data.iter().any(|mode| mode.name == "Plan"));
    let thread = call(client, ThreadStartParams::new(), "thread").into_inner().thread;
    let mut notifications = client.notifications();
    let started = call(client, TurnStartParams::new(&thread.id, vec![InputItem::text("hello")]), "turn");
    let ended =
        std::iter::from_fn(|| notifications.next_timeout(PATIENCE)).find_map(
            |notification| match notification.decode().unwrap() {
                ServerNotification::TurnCompleted(ended) => Some(ended),
                _ => None,
            },
        );
    let ended = ended.unwrap();
    assert_eq!((&ended.turn.id, &ended.turn.status), (&started.turn.id, &TurnStatus::Completed));
    let late = client.call(TurnInterruptParams::new(&thread.id, &started.turn.id)).unwrap_err();
    assert!(matches!(late, Error::Rpc { .. }), "{late}");

    assert!(call(client, ThreadQueueListParams::new(&thread.id), "data").data.is_empty());
    let later = ThreadQueueAddParams::new(&thread.id, "m1", vec![InputItem::text("later")]);
    call(client, later, "{");

    let plan = CollaborationMode::plan("stub-model").effort(ReasoningEffort::Low);
    let overrides = TurnOverrides::new().collaboration_mode(plan);
    client.chat_once(ChatRequest::new("hello").overrides(overrides)).unwrap();
}

fn the_server_says_which_methods_it_has() {
    if is_old_server() {
        return; // It has not all of these methods.
    }
    let live = Live::new();
    let supports = |method| live.client.supports(method).unwrap();
    assert_eq!(supports("thread/revert"), Some(true));
    assert_eq!(supports("thread/rollback"), Some(false));
    assert_eq!(supports("process/spawn"), Some(true), "experimental ones count");
    // What the types know, the server has.
    for method in codex_blocking::protocol::REQUESTS {
        assert_eq!(supports(method.method), Some(true), "{}", method.method);
    }
    let error = live.client.call(CollaborationModeListParams::new()).unwrap_err();
    assert!(matches!(error, Error::InvalidInput { .. }), "{error}");
}

fn every_notification_of_busy_turns_decodes() {
    if is_before(128) {
        return; // It says everything a second time, under names that have no types.
    }
    let live = Live::new();
    let mut notifications = live.client.notifications();
    for said in ["think about cats", "run echo hi", "patch added.txt"] {
        let steps: Vec<_> = live.client.chat(said).unwrap().collect();
        for step in steps {
            let item = step.item().unwrap();
            assert!(!matches!(item, ThreadItem::Unknown(_)), "{item:?}");
            assert_eq!(item.id(), step.item_id.as_deref());
        }
    }
    let mut count = 0;
    while let Some(notification) = notifications.try_next() {
        let decoded = notification.decode().unwrap();
        assert!(!matches!(decoded, ServerNotification::Unknown { .. }), "{decoded:?}");
        count += 1;
    }
    assert!(count > 30, "{count}");
}
