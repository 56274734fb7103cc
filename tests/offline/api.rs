//! The public signatures that programs rely on: this compiles, or a program somewhere does not.
//!
//! Relies on nothing at run time: no call here is made.

use std::{
    fmt::Debug,
    iter::FusedIterator,
    time::{Duration, SystemTime},
};

use codex_blocking::{
    Account, AccountKind, ApprovalDecision, ApprovalMode, ApprovalRequest, ApprovalRequests,
    BatchWriteConfig, CancelResult, Chat, ChatContinuation, ChatEvents, ChatMode, ChatRequest, ChatResult,
    Client, ClientBuilder, CollaborationMode, CommandExit, CommandOutput, CompletionSource, ConfigEdit,
    ConversationStep, Error, ExecOptions, InitializeResult, InputItem, JsonAnswer, ListModels, ListThreads,
    Memory, Notifications, Paged, PlanStep, PlanType, RawEvent, RawNotification, ReadConfig, Recorder, Reply,
    Result, RetryPolicy, ReviewDelivery, ReviewTarget, ServerRequest, ServerResponse, Setting, SortDirection,
    Stats, Stdio, StepStatus, StepType, StreamHandle, SubAgentTranscript, ThreadConfig, ThreadHandle,
    ThreadInfo, ThreadSortKey, Timeout, TokenUsage, Transcript, TranscriptItem, TranscriptTurn, Transport,
    TurnEvent, TurnFailure, TurnHandle, TurnOverrides, TurnStatus, UserInputRequest, UserInputRequests,
    UserInputResponse, WeakClient, WebSocket, WriteConfigValue,
    protocol::{self, ClientRequest},
    retry,
    testing::ScriptedServer,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

#[expect(dead_code, reason = "it only has to compile")]
fn account(client: &Client) -> Result<()> {
    fn crosses<T: Clone + Send + Sync + Debug + 'static>(_: &T) {}
    let account: Account = client.account()?;
    let _: Account = client.refresh_account()?;
    let _: (Option<AccountKind>, Option<String>, Option<PlanType>) =
        (account.kind, account.email, account.plan);
    client.login_api_key("sk-…")?;
    for login in [client.login_chatgpt()?, client.login_device_code()?] {
        crosses(&login);
        let _: (&str, Option<&str>, bool) = (login.url(), login.user_code(), login.is_ended());
        login.wait(Duration::from_secs(1))?;
        login.wait(None)?;
        login.cancel()?;
    }
    client.logout()?;
    let _: i32 = client.rate_limits()?.rate_limits.primary.as_ref().map_or(0, |window| window.used_percent);
    let _: (Option<u32>, Option<&str>) = (client.server_pid(), client.server_url());
    let _: Stdio = Stdio::default()
        .codex_home("/home")
        .config("key", [1.5])
        .env_clear()
        .env("A", "b")
        .env_remove("A")
        .on_stderr(|line: &str| drop(line.to_owned()));
    Ok(())
}

#[expect(dead_code, reason = "it only has to compile")]
fn client(client: &Client, token: &ChatContinuation, config: ThreadConfig) -> Result<()> {
    let second = Duration::from_secs(1);
    let server: InitializeResult = client.initialize()?;
    let _: [Option<&str>; 4] =
        [server.server_version(), server.user_agent(), server.platform_family(), server.platform_os()];
    let _: Option<&std::path::Path> = server.codex_home();
    let _: InitializeResult = client.initialize_with(json!({}))?;
    let _: Client = client.with_request_timeout(second).with_request_timeout(None);
    let weak: WeakClient = client.downgrade();
    let _: Option<Client> = weak.upgrade();
    let _: Stats = client.stats();
    let _: Value = client.request("m", ())?;
    let _: Value = client.request_with_timeout("m", &config, second)?;
    client.notify("m", json!({}))?;
    for notification in client.notifications() {
        let _: RawNotification = notification;
    }
    for request in [
        ChatRequest::from("text"),
        ChatRequest::from(String::from("text")),
        ChatRequest::from(&String::from("text")),
        ChatRequest::from(Vec::<InputItem>::new()),
        ChatRequest::from(token.clone()),
    ] {
        let _: ChatResult = client.chat_once(request.clone())?;
        let _: Chat = client.chat(request.clone())?;
        let _: ChatEvents = client.chat_events(request)?;
    }
    let _: CancelResult = client.cancel(token)?;
    client.forget(token);
    client.interrupt_turn("u")?;
    client.interrupt_turn_on("t", "u")?;
    client.steer_turn("t", "u", "more")?;
    let _: ThreadHandle = client.start_thread(config.clone())?;
    let _: ThreadHandle = client.resume_thread("t", config.clone())?;
    let _: ThreadHandle = client.fork_thread("t", config.clone())?;
    let _: ThreadHandle = client.fork_thread_at("t", "u", config.clone())?;
    let _: Vec<protocol::Thread> = client.threads(ListThreads::new().limit(5)).collect::<Result<_>>()?;
    let _: Option<Result<protocol::Turn>> = client.thread_turns("t").next();
    let _: Option<Result<protocol::Model>> = client.models().next();
    client.set_thread_defaults("t", config)?;
    let _: &str = &client.read_thread("t", true)?.thread.id;
    let list = ListThreads::new()
        .limit(5)
        .archived(true)
        .cursor("c")
        .cwd("/w")
        .cwds(["/w"])
        .model_providers(["p"])
        .section_id("s")
        .use_state_db_only(true)
        .sort_key(ThreadSortKey::CreatedAt)
        .sort_direction(SortDirection::Desc);
    let _: Option<&String> = client.list_threads(list)?.next_cursor.as_ref();
    client.archive_thread("t")?;
    client.unarchive_thread("t")?;
    client.compact_thread("t")?;
    let _: &str = client.rollback_thread("t", 1)?.raw();
    client.set_thread_name("t", "name")?;
    let _: Chat = client.start_review("t", ReviewTarget::UncommittedChanges, Some(ReviewDelivery::Inline))?;
    let _: Chat = client.start_review("t", json!({ "type": "uncommittedChanges" }), None)?;
    let _: usize = client.list_models(ListModels::new().limit(5).include_hidden(true))?.data.len();
    let _: i32 = client.exec_command(["ls"], ExecOptions::new().timeout(second).cwd("/w"))?.exit_code;
    client.exec_command(vec![String::from("ls")], ExecOptions::new())?;
    client.read_config(ReadConfig::new().cwd("/w").include_layers(true))?;
    client.read_config_requirements()?;
    let write = WriteConfigValue::new("a.b", json!(1)).expected_version("v").file_path("/f");
    let _: &str = &client.write_config_value(write)?.version;
    let edits = BatchWriteConfig::new([ConfigEdit::upsert("a", 1)]).expected_version("v").file_path("/f");
    client.batch_write_config(edits)?;
    client.close()
}

#[expect(dead_code, reason = "it only has to compile")]
fn calls<P: ClientRequest>(client: &Client, params: P) -> Result<Reply<P::Response>> {
    client.call(params)
}

#[expect(dead_code, reason = "it only has to compile")]
fn questions(
    client: &Client,
    approval: &ApprovalRequest,
    input: &UserInputRequest,
    other: &ServerRequest,
) -> Result<()> {
    client.set_approval_handler(|_: &ApprovalRequest| ApprovalDecision::Accept);
    client.clear_approval_handler();
    let _: ApprovalRequests = client.approval_requests();
    client
        .respond_approval(approval, ApprovalDecision::AcceptWithExecpolicyAmendment(vec!["ls".to_owned()]))?;
    client.approve_approval(approval)?;
    client.approve_for_session(approval)?;
    client.approve_with_amendment(approval, ["ls", "-a"])?;
    client.decline_approval(approval)?;
    client.cancel_approval(approval)?;
    client.set_user_input_handler(|_: &UserInputRequest| UserInputResponse::answer("q", ["A"]));
    client.clear_user_input_handler();
    let _: UserInputRequests = client.user_input_requests();
    client.respond_user_input(input, UserInputResponse::answer("q", ["A"]))?;
    client.respond_user_input_choice(input, "q", ["A"])?;
    client.respond_user_input_other(input, "q", "text")?;
    client.set_server_request_handler(|_: &ServerRequest| ServerResponse::pass());
    client.clear_server_request_handler();
    client.respond_server_request(other, ServerResponse::json(json!({})))?;
    let _: Vec<ServerRequest> = client.pending();
    Ok(())
}

#[expect(dead_code, reason = "it only has to compile")]
fn a_chat(mut chat: Chat) -> Result<ChatResult> {
    let _: (&str, &str) = (chat.thread_id(), chat.turn_id());
    let handle: TurnHandle = chat.handle();
    handle.steer("more")?;
    handle.interrupt()?;
    let _: CancelResult = handle.cancel()?;
    let _: Option<ConversationStep> = chat.try_next();
    let _: Option<ConversationStep> = chat.next_timeout(Duration::ZERO);
    let _: bool = chat.is_ended();
    for step in chat.results() {
        let _: ConversationStep = step?;
    }
    let _: Option<&Error> = chat.error();
    let _: ChatContinuation = chat.continuation();
    chat.steer("more")?;
    chat.interrupt()?;
    let _: CancelResult = chat.cancel()?;
    chat.finish()
}

#[expect(dead_code, reason = "it only has to compile")]
fn event_loops(
    client: &Client,
    chat: &Chat,
    notifications: &Notifications,
    questions: &codex_blocking::ServerRequests,
    command: &codex_blocking::RunningCommand,
) -> Result<()> {
    chat.on_ready(|| {});
    notifications.on_ready(|| {});
    questions.on_ready(|| {});
    command.on_ready(|| {});
    let _: [crossbeam_channel::Receiver<()>; 4] =
        [chat.ready(), notifications.ready(), questions.ready(), command.ready()];
    let _: [StreamHandle; 2] = [notifications.handle(), questions.handle()];
    notifications.handle().end();
    chat.handle().request_interrupt();
    let _: ClientBuilder = Client::builder().on_ready(|| {});
    let _: ChatEvents = client.follow("thread")?;
    Ok(())
}

#[cfg(unix)]
#[expect(dead_code, reason = "it only has to compile")]
fn descriptors<'a>(
    chat: &'a Chat,
    notifications: &'a Notifications,
    questions: &'a codex_blocking::ServerRequests,
    command: &'a codex_blocking::RunningCommand,
) -> std::io::Result<[std::os::fd::BorrowedFd<'a>; 4]> {
    use std::os::fd::AsFd;
    let _ = [chat.as_fd(), notifications.as_fd(), questions.as_fd(), command.as_fd()];
    Ok([chat.ready_fd()?, notifications.ready_fd()?, questions.ready_fd()?, command.ready_fd()?])
}

#[expect(dead_code, reason = "it only has to compile")]
fn a_thread(thread: &ThreadHandle) -> Result<()> {
    let _: (&str, ThreadConfig, &[String]) = (thread.thread_id(), thread.defaults(), thread.not_applied());
    let _: ChatResult = thread.chat_once("text")?;
    let _: Chat = thread.chat("text")?;
    let _: ChatEvents = thread.chat_events("text")?;
    let _: ThreadHandle = thread.fork(ThreadConfig::new())?;
    let _: ThreadHandle = thread.fork_at("u", ThreadConfig::new())?;
    let _: Paged<protocol::Turn> = thread.turns();
    let ThreadInfo { thread_id, model, cwd, effort, .. } = thread.info().clone();
    let _: (String, Option<String>, Option<std::path::PathBuf>) = (thread_id, model, cwd);
    let _: Option<protocol::ReasoningEffort> = effort;
    thread.update_defaults(ThreadConfig::new().model("m"))?;
    thread.read(false)?;
    thread.set_name("name")?;
    thread.archive()?;
    thread.unarchive()?;
    thread.compact()?;
    thread.rollback(1)?;
    let _: Chat = thread.start_review(ReviewTarget::UncommittedChanges, None)?;
    let _: ChatEvents = thread.start_review_events(ReviewTarget::UncommittedChanges, None)?;
    Ok(())
}

#[expect(dead_code, reason = "it only has to compile")]
fn answers_and_failures(client: &Client, thread: &ThreadHandle, token: ChatContinuation) -> Result<()> {
    let second = Duration::from_secs(1);
    let JsonAnswer { value, result, .. } = client.chat_json::<Value>("text", json!({}))?;
    let _: (Value, ChatResult) = (value, result);
    let _: JsonAnswer<Value> = thread.chat_json("text", json!({}))?;
    let _: JsonAnswer<Shape> = client.chat_json_typed("text")?;
    let _: Shape = thread.chat_json_typed::<Shape>("text")?.value;
    let _: ChatRequest = ChatRequest::new("text").turn_timeout(second);
    let _: ChatRequest = ChatRequest::from(token).turn_timeout(None);
    let policy = RetryPolicy::new()
        .max_attempts(3)
        .max_elapsed(second)
        .first_delay(second)
        .max_delay(second)
        .jitter(false)
        .until_reset(true);
    match retry(policy.clone(), || client.chat_once("text")) {
        Err(error @ Error::Timeout { limit: Timeout::Turn, .. }) => drop(error.steps().to_vec()),
        Err(error) => {
            let failure: Option<TurnFailure> = error.failure();
            let Some(TurnFailure { kind, http_status, resets_at, is_transient, .. }) = failure else {
                return Err(error);
            };
            let _: protocol::CodexErrorInfo = kind;
            let _: (Option<u16>, Option<SystemTime>, bool) = (http_status, resets_at, is_transient);
        }
        Ok(result) => drop(result),
    }
    retry(policy.max_elapsed(None), || Client::connect(Stdio::default()))?.close()
}

#[derive(serde::Deserialize, schemars::JsonSchema)]
struct Shape {}

#[expect(dead_code, reason = "it only has to compile")]
fn data(result: ChatResult, step: ConversationStep, token: ChatContinuation, initialized: InitializeResult) {
    let ChatResult { thread_id, turn_id, final_text, raw_events, assistant_item_id, .. } = result;
    let _: (String, String, String, Vec<RawEvent>, Option<String>) =
        (thread_id, turn_id, final_text, raw_events, assistant_item_id);
    let _: (Option<CompletionSource>, Option<TokenUsage>) = (result.completion_source, result.token_usage);
    let _: Value = step.data();
    let _: (Option<String>, StepType, Option<String>, StepStatus, Option<String>) =
        (step.item_id, step.step_type, step.item_type, step.status, step.text);
    let _: (String, String, u64, ChatMode) = (token.thread_id, token.turn_id, token.cursor, token.mode);
    let _: Option<&str> = initialized.server_version();
    let _: (Option<String>, Option<Value>, Option<Value>, Value) =
        (initialized.protocol_version, initialized.server_info, initialized.capabilities, initialized.raw);
}

#[expect(dead_code, reason = "it only has to compile")]
fn transcript(turns: &[protocol::Turn], event: &TurnEvent) -> Transcript {
    let _: Vec<ConversationStep> = turns[0].steps();
    let mut transcript: Transcript = Transcript::from_turns(turns);
    transcript.apply(event);
    let items: &[TranscriptItem] = transcript.items();
    let TranscriptItem { id, kind, status, text, output, exit_code, changes, plan, .. } = &items[0];
    let _: (&String, &StepType, &StepStatus, &String) = (id, kind, status, text);
    let _: (&Option<String>, &Option<i32>) = (output, exit_code);
    let _: (&Vec<protocol::FileUpdateChange>, &Vec<PlanStep>) = (changes, plan);
    let agent: &SubAgentTranscript = &items[0].sub_agents[0];
    let _: (&String, &Option<String>, &Transcript) = (&agent.thread_id, &agent.agent, &agent.transcript);
    let turn: &TranscriptTurn = &transcript.turns()[0];
    let _: (&TurnStatus, &Option<String>, &Option<String>) = (&turn.status, &turn.error, &turn.notice);
    let _: (u64, u64, u64) = (transcript.revision(), items[0].revision, turn.revision);
    if let TurnEvent::SubAgent { thread_id, agent, event, .. } = event {
        let _: (&String, &Option<String>, &TurnEvent) = (thread_id, agent, event);
    }
    transcript
}

#[expect(dead_code, reason = "it only has to compile")]
fn settings() -> Result<Client> {
    let second = Duration::from_secs(1);
    let _: ClientBuilder = Client::builder()
        .request_timeout(second)
        .inactivity_timeout(None)
        .user_input_timeout(second)
        .approval_timeout(None)
        .approval_mode(ApprovalMode::Manual)
        .strict(true)
        .client_info("name", "1.0.0")
        .client_title("title")
        .experimental_api(true)
        .opt_out(["item/agentMessage/delta"])
        .max_frame_bytes(1)
        .max_buffered_bytes(None)
        .record(Recorder::new(Vec::new()).unmasked());
    let _: std::io::Result<Recorder> = Recorder::file("/f");
    let _: std::io::Result<ScriptedServer> = ScriptedServer::replay("/f");
    let _: &'static [&'static str] = Error::CODES;
    let _ = ChatRequest::new("text")
        .thread("t")
        .user("u")
        .metadata(json!({}))
        .thread_config(ThreadConfig::new().cwd("/w").ephemeral(Setting::Null).service_name("s").extra("n", 1))
        .overrides(TurnOverrides::new().collaboration_mode(CollaborationMode::plan("m")).service_tier("fast"))
        .client_user_message_id("mine")
        .turn_trigger("timer")
        .extra("new", json!({}))
        .inactivity_timeout(second)
        .keep_raw_events(true)
        .sub_agents(true);
    let _ = WebSocket::new("ws://127.0.0.1:1").token("t").header("k", "v").connect_timeout(second);
    let _ = WebSocket::spawn(Stdio::default());
    #[cfg(unix)]
    let _ = codex_blocking::UnixSocket::new("/s").connect_timeout(None);
    Client::builder().connect(Stdio::command(["codex"]).cwd("/w").env("K", "V").connect_timeout(second))
}

/// Everything of the root under its name, where everything of `protocol` is imported too: no name means
/// two things.
mod names {
    use codex_blocking::{protocol::*, *};

    #[expect(
        dead_code,
        clippy::too_many_arguments,
        clippy::type_complexity,
        reason = "it only has to compile"
    )]
    fn all<T: Transport, I: TurnItem>(
        _questions: (
            ApprovalDecision,
            ApprovalMode,
            ApprovalPolicy,
            ApprovalRequest,
            ApprovalRequests,
            CommandApprovalRequest,
            ElicitationRequest,
            FileChangeApprovalRequest,
            TypedServerRequest<()>,
            McpToolApprovalRequest,
            PermissionsRequest,
            ServerRequestStream<ApprovalRequest>,
        ),
        _more_questions: (
            RequestId,
            ServerRequest,
            ServerRequests,
            ServerResponse,
            Tool,
            ToolCall,
            ToolError,
            ToolOutput,
            UserInputQuestion,
            UserInputRequest,
            UserInputRequests,
            UserInputResponse,
        ),
        _account: (Account, AccountKind, Login, PlanType),
        _client: (
            Client,
            ClientBuilder,
            InitializeResult,
            JsonAnswer<()>,
            Memory,
            Notifications,
            RawNotification,
            Reply<()>,
            Stats,
            Stdio,
            StreamHandle,
            ThreadHandle,
            TurnFailure,
            (ThreadHandle, ThreadInfo, Paged<()>),
            WeakClient,
            WebSocket,
        ),
        _options: (
            BatchWriteConfig,
            ConfigEdit,
            ExecOptions,
            ListModels,
            ListThreads,
            MergeStrategy,
            ReadConfig,
            RetryPolicy,
            SandboxMode,
            SandboxPolicy,
            Setting<()>,
            ThreadConfig,
            WriteConfigValue,
        ),
        _words: (
            CollaborationMode,
            CollaborationSettings,
            GranularApproval,
            ModeKind,
            NetworkPolicyRuleAction,
            PermissionGrantScope,
            (ApprovalsReviewer, Personality, ThreadStartSource),
            ReasoningEffort,
            ReasoningSummary,
            SortDirection,
            ThreadSortKey,
            ThreadSourceKind,
        ),
        _turns: (
            CancelResult,
            Chat,
            ChatContinuation,
            ChatEvents,
            ChatMode,
            ChatRequest,
            ChatResult,
            CompletionSource,
            ConversationStep,
            Input,
            InputItem,
            TurnOverrides,
        ),
        _more_turns: (
            PlanStep,
            RawEvent,
            Results<'_, I>,
            ReviewDelivery,
            ReviewTarget,
            StepStatus,
            StepType,
            TokenCount,
            TokenUsage,
            TurnEvent,
            TurnHandle,
            TurnStream<I>,
        ),
        _results: (MessagePhase, Recorder, TurnProgress, TurnStatus, TurnToolOutput),
        _transcripts: (SubAgentTranscript, Transcript, TranscriptItem, TranscriptTurn),
        _rest: (
            Cause,
            CommandExit,
            CommandHandle,
            CommandOutput,
            Error,
            OutputStream,
            Result<()>,
            RunningCommand,
            Timeout,
            T,
            TransportFailure,
        ),
        #[cfg(unix)] _socket: UnixSocket,
    ) {
        let _: (&str, &str) = SERVER_VERSIONS;
    }
}

fn shared<T: Clone + Send + Sync + Debug + 'static>() {}
fn sent<T: Send + Debug + 'static>() {}
fn plain<T: Clone + Send + Sync + Debug + Serialize + 'static>() {}
fn stored<T: Clone + Serialize + DeserializeOwned>() {}
fn reads<T: Iterator<Item = I> + FusedIterator + Send + 'static, I>() {}
fn transport<T: Transport + Clone + Debug>() {}

#[test]
fn handles_are_shared_streams_are_sent_and_data_is_plain() {
    shared::<Client>();
    shared::<WeakClient>();
    shared::<ThreadHandle>();
    shared::<TurnHandle>();
    shared::<StreamHandle>();
    shared::<ClientBuilder>();
    shared::<Error>();
    shared::<CancelResult>();
    shared::<ChatResult>();
    shared::<RawNotification>();
    shared::<TurnEvent>();
    sent::<Chat>();
    sent::<ChatEvents>();
    sent::<Notifications>();
    sent::<Paged<protocol::Thread>>();
    reads::<Paged<protocol::Turn>, Result<protocol::Turn>>();
    reads::<Chat, ConversationStep>();
    reads::<ChatEvents, TurnEvent>();
    reads::<ApprovalRequests, ApprovalRequest>();
    reads::<UserInputRequests, UserInputRequest>();
    plain::<ApprovalRequest>();
    plain::<UserInputRequest>();
    plain::<ServerRequest>();
    plain::<ConversationStep>();
    plain::<CommandExit>();
    plain::<CommandOutput>();
    plain::<Stats>();
    stored::<ChatContinuation>();
    stored::<ThreadConfig>();
    stored::<TurnOverrides>();
    plain::<ThreadInfo>();
    stored::<ThreadInfo>();
    transport::<Stdio>();
    transport::<WebSocket>();
    transport::<Memory>();
    #[cfg(unix)]
    transport::<codex_blocking::UnixSocket>();
}

#[test]
fn an_error_is_small() {
    assert!(size_of::<Error>() <= 128, "{}", size_of::<Error>());
}
