"""The client: connecting, requests, and what begins with it.

Relies on the other modules. Invariant: no method blocks the main thread such that Ctrl-C has to wait.
"""

from __future__ import annotations

import atexit
import threading
import weakref
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Sequence, Union, cast

from ._arguments import (
    Seconds,
    StrPath,
    encode,
    integer,
    mapping,
    mappings,
    millis,
    optional_json,
    optional_text,
    sequence,
    text,
)
from ._arguments import path as path_of
from ._library import ITEM, NOTHING_YET, lib, result, status
from ._library import handle as handle_of
from ._waiting import blocking
from .account import Login
from .commands import RunningCommand
from .errors import CodexError, error_of, invalid
from .logs import disable_logging
from .questions import (
    ApprovalAnswer,
    ApprovalRequest,
    ApprovalRequests,
    Handlers,
    Question,
    Questions,
    ToolAnswer,
    ToolCall,
    UserInputAnswer,
    UserInputRequest,
    UserInputRequests,
    answer_of,
    question_of,
)
from .records import Account, CancelResult, ChatContinuation, ExecResult, InitializeResult, Json
from .settings import to_json
from .streams import Notifications
from .threads import ThreadHandle
from .turns import INPUT, Chat, ChatEvents, Chats, Text, split, steps_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .settings import ClientOptions, ExecOptions, ThreadConfig

_clients: weakref.WeakSet[Client] = weakref.WeakSet()


class Client(Chats):
    """A connection to a server, for all threads.

    Connect with `Client.stdio()`, `Client.websocket()`, `Client.unix()`, or for tests, `Client.scripted()`. It is a
    context manager, which closes it.

    A call blocks the thread that makes it, and no other: the GIL is free meanwhile. In the main thread, Ctrl-C ends
    every wait at once. After `os.fork`, this client raises `CodexClosedError` in the child, which can connect by itself; the
    parent's goes on.
    """

    _kind = "client"

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Connect with options of the C function `codex_client_connect`; the class methods are more convenient."""
        given = encode(mapping(options))

        def connect() -> None:
            super(Client, self).__init__(None, handle_of(lib.codex_client_connect, given))

        # Only a socket can keep it waiting.
        if options.get("transport") in ("websocket", "unix"):
            blocking(connect)
        else:
            connect()
        self._handlers = Handlers(self._handle, options.get("approval_mode") == "manual")
        _clients.add(self)

    def __del__(self) -> None:
        super().__del__()
        handlers = getattr(self, "_handlers", None)
        if handlers is not None:
            handlers.end()

    def _connection(self) -> Client:
        return self

    # Connecting.

    @classmethod
    def stdio(
        cls,
        command: Optional[Sequence[StrPath]] = None,
        *,
        cwd: Optional[StrPath] = None,
        env: Optional[Mapping[str, Optional[str]]] = None,
        env_clear: bool = False,
        codex_home: Optional[StrPath] = None,
        config: Optional[Mapping[str, Any]] = None,
        **options: Unpack[ClientOptions],
    ) -> Client:
        """Start a server as a child process: `command`, else `$CODEX_APP_SERVER_CMD`, else `codex app-server`.

        In `env`, None removes a variable. Blocks until the server can be written to.
        """
        more: Dict[str, Any] = {"transport": "stdio"}
        if command is not None:
            more["command"] = sequence(command)
        if cwd is not None:
            more["cwd"] = path_of(cwd)
        if env is not None:
            more["env"] = mapping(env)
        if env_clear:
            more["env_clear"] = True
        if codex_home is not None:
            more["codex_home"] = path_of(codex_home)
        if config is not None:
            more["config"] = mapping(config)
        return cls({**more, **to_json(options)})

    @classmethod
    def websocket(
        cls,
        url: Optional[str] = None,
        *,
        token: Optional[str] = None,
        headers: Optional[Mapping[str, str]] = None,
        connect_timeout: Optional[Seconds] = 30,
        transport_options: Optional[Mapping[str, Any]] = None,
        **options: Unpack[ClientOptions],
    ) -> Client:
        """Connect to a server at a URL: by default `$CODEX_APP_SERVER_WS_URL`, else `ws://127.0.0.1:8765`.

        `transport_options` are others of `codex_client_connect`, such as `proxy` and `root_certificates`.
        """
        more: Dict[str, Any] = {"transport": "websocket", **to_json({"connect_timeout": connect_timeout})}
        if url is not None:
            more["url"] = url
        if token is not None:
            more["token"] = token
        if headers is not None:
            more["headers"] = mapping(headers)
        return cls({**more, **mapping(transport_options or {}), **to_json(options)})

    @classmethod
    def unix(
        cls,
        path: Optional[StrPath] = None,
        *,
        connect_timeout: Optional[Seconds] = 30,
        **options: Unpack[ClientOptions],
    ) -> Client:
        """Connect to a server at a Unix socket: by default the control socket in `$CODEX_HOME`."""
        more: Dict[str, Any] = {"transport": "unix", **to_json({"connect_timeout": connect_timeout})}
        if path is not None:
            more["path"] = path_of(path)
        return cls({**more, **to_json(options)})

    @classmethod
    def scripted(cls, replay: Optional[StrPath] = None, **options: Unpack[ClientOptions]) -> Client:
        """Connect to a server in this process, for tests: it echoes, or plays the recording at the path `replay`."""
        more: Dict[str, Any] = {"transport": "scripted"}
        if replay is not None:
            more["replay"] = path_of(replay)
        return cls({**more, **to_json(options)})

    def close(self) -> None:
        """Close the connection: what waits on it fails, the server's process ends. Blocks for at most 5 s.

        Can be called from any thread, and repeated.
        """
        self._status(lib.codex_client_close)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        try:
            is_open = self.ended() is None
        except CodexError:  # In a forked process.
            is_open = False
        return f"<{type(self).__name__} {'open' if is_open else 'closed'}>"

    # Requests.

    def initialize(self) -> InitializeResult:
        """Perform the handshake, which the first call of any kind does too, and return what the server says."""
        return InitializeResult(self._result(lib.codex_client_initialize))

    def request(
        self, method: str, params: Optional[Mapping[str, Any]] = None, *, timeout: Optional[Seconds] = -1
    ) -> Any:
        """Send any request of the protocol, and return its result.

        `timeout` is in seconds, None for no limit; by default the client's `request_timeout`.
        """
        name, given = text(method), optional_json(params)
        if timeout == -1:
            return self._result(lib.codex_client_request, name, given)
        limit = millis(timeout)
        return self._result(lib.codex_client_request_with_timeout, name, given, -1 if limit is None else limit)

    def notify(self, method: str, params: Optional[Mapping[str, Any]] = None) -> None:
        """Send a notification."""
        self._status(lib.codex_client_notify, text(method), optional_json(params))

    def supports(self, method: str) -> Optional[bool]:
        """Return whether the server knows a method; None where that can't be known."""
        found = self._status(lib.codex_client_supports, text(method))
        return None if found == NOTHING_YET else found == ITEM

    def stats(self) -> Dict[str, int]:
        """Return counters of the connection. Never waits."""
        return cast(Dict[str, int], result(lib.codex_client_stats, self._handle))

    def ended(self) -> Optional[CodexError]:
        """Return why the connection has ended; None while it is open. Never waits."""
        raw = result(lib.codex_client_ended, self._handle)
        return None if raw is None else error_of(raw)

    @property
    def server_pid(self) -> Optional[int]:
        """The process id of the server, if this client has started it."""
        return cast(Optional[int], result(lib.codex_client_info, self._handle)["server_pid"])

    @property
    def server_url(self) -> Optional[str]:
        """The address of the server, if it has one."""
        return cast(Optional[str], result(lib.codex_client_info, self._handle)["server_url"])

    def on_ready(self, callback: Optional[Callable[[], object]]) -> None:
        """Have a function called after each change of anything of this client; None ends the calls.

        It is called on a thread of the library and should only wake an event loop.
        """
        self._set_on_ready(callback)

    # Turns.

    def follow(self, thread_id: str) -> ChatEvents:
        """Return the events of all turns of a thread, whoever starts them."""
        name = text(thread_id)
        return blocking(lambda: ChatEvents(self, handle_of(lib.codex_client_follow, self._handle, name)))

    def cancel(self, continuation: ChatContinuation) -> CancelResult:
        """Interrupt the turn of a continuation, wait for its end, and return what was not read."""
        token, unread = split(continuation)
        found = CancelResult(self._result(lib.codex_client_cancel, encode(token)))
        found.steps[:0] = steps_of(unread)
        return found

    def forget(self, continuation: ChatContinuation) -> None:
        """Drop what is kept for a continuation. Never waits."""
        status(lib.codex_client_forget, self._handle, encode(split(continuation)[0]))

    def interrupt_turn(self, turn_id: str, thread_id: Optional[str] = None) -> None:
        """Interrupt a turn, which may be another client's if `thread_id` is given."""
        self._status(lib.codex_client_interrupt_turn, optional_text(thread_id), text(turn_id))

    def steer_turn(self, thread_id: str, turn_id: str, input: Text) -> Any:
        """Add a message to a running turn."""
        given = encode([{"type": "text", "text": input}] if isinstance(input, str) else mappings(input, INPUT))
        return self._result(lib.codex_client_steer_turn, text(thread_id), text(turn_id), given)

    # Questions.

    def set_approval_handler(self, handler: Optional[Callable[[ApprovalRequest], ApprovalAnswer]]) -> None:
        """Have a function decide about what the agent wants to run or change; None ends that.

        It returns `"accept"`, `"acceptForSession"`, `"decline"`, `"cancel"`, or the protocol's answer. If it returns
        None or raises, nothing is granted.

        All handlers of a client are called on one thread, one question after the other. To answer several at the same
        time, use `approval_mode="manual"` and `questions()`.
        """
        self._handlers.set(self, "approval", handler)

    def set_user_input_handler(self, handler: Optional[Callable[[UserInputRequest], UserInputAnswer]]) -> None:
        """Have a function answer what the agent asks the user: `{ID: LABEL}`. See `set_approval_handler`."""
        self._handlers.set(self, "user_input", handler)

    def set_tool_handler(self, handler: Optional[Callable[[ToolCall], ToolAnswer]]) -> None:
        """Have a function run the tools of the program, and return the output. See `set_approval_handler`."""
        self._handlers.set(self, "tool_call", handler)

    def set_question_handler(self, handler: Optional[Callable[[Question], Optional[Mapping[str, Any]]]]) -> None:
        """Have a function answer all questions without a handler of their own, in the protocol's JSON."""
        self._handlers.set(self, "", handler)

    def questions(self) -> Questions:
        """Return a stream of the questions of the server, those first that wait. Answer them with `respond`.

        With `approval_mode="manual"` they wait for an answer.
        """
        return Questions(self, self._questions())

    def _questions(self) -> int:
        return handle_of(lib.codex_client_questions, self._handle)

    def pending(self) -> List[Question]:
        """Return all questions that wait for an answer. Never waits."""
        return [question_of(raw) for raw in result(lib.codex_client_pending, self._handle)]

    def respond(
        self, question: Question, answer: Union[ApprovalAnswer, UserInputAnswer, ToolAnswer] = None
    ) -> None:
        """Answer a question: what a handler of its type returns. None grants nothing.

        An answer that the question doesn't support raises CodexInvalidInputError, and nothing is sent.
        """
        given = answer_of(question, answer)
        self._status(lib.codex_client_respond, encode(question.raw), given)

    def respond_error(self, question: Question, code: int, message: str) -> None:
        """Answer a question with an error of JSON-RPC."""
        self._status(lib.codex_client_respond_error, encode(question.raw), integer(code, 64, is_signed=True), text(message))

    def approval_requests(self) -> ApprovalRequests:
        """Return a stream of what the agent wants approved, like `questions`."""
        return ApprovalRequests(self, self._questions())

    def respond_approval(self, request: ApprovalRequest, decision: ApprovalAnswer) -> None:
        """Answer a request for approval: `"accept"` and so on, or the protocol's answer. None grants nothing."""
        self.respond(request, decision)

    def approve_approval(
        self,
        request: ApprovalRequest,
        *,
        for_session: bool = False,
        execpolicy_amendment: Optional[Sequence[str]] = None,
    ) -> None:
        """Approve a request: once, for the rest of the session, or every command that begins with these words."""
        if execpolicy_amendment is not None:
            amendment = {"execpolicy_amendment": sequence(execpolicy_amendment)}
            self.respond(request, {"decision": {"acceptWithExecpolicyAmendment": amendment}})
        else:
            self.respond(request, "acceptForSession" if for_session else "accept")

    def decline_approval(self, request: ApprovalRequest) -> None:
        """Decline a request; the turn goes on."""
        self.respond(request, "decline")

    def cancel_approval(self, request: ApprovalRequest) -> None:
        """Decline a request, and interrupt its turn."""
        self.respond(request, "cancel")

    def user_input_requests(self) -> UserInputRequests:
        """Return a stream of what the agent asks the user, like `questions`."""
        return UserInputRequests(self, self._questions())

    def respond_user_input(self, request: UserInputRequest, answers: UserInputAnswer) -> None:
        """Answer what the agent asks the user: `{ID: LABEL}`. None answers nothing."""
        self.respond(request, answers)

    def respond_user_input_choice(
        self, request: UserInputRequest, question_id: str, choice: Union[str, Sequence[str]]
    ) -> None:
        """Answer one of the questions with options of it, by their labels. The others stay unanswered."""
        chosen = [choice] if isinstance(choice, str) else sequence(choice)
        labels = [option.get("label") for option in self._question(request, question_id).get("options") or ()]
        for label in chosen:
            if label not in labels:
                raise invalid(f"question {question_id} has no option {label!r}; its options are {labels}")
        self.respond(request, {question_id: chosen})

    def respond_user_input_other(self, request: UserInputRequest, question_id: str, text: str) -> None:
        """Answer one of the questions with a text. The others stay unanswered."""
        self._question(request, question_id)
        self.respond(request, {question_id: text})

    @staticmethod
    def _question(request: UserInputRequest, question_id: str) -> Json:
        for question in request.questions:
            if question.get("id") == question_id:
                return question
        ids = [question.get("id") for question in request.questions]
        raise invalid(f"the request has no question {question_id!r}; its questions are {ids}")

    def notifications(self) -> Notifications:
        """Return a stream of all notifications of the server."""
        return Notifications(self, handle_of(lib.codex_client_notifications, self._handle))

    # Threads.

    def _thread(self, function: Any, *arguments: Any) -> ThreadHandle:
        return blocking(lambda: ThreadHandle(self, handle_of(function, self._handle, *arguments)))

    def start_thread(
        self, config: Optional[ThreadConfig] = None, *, tools: Optional[Sequence[Mapping[str, Any]]] = None
    ) -> ThreadHandle:
        """Start a thread.

        Each of `tools` is `{"name", "description", "input_schema"}`: see `set_tool_handler`. They need
        `experimental_api=True`.
        """
        if tools is None:
            return self._thread(lib.codex_client_start_thread, optional_json(config))
        given = encode(mappings(tools))
        return self._thread(lib.codex_client_start_thread_with_tools, optional_json(config), given)

    def thread(self, thread_id: str) -> ThreadHandle:
        """Return a thread by its id alone: to read, name or archive one of `list_threads`. Never waits.

        What needs it loaded, such as a chat, resumes it first.
        """
        return ThreadHandle(self, handle_of(lib.codex_client_thread, self._handle, text(thread_id)))

    def resume_thread(self, thread_id: str, config: Optional[ThreadConfig] = None) -> ThreadHandle:
        """Resume a thread of this or an earlier program."""
        return self._thread(lib.codex_client_resume_thread, text(thread_id), optional_json(config))

    def fork_thread(
        self, thread_id: str, config: Optional[ThreadConfig] = None, *, last_turn_id: Optional[str] = None
    ) -> ThreadHandle:
        """Copy a thread into a new one, up to `last_turn_id`."""
        last = optional_text(last_turn_id)
        return self._thread(lib.codex_client_fork_thread, text(thread_id), last, optional_json(config))

    def set_thread_defaults(self, thread_id: str, config: ThreadConfig) -> None:
        """Change the settings of later turns of a thread. Like the methods below, it doesn't load the thread unless it
        must."""
        self.thread(thread_id).update_defaults(config)

    def read_thread(self, thread_id: str, include_turns: bool = False) -> Json:
        """Return a thread in the protocol's JSON."""
        return self.thread(thread_id).read(include_turns)

    def set_thread_name(self, thread_id: str, name: str) -> None:
        """Set the name of a thread."""
        self.thread(thread_id).set_name(name)

    def archive_thread(self, thread_id: str) -> None:
        """Move a thread to the archive."""
        self.thread(thread_id).archive()

    def unarchive_thread(self, thread_id: str) -> None:
        """Take a thread back from the archive."""
        self.thread(thread_id).unarchive()

    def compact_thread(self, thread_id: str) -> None:
        """Have the history of a thread summarized, and wait for that."""
        self.thread(thread_id).compact()

    def rollback_thread(self, thread_id: str, num_turns: int) -> Json:
        """Drop the last turns of a thread, and return it in the protocol's JSON."""
        return self.thread(thread_id).rollback(num_turns)

    def unload_thread(self, thread_id: str) -> None:
        """Have the server close a thread, which frees what it keeps for it."""
        self.thread(thread_id).unload()

    def start_review(
        self, thread_id: str, target: Mapping[str, Any], delivery: Optional[str] = None
    ) -> Chat:
        """Start a review in a thread, and return its steps. `target` is such as `{"type": "uncommittedChanges"}`."""
        return self.thread(thread_id).start_review(target, delivery)

    def list_threads(self, **options: Any) -> Json:
        """Return a page of threads in the protocol's JSON: `limit`, `cursor`, `archived`, `cwd`, `sort_key`, .."""
        return cast(Json, self._result(lib.codex_client_list_threads, encode(options)))

    def list_models(self, **options: Any) -> Json:
        """Return a page of models in the protocol's JSON: `limit`, `cursor`, `include_hidden`."""
        return cast(Json, self._result(lib.codex_client_list_models, encode(options)))

    def read_config(self, **options: Any) -> Json:
        """Return the server's configuration in the protocol's JSON: `cwd`, `include_layers`."""
        return cast(Json, self._result(lib.codex_client_read_config, encode(options)))

    def read_config_requirements(self) -> Json:
        """Return what the configuration must keep to, in the protocol's JSON."""
        return cast(Json, self._result(lib.codex_client_read_config_requirements))

    def write_config_value(self, key_path: str, value: Any, **options: Any) -> Json:
        """Write a value of the configuration: `merge_strategy`, `expected_version`, `file_path`."""
        given = encode({"merge_strategy": "replace", **options, "key_path": key_path, "value": value})
        return cast(Json, self._result(lib.codex_client_write_config_value, given))

    def batch_write_config(self, edits: Sequence[Mapping[str, Any]], **options: Any) -> Json:
        """Write several values of the configuration, all or none."""
        given = encode({**options, "edits": mappings(edits)})
        return cast(Json, self._result(lib.codex_client_batch_write_config, given))

    # Commands.

    def exec_command(self, argv: Sequence[StrPath], **options: Unpack[ExecOptions]) -> ExecResult:
        """Run a command on the server to its end, without the agent and without a shell."""
        return ExecResult(self._result(lib.codex_client_exec, encode(sequence(argv)), encode(to_json(options))))

    def spawn_command(self, argv: Sequence[StrPath], **options: Unpack[ExecOptions]) -> RunningCommand:
        """Start a command on the server. Iterating gives its output; closing it terminates it."""
        program, given, start = encode(sequence(argv)), encode(to_json(options)), lib.codex_client_exec_start
        return blocking(lambda: RunningCommand(self, handle_of(start, self._handle, program, given)))

    # The account.

    def account(self) -> Account:
        """Return the account that the server is signed in with."""
        return Account(self._result(lib.codex_client_account))

    def refresh_account(self) -> Account:
        """Have the server refresh its sign-in, and return the account."""
        return Account(self._result(lib.codex_client_refresh_account))

    def login_api_key(self, key: str) -> None:
        """Sign the server in with an API key."""
        self._status(lib.codex_client_login_api_key, text(key))

    def login_chatgpt(self) -> Login:
        """Begin a sign-in with ChatGPT in a browser."""
        return self._login(lib.codex_client_login_chatgpt)

    def login_device_code(self) -> Login:
        """Begin a sign-in with ChatGPT with a code that the user types in."""
        return self._login(lib.codex_client_login_device_code)

    def _login(self, function: Any) -> Login:
        return blocking(lambda: Login(self, handle_of(function, self._handle)))

    def logout(self) -> None:
        """Sign the server out."""
        self._status(lib.codex_client_logout)

    def rate_limits(self) -> Json:
        """Return the rate limits of the account in the protocol's JSON."""
        return cast(Json, self._result(lib.codex_client_rate_limits))


def _close_all() -> None:
    """Have the library call nothing of Python any more, before the interpreter ends."""
    for client in list(_clients):
        lib.codex_client_close(client._handle)
        lib.codex_client_on_question(client._handle, None, None)
    disable_logging()


def _at_exit() -> None:
    # A handler that doesn't return must not keep the program from ending.
    closing = threading.Thread(target=_close_all, name="codex_blocking-exit", daemon=True)
    try:
        closing.start()
    except RuntimeError:
        _close_all()
    else:
        closing.join(10)


atexit.register(_at_exit)
