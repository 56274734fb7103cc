"""Waits that Ctrl-C can end.

Relies on threads. Invariant: the main thread never waits inside of the library, because Python runs signal handlers only
between its own instructions.
"""

from __future__ import annotations

import _thread
import os
import threading
from typing import Any, Callable, List, Optional, TypeVar

T = TypeVar("T")

# In seconds. A wait of the main thread has slices, because a signal doesn't end it if it comes just before the wait
# begins, or to another thread; on Windows it never does. Python runs its handler between two slices.
SLICE = 0.1

_main_thread = threading.main_thread().ident
_get_ident = threading.get_ident
_idle: List[_Worker] = []


def is_main() -> bool:
    """Return whether this is the main thread, in which Python runs signal handlers."""
    return _get_ident() == _main_thread


class _Job:
    __slots__ = ("function", "abandoned", "result", "error", "is_abandoned", "is_done")

    def __init__(self, function: Callable[[], Any], abandoned: Optional[Callable[[Any], object]]) -> None:
        self.function = function
        self.abandoned = abandoned
        self.result: Any = None
        self.error: Optional[BaseException] = None
        self.is_abandoned = False
        self.is_done = False


class _Worker:
    """A thread that waits inside of the library in place of the main thread."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.go = threading.Lock()
        self.done = threading.Lock()
        self.go.acquire()
        self.done.acquire()
        self.job: Optional[_Job] = None
        # Quicker than `threading.Thread`, which waits until the thread runs. It doesn't keep the program from ending.
        _thread.start_new_thread(self._work, ())

    def _work(self) -> None:
        while True:
            self.go.acquire()
            job, self.job = self.job, None
            assert job is not None
            try:
                job.result = job.function()
            except BaseException as error:
                job.error = error
            with self.lock:
                job.is_done = True
                is_abandoned = job.is_abandoned
            if is_abandoned:
                _drop(job)
                return
            del job
            self.done.release()

    def run(self, job: _Job) -> None:
        # Python may raise KeyboardInterrupt between any two of these lines.
        try:
            self.job = job
            self.go.release()
            while not self.done.acquire(timeout=SLICE):
                pass
            _idle.append(self)
        except BaseException:
            with self.lock:
                job.is_abandoned = True
                is_done = job.is_done
            if is_done:
                _drop(job)
            raise


def _drop(job: _Job) -> None:
    """Do what is to be done with a result that nobody waits for any more."""
    if job.abandoned is not None and job.error is None:
        try:
            job.abandoned(job.result)
        except Exception:  # Nobody is there to be told, and the connection tells by itself that it has ended.
            pass


def blocking(function: Callable[[], T], abandoned: Optional[Callable[[T], object]] = None) -> T:
    """Return what the function returns, which waits inside of the library.

    In the main thread an exception of a signal handler, such as KeyboardInterrupt, ends the wait at once. The function
    goes on in a thread of its own then; its result is dropped, after `abandoned` was called with it.
    """
    if not is_main():
        return function()
    try:
        worker = _idle.pop() if _idle else _Worker()
    except RuntimeError:  # No thread can be started, such as while the interpreter ends.
        return function()
    job = _Job(function, abandoned)
    worker.run(job)
    if job.error is not None:
        try:
            raise job.error
        finally:
            del job
    found: T = job.result
    return found


def _forked() -> None:
    """The workers are threads of the parent."""
    global _main_thread
    _main_thread = _get_ident()
    _idle.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)

