"""The package against the library: JSON, exceptions, signatures."""

import ast
import json
import os
import pickle
import random
import re
import types

import pytest

import codex_blocking
from codex_blocking import CodexError, ConversationStep, TextDelta, _library, errors, questions, records

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")


def of_repository(*path):
    path = os.path.join(ROOT, *path)
    if not os.path.exists(path):
        pytest.skip("outside of the repository")
    with open(path, encoding="utf-8") as file:
        return file.read()


def test_the_public_names_are_written_out_for_type_checkers():
    with open(codex_blocking.__file__, encoding="utf-8") as file:
        (names,) = [
            ast.literal_eval(one.value) for one in ast.parse(file.read()).body
            if isinstance(one, ast.Assign) and one.targets[0].id == "__all__"
        ]  # fmt: skip
    public = {
        name for name, value in vars(codex_blocking).items()
        if not name.startswith("_") and name != "annotations" and not isinstance(value, types.ModuleType)
    }  # fmt: skip
    assert sorted(public) == names


def samples():
    for line in of_repository("tests", "public_json.txt").splitlines():
        name, _, sample = line.partition(" ")
        yield name, json.loads(sample)


def test_there_is_an_exception_for_each_code_of_the_library():
    source = of_repository("src", "error.rs")
    codes = re.findall(r'^    \w+ => "(\w+)",$', source[source.index("\ncodes! {") :], re.M)
    assert len(codes) >= 15 and set(errors.BY_CODE) == {*codes, "invalid_handle", "panic"}
    assert all(issubclass(one, CodexError) and getattr(codex_blocking, one.__name__) for one in errors.BY_CODE.values())


def test_an_error_with_a_new_code_is_an_error():
    error = errors.error_of({"code": "moon", "message": "m", "causes": ["c"], "phase": 1})
    assert type(error) is CodexError and (str(error), error.causes, error.phase) == ("m", ["c"], 1)


def test_every_event_of_the_library_has_a_class():
    events = [(name, raw) for name, raw in samples() if name.startswith("TurnEvent::")]
    assert len(events) >= 13
    for name, raw in events:
        event = records.event_of(raw)
        assert type(event) is not records.OtherEvent or name == "TurnEvent::Other", name
        assert event.raw == raw
    assert {raw["type"] for _, raw in events} <= set(records.EVENTS)


def test_what_the_library_gives_as_text_is_an_object_all_the_same():
    deep, huge = "[" * 2000 + "]" * 2000, "1" + "0" * 400
    params = {"threadId": "t", "big": int(huge)}
    text = json.dumps({"method": "moon/phase", "params": params})
    notification = records.Notification(text)
    assert (notification.method, notification.params) == ("moon/phase", params)
    assert records.event_of({"type": "other", "event": text}).event["params"] == params
    call = questions.question_of({"type": "tool_call", "params": json.dumps({"tool": "x", "arguments": params})})
    assert (call.tool, call.arguments) == ("x", params)
    text = f'{{"method":"moon/phase","params":{deep}}}'
    notification = records.Notification(text)
    assert pickle.loads(pickle.dumps(notification)) == notification and "method" in repr(notification)
    assert records.event_of({"type": "other", "event": "[" * 100000}).event == {"text": "[" * 100000}


def test_an_event_that_is_new_is_an_event():
    event = records.event_of({"type": "moon", "phase": 1})
    assert isinstance(event, records.OtherEvent) and event.raw["phase"] == 1


@pytest.mark.parametrize(
    "name", ["ConversationStep", "ChatResult", "CancelResult", "ChatContinuation", "JsonAnswer", "Account", "InitializeResult"]
)
def test_fields_are_members_of_the_librarys_json(name):
    raw = dict(samples())[name]
    cls = getattr(codex_blocking, name)
    assert set(cls._fields) <= set(raw), name
    record = cls(raw)
    assert record == cls(raw) and record.raw is raw and name in repr(record)


def test_questions_have_the_fields_of_the_library():
    found = dict(samples())
    approval = questions.question_of(found["ServerRequest::Approval"])
    assert isinstance(approval, questions.ApprovalRequest) and approval.kind == "command" and approval.thread_id == "t"
    assert isinstance(questions.question_of(found["ServerRequest::UserInput"]), questions.UserInputRequest)
    tool = questions.question_of(found["ServerRequest::ToolCall"])
    assert isinstance(tool, questions.ToolCall) and tool.tool == "x"
    assert type(questions.question_of(found["ServerRequest::Other"])) is questions.Question


def test_the_signatures_are_those_of_the_header():
    header = of_repository("src", "capi", "codex_blocking.h")
    kinds = {
        "char **": "o", "const char *": "s", "int64_t ": "l", "uint32_t ": "u", "int32_t ": "i", "uint16_t ": "w",
        "codex_callback ": "f", "codex_question_callback ": "f", "codex_log_callback ": "f", "void *": "h", "uint8_t *": "b",
        "const uint8_t *": "b", "size_t ": "z", "size_t *": "Z", "int32_t *": "I",
    }  # fmt: skip
    functions = dict(re.findall(r"^(?:int32_t|void) (codex_\w+)\(([^)]*)\);", header, re.M))
    missing = set(functions) - set(_library.SIGNATURES) - set(_library.FREES)
    # Served by others of the same use.
    assert missing == {
        "codex_abi_version", "codex_string_free", "codex_chat_next", "codex_stream_next", "codex_command_next",
        "codex_client_chat_once", "codex_thread_chat_once",
    }  # fmt: skip
    for name, signature in _library.SIGNATURES.items():
        arguments = [re.sub(r"\s+", " ", one).strip() for one in functions[name].split(",")]
        kind = ""
        for argument in arguments:
            of_type = re.sub(r"\w+$", "", argument)
            if of_type in kinds:
                kind += kinds[of_type]
            else:
                assert re.fullmatch(r"codex_\w+ \*{1,2}", of_type), (name, argument)
                kind += "o" if of_type.endswith("**") else "h"
        assert kind == signature, name


def plain(text):
    return [records.event_of(raw) for raw in json.loads(text)]


def test_batches_of_deltas_are_the_same_as_by_plain_json():
    rng = random.Random(1)
    texts = ["a", "", "é", '"', "\\", '"},', '"},{"type":"text_delta","item_id":"i","delta":"', "\n", "}]", "\u2028", "\\u0041", "\\\\\""]
    for round_ in range(3000):
        batch = []
        for _ in range(rng.randrange(1, 6)):
            delta = "".join(rng.choice(texts) for _ in range(rng.randrange(0, 4)))
            raw = {"type": "text_delta", "item_id": "i", "delta": delta}
            if round_ % 3 == 0 and rng.random() < 0.3:
                raw = rng.choice([
                    {"type": "text_delta", "item_id": "j", "delta": delta},
                    {"type": "plan_delta", "item_id": "i", "delta": delta},
                    {"type": "text_delta", "item_id": "i", "delta": delta, "new": 1},
                    {"type": "reasoning_delta", "item_id": "i", "delta": delta, "is_summary": True},
                    {"type": "diff", "diff": delta},
                ])  # fmt: skip
            batch.append(raw)
        text = json.dumps(batch, separators=(",", ":"), ensure_ascii=rng.random() < 0.5)
        assert records.events_of(text) == plain(text) and [event.raw for event in records.events_of(text)] == batch


def test_a_step_of_a_delta_is_none():
    assert not isinstance(TextDelta("i", "x"), ConversationStep)
