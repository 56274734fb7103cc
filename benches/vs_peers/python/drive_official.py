"""Drives the official Python SDK (`openai-codex`), synchronous: `Codex`, `Thread.turn().stream()`.

Requests that its typed surface lacks go through `CodexClient.request`, the layer below `Codex`.
"""

import os
import threading
import time

from openai_codex import Codex, CodexConfig
from openai_codex.client import CodexClient
from pydantic import BaseModel, ConfigDict

from common import Clock, Report, flood_server, idle_until_told, memory_kib, prompt, workload


class Anything(BaseModel):
    model_config = ConfigDict(extra="allow")


def count(turn, method: str) -> int:
    return sum(event.method == method for event in turn.stream())


DELTA = "item/agentMessage/delta"


def with_codex(name: str, numbers: list[int], report: Report) -> None:
    clock = Clock()
    codex = Codex(CodexConfig(codex_bin=flood_server()))
    if name == "spawn":
        report.stop(clock)
        return
    text = prompt(name, numbers)
    if name == "deltas":
        thread = codex.thread_start()
        clock = Clock()
        seen = count(thread.turn(text), DELTA)
        report.stop(clock)
        report.seen(seen, numbers[0])
    elif name == "items":
        thread = codex.thread_start()
        clock = Clock()
        # The user's message and the answer are items too.
        seen = count(thread.turn(text), "item/completed") - 2
        report.stop(clock)
        report.seen(seen, numbers[0])
    elif name == "wave":
        turns = numbers[0]
        threads = [codex.thread_start() for _ in range(turns)]
        seen = [0] * turns
        ready = threading.Barrier(turns + 1)

        def caller(at: int) -> None:
            ready.wait()
            seen[at] = count(threads[at].turn(text), DELTA)

        callers = [threading.Thread(target=caller, args=(at,)) for at in range(turns)]
        for one in callers:
            one.start()
        # Before the start: this thread may be the last to run again.
        clock = Clock()
        ready.wait()
        for one in callers:
            one.join()
        report.stop(clock)
        report.seen(sum(seen), turns * numbers[1])
    elif name == "sleep":
        thread = codex.thread_start()
        before = memory_kib("VmRSS")
        turn = thread.turn(text)
        time.sleep(numbers[2] / 1000)
        after = memory_kib("VmRSS")
        clock = Clock()
        seen = count(turn, DELTA)
        report.stop(clock)
        report.seen(seen, numbers[0])
        report["grown_kib"] = max(0, after - before)
    elif name == "idle":
        codex.thread_start().run(text)
        idle_until_told()


def with_client(name: str, numbers: list[int], report: Report) -> None:
    client = CodexClient(CodexConfig(codex_bin=flood_server()))
    client.start()
    client.initialize()
    if name == "roundtrip":
        rounds, warm_up = numbers
        times = []
        for at in range(warm_up + rounds):
            start = time.perf_counter()
            client.request("config/read", {}, response_model=Anything)
            if at >= warm_up:
                times.append(time.perf_counter() - start)
        report.percentiles(times)
    elif name == "big":
        clock = Clock()
        answer = client.request("config/read", {"bytes": numbers[0]}, response_model=Anything)
        report.stop(clock)
        report["whole"] = len(answer.blob) == numbers[0]


def main() -> None:
    name, numbers = workload()
    report = Report()
    if name in ("roundtrip", "big"):
        with_client(name, numbers, report)
    else:
        with_codex(name, numbers, report)
    report.print()
    # How long its shutdown takes is not asked; the server ends with our end of the pipe.
    os._exit(0)


main()
