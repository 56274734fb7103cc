"""Drives the asyncio SDK `codex-app-server-sdk` from PyPI: `chat` for items, `chat_once` for deltas.

It has no stream of deltas; `chat_once` keeps every event of the turn in `raw_events`, so what it lost
can be counted there. While the consumer sleeps the event loop runs, and its receiver reads on.
"""

import asyncio
import os
import time

from codex_app_server_sdk import CodexClient, CodexError

from common import Clock, Report, flood_server, idle_until_told, memory_kib, prompt, workload


def deltas(result) -> int:
    return sum(event.get("method") == "item/agentMessage/delta" for event in result.raw_events)


async def main() -> None:
    name, numbers = workload()
    report = Report()
    clock = Clock()
    client = await CodexClient.connect_stdio(command=[flood_server()]).start()
    await client.initialize()
    if name == "spawn":
        report.stop(clock)
    text = prompt(name, numbers)
    if name == "deltas":
        thread = await client.start_thread()
        clock = Clock()
        result = await thread.chat_once(text)
        report.stop(clock)
        report.seen(deltas(result), numbers[0])
    elif name == "items":
        thread = await client.start_thread()
        clock = Clock()
        # The user's message and the answer are items too.
        seen = -2
        async for _ in thread.chat(text):
            seen += 1
        report.stop(clock)
        report.seen(seen, numbers[0])
    elif name == "roundtrip":
        rounds, warm_up = numbers
        times = []
        for at in range(warm_up + rounds):
            start = time.perf_counter()
            await client.request("config/read", {})
            if at >= warm_up:
                times.append(time.perf_counter() - start)
        report.percentiles(times)
    elif name == "wave":
        turns = numbers[0]
        threads = [await client.start_thread() for _ in range(turns)]
        clock = Clock()
        results = await asyncio.gather(*(thread.chat_once(text) for thread in threads))
        report.stop(clock)
        report.seen(sum(map(deltas, results)), turns * numbers[1])
    elif name == "sleep":
        # Deltas are not handed out one by one: the consumer takes the user's message, which comes
        # first, and sleeps. `chat` then keeps the rest in its session, which is not public.
        thread = await client.start_thread()
        before = memory_kib("VmRSS")
        steps = thread.chat(text)
        await anext(steps)
        (session,) = client._turn_sessions.values()
        await asyncio.sleep(numbers[2] / 1000)
        after = memory_kib("VmRSS")
        clock = Clock()
        async for _ in steps:
            pass
        report.stop(clock)
        report.seen(deltas(session), numbers[0])
        report["grown_kib"] = max(0, after - before)
    elif name == "idle":
        await client.chat_once(text)
        await asyncio.get_running_loop().run_in_executor(None, idle_until_told)
    elif name == "big":
        clock = Clock()
        try:
            answer = await client.request("config/read", {"bytes": numbers[0]})
            report.stop(clock)
            report["whole"] = len(answer["blob"]) == numbers[0]
        except CodexError as error:
            report["cannot"] = "a line over 64 KiB ends the connection"
            report["detail"] = str(error)
    report.print()
    # How long its shutdown takes is not asked; the server ends with our end of the pipe.
    os._exit(0)


asyncio.run(main())
