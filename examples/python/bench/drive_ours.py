"""Drives this package: the same workloads as the drivers in `benches/vs_peers/python`.

Relies on `common.py` there. Every delta is handed out as an object, and looked at.
"""

import os
import threading
import time

from codex_blocking import Client, StepCompleted, TextDelta

from common import Clock, Report, flood_server, memory_kib, prompt, workload


def count(events) -> int:
    """Iterate over a turn of events."""
    seen = 0
    for event in events:
        if isinstance(event, TextDelta):
            seen += 1
    return seen


def round_trips(client, numbers, report) -> None:
    rounds, warm_up = numbers
    times = []
    for at in range(warm_up + rounds):
        start = time.perf_counter()
        client.request("config/read", {})
        if at >= warm_up:
            times.append(time.perf_counter() - start)
    report.percentiles(times)


def main() -> None:
    name, numbers = workload()
    report = Report()
    clock = Clock()
    client = Client.stdio([flood_server()])
    client.initialize()
    if name == "spawn":
        report.stop(clock)
    text = prompt(name, numbers)
    if name == "deltas":
        thread = client.start_thread()
        clock = Clock()
        seen = count(thread.chat_events(text))
        report.stop(clock)
        report.seen(seen, numbers[0])
    elif name == "items":
        thread = client.start_thread()
        clock = Clock()
        # The user's message and the answer are items too.
        seen = sum(isinstance(event, StepCompleted) for event in thread.chat_events(text)) - 2
        report.stop(clock)
        report.seen(seen, numbers[0])
    elif name == "roundtrip":
        round_trips(client, numbers, report)
    elif name == "roundtrip-thread":
        other = threading.Thread(target=round_trips, args=(client, numbers, report))
        other.start()
        other.join()
    elif name == "wave":
        turns = numbers[0]
        threads = [client.start_thread() for _ in range(turns)]
        counts = [0] * turns
        ready = threading.Barrier(turns + 1)

        def caller(at: int) -> None:
            ready.wait()
            counts[at] = count(threads[at].chat_events(text))

        callers = [threading.Thread(target=caller, args=(at,)) for at in range(turns)]
        for one in callers:
            one.start()
        clock = Clock()
        ready.wait()
        for one in callers:
            one.join()
        report.stop(clock)
        report.seen(sum(counts), turns * numbers[1])
    elif name == "sleep":
        thread = client.start_thread()
        before = memory_kib("VmRSS")
        events = thread.chat_events(text)
        time.sleep(numbers[2] / 1000)
        after = memory_kib("VmRSS")
        clock = Clock()
        seen = count(events)
        report.stop(clock)
        report.seen(seen, numbers[0])
        report["grown_kib"] = max(0, after - before)
    elif name == "big":
        clock = Clock()
        answer = client.request("config/read", {"bytes": numbers[0]})
        report.stop(clock)
        report["whole"] = len(answer["blob"]) == numbers[0]
    elif name == "once":
        client.chat_once("hello")
    report.print()
    # As the other drivers: how long the shutdown takes is not asked.
    os._exit(0)


main()
