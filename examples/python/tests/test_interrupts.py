"""Ctrl-C, threads, forks, event loops, and the end of the program: in processes of their own.

Relies on signals and fork. Invariant: a process that hangs fails its test.
"""

import os
import signal
import subprocess
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals of Unix")

BEFORE = '''
import os, signal, sys, threading, time
from codex_blocking import *
client = Client.stdio([sys.executable, "fake_server.py"])

def ready():
    print("READY", flush=True)

def once_it_waits(function):
    """Call the function in another thread, once the main thread waits: its innermost frame stays the same."""
    main = threading.get_ident()

    def watch():
        last, times = None, 0
        while times < 20:
            frame = sys._current_frames()[main]
            now = (frame.f_code.co_name, frame.f_lasti)
            last, times = now, times + 1 if now == last else 0
            time.sleep(0.01)
        function()

    threading.Thread(target=watch, daemon=True).start()
'''


def run(program, *, interrupt=False, log=None):
    """Run a program, sending it Ctrl-C when it prints READY, and return what else it prints."""
    env = {**os.environ, **({"FAKE_LOG": str(log)} if log else {})}
    # A session of its own: as in a terminal, the server doesn't get the signal.
    process = subprocess.Popen(
        [sys.executable, "-c", BEFORE + program], cwd=HERE, env=env, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        if interrupt:
            assert process.stdout.readline() == "READY\n"
            process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 0, (process.returncode, printed)
    return printed


# Each waits for what never comes.
WAITS = {
    "chat_once": "client.chat_once('hang')",
    "steps": "list(client.chat('hang'))",
    "next": "chat = client.chat('hang'); next(chat); next(chat)",
    "events": "list(client.chat_events('hang'))",
    "finish": "client.chat('hang').finish()",
    "request": "client.request('never')",
    "notifications": "[None for _ in client.notifications()]",
    "questions": "next(client.questions())",
    "command": "next(client.spawn_command(['sleep']))",
    "command_wait": "client.spawn_command(['sleep']).wait()",
    "connect": "Client.stdio(['sleep', '1000']).initialize()",
}


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS.keys())
def test_ctrl_c_ends_every_wait_at_once(wait):
    program = f"""
client.initialize()
once_it_waits(ready)
try:
    {wait}
except KeyboardInterrupt:
    print("interrupted")
# The client is as good as before.
assert client.chat_once("hello").final_text == "echo: hello"
client.close()
"""
    assert run(program, interrupt=True) == "interrupted\n"


@pytest.mark.parametrize("wait", WAITS.values(), ids=WAITS.keys())
def test_ctrl_c_that_does_not_wake_the_main_thread_ends_a_wait(wait):
    # Such as one that comes just before the wait begins. Here another thread gets the signal.
    program = f"""
client.initialize()
once_it_waits(lambda: signal.pthread_kill(threading.get_ident(), signal.SIGINT))
try:
    {wait}
except KeyboardInterrupt:
    print("interrupted")
client.close()
"""
    assert run(program) == "interrupted\n"


def test_ctrl_c_in_chat_once_interrupts_the_turn(tmp_path):
    log = tmp_path / "log"
    program = """
notifications = client.notifications()

def tell():
    while next(notifications).method != "turn/started":
        pass
    ready()

threading.Thread(target=tell).start()
try:
    client.chat_once("hang")
except KeyboardInterrupt:
    print("interrupted")
for one in notifications:
    if one.method == "turn/completed":
        print(one.params["turn"]["status"])
        break
"""
    assert run(program, interrupt=True, log=log) == "interrupted\ninterrupted\n"
    assert log.read_text() == "turn/interrupt\n"


def test_nothing_is_lost_by_ctrl_c_in_the_middle_of_a_chat(tmp_path):
    go_on = tmp_path / "go on"
    program = f"""
texts = []
chat = client.chat("slow {go_on}")
for step in chat:
    texts.append(step.text)
    if step.text == "first":
        break
threading.Timer(0.1, ready).start()
try:
    next(chat)
except KeyboardInterrupt:
    open({str(go_on)!r}, "w").close()
texts += [step.text for step in chat]
print(texts[1:], chat.finish().final_text)
"""
    assert run(program, interrupt=True) == "['first', 'second'] second\n"


def test_nothing_is_lost_by_a_signal_in_the_middle_of_a_flood():
    program = """
class Alarm(Exception):
    pass

def alarm(_, frame):
    # What the program itself has in its hands is its own business.
    if os.sep + "codex_blocking" + os.sep in frame.f_code.co_filename:
        raise Alarm

signal.signal(signal.SIGALRM, alarm)
chat, texts, alarms = client.chat_events("many 30000"), [], 0
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.02)
while not chat.is_ended:
    try:
        for event in chat:
            if isinstance(event, TextDelta):
                texts.append(event.delta)
    except Alarm:
        alarms += 1
signal.setitimer(signal.ITIMER_REAL, 0)
print(alarms > 0, len(texts), "".join(texts) == chat.finish().final_text)
"""
    assert run(program) == "True 30000 True\n"


def test_the_end_of_a_command_is_told_after_ctrl_c():
    program = """
command = client.spawn_command(["cat"], stream_stdin=True)
threading.Timer(0.2, ready).start()
try:
    command.wait()
except KeyboardInterrupt:
    command.close_stdin()
print(command.wait().exit_code)
"""
    assert run(program, interrupt=True) == "7\n"


def test_a_signal_handler_that_returns_does_not_end_a_wait(tmp_path):
    go_on = tmp_path / "go on"
    program = f"""
signal.signal(signal.SIGINT, lambda *_: open({str(go_on)!r}, "w").close())
threading.Timer(0.2, ready).start()
print(client.chat_once("slow {go_on}").final_text)
"""
    assert run(program, interrupt=True) == "second\n"


def test_other_threads_run_while_one_waits():
    program = """
chat = client.chat("hang")
next(chat)
results = []
waiting = threading.Thread(target=lambda: results.append(client.chat_once("hang", inactivity_timeout=None)), daemon=True)
waiting.start()
reading = threading.Thread(target=lambda: results.append(list(chat)), daemon=True)
reading.start()
print(client.chat_once("hello").final_text, results)
client.close()
"""
    assert run(program) == "echo: hello []\n"


def test_a_fork_gets_an_error_and_can_connect_by_itself():
    program = """
chat = client.chat("hang")
next(chat)
child = os.fork()
if child == 0:
    assert "closed" in repr(client)
    try:
        client.chat_once("hello")
        os._exit(2)
    except CodexClosedError as error:
        assert error.in_forked_process
    except CodexError:
        pass
    try:
        next(chat)
        os._exit(3)
    except CodexError:
        pass
    with Client.stdio([sys.executable, "fake_server.py"]) as own:
        os._exit(0 if own.chat_once("hello").final_text == "echo: hello" else 4)
assert os.waitpid(child, 0)[1] == 0
print(client.chat_once("hello").final_text)
"""
    assert run(program) == "echo: hello\n"


def test_a_program_ends_while_everything_waits():
    program = """
client.set_approval_handler(lambda _: print("asked", flush=True) or time.sleep(0.1) or "accept")
for text in ("hang", "ask"):
    threading.Thread(target=lambda text=text: list(client.chat(text)), daemon=True).start()
chat = client.chat("hang")
enable_logging()
print("end")
"""
    # Two threads print, so that lines may be mixed.
    assert "end" in run(program)


@pytest.mark.parametrize("decide", ["time.sleep(1000)", "[time.sleep(0.001) for _ in iter(int, 1)]"], ids=["sleeps", "loops"])
def test_a_program_ends_while_a_handler_does_not_return(decide):
    program = f"""
started = threading.Event()
client.set_approval_handler(lambda _: started.set() or {decide})
chat = client.chat("ask")
started.wait()
print("end")
"""
    assert run(program) == "end\n"


def test_a_program_ends_although_it_closes_nothing():
    assert run("chat = client.chat('hang'); next(chat); print('end')") == "end\n"


def test_dropping_a_client_ends_its_server():
    program = """
client.initialize()
pid = client.server_pid
del client
for _ in range(3000):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        print("gone")
        break
    time.sleep(0.01)
"""
    assert run(program) == "gone\n"
