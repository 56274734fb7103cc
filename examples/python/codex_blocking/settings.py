"""Options as typed dictionaries: what is absent is left to the server, None is null, and a value is a value.

Relies on the JSON of the library. Invariant: durations are in seconds here, and become the milliseconds of the JSON.
"""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, TypedDict, cast

from ._arguments import Seconds, StrPath, millis


class ClientOptions(TypedDict, total=False):
    """What every way to connect takes. A limit is a number of seconds, or None for no limit."""

    request_timeout: Optional[Seconds]
    """For the reply to a request: 30 s."""
    inactivity_timeout: Optional[Seconds]
    """For the silence of a turn: 180 s."""
    approval_timeout: Optional[Seconds]
    """For the answer to an approval: no limit."""
    user_input_timeout: Optional[Seconds]
    """For the answer of the user to a question: 300 s."""
    approval_mode: str
    """`"decline"` (the default): what nobody handles gets an answer at once that grants nothing. `"manual"`: it waits
    for `Client.respond`."""
    strict: bool
    client_info: Dict[str, str]
    """`name` and `version` of the program."""
    experimental_api: bool
    opt_out: List[str]
    """Methods of notifications that the server is not to send."""
    max_frame_bytes: Optional[int]
    max_buffered_bytes: Optional[int]
    """Of what was not read, in all turns and commands: 1 GiB."""
    record: Dict[str, Any]
    """`path` of a file that records the connection, and `unmasked`."""


class ThreadConfig(TypedDict, total=False):
    """Settings of a thread."""

    cwd: Optional[StrPath]
    base_instructions: Optional[str]
    developer_instructions: Optional[str]
    model: Optional[str]
    model_provider: Optional[str]
    approval_policy: Any
    approvals_reviewer: Optional[str]
    sandbox: Optional[str]
    permissions: Optional[str]
    service_tier: Optional[str]
    personality: Optional[str]
    ephemeral: Optional[bool]
    service_name: Optional[str]
    session_start_source: Optional[str]
    thread_source: Optional[str]
    config: Any
    extra: Dict[str, Any]
    """Other members of the protocol, under their names there."""


class TurnOverrides(TypedDict, total=False):
    """Settings of a turn; most of them stay for later turns of the thread."""

    cwd: Optional[StrPath]
    model: Optional[str]
    effort: Optional[str]
    summary: Optional[str]
    sandbox_policy: Any
    personality: Optional[str]
    approval_policy: Any
    approvals_reviewer: Optional[str]
    permissions: Optional[str]
    service_tier: Optional[str]
    service_tier_for_turn: Optional[str]
    disabled_plugin_ids: Optional[List[str]]
    output_schema: Any
    collaboration_mode: Any
    extra: Dict[str, Any]
    """Other members of the protocol, under their names there."""


class ChatOptions(TypedDict, total=False):
    """What a turn takes beside its text. A limit is a number of seconds, or None for no limit."""

    input: List[Dict[str, Any]]
    """Input items in the protocol's JSON, instead of a text."""
    thread_id: str
    thread_config: ThreadConfig
    turn_overrides: TurnOverrides
    inactivity_timeout: Optional[Seconds]
    turn_timeout: Optional[Seconds]
    user: str
    metadata: Any
    client_user_message_id: str
    tool_output: Dict[str, Any]
    turn_trigger: str
    keep_raw_events: bool
    keep_steps: bool
    sub_agents: bool
    extra: Dict[str, Any]
    """Other members of the protocol, under their names there."""


class ExecOptions(TypedDict, total=False):
    """Options of a command."""

    cwd: StrPath
    env: Mapping[str, Optional[str]]
    """None removes a variable."""
    timeout: Optional[Seconds]
    """In seconds; None for no limit. The server's own limit is 10 s."""
    sandbox_policy: Any
    output_bytes_cap: Optional[int]
    stream_stdin: bool
    tty: Dict[str, int]
    """`rows` and `cols`."""


DURATIONS = frozenset(
    (
        "request_timeout", "inactivity_timeout", "approval_timeout", "user_input_timeout", "connect_timeout", "ping_interval",
        "pong_timeout", "turn_timeout", "timeout",
    )
)  # fmt: skip
_RENAMED = {"turn_overrides": "overrides"}


def to_json(options: Mapping[str, Any]) -> Dict[str, Any]:
    """Return the options as the library takes them."""
    json: Dict[str, Any] = {}
    for name, value in options.items():
        if name in DURATIONS:
            json[name + "_ms"] = millis(cast(Optional[Seconds], value))
        else:
            json[_RENAMED.get(name, name)] = value
    return json
