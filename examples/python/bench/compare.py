"""Compares this package with both Python SDKs, in one run against one flooding server, and prints a table.

    FLOOD_SERVER=benches/vs_peers/target/release/flood-server python examples/python/bench/compare.py [ROUNDS]

Relies on Linux, Python 3.12 with `openai-codex==0.163.0` and `codex-app-server-sdk==0.4.1`, the built package, and the
drivers in `benches/vs_peers/python`. Invariant: rounds are interleaved, cells are medians, so what disturbs the machine
disturbs all alike.
"""

import json
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PEERS = os.path.join(HERE, "..", "..", "..", "benches", "vs_peers", "python")
DRIVERS = {
    "codex_blocking": os.path.join(HERE, "drive_ours.py"),
    "openai-codex 0.163.0": os.path.join(PEERS, "drive_official.py"),
    "codex-app-server-sdk 0.4.1": os.path.join(PEERS, "drive_forerunner.py"),
}
START = {
    "codex_blocking": """
from codex_blocking import Client
import os
client = Client.stdio([os.environ["FLOOD_SERVER"]])
assert client.chat_once("hello").final_text
os._exit(0)
""",
    "openai-codex 0.163.0": """
from openai_codex import Codex, CodexConfig
import os
codex = Codex(CodexConfig(codex_bin=os.environ["FLOOD_SERVER"]))
assert codex.thread_start().run("hello").final_response
os._exit(0)
""",
    "codex-app-server-sdk 0.4.1": """
from codex_app_server_sdk import CodexClient
import asyncio, os
async def main():
    client = await CodexClient.connect_stdio(command=[os.environ["FLOOD_SERVER"]]).start()
    await client.initialize()
    assert (await client.chat_once("hello")).final_text
    os._exit(0)
asyncio.run(main())
""",
}


def environment():
    path = os.pathsep.join(filter(None, [PEERS, os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path}


def drive(name, *workload):
    run = subprocess.run(
        [sys.executable, DRIVERS[name], *map(str, workload)], env=environment(), capture_output=True, text=True, timeout=170
    )
    if run.returncode != 0:
        raise SystemExit(f"{name} {workload}: {run.stderr}")
    return json.loads(run.stdout.splitlines()[-1])


def start(name):
    """Return the seconds from the start of the interpreter until the first answer has come."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", START[name]], env=environment(), check=True, timeout=60)
    return time.perf_counter() - begin


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    found = {name: {} for name in DRIVERS}
    names = list(DRIVERS)
    for at in range(rounds):
        for name in names[at % 3 :] + names[: at % 3]:
            rows = found[name]
            report = drive(name, "deltas", 200000, 32)
            assert report["seen"] == report["sent"], report
            rows.setdefault("events/s", []).append(report["seen"] / report["seconds"])
            rows.setdefault("CPU per event, µs", []).append(report["cpu"] / report["seen"] * 1e6)
            rows.setdefault("peak memory of that, MB", []).append(report["peak_kib"] * 1.024 / 1000)
            report = drive(name, "roundtrip", 4000, 500)
            rows.setdefault("round trip, p50, µs", []).append(report["p50"])
            if name == names[0]:
                # In the main thread, this package hands a request over to a thread, so that Ctrl-C can end the wait.
                there = drive(name, "roundtrip-thread", 4000, 500)["p50"]
            else:
                there = report["p50"]
            rows.setdefault("round trip, p50, µs, in another thread", []).append(there)
            rows.setdefault("memory with one connection, MB", []).append(report["peak_kib"] * 1.024 / 1000)
            for _ in range(3):
                rows.setdefault("interpreter start to first answer, ms", []).append(start(name) * 1e3)
                rows.setdefault("connect and handshake, ms", []).append(drive(name, "spawn")["seconds"] * 1e3)
    print("| | " + " | ".join(names) + " |\n|---|" + "---:|" * len(names))
    for row in found[names[0]]:
        cells = [statistics.median(found[name][row]) for name in names]
        digits = 0 if row == "events/s" else 2 if cells[0] < 10 else 1
        print(f"| {row} | " + " | ".join(f"{cell:,.{digits}f}" for cell in cells) + " |")
    ours, *others = (found[name]["events/s"] for name in names)
    for name, other in zip(names[1:], others):
        print(f"\n{name}: {statistics.median(ours) / statistics.median(other):.1f} times as many events per second", end="")
    print()


main()
