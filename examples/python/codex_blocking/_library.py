"""The C library: finding it, the signatures of its functions, and calling them.

Relies on ctypes, which releases the GIL during each call. Invariant: whatever comes out of the library is freed once.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from typing import Any, Callable

from .errors import error_of

ABI_VERSION = 1
ENDED = 0
ITEM = 1
NOTHING_YET = 2

_NAMES = {"darwin": "libcodex_blocking.dylib", "win32": "codex_blocking.dll", "cygwin": "codex_blocking.dll"}


def library_path() -> str:
    """Return the path of the library: `$CODEX_BLOCKING_LIBRARY`, else the one in this package."""
    name = _NAMES.get(sys.platform, "libcodex_blocking.so")
    return os.environ.get("CODEX_BLOCKING_LIBRARY") or os.path.join(os.path.dirname(os.path.abspath(__file__)), name)


def _load() -> ctypes.CDLL:
    path = library_path()
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        message = f"the library of codex_blocking can't be loaded: {error}"
        if not os.path.exists(path):
            message = f"there is no library at {path}: install the wheel (it can't be run out of a zip), or set CODEX_BLOCKING_LIBRARY"
        raise ImportError(message, path=path) from error
    library.codex_abi_version.restype = ctypes.c_int32
    version = library.codex_abi_version()
    if version != ABI_VERSION:
        raise ImportError(f"{path} has version {version} of the C interface, not {ABI_VERSION}", path=path)
    return library


lib = _load()

on_ready_type = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
on_question_type = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_char_p)
on_log_type = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int32, ctypes.c_char_p)

# h: a handle. s: a string. o: the address of the result. i, l, u, w: int32, int64, uint32, uint16. f: a function.
# b: a buffer. z: a size. Z: the address of a size. I: the address of an int32.
_KINDS = {
    "h": ctypes.c_void_p,
    "s": ctypes.c_char_p,
    "o": ctypes.c_void_p,
    "i": ctypes.c_int32,
    "l": ctypes.c_int64,
    "u": ctypes.c_uint32,
    "w": ctypes.c_uint16,
    "f": ctypes.c_void_p,
    "b": ctypes.c_char_p,
    "z": ctypes.c_size_t,
    "Z": ctypes.c_void_p,
    "I": ctypes.c_void_p,
}

SIGNATURES = {
    "codex_client_connect": "so",
    "codex_client_close": "h",
    "codex_client_initialize": "ho",
    "codex_client_request_with_timeout": "hsslo",
    "codex_client_request": "hsso",
    "codex_client_notify": "hss",
    "codex_client_stats": "ho",
    "codex_client_ended": "ho",
    "codex_client_info": "ho",
    "codex_client_supports": "hs",
    "codex_client_on_ready": "hfh",
    "codex_client_chat": "hso",
    "codex_client_chat_events": "hso",
    "codex_client_chat_json": "hsso",
    "codex_client_follow": "hso",
    "codex_client_cancel": "hso",
    "codex_client_forget": "hs",
    "codex_client_interrupt_turn": "hss",
    "codex_client_steer_turn": "hssso",
    "codex_client_list_threads": "hso",
    "codex_client_list_models": "hso",
    "codex_client_read_config": "hso",
    "codex_client_read_config_requirements": "ho",
    "codex_client_write_config_value": "hso",
    "codex_client_batch_write_config": "hso",
    "codex_client_exec": "hsso",
    "codex_client_exec_start": "hsso",
    "codex_client_pending": "ho",
    "codex_client_respond": "hss",
    "codex_client_respond_error": "hsls",
    "codex_client_on_question": "hfh",
    "codex_client_notifications": "ho",
    "codex_client_questions": "ho",
    "codex_client_start_thread": "hso",
    "codex_client_start_thread_with_tools": "hsso",
    "codex_client_resume_thread": "hsso",
    "codex_client_thread": "hso",
    "codex_client_fork_thread": "hssso",
    "codex_client_account": "ho",
    "codex_client_refresh_account": "ho",
    "codex_client_login_api_key": "hs",
    "codex_client_login_chatgpt": "ho",
    "codex_client_login_device_code": "ho",
    "codex_client_logout": "h",
    "codex_client_rate_limits": "ho",
    "codex_chat_next_batch": "hluo",
    "codex_chat_ids": "ho",
    "codex_chat_finish": "ho",
    "codex_chat_error": "ho",
    "codex_chat_steer": "hs",
    "codex_chat_interrupt": "h",
    "codex_chat_request_interrupt": "h",
    "codex_chat_cancel": "ho",
    "codex_chat_continuation": "ho",
    "codex_chat_end": "h",
    "codex_chat_fd": "h",
    "codex_chat_on_ready": "hfh",
    "codex_stream_next_batch": "hluo",
    "codex_stream_end": "h",
    "codex_stream_fd": "h",
    "codex_stream_on_ready": "hfh",
    "codex_thread_info": "ho",
    "codex_thread_chat": "hso",
    "codex_thread_chat_events": "hso",
    "codex_thread_chat_json": "hsso",
    "codex_thread_read": "hio",
    "codex_thread_turns": "ho",
    "codex_thread_token_usage": "ho",
    "codex_thread_set_name": "hs",
    "codex_thread_archive": "h",
    "codex_thread_unarchive": "h",
    "codex_thread_compact": "h",
    "codex_thread_rollback": "huo",
    "codex_thread_review": "hsso",
    "codex_thread_review_events": "hsso",
    "codex_thread_update_defaults": "hs",
    "codex_thread_fork": "hsso",
    "codex_thread_unload": "h",
    "codex_command_info": "ho",
    "codex_command_read": "hlbzZI",
    "codex_command_write": "hbz",
    "codex_command_close_stdin": "h",
    "codex_command_resize": "hww",
    "codex_command_terminate": "h",
    "codex_command_wait": "ho",
    "codex_command_end": "h",
    "codex_command_fd": "h",
    "codex_command_on_ready": "hfh",
    "codex_login_info": "ho",
    "codex_login_wait": "hl",
    "codex_login_cancel": "h",
    "codex_transcript_new": "o",
    "codex_transcript_from_turns": "so",
    "codex_transcript_apply": "hs",
    "codex_transcript_json": "ho",
    "codex_on_log": "fhi",
}
FREES = [f"codex_{kind}_free" for kind in ("client", "chat", "stream", "thread", "command", "login", "transcript")]

_missing = [name for name in (*SIGNATURES, *FREES) if not hasattr(lib, name)]
if _missing:
    raise ImportError(f"{library_path()} is older than this package: it has no {_missing[0]}", path=library_path())
for _name, _kinds in SIGNATURES.items():
    _function = getattr(lib, _name)
    _function.restype = ctypes.c_int32
    _function.argtypes = [_KINDS[kind] for kind in _kinds]
for _name in [*FREES, "codex_string_free"]:
    _function = getattr(lib, _name)
    _function.restype = None
    _function.argtypes = [ctypes.c_void_p]
for _name in ("codex_last_error", "codex_version"):
    getattr(lib, _name).restype = ctypes.c_char_p
lib.codex_open_count.restype = ctypes.c_int64

_string_free = lib.codex_string_free
decode: Callable[[str], Any] = json.JSONDecoder().decode
_string_at = ctypes.string_at
_byref = ctypes.byref
_pointer = ctypes.c_void_p


def last_error() -> Exception:
    """Return the error of the last call of this thread."""
    found = lib.codex_last_error()
    if found is None:
        return error_of({"code": "panic", "message": "the library failed without an error", "causes": []})
    return error_of(decode(found.decode("utf-8", "replace")))


def taken(pointer: int) -> str:
    """Return the text at the pointer, and free it."""
    try:
        found = _string_at(pointer)
    finally:
        _string_free(pointer)
    return found.decode()


def status(function: Any, *arguments: Any) -> int:
    """Call a function, and return its status."""
    found: int = function(*arguments)
    if found < 0:
        raise last_error()
    return found


def result(function: Any, *arguments: Any) -> Any:
    """Call a function whose last argument is the address of JSON. Gives the value, None if there is no result."""
    out = _pointer()
    status(function, *arguments, _byref(out))
    return None if out.value is None else decode(taken(out.value))


def handle(function: Any, *arguments: Any) -> int:
    """Call a function whose last argument is the address of a handle."""
    out = _pointer()
    status(function, *arguments, _byref(out))
    assert out.value is not None
    return out.value
