"""The client, threads, sign-ins and transcripts.

Relies on `_library`. Invariant: no method blocks the main thread such that Ctrl-C has to wait, and nothing is granted
unless the program grants it.
"""

from __future__ import annotations

import atexit
import ctypes
import json
import os
import threading
import weakref
from queue import SimpleQueue
from typing import (
    TYPE_CHECKING,
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    Mapping,
    Optional,
    Sequence,
    Tuple,
    Type,
    TypeVar,
    Union,
    cast,
)

from . import _library
from ._library import (
    ITEM,
    NOTHING_YET,
    blocking,
    encode,
    integer,
    lib,
    optional_json,
    optional_text,
    result,
    sequence,
    status,
    text,
)
from .errors import CodexError, NoLongerPendingError, error_of, invalid
from .logs import disable_logging, logger
from .records import (
    Account,
    Approval,
    CancelResult,
    ChatContinuation,
    ChatResult,
    ConversationStep,
    Event,
    ExecResult,
    InitializeResult,
    Json,
    JsonAnswer,
    Question,
    Record,
    ToolCall,
    UserInput,
    event_of,
    question_of,
)
from .settings import to_json
from .streams import Chat, ChatEvents, Command, Notifications, Questions, _call, once

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .settings import ChatOptions, ClientOptions, ExecOptions, ThreadConfig

T = TypeVar("T")
C = TypeVar("C", Chat, ChatEvents)
StrPath = Union[str, "os.PathLike[str]"]
Text = Union[str, Sequence[Mapping[str, Any]]]

ApprovalAnswer = Union[str, Mapping[str, Any], None]
"""`"accept"`, `"acceptForSession"`, `"decline"`, `"cancel"`, or the protocol's answer; None grants nothing."""
UserInputAnswer = Union[Mapping[str, Union[str, Sequence[str]]], None]
"""For each id of a question the label of the choice, a text, or several."""
ToolAnswer = Union[str, Mapping[str, Any], None]
"""The output, or the protocol's answer."""

_clients: weakref.WeakSet[Client] = weakref.WeakSet()


def _answer_of(question: Question, answer: Any) -> Optional[bytes]:
    """Return an answer in the protocol's form; None grants nothing."""
    if answer is None:
        return None
    if isinstance(question, Approval) and isinstance(answer, str):
        answer = {"decision": answer}
    elif isinstance(question, ToolCall) and isinstance(answer, str):
        answer = {"contentItems": [{"type": "inputText", "text": answer}], "success": True}
    elif isinstance(question, UserInput) and isinstance(answer, Mapping) and "answers" not in answer:
        lists = {name: [one] if isinstance(one, str) else list(one) for name, one in answer.items()}
        answer = {"answers": {name: {"answers": chosen} for name, chosen in lists.items()}}
    if not isinstance(answer, Mapping):
        raise invalid(f"{answer!r} is no answer to a question of the type {question.type!r}")
    return encode(dict(answer))


def _request(text_or_input: Optional[Text], continuation: Optional[ChatContinuation], options: Mapping[str, Any]) -> Json:
    """Return a request as the library takes it."""
    request = to_json(options)
    if isinstance(text_or_input, str):
        request["text"] = text_or_input
    elif text_or_input is not None:
        request["input"] = sequence(text_or_input)
    if continuation is not None:
        request["continuation"] = continuation.split()[0]
    return request


def _unread(continuation: Optional[ChatContinuation]) -> List[Json]:
    return [] if continuation is None else continuation.split()[1]


def _steps(raw: Iterable[Json]) -> List[ConversationStep]:
    """Return the steps of what was not read: of a chat of steps, or of a chat of events."""
    return [ConversationStep(one) for one in raw if one.get("type", "step") == "step"]


class Client(_library.Handled):
    """A connection to a server, for all threads.

    Connect with `Client.stdio()`, `Client.websocket()`, `Client.unix()`, or for tests, `Client.scripted()`. It is a
    context manager, which closes it.

    A call blocks the thread that makes it, and no other: the GIL is free meanwhile. In the main thread, Ctrl-C ends
    every wait at once. After `os.fork`, this client raises `ClosedError` in the child, which can connect by itself; the
    parent's goes on.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        """Connect with options of the C function `codex_client_connect`; the class methods are more convenient."""
        self._handlers: Dict[str, Callable[[Any], Any]] = {}
        self._is_manual = options.get("approval_mode") == "manual"
        given = encode(dict(options))

        def connect() -> _ClientHandle:
            return _ClientHandle(_library.handle(lib.codex_client_connect, given))

        # Only a socket can keep it waiting.
        self._owner = blocking(connect) if options.get("transport") in ("websocket", "unix") else connect()
        self._handle = self._owner.handle
        _clients.add(self)

    # Connecting.

    @classmethod
    def stdio(
        cls,
        command: Optional[Sequence[str]] = None,
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
            more["cwd"] = os.fspath(cwd)
        if env is not None:
            more["env"] = dict(env)
        if env_clear:
            more["env_clear"] = True
        if codex_home is not None:
            more["codex_home"] = os.fspath(codex_home)
        if config is not None:
            more["config"] = dict(config)
        return cls({**more, **to_json(options)})

    @classmethod
    def websocket(
        cls,
        url: Optional[str] = None,
        *,
        token: Optional[str] = None,
        headers: Optional[Mapping[str, str]] = None,
        connect_timeout: Optional[float] = 30,
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
            more["headers"] = dict(headers)
        return cls({**more, **(transport_options or {}), **to_json(options)})

    @classmethod
    def unix(
        cls,
        path: Optional[StrPath] = None,
        *,
        connect_timeout: Optional[float] = 30,
        **options: Unpack[ClientOptions],
    ) -> Client:
        """Connect to a server at a Unix socket: by default the control socket in `$CODEX_HOME`."""
        more: Dict[str, Any] = {"transport": "unix", **to_json({"connect_timeout": connect_timeout})}
        if path is not None:
            more["path"] = os.fspath(path)
        return cls({**more, **to_json(options)})

    @classmethod
    def scripted(cls, replay: Optional[StrPath] = None, **options: Unpack[ClientOptions]) -> Client:
        """Connect to a server in this process, for tests: it echoes, or plays the recording at the path `replay`."""
        more: Dict[str, Any] = {"transport": "scripted"}
        if replay is not None:
            more["replay"] = os.fspath(replay)
        return cls({**more, **to_json(options)})

    def close(self) -> None:
        """Close the connection: what waits on it fails, the server's process ends. Blocks for at most 5 s.

        Can be called from any thread, and repeated.
        """
        handle = self._handle
        blocking(lambda: status(lib.codex_client_close, handle))

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

    def _result(self, function: Any, *arguments: Any) -> Any:
        handle = self._handle
        return blocking(lambda: result(function, handle, *arguments))

    def _status(self, function: Any, *arguments: Any) -> int:
        handle = self._handle
        return blocking(lambda: status(function, handle, *arguments))

    def initialize(self) -> InitializeResult:
        """Perform the handshake, which the first call of any kind does too, and return what the server says."""
        return InitializeResult(self._result(lib.codex_client_initialize))

    def request(
        self, method: str, params: Optional[Mapping[str, Any]] = None, *, timeout: Optional[float] = -1
    ) -> Any:
        """Send any request of the protocol, and return its result.

        `timeout` is in seconds, None for no limit; by default the client's `request_timeout`.
        """
        name, given = text(method), optional_json(params)
        if timeout == -1:
            return self._result(lib.codex_client_request, name, given)
        limit = _library.millis(timeout)
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
        function = None if callback is None else _library.on_ready_type(lambda _: _call(callback))
        address = None if function is None else ctypes.cast(function, ctypes.c_void_p)
        self._status(lib.codex_client_on_ready, address, None)
        self._owner.on_ready = function

    # Turns.

    def _chat(self, function: Any, handle: int, request: Json, unread: Sequence[Json]) -> Chat:
        given = encode(request)
        # A turn that begins after its caller has been interrupted, is interrupted, too.
        return blocking(
            lambda: Chat(self, _library.handle(function, handle, given), _steps(unread)), Chat.request_interrupt
        )

    def _chat_events(self, function: Any, handle: int, request: Json, unread: Sequence[Json]) -> ChatEvents:
        given, events = encode(request), [event_of(one) for one in unread if "type" in one]
        return blocking(
            lambda: ChatEvents(self, _library.handle(function, handle, given), events), ChatEvents.request_interrupt
        )

    def chat_once(
        self,
        text: Optional[Text] = None,
        *,
        continuation: Optional[ChatContinuation] = None,
        **options: Unpack[ChatOptions],
    ) -> ChatResult:
        """Run a turn to its end, and return the result. `final_text` is the answer.

        Blocks until the turn has ended, or has been silent for `inactivity_timeout`. Ctrl-C ends the wait, and
        interrupts the turn.
        """
        options.setdefault("keep_steps", True)
        request = _request(text, continuation, options)
        unread = _unread(continuation)
        found = once(lambda: self._chat(lib.codex_client_chat, self._handle, request, ()))
        found.steps[:0] = _steps(unread)
        return found

    def chat(
        self,
        text: Optional[Text] = None,
        *,
        continuation: Optional[ChatContinuation] = None,
        **options: Unpack[ChatOptions],
    ) -> Chat:
        """Start a turn, and return it as an iterator over its steps.

        The text may be a list of input items in the protocol's JSON. Blocks until the server has accepted the turn.
        """
        request = _request(text, continuation, options)
        return self._chat(lib.codex_client_chat, self._handle, request, _unread(continuation))

    def chat_events(
        self,
        text: Optional[Text] = None,
        *,
        continuation: Optional[ChatContinuation] = None,
        **options: Unpack[ChatOptions],
    ) -> ChatEvents:
        """Start a turn, and return it as an iterator over its events: deltas, steps, and so on."""
        request = _request(text, continuation, options)
        return self._chat_events(lib.codex_client_chat_events, self._handle, request, _unread(continuation))

    def chat_json(self, text: Text, schema: Mapping[str, Any], **options: Unpack[ChatOptions]) -> JsonAnswer:
        """Run a turn whose answer follows a JSON schema."""
        request, given = encode(_request(text, None, options)), encode(dict(schema))
        return JsonAnswer(self._result(lib.codex_client_chat_json, request, given))

    def follow(self, thread_id: str) -> ChatEvents:
        """Return the events of all turns of a thread, whoever starts them."""
        handle, name = self._handle, text(thread_id)
        return blocking(lambda: ChatEvents(self, _library.handle(lib.codex_client_follow, handle, name)))

    def cancel(self, continuation: ChatContinuation) -> CancelResult:
        """Interrupt the turn of a continuation, wait for its end, and return what was not read."""
        token, unread = continuation.split()
        found = CancelResult(self._result(lib.codex_client_cancel, encode(token)))
        found.steps[:0] = _steps(unread)
        return found

    def forget(self, continuation: ChatContinuation) -> None:
        """Drop what is kept for a continuation. Never waits."""
        status(lib.codex_client_forget, self._handle, encode(continuation.split()[0]))

    def interrupt_turn(self, turn_id: str, thread_id: Optional[str] = None) -> None:
        """Interrupt a turn, which may be another client's if `thread_id` is given."""
        self._status(lib.codex_client_interrupt_turn, optional_text(thread_id), text(turn_id))

    def steer_turn(self, thread_id: str, turn_id: str, input: Text) -> Any:
        """Add a message to a running turn."""
        items: Any = [{"type": "text", "text": input}] if isinstance(input, str) else sequence(input)
        return self._result(lib.codex_client_steer_turn, text(thread_id), text(turn_id), encode(items))

    # Questions.

    def set_approval_handler(self, handler: Optional[Callable[[Approval], ApprovalAnswer]]) -> None:
        """Have a function decide about what the agent wants to run or change; None ends that.

        It returns `"accept"`, `"acceptForSession"`, `"decline"`, `"cancel"`, or the protocol's answer. If it returns
        None or raises, nothing is granted.

        All handlers of a client are called on one thread, one question after the other. To answer several at the same
        time, use `approval_mode="manual"` and `questions()`.
        """
        self._set_handler("approval", handler)

    def set_user_input_handler(self, handler: Optional[Callable[[UserInput], UserInputAnswer]]) -> None:
        """Have a function answer what the agent asks the user: `{ID: LABEL}`. See `set_approval_handler`."""
        self._set_handler("user_input", handler)

    def set_tool_handler(self, handler: Optional[Callable[[ToolCall], ToolAnswer]]) -> None:
        """Have a function run the tools of the program, and return the output. See `set_approval_handler`."""
        self._set_handler("tool_call", handler)

    def set_question_handler(self, handler: Optional[Callable[[Question], Optional[Mapping[str, Any]]]]) -> None:
        """Have a function answer all questions without a handler of their own, in the protocol's JSON."""
        self._set_handler("", handler)

    def _set_handler(self, kind: str, handler: Optional[Callable[[Any], Any]]) -> None:
        if handler is None:
            self._handlers.pop(kind, None)
            return
        if not callable(handler):
            raise invalid(f"a handler is a function, not {handler!r}")
        self._handlers[kind] = handler
        # From now on all questions come here, also when no handler is left.
        self._owner.ask(self)

    def _asked(self, raw: bytes) -> None:
        """Answer a question, which is JSON. Nothing that a handler does leaves it without an answer."""
        answer: Optional[bytes] = None
        try:
            question = question_of(json.loads(raw))
            handler = self._handlers.get(question.type) or self._handlers.get("")
            if handler is not None:
                answer = _answer_of(question, handler(question))
            elif self._is_manual:
                return
        except BaseException:  # SystemExit, too: nobody else would be told of it.
            logger().exception("the handler of a question has failed; nothing is granted")
        try:
            status(lib.codex_client_respond, self._handle, raw, answer)
        except NoLongerPendingError:
            pass
        except CodexError as error:
            logger().error("the answer to a question was refused, nothing is granted: %s", error)
            if answer is not None:
                self._grant_nothing(raw)

    def _grant_nothing(self, raw: bytes) -> None:
        try:
            status(lib.codex_client_respond, self._handle, raw, None)
        except CodexError as error:
            logger().error("a question can't be answered: %s", error)

    def questions(self) -> Questions:
        """Return a stream of the questions of the server, those first that wait. Answer them with `respond`.

        With `approval_mode="manual"` they wait for an answer.
        """
        return Questions(self, _library.handle(lib.codex_client_questions, self._handle))

    def pending(self) -> List[Question]:
        """Return all questions that wait for an answer. Never waits."""
        return [question_of(raw) for raw in result(lib.codex_client_pending, self._handle)]

    def respond(
        self, question: Question, answer: Union[ApprovalAnswer, UserInputAnswer, ToolAnswer] = None
    ) -> None:
        """Answer a question: what a handler of its type returns. None grants nothing.

        An answer that the question doesn't support raises InvalidInputError, and nothing is sent.
        """
        self._status(lib.codex_client_respond, encode(question.raw), _answer_of(question, answer))

    def respond_error(self, question: Question, code: int, message: str) -> None:
        """Answer a question with an error of JSON-RPC."""
        self._status(lib.codex_client_respond_error, encode(question.raw), integer(code, 64, is_signed=True), text(message))

    def notifications(self) -> Notifications:
        """Return a stream of all notifications of the server."""
        return Notifications(self, _library.handle(lib.codex_client_notifications, self._handle))

    # Threads.

    def _thread(self, function: Any, *arguments: Any) -> Thread:
        handle = self._handle
        return blocking(lambda: Thread(self, _library.handle(function, handle, *arguments)))

    def start_thread(
        self, config: Optional[ThreadConfig] = None, *, tools: Optional[Sequence[Mapping[str, Any]]] = None
    ) -> Thread:
        """Start a thread.

        Each of `tools` is `{"name", "description", "input_schema"}`: see `set_tool_handler`. They need
        `experimental_api=True`.
        """
        if tools is None:
            return self._thread(lib.codex_client_start_thread, optional_json(config))
        given = encode([dict(tool) for tool in sequence(tools)])
        return self._thread(lib.codex_client_start_thread_with_tools, optional_json(config), given)

    def resume_thread(self, thread_id: str, config: Optional[ThreadConfig] = None) -> Thread:
        """Resume a thread of this or an earlier program."""
        return self._thread(lib.codex_client_resume_thread, text(thread_id), optional_json(config))

    def fork_thread(
        self, thread_id: str, config: Optional[ThreadConfig] = None, *, last_turn_id: Optional[str] = None
    ) -> Thread:
        """Copy a thread into a new one, up to `last_turn_id`."""
        last = optional_text(last_turn_id)
        return self._thread(lib.codex_client_fork_thread, text(thread_id), last, optional_json(config))

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
        given = encode({**options, "edits": [dict(edit) for edit in edits]})
        return cast(Json, self._result(lib.codex_client_batch_write_config, given))

    # Commands.

    def exec(self, argv: Sequence[str], **options: Unpack[ExecOptions]) -> ExecResult:
        """Run a command on the server to its end, without the agent and without a shell."""
        return ExecResult(self._result(lib.codex_client_exec, encode(sequence(argv)), encode(to_json(options))))

    def exec_start(self, argv: Sequence[str], **options: Unpack[ExecOptions]) -> Command:
        """Start a command on the server. Iterating gives its output; closing it terminates it."""
        handle, program, given = self._handle, encode(sequence(argv)), encode(to_json(options))
        return blocking(lambda: Command(self, _library.handle(lib.codex_client_exec_start, handle, program, given)))

    # The account.

    def account(self) -> Account:
        """Return the account that the server is signed in with."""
        return Account(self._result(lib.codex_client_account))

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
        handle = self._handle
        return blocking(lambda: Login(self, _library.handle(function, handle)))

    def logout(self) -> None:
        """Sign the server out."""
        self._status(lib.codex_client_logout)

    def rate_limits(self) -> Json:
        """Return the rate limits of the account in the protocol's JSON."""
        return cast(Json, self._result(lib.codex_client_rate_limits))


class _Handle(_library.Handled):
    """A handle that is freed with its object."""

    _kind: str

    def __init__(self, client: Optional[Client], handle: int) -> None:
        # Keeps the connection.
        self._client = client
        self._handle = handle

    def __del__(self) -> None:
        handle = getattr(self, "_handle", None)
        if handle is not None:
            getattr(lib, f"codex_{self._kind}_free")(handle)

    def _result(self, function: Any, *arguments: Any) -> Any:
        handle = self._handle
        return blocking(lambda: result(function, handle, *arguments))

    def _status(self, function: Any, *arguments: Any) -> int:
        handle = self._handle
        return blocking(lambda: status(function, handle, *arguments))


class _ClientHandle:
    """The handle of a client and the functions that the library may call until it is freed."""

    def __init__(self, handle: int) -> None:
        self.handle = handle
        self.on_ready: Any = None
        self.on_question: Any = None
        self.asked: SimpleQueue[Optional[bytes]] = SimpleQueue()
        # A signal handler may set a handler, too.
        self.lock = threading.RLock()

    def ask(self, client: Client) -> None:
        """Have all questions put to the client from now on, on a thread of their own.

        Not on a thread of the library: who waits for that, such as at the end of the program, would wait for a handler.
        """
        with self.lock:
            if self.on_question is not None:
                return
            asked = self.asked
            # It doesn't keep the client, which keeps it.
            arguments = (weakref.ref(client), asked)
            threading.Thread(target=_answer, args=arguments, name="codex_blocking-handlers", daemon=True).start()
            self.on_question = _library.on_question_type(lambda _, question: asked.put(question))
            try:
                status(lib.codex_client_on_question, self.handle, ctypes.cast(self.on_question, ctypes.c_void_p), None)
            except CodexError:
                self.on_question = None
                asked.put(None)
                raise

    def __del__(self) -> None:
        lib.codex_client_free(self.handle)
        self.asked.put(None)


def _answer(of: weakref.ref[Client], asked: SimpleQueue[Optional[bytes]]) -> None:
    """Have the client answer one question after the other, until it is gone."""
    while True:
        question = asked.get()
        if question is None:
            return
        client = of()
        if client is not None:
            try:
                client._asked(question)
            except Exception:
                logger().exception("a question can't be answered")
        del client


class Thread(_Handle):
    """A conversation of several turns."""

    _kind = "thread"

    @property
    def thread_id(self) -> str:
        """The id, with which it can be resumed."""
        return str(self.info()["thread_id"])

    @property
    def defaults(self) -> Json:
        """The settings that were given."""
        return cast(Json, self.info()["defaults"])

    def info(self) -> Json:
        """Return `{"thread_id", "defaults", "not_applied", "info"}`. Never waits."""
        return cast(Json, result(lib.codex_thread_info, self._handle))

    def _owner(self) -> Client:
        assert self._client is not None
        return self._client

    def chat_once(self, text: Text, **options: Unpack[ChatOptions]) -> ChatResult:
        """Run a turn in the thread to its end, like `Client.chat_once`."""
        options.setdefault("keep_steps", True)
        request = _request(text, None, options)
        return once(lambda: self._owner()._chat(lib.codex_thread_chat, self._handle, request, ()))

    def chat(self, text: Text, **options: Unpack[ChatOptions]) -> Chat:
        """Start a turn in the thread, and return its steps, like `Client.chat`."""
        return self._owner()._chat(lib.codex_thread_chat, self._handle, _request(text, None, options), ())

    def chat_events(self, text: Text, **options: Unpack[ChatOptions]) -> ChatEvents:
        """Start a turn in the thread, and return its events, like `Client.chat_events`."""
        request = _request(text, None, options)
        return self._owner()._chat_events(lib.codex_thread_chat_events, self._handle, request, ())

    def chat_json(self, text: Text, schema: Mapping[str, Any], **options: Unpack[ChatOptions]) -> JsonAnswer:
        """Run a turn in the thread whose answer follows a JSON schema."""
        request, given = encode(_request(text, None, options)), encode(dict(schema))
        return JsonAnswer(self._result(lib.codex_thread_chat_json, request, given))

    def read(self, include_turns: bool = False) -> Json:
        """Return the thread in the protocol's JSON."""
        return cast(Json, self._result(lib.codex_thread_read, 1 if include_turns else 0))

    def turns(self) -> List[Json]:
        """Return all turns with all their items, the oldest first, in the protocol's JSON."""
        return cast(List[Json], self._result(lib.codex_thread_turns))

    def token_usage(self) -> Optional[Json]:
        """Return what the server last reported of the thread's tokens. Never waits."""
        return cast(Optional[Json], result(lib.codex_thread_token_usage, self._handle))

    def set_name(self, name: str) -> None:
        """Set the name."""
        self._status(lib.codex_thread_set_name, text(name))

    def archive(self) -> None:
        """Move the thread to the archive."""
        self._status(lib.codex_thread_archive)

    def unarchive(self) -> None:
        """Take the thread back from the archive."""
        self._status(lib.codex_thread_unarchive)

    def compact(self) -> None:
        """Have the history summarized, and wait for that."""
        self._status(lib.codex_thread_compact)

    def rollback(self, num_turns: int) -> Json:
        """Drop the last turns, and return the thread in the protocol's JSON."""
        return cast(Json, self._result(lib.codex_thread_rollback, integer(num_turns, 32)))

    def start_review(self, target: Mapping[str, Any], delivery: Optional[str] = None) -> Chat:
        """Start a review, and return its steps. `target` is such as `{"type": "uncommittedChanges"}`."""
        return self._review(lib.codex_thread_review, Chat, target, delivery)

    def start_review_events(self, target: Mapping[str, Any], delivery: Optional[str] = None) -> ChatEvents:
        """Start a review, like `start_review`, and return its events."""
        return self._review(lib.codex_thread_review_events, ChatEvents, target, delivery)

    def _review(self, function: Any, kind: Type[C], target: Mapping[str, Any], delivery: Optional[str]) -> C:
        handle, given, how = self._handle, encode(dict(target)), optional_text(delivery)
        client = self._owner()
        return blocking(lambda: kind(client, _library.handle(function, handle, given, how)), kind.request_interrupt)

    def update_defaults(self, config: ThreadConfig) -> None:
        """Change the settings of later turns."""
        self._status(lib.codex_thread_update_defaults, encode(config))

    def fork(self, config: Optional[ThreadConfig] = None, *, last_turn_id: Optional[str] = None) -> Thread:
        """Copy the thread into a new one with the same defaults, up to `last_turn_id`."""
        handle, last, given = self._handle, optional_text(last_turn_id), optional_json(config)
        return blocking(lambda: Thread(self._client, _library.handle(lib.codex_thread_fork, handle, last, given)))

    def unload(self) -> None:
        """Have the server close the thread, which frees what it keeps for it."""
        self._status(lib.codex_thread_unload)

    def __repr__(self) -> str:
        try:
            return f"<{type(self).__name__} {self.thread_id}>"
        except CodexError:  # In a forked process.
            return f"<{type(self).__name__} closed>"


class Login(_Handle):
    """A sign-in that waits for the user."""

    _kind = "login"

    def _info(self) -> Json:
        return cast(Json, result(lib.codex_login_info, self._handle))

    @property
    def login_id(self) -> str:
        return str(self._info()["login_id"])

    @property
    def url(self) -> str:
        """The page that the user opens."""
        return str(self._info()["url"])

    @property
    def user_code(self) -> Optional[str]:
        """The code that the user types in there."""
        return cast(Optional[str], self._info()["user_code"])

    @property
    def is_ended(self) -> bool:
        return bool(self._info()["is_ended"])

    def wait(self, timeout: Optional[float] = None) -> bool:
        """Wait until the user has signed in. False: not within that time (in seconds).

        Raises LoginFailedError if the sign-in failed or was cancelled.
        """
        limit = _library.millis(timeout)
        return self._status(lib.codex_login_wait, -1 if limit is None else limit) != NOTHING_YET

    def cancel(self) -> None:
        """Cancel the sign-in."""
        self._status(lib.codex_login_cancel)


class Transcript(_Handle):
    """What a screen shows of the events of a thread."""

    _kind = "transcript"

    def __init__(self, turns: Optional[Sequence[Mapping[str, Any]]] = None) -> None:
        """Begin empty, or with history: turns as `Thread.turns` gives them."""
        if turns is None:
            handle = _library.handle(lib.codex_transcript_new)
        else:
            handle = _library.handle(lib.codex_transcript_from_turns, encode(list(turns)))
        super().__init__(None, handle)

    def apply(self, event: Event) -> None:
        """Add an event of `chat_events` or `follow`."""
        status(lib.codex_transcript_apply, self._handle, encode(event.raw))

    def to_json(self) -> Json:
        """Return it all: `{"items", "turns", "revision", ..}`."""
        return cast(Json, result(lib.codex_transcript_json, self._handle))

    @property
    def items(self) -> List[Json]:
        """What is shown: each has `id`, `kind`, `status`, `text`, `output`, and so on."""
        return cast(List[Json], self.to_json()["items"])


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
