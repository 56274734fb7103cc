"""Turns: results, steps, events, failures, continuations."""

import pickle
import sys
import threading

import pytest

from codex_blocking import (
    Chat,
    ChatContinuation,
    Client,
    CodexInvalidInputError,
    CodexNoAnswerError,
    CodexNoLongerPendingError,
    CodexTurnFailedError,
    CodexTurnInactiveError,
    CodexTurnInterruptedError,
    ConversationStep,
    StepCompleted,
    TextDelta,
    ThreadConfig,
    Transcript,
    TurnOverrides,
)


def test_chat_once_gives_the_answer_and_its_steps(client):
    result = client.chat_once("hello")
    assert result.final_text == "echo: hello"
    assert [step.step_type for step in result.steps] == ["userMessage", "codex"]
    assert result.status == "completed"


def test_the_scripted_server_echoes(scripted):
    assert scripted.chat_once("hello").final_text == "echo: hello"


def test_a_chat_is_an_iterator_over_steps(client):
    chat = client.chat("hello")
    assert isinstance(chat, Chat)
    first = next(chat)
    assert isinstance(first, ConversationStep) and first.text == "hello"
    assert [step.text for step in chat] == ["echo: hello"]
    assert list(chat) == [] and chat.is_ended
    assert chat.finish().final_text == "echo: hello"


def test_all_deltas_come_as_objects_with_their_text(client):
    events = list(client.chat_events("many 3000"))
    deltas = [event for event in events if isinstance(event, TextDelta)]
    assert len(deltas) == 3000
    (message,) = [one for one in events if isinstance(one, StepCompleted) and one.step_type == "codex"]
    assert "".join(delta.delta for delta in deltas) == message.text
    assert {delta.item_id for delta in deltas} == {message.item_id}
    assert deltas[0].raw == {"type": "text_delta", "item_id": message.item_id, "delta": deltas[0].delta}


def test_a_step_is_handed_out_before_the_turn_goes_on(client, tmp_path):
    go_on = tmp_path / "go on"
    texts = []
    for step in client.chat(f"slow {go_on}"):
        texts.append(step.text)
        if step.text == "first":
            go_on.touch()
    assert texts[1:] == ["first", "second"]


def test_a_failed_turn_raises_after_its_last_step(client):
    steps = []
    with pytest.raises(CodexTurnFailedError, match="the model is gone") as caught:
        for step in client.chat("fail"):
            steps.append(step.step_type)
    assert steps == ["userMessage", "error"]
    assert caught.value.info == "serverOverloaded" and caught.value.turn_message == "the model is gone"
    assert caught.value.code == "turn_failed"


def test_the_failure_is_raised_once_by_iteration_and_always_by_finish(client):
    chat = client.chat("fail")
    with pytest.raises(CodexTurnFailedError):
        list(chat)
    assert list(chat) == []
    for _ in range(2):
        with pytest.raises(CodexTurnFailedError):
            chat.finish()


def test_a_turn_without_an_answer_is_an_error_of_chat_once(client):
    with pytest.raises(CodexNoAnswerError) as caught:
        client.chat_once("empty")
    assert [step.step_type for step in caught.value.steps] == ["userMessage"]


def test_an_error_can_be_pickled(client):
    with pytest.raises(CodexTurnFailedError) as caught:
        client.chat_once("fail")
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is CodexTurnFailedError and again.raw == caught.value.raw and again.steps == caught.value.steps


def test_an_interrupt_ends_the_turn_from_another_thread(client):
    chat = client.chat("hang")
    next(chat)
    other = threading.Thread(target=chat.interrupt)
    other.start()
    with pytest.raises(CodexTurnInterruptedError):
        list(chat)
    other.join()


def test_cancel_gives_what_was_not_read(client):
    chat = client.chat("hang")
    result = chat.cancel()
    assert result.was_interrupted and [step.text for step in result.steps] == ["hang"]
    assert list(chat) == []


def test_closing_a_chat_ends_the_wait_of_another_thread(client):
    chat = client.chat("hang")
    next(chat)
    read = []
    other = threading.Thread(target=lambda: read.extend(chat))
    other.start()
    while sys._current_frames()[other.ident].f_code.co_name != "_wait":
        pass
    chat.close()
    other.join(30)
    assert not other.is_alive() and read == []
    chat.close()


def test_closing_the_client_ends_the_wait_of_another_thread(client):
    chat = client.chat("hang")
    next(chat)
    errors = []

    def read():
        try:
            list(chat)
        except Exception as error:
            errors.append(error)

    other = threading.Thread(target=read)
    other.start()
    while sys._current_frames()[other.ident].f_code.co_name != "_wait":
        pass
    client.close()
    other.join(30)
    assert [error.code for error in errors] == ["closed"]


def test_a_silent_turn_is_read_on_with_its_continuation(client):
    with pytest.raises(CodexTurnInactiveError) as caught:
        client.chat_once("hang", inactivity_timeout=0.2)
    continuation = caught.value.continuation
    chat = client.chat(continuation=ChatContinuation(continuation.raw))
    chat.request_interrupt()
    with pytest.raises(CodexTurnInterruptedError):
        list(chat)


def test_a_continuation_loses_no_event_that_was_taken_in_advance(client):
    chat = client.chat_events("many 1000")
    texts = []
    for event in chat:
        if isinstance(event, TextDelta):
            texts.append(event.delta)
            if len(texts) == 10:
                break
    continuation = pickle.loads(pickle.dumps(chat.continuation()))
    chat.close()
    again = client.chat_events(continuation=continuation)
    texts += [event.delta for event in again if isinstance(event, TextDelta)]
    assert len(texts) == 1000 and "".join(texts) == again.finish().final_text


def test_the_steps_that_were_taken_in_advance_come_with_a_continuation_as_steps(client):
    events = client.chat_events("hang")
    for event in events:
        if isinstance(event, StepCompleted):
            break
    # Back to what was taken and not handed out.
    events._items.appendleft(event)
    continuation = events.continuation()
    events.close()
    steps = client.chat(continuation=continuation)
    assert next(steps).text == "hang"
    assert steps.cancel().was_interrupted


def test_a_continuation_is_cancelled_and_forgotten(client):
    chat = client.chat("hang")
    continuation = chat.continuation()
    chat.close()
    result = client.cancel(continuation)
    assert result.was_interrupted and [step.text for step in result.steps] == ["hang"]
    client.forget(continuation)
    with pytest.raises(CodexNoLongerPendingError):
        client.chat(continuation=continuation)


def test_try_next_and_next_timeout_never_wait_longer(client):
    chat = client.chat("hang")
    assert chat.next_timeout(30).text == "hang"
    assert chat.try_next() is None and not chat.is_ended
    assert chat.next_timeout(0.01) is None and not chat.is_ended
    chat.request_interrupt()
    assert chat.next_timeout(30).step_type == "error"
    with pytest.raises(CodexTurnInterruptedError):
        chat.next_timeout(30)
    assert chat.is_ended and chat.try_next() is None


@pytest.mark.parametrize("seconds", [1e7, 1e300, float("inf"), None])
def test_a_wait_can_be_as_long_as_one_likes(client, seconds):
    chat = client.chat("hang")
    next(chat)
    chat.request_interrupt()
    assert chat.next_timeout(seconds).step_type == "error"


@pytest.mark.parametrize("seconds", [float("nan"), "1", [1]])
def test_a_limit_that_is_no_number_is_refused(client, seconds):
    with pytest.raises(CodexInvalidInputError):
        client.chat("hang").next_timeout(seconds)
    with pytest.raises(CodexInvalidInputError):
        client.chat("hang", turn_timeout=seconds)


def test_many_threads_chat_at_once_over_one_client(client):
    answers = {}

    def run(at):
        answers[at] = client.chat_once(f"hello {at}").final_text

    threads = [threading.Thread(target=run, args=(at,)) for at in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {at: f"echo: hello {at}" for at in range(20)}


def test_threads_that_read_one_chat_share_its_events(client):
    chat = client.chat_events("many 2000")
    read = []
    threads = [threading.Thread(target=lambda: read.extend(chat)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(event, TextDelta) for event in read) == 2000


def test_an_answer_follows_a_schema(scripted):
    with pytest.raises(Exception) as caught:
        scripted.chat_json("no json", {"type": "object"})
    assert caught.value.code == "decode"


def test_settings_are_absent_null_or_a_value(scripted):
    thread = scripted.start_thread(ThreadConfig(model="m", cwd=None))
    assert thread.defaults == {"model": "m", "cwd": None}
    overrides = TurnOverrides(effort="high")
    assert thread.chat_once("hi", turn_overrides=overrides).final_text == "echo: hi"


def test_a_request_that_can_not_work_is_refused_before_anything_is_sent(client):
    for call in (
        lambda: client.chat("hi", nonsense=1),
        lambda: client.chat(),
        lambda: client.chat("hi", inactivity_timeout=-1),
        lambda: client.chat("hi", metadata=float("nan")),
        lambda: client.chat("hi", metadata={"a": object()}),
        lambda: client.request("a\0b"),
        lambda: client.request("\ud800"),
        lambda: client.chat("\ud800"),
        lambda: client.chat(b"hi"),
        lambda: client.chat(7),
        lambda: client.exec_command("ls -l"),
        lambda: client.exec_command(7),
        lambda: Client.stdio("codex app-server"),
        lambda: Client.stdio(nonsense=1),
    ):
        with pytest.raises(CodexInvalidInputError) as caught:
            call()
        assert isinstance(caught.value, ValueError)


def test_a_transcript_follows_the_events(scripted):
    transcript = Transcript()
    for event in scripted.chat_events("hello"):
        transcript.apply(event)
    assert [item["text"] for item in transcript.items] == ["hello", "echo: hello"]


def test_an_input_can_be_items(client):
    assert client.chat_once([{"type": "text", "text": "hello"}]).final_text == "echo: hello"
