"""What the arguments may be: numbers, paths, lists, mappings, time limits, and the names of the options."""

import collections
import datetime
import decimal
import fractions
import pathlib
import re
import types

import pytest

from codex_blocking import (
    Client,
    ClientOptions,
    CodexInvalidInputError,
    CodexRpcError,
    CodexTimeoutError,
    ExecOptions,
    ThreadConfig,
    Transcript,
    TurnOverrides,
    enable_logging,
)
from codex_blocking.settings import DURATIONS

REFUSED = {
    "a text of bytes": lambda client: client.chat(b"x"),
    "a text of a number": lambda client: client.chat(3),
    "an item that is not in a list": lambda client: client.chat({"type": "text", "text": "x"}),
    "texts as items": lambda client: client.chat(["x"]),
    "a continuation as JSON": lambda client: client.chat(continuation={"thread_id": "x"}),
    "a continuation as a text": lambda client: client.chat_once(continuation="x"),
    "no continuation": lambda client: client.cancel(None),
    "a dict to forget": lambda client: client.forget({}),
    "a configuration as a text": lambda client: client.start_thread("x"),
    "a tool that is not in a list": lambda client: client.start_thread(tools={"name": "x"}),
    "a tool as a text": lambda client: client.start_thread(tools=["x"]),
    "a review of a text": lambda client: client.start_review("x", "uncommittedChanges"),
    "a schema that is a text": lambda client: client.chat_json("x", "string"),
    "edits as a text": lambda client: client.batch_write_config("abc"),
    "an edit that is not in a list": lambda client: client.batch_write_config({"key_path": "x"}),
    "an answer to a dict": lambda client: client.respond({"type": "approval"}, "accept"),
    "an answer to nothing": lambda client: client.respond(None, "accept"),
    "something to call that is none": lambda client: client.chat("x").on_ready(3),
    "an event as JSON": lambda _: Transcript().apply({"type": "text_delta"}),
    "turns as a number": lambda _: Transcript(3),
    "turns as a dict": lambda _: Transcript({}),
    "a level by its name": lambda _: enable_logging("DEBUG"),
    "a variable without a value": lambda _: Client.stdio(["true"], env=["HOME"]),
    "a configuration as a list": lambda _: Client.stdio(["true"], config=["model"]),
    "a folder as a number": lambda _: Client.stdio(["true"], cwd=3),
    "options as a text": lambda _: Client("scripted"),
    "a command as a text": lambda _: Client.stdio("true"),
    "a set as JSON": lambda client: client.request("thread/list", {"a": {1}}),
    "an infinite number": lambda client: client.request("thread/list", {"a": float("inf")}),
}


@pytest.mark.parametrize("call", REFUSED.values(), ids=REFUSED.keys())
def test_what_makes_no_sense_is_refused_in_words(scripted, call):
    with pytest.raises(CodexInvalidInputError):
        call(scripted)


@pytest.mark.parametrize("limit", ["3", b"3", float("nan"), -0.5, 10**400, float("inf"), [1], datetime.timedelta(seconds=-2)])
def test_what_is_no_time_limit_is_refused(scripted, limit):
    with pytest.raises(CodexInvalidInputError, match="a time limit is"):
        scripted.request("thread/list", timeout=limit)


@pytest.mark.parametrize("limit", [0.01, datetime.timedelta(milliseconds=10), decimal.Decimal("0.01"), fractions.Fraction(1, 100)])
def test_a_time_limit_is_any_number_or_a_timedelta(connect, limit):
    with pytest.raises(CodexTimeoutError) as caught:
        connect(request_timeout=None).request("never", timeout=limit)
    assert caught.value.after_ms == 10
    with connect().chat("hang") as chat:
        next(chat)
        assert chat.next_timeout(limit) is None


def test_paths_are_taken_where_a_file_is_named(client, tmp_path):
    assert Client.stdio([pathlib.Path("true")], cwd=tmp_path, env={"HOME": tmp_path}).close() is None
    assert client.start_thread(ThreadConfig(cwd=tmp_path)).defaults["cwd"] == str(tmp_path)
    assert client.exec_command([tmp_path / "program"], cwd=tmp_path).exit_code == 0
    with Client.scripted(record={"path": tmp_path / "record"}) as recorded:
        assert recorded.chat_once("hello").final_text == "echo: hello"
    assert (tmp_path / "record").exists()


def test_mappings_and_sequences_of_any_type_are_taken(scripted):
    item = types.MappingProxyType({"type": "text", "text": "hello"})
    for items in ([item], (item,), iter([item]), collections.deque([item])):
        assert scripted.chat_once(items).final_text == "echo: hello"
    thread = scripted.start_thread(collections.ChainMap({"cwd": "/tmp"}, {"model": "x"}))
    assert thread.defaults == {"cwd": "/tmp", "model": "x"}


def test_what_is_an_integer_by_its_index_is_one(scripted):
    class Number:
        def __index__(self):
            return 1

    scripted.start_thread().rollback(Number())
    assert scripted.list_threads(limit=Number())["data"] == []


def known(call):
    """Return the options that the library knows, which it tells of one that it doesn't."""
    with pytest.raises(CodexInvalidInputError, match="unknown field `moon`") as caught:
        call()
    return set(re.findall(r"`(\w+)`", str(caught.value).split("expected one of")[1]))


def names(options):
    """Return the names that the library has for the members of a typed dictionary."""
    return {name + "_ms" if name in DURATIONS else name for name in options.__annotations__}


def test_the_typed_dictionaries_have_the_options_of_the_library(scripted):
    assert known(lambda: scripted.start_thread({"moon": 1})) == names(ThreadConfig)
    assert known(lambda: scripted.chat("x", turn_overrides={"moon": 1})) == names(TurnOverrides)
    assert known(lambda: scripted.exec_command(["x"], moon=1)) == names(ExecOptions)
    of_a_transport = {
        "transport", "command", "cwd", "env", "env_clear", "codex_home", "config", "url", "token", "headers", "path", "replay",
        "allow_insecure_token", "proxy", "root_certificates", "client_certificate", "ping_interval_ms", "pong_timeout_ms",
        "connect_timeout_ms",
    }  # fmt: skip
    assert known(lambda: Client.scripted(moon=1)) - of_a_transport == names(ClientOptions)


def test_a_misspelled_option_of_a_turn_is_told_by_its_name(scripted):
    with pytest.raises(CodexInvalidInputError, match="modle"):
        scripted.chat("x", modle="gpt")
