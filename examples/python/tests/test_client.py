"""Connections, requests, threads, commands, accounts, questions, logging."""

import copy
import logging
import os
import pickle
import select
import subprocess
import sys
import threading

import pytest

import codex_blocking
from codex_blocking import (
    ApprovalRequest,
    Client,
    CodexClosedError,
    CodexInvalidInputError,
    CodexNoLongerPendingError,
    CodexProtocolError,
    CodexRpcError,
    CodexTimeoutError,
    CodexTransportError,
    CommandApprovalRequest,
    ToolCall,
    UserInputRequest,
)

from codex_blocking.errors import error_of


def test_a_closed_client_says_so(client):
    client.close()
    client.close()
    with pytest.raises(CodexClosedError) as caught:
        client.chat_once("hello")
    assert not caught.value.in_forked_process
    assert client.ended().code == "closed" and "closed" in repr(client)


def test_a_server_that_does_not_start_says_why():
    with pytest.raises(CodexTransportError, match="no-such-program"):
        Client.stdio(["/no-such-program"])


def test_a_server_that_ends_at_once_says_what_it_wrote():
    with pytest.raises(CodexTransportError) as caught:
        Client.stdio(["sh", "-c", "read line; echo because >&2; exit 3"]).initialize()
    assert caught.value.failure["exit_code"] == 3 and "because" in caught.value.failure["stderr_tail"]


def test_nobody_listens_at_a_url():
    with pytest.raises(CodexTransportError):
        Client.websocket("ws://127.0.0.1:1", connect_timeout=5)


def test_nobody_listens_at_a_unix_socket(tmp_path):
    with pytest.raises(CodexTransportError):
        Client.unix(tmp_path / "none")


def test_an_option_of_another_transport_is_refused():
    with pytest.raises(CodexInvalidInputError, match="token"):
        Client({"transport": "scripted", "token": "x"})


def test_a_recording_is_played(tmp_path):
    path = tmp_path / "record"
    with Client.scripted(record={"path": str(path)}) as client:
        assert client.chat_once("hello").final_text == "echo: hello"
    with Client.scripted(path) as client:
        assert client.chat_once("hello").final_text == "echo: hello"


def test_any_request_can_be_sent(client):
    with pytest.raises(CodexRpcError, match="no method moon/phase") as caught:
        client.request("moon/phase", {"a": 1})
    assert (caught.value.rpc_code, caught.value.data) == (-32601, {"x": 1})


def test_a_request_has_a_limit(client):
    client.initialize()
    with pytest.raises(CodexTimeoutError) as caught:
        client.request("never", timeout=0.05)
    assert isinstance(caught.value, TimeoutError)
    assert caught.value.limit == {"type": "request", "method": "never"} and caught.value.after_ms == 50


def test_what_the_server_says_of_itself(client):
    assert client.initialize().raw["raw"]["userAgent"] == "fake/0.169.0"
    assert client.server_pid > 0 and client.server_url is None
    # The frames of a read are counted when they were handed out.
    client.account()
    assert client.stats()["frames"] > 0


def test_notifications_come_as_a_stream_that_ends_with_the_client(client):
    notifications = client.notifications()
    client.chat_once("hello")
    methods = []
    for notification in notifications:
        methods.append(notification.method)
        if notification.method == "turn/completed":
            client.close()
    assert methods[0] == "turn/started" and "item/agentMessage/delta" in methods


def test_threads_are_started_named_read_and_forked(scripted):
    thread = scripted.start_thread()
    assert thread.chat_once("one").final_text == "echo: one"
    assert [step.text for step in thread.chat("two")] == ["two", "echo: two"]
    assert thread.chat_events("three").finish().final_text == "echo: three"
    thread.set_name("a name")
    assert thread.read()["thread"]["id"] == thread.thread_id
    assert len(thread.turns()) == 3
    assert thread.token_usage()["last"]["totalTokens"] == 15
    thread.update_defaults({"model": "m"})
    fork = thread.fork()
    assert fork.defaults == {"model": "m"} and fork.thread_id != thread.thread_id
    assert scripted.fork_thread(thread.thread_id).thread_id != thread.thread_id
    assert scripted.resume_thread(thread.thread_id).thread_id == thread.thread_id
    assert scripted.thread(thread.thread_id).read()["thread"]["id"] == thread.thread_id
    thread.archive()
    thread.unarchive()
    assert thread.thread_id in [one["id"] for one in scripted.list_threads(limit=20)["data"]]
    thread.unload()


def test_a_thread_is_followed(scripted):
    thread = scripted.start_thread()
    with scripted.follow(thread.thread_id) as events:
        thread.chat_once("hello")
        assert next(events).type if hasattr(events, "type") else True


def test_a_command_runs_to_its_end(client):
    result = client.exec_command(["ls"], timeout=5, env={"A": "1", "B": None})
    assert (result.exit_code, result.stdout, result.stderr) == (0, "out", "err")


def test_a_command_is_read_and_written_to_as_bytes(client):
    command = client.spawn_command(["cat"], stream_stdin=True)
    assert command.process_id and not command.is_over
    command.write(b"\xff\0one")
    first = next(command)
    assert (first.stream, first.data) == ("stdout", b"\xff\0one")
    command.write(b"two")
    command.close_stdin()
    end = command.wait()
    assert end.exit_code == 7 and b"".join(chunk.data for chunk in end.unread) == b"two"
    with pytest.raises(CodexNoLongerPendingError):
        command.wait()


def test_what_a_command_can_not_take_is_refused_before_anything_is_sent(client):
    command = client.spawn_command(["sleep"])
    for call in (lambda: command.resize(70000, 1), lambda: command.resize(1, -1), lambda: command.resize("1", 1), lambda: command.write("x")):
        with pytest.raises(CodexInvalidInputError):
            call()


def test_what_has_a_handle_can_not_be_copied(client, scripted):
    for one in (client, client.chat("hello"), scripted.start_thread(), codex_blocking.Transcript(), client.spawn_command(["sleep"])):
        for copied in (copy.copy, copy.deepcopy, pickle.dumps):
            with pytest.raises(TypeError, match="can't be copied or pickled"):
                copied(one)


def test_a_command_is_terminated(client):
    command = client.spawn_command(["sleep"])
    command.terminate()
    assert list(command) == [] and command.wait().exit_code == -1


def test_closing_a_command_ends_the_wait_of_another_thread(client):
    command = client.spawn_command(["sleep"])
    read = []
    other = threading.Thread(target=lambda: read.extend(command))
    other.start()
    while sys._current_frames()[other.ident].f_code.co_name != "_wait":
        pass
    command.close()
    other.join(30)
    assert not other.is_alive() and read == []


def test_the_account_is_told(client):
    assert client.account().kind == client.refresh_account().kind == "api_key"
    with pytest.raises(CodexInvalidInputError):
        client.login_api_key("")


def test_without_a_handler_nothing_is_granted(client):
    assert '"decline"' in client.chat_once("ask").final_text


def test_a_handler_decides_about_approvals(client):
    asked = []

    def decide(approval):
        asked.append(approval)
        return "accept"

    client.set_approval_handler(decide)
    assert client.chat_once("ask").final_text == '{"decision": "accept"}'
    assert isinstance(asked[0], ApprovalRequest)
    assert (asked[0].kind, asked[0].command, asked[0].reason) == ("command", "rm -rf /", "because")
    client.set_approval_handler(None)
    assert '"decline"' in client.chat_once("ask").final_text


@pytest.mark.parametrize("answer", [None, "moon", 7, {"decision": ["moon"]}, {1, 2}, RuntimeError("oh"), SystemExit(3), KeyboardInterrupt()])
def test_an_answer_that_is_none_or_wrong_grants_nothing(client, answer, caplog):
    def decide(_):
        if isinstance(answer, BaseException):
            raise answer
        return answer

    client.set_approval_handler(decide)
    assert '"decline"' in client.chat_once("ask").final_text
    assert bool(caplog.records) == (answer is not None)


def test_handlers_are_replaced_while_one_runs(client):
    started, replaced = threading.Event(), threading.Event()

    def decide(_):
        started.set()
        replaced.wait(30)
        client.set_user_input_handler(lambda _: None)
        return "accept"

    client.set_approval_handler(decide)
    chat = client.chat("ask")
    started.wait(30)
    client.set_approval_handler(None)
    replaced.set()
    assert chat.finish().final_text == '{"decision": "accept"}'
    assert '"decline"' in client.chat_once("ask").final_text


def test_a_handler_that_can_not_be_called_is_refused(client):
    with pytest.raises(CodexInvalidInputError):
        client.set_approval_handler("accept")


def test_a_handler_of_approvals_leaves_other_questions_ungranted(client):
    client.set_approval_handler(lambda _: "accept")
    assert '"success": false' in client.chat_once("tool").final_text.lower()


def test_a_handler_answers_what_the_user_is_asked(client):
    client.set_user_input_handler(lambda asked: {one["id"]: "blue" for one in asked.questions})
    assert client.chat_once("input").final_text == '{"answers": {"color": {"answers": ["blue"]}}}'


def test_a_handler_runs_tools(client):
    def run(call):
        assert isinstance(call, ToolCall) and call.tool == "add"
        return str(sum(call.arguments.values()))

    client.set_tool_handler(run)
    assert '"text": "3"' in client.chat_once("tool").final_text


def test_a_handler_can_use_the_client(client):
    client.set_approval_handler(lambda _: "accept" if client.chat_once("x").final_text == "echo: x" else None)
    assert client.chat_once("ask").final_text == '{"decision": "accept"}'


def test_questions_are_answered_by_hand(connect):
    client = connect(approval_mode="manual")
    with client.questions() as questions:
        chat = client.chat("ask")
        question = next(questions)
        assert isinstance(question, ApprovalRequest) and client.pending() == [question]
        with pytest.raises(CodexInvalidInputError):
            client.respond(question, {"decision": "moon"})
        with pytest.raises(CodexInvalidInputError):
            client.respond(question, 7)
        client.respond(question, "accept")
        with pytest.raises(CodexNoLongerPendingError):
            client.respond(question, "accept")
        assert chat.finish().final_text == '{"decision": "accept"}'
        chat = client.chat("input")
        question = next(questions)
        assert isinstance(question, UserInputRequest) and question.questions[0]["header"] == "Color"
        client.respond(question, {"color": ["red", "blue"]})
        assert "red" in chat.finish().final_text
        chat = client.chat("ask")
        client.respond_error(next(questions), -32000, "no")
        assert "error" in chat.finish().final_text


def test_requests_for_approval_are_a_stream_and_answered_by_hand(connect):
    client = connect(approval_mode="manual")
    requests = client.approval_requests()
    for answer, decision in [
        (client.approve_approval, "accept"),
        (lambda request: client.approve_approval(request, for_session=True), "acceptForSession"),
        (client.decline_approval, "decline"),
        (client.cancel_approval, "cancel"),
        (lambda request: client.respond_approval(request, {"decision": "accept"}), "accept"),
    ]:
        chat = client.chat("ask")
        request = next(requests)
        assert isinstance(request, CommandApprovalRequest) and request.command
        answer(request)
        assert chat.finish().final_text == f'{{"decision": "{decision}"}}'
        with pytest.raises(CodexNoLongerPendingError):
            answer(request)


def test_what_the_user_is_asked_is_a_stream_and_answered_by_hand(connect):
    client = connect(approval_mode="manual")
    requests = client.user_input_requests()
    for answer, text in [
        (lambda request: client.respond_user_input(request, {"color": "blue"}), "blue"),
        (lambda request: client.respond_user_input_choice(request, "color", "blue"), "blue"),
        (lambda request: client.respond_user_input_other(request, "color", "a kind of blue"), "a kind of blue"),
    ]:
        chat = client.chat("input")
        request = next(requests)
        for wrong in ("shape", "color"):
            with pytest.raises(CodexInvalidInputError):
                client.respond_user_input_choice(request, wrong, "square")
        answer(request)
        assert f'["{text}"]' in chat.finish().final_text


def test_the_classes_of_exceptions_form_a_hierarchy():
    closed = error_of({"code": "closed", "message": "", "causes": []})
    assert isinstance(closed, CodexTransportError) and closed.failure == {}
    silent = error_of({"code": "turn_inactive", "message": "", "causes": [], "idle_ms": 5})
    assert isinstance(silent, (CodexTimeoutError, TimeoutError)) and silent.after_ms == 5
    for code in ("rpc", "turn_failed", "decode"):
        assert isinstance(error_of({"code": code, "message": "", "causes": []}), CodexProtocolError)


def test_in_manual_mode_a_handler_of_another_type_leaves_a_question_waiting(connect):
    client = connect(approval_mode="manual")
    client.set_tool_handler(lambda _: "x")
    chat = client.chat("ask")
    while not client.pending():
        pass
    client.respond(client.pending()[0], "accept")
    assert chat.finish().final_text == '{"decision": "accept"}'


def test_what_was_closed_says_so(client):
    chat = client.chat("hello")
    chat.close()
    assert list(chat) == [] and chat.is_ended
    with pytest.raises(CodexNoLongerPendingError):
        chat.finish()


@pytest.mark.skipif(os.name == "nt", reason="there are no descriptors")
def test_the_descriptor_of_a_stream_is_readable_after_its_close(client):
    chat, notifications, command = client.chat("hang"), client.notifications(), client.spawn_command(["sleep"])
    next(chat)
    for stream in (chat, notifications, command):
        while stream.try_next() is not None:
            pass
        descriptor = stream.fileno()
        assert select.select([descriptor], [], [], 0)[0] == []
        stream.close()
        assert select.select([descriptor], [], [], 0)[0] == [descriptor]
        assert stream.try_next() is None and stream.is_ended


def test_on_ready_is_called_when_something_comes(client):
    ready = threading.Event()
    chat = client.chat("hang")
    next(chat)
    assert chat.try_next() is None
    chat.on_ready(ready.set)
    chat.request_interrupt()
    assert ready.wait(30)
    chat.on_ready(None)
    of_client = threading.Event()
    client.on_ready(of_client.set)
    client.chat_once("hello")
    assert of_client.wait(30)
    client.on_ready(None)


def test_the_log_goes_to_the_logger_of_the_package(connect, caplog):
    codex_blocking.enable_logging(logging.DEBUG)
    try:
        with caplog.at_level(logging.DEBUG, logger="codex_blocking"):
            with pytest.raises(CodexTransportError):
                Client.stdio(["sh", "-c", "echo from-the-server >&2; exit 3"]).initialize()
        assert any("from-the-server" in record.getMessage() for record in caplog.records)
    finally:
        codex_blocking.disable_logging()


def test_a_library_that_is_not_there_is_told_by_its_path(tmp_path):
    path = str(tmp_path / "nowhere.so")
    program = [sys.executable, "-c", "import codex_blocking"]
    run = subprocess.run(program, env={**os.environ, "CODEX_BLOCKING_LIBRARY": path}, capture_output=True, text=True)
    assert f"ImportError: there is no library at {path}: install the wheel" in run.stderr
