"""What the Python drivers share: the same workloads, clocks and line of JSON as the Rust drivers."""

import json
import os
import sys
import time


def workload() -> tuple[str, list[int]]:
    return sys.argv[1], [int(arg) for arg in sys.argv[2:]]


def prompt(name: str, numbers: list[int]) -> str:
    """The user's message that makes the server do it."""
    if name in ("deltas", "sleep"):
        return f"deltas {numbers[0]} {numbers[1]}"
    if name == "items":
        return f"items {numbers[0]} {numbers[1]}"
    if name == "wave":
        return f"wave {numbers[0]} {numbers[1]} {numbers[2]}"
    return "hello"


def flood_server() -> str:
    return os.environ["FLOOD_SERVER"]


def memory_kib(field: str) -> int:
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    return 0


class Clock:
    """Wall clock and CPU clock (all threads, children excluded), started together."""

    def __init__(self) -> None:
        self.cpu = time.process_time()
        self.wall = time.perf_counter()


class Report(dict):
    def stop(self, clock: Clock) -> None:
        self["seconds"] = time.perf_counter() - clock.wall
        self["cpu"] = time.process_time() - clock.cpu

    def seen(self, seen: int, sent: int) -> None:
        self["seen"], self["sent"] = seen, sent

    def percentiles(self, times: list[float]) -> None:
        times.sort()
        for name, share in (("p50", 0.50), ("p99", 0.99)):
            self[name] = times[min(int(len(times) * share), len(times) - 1)] * 1e6

    def print(self) -> None:
        self["peak_kib"] = memory_kib("VmHWM")
        print(json.dumps(self), flush=True)


def idle_until_told() -> None:
    print("READY", flush=True)
    sys.stdin.readline()
