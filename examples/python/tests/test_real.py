"""The real app-server, offline, with a stub of the model.

Relies on a `codex` binary: `$CODEX_BIN`, or the one that the tests of the crate install in the target directory. Without
it these tests are skipped, with a reason.
"""

import glob
import os
import shutil
import socket
import subprocess
import tempfile

import pytest
from model_stub import ModelStub

from codex_blocking import (
    Client,
    CodexTransportError,
    CodexTurnFailedError,
    CodexTurnInactiveError,
    CodexTurnInterruptedError,
    TextDelta,
)

HERE = os.path.dirname(os.path.abspath(__file__))


def codex_bin():
    targets = [os.environ.get("CARGO_TARGET_DIR"), os.path.join(HERE, "..", "..", "..", "target")]
    found = [os.environ["CODEX_BIN"]] if "CODEX_BIN" in os.environ else []
    for target in filter(None, targets):
        pattern = os.path.join(target, "codex-npm-*", "**", "vendor", "*", "bin", "codex")
        found += sorted(glob.glob(pattern, recursive=True))
    return found[-1] if found else None


CODEX = codex_bin()
pytestmark = pytest.mark.skipif(CODEX is None, reason="no codex binary: set CODEX_BIN, or run the tests of the crate")


@pytest.fixture(scope="module")
def home():
    # Not under the temporary directory, which the server's sandbox treats in its own way.
    root = os.path.join(os.path.dirname(os.path.dirname(HERE)), "..", "target", "python-homes")
    os.makedirs(root, exist_ok=True)
    home = tempfile.mkdtemp(dir=os.path.abspath(root))
    with ModelStub() as model:
        with open(os.path.join(home, "config.toml"), "w") as file:
            file.write(model.config())
        yield home
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="module")
def real(home):
    with Client.stdio([CODEX, "app-server"], codex_home=home, cwd=home) as client:
        yield client


def test_the_real_server_answers(real):
    result = real.chat_once("hello")
    assert result.final_text == "echo: hello" and result.usage["totalTokens"] == 15
    assert real.initialize().raw["raw"]["userAgent"]


def test_a_conversation_goes_on_in_a_thread(real):
    thread = real.start_thread()
    assert thread.chat_once("one").final_text == "echo: one"
    assert [step.text for step in thread.chat("two")] == ["two", "echo: two"]
    assert len(thread.turns()) == 2
    thread.set_name("a name")
    assert thread.read()["thread"]["name"] == "a name"


def test_all_deltas_of_the_real_server_come(real):
    events = list(real.chat_events("flood 2000"))
    assert "".join(event.delta for event in events if isinstance(event, TextDelta)) == "x" * 2000


def test_a_thread_is_read_named_and_archived_by_its_id(real):
    thread_id = real.chat_once("hello").thread_id
    real.set_thread_name(thread_id, "a name")
    assert real.read_thread(thread_id)["thread"]["name"] == "a name"
    real.archive_thread(thread_id)
    assert thread_id in [one["id"] for one in real.list_threads(archived=True)["data"]]
    real.unarchive_thread(thread_id)
    assert real.chat_once("again", thread_id=thread_id).thread_id == thread_id
    assert [step.step_type for step in real.start_review(thread_id, {"type": "custom", "instructions": "look"})]
    events = real.thread(thread_id).start_review_events({"type": "custom", "instructions": "look"})
    assert events.finish().final_text
    real.unload_thread(thread_id)


def test_a_command_of_the_agent_needs_an_approval(real):
    asked = []
    real.set_approval_handler(lambda approval: asked.append(approval) or "accept")
    (output,) = [step.text for step in real.chat("escalate echo $((6*7))") if step.step_type == "exec"]
    assert "echo $((6*7))" in asked[0].command and asked[0].reason == "because"
    assert "42" in output
    real.set_approval_handler(None)
    assert "42" not in real.chat_once("escalate echo $((6*7))").final_text


def test_a_failed_and_an_interrupted_and_a_silent_turn_are_exceptions(real):
    with pytest.raises(CodexTurnFailedError):
        real.chat_once("fail")
    chat = real.chat("hang")
    next(chat)
    chat.interrupt()
    with pytest.raises(CodexTurnInterruptedError):
        list(chat)
    with pytest.raises(CodexTurnInactiveError) as caught:
        real.chat_once("hang", inactivity_timeout=0.5)
    assert real.cancel(caught.value.continuation).was_interrupted


def test_a_command_runs_without_the_agent(real):
    result = real.exec_command(["echo", "hello"], sandbox_policy={"type": "dangerFullAccess"})
    assert (result.exit_code, result.stdout) == (0, "hello\n")
    command = real.spawn_command(["cat"], stream_stdin=True, sandbox_policy={"type": "dangerFullAccess"})
    command.write(b"some bytes \xff")
    command.close_stdin()
    assert b"".join(chunk.data for chunk in command) == b"some bytes \xff"
    assert command.wait().exit_code == 0


def test_the_account_and_the_models_are_told(real):
    assert real.account().requires_openai_auth is False
    assert "data" in real.list_models() and "config" in real.read_config()


def listening(home, url):
    return subprocess.Popen(
        [CODEX, "app-server", "--listen", url], cwd=home, env={**os.environ, "CODEX_HOME": home},
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def connected(process, connect):
    for _ in range(1000):
        try:
            return connect()
        except CodexTransportError:
            assert process.poll() is None
            try:
                process.wait(0.02)
            except subprocess.TimeoutExpired:
                pass
    raise AssertionError("the server doesn't listen")


def test_a_real_server_is_reached_by_a_websocket(home):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{free.getsockname()[1]}"
    process = listening(home, url)
    try:
        with connected(process, lambda: Client.websocket(url)) as client:
            assert client.server_url.startswith(url) and client.chat_once("hello").final_text == "echo: hello"
    finally:
        process.kill()
        process.wait()


def test_a_real_server_is_reached_by_a_unix_socket(home):
    path = os.path.join(tempfile.mkdtemp(), "socket")
    process = listening(home, f"unix://{path}")
    try:
        with connected(process, lambda: Client.unix(path)) as client:
            assert client.chat_once("hello").final_text == "echo: hello"
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(os.path.dirname(path))
