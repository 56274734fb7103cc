"""A model on loopback for the real app-server, which needs neither network nor an account then.

Relies on the standard library. The first word of the user's text says what the model does: `run COMMAND` runs a
command, `escalate COMMAND` one that needs approval, `flood N` answers with N deltas, `hang` falls silent, `fail` fails.
Anything else is echoed.
"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CONFIG = """
model = "mock-model"
model_provider = "mock"
approval_policy = "on-request"
sandbox_mode = "workspace-write"
[model_providers.mock]
name = "Mock"
base_url = "http://127.0.0.1:{port}/v1"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"""
USAGE = {
    "input_tokens": 10, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 5,
    "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 15,
}  # fmt: skip


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        body = json.dumps({"models": [], "data": []}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        try:
            self.answer(request["input"])
        except OSError:  # The server has given up, such as by an interrupt.
            pass
        self.close_connection = True

    def event(self, kind, **members):
        data = json.dumps({"type": kind, **members})
        self.wfile.write(f"event: {kind}\ndata: {data}\n\n".encode())

    def answer(self, items):
        response = {"id": "resp"}
        self.event("response.created", response=response)
        users = [one for one in items if one.get("type") == "message" and one.get("role") == "user"]
        text = users[-1]["content"][-1].get("text", "") if users else ""
        word, _, rest = text.partition(" ")
        if items[-1].get("type", "").endswith("_output"):
            self.message(str(items[-1].get("output")))
        elif word in ("run", "escalate"):
            arguments = {"cmd": rest}
            if word == "escalate":
                arguments.update(sandbox_permissions="require_escalated", justification="because")
            item = {"type": "function_call", "name": "exec_command", "arguments": json.dumps(arguments), "call_id": "call"}
            self.event("response.output_item.done", item=item)
        elif word == "flood":
            self.message("x" * int(rest), ["x"] * int(rest))
        elif word == "hang":
            self.server.stopped.wait(60)
        elif word == "fail":
            return self.event("response.failed", response={**response, "error": {"code": "server_error", "message": "no"}})
        else:
            self.message(f"echo: {text}")
        self.event("response.completed", response={**response, "usage": USAGE})

    def message(self, text, deltas=None):
        item = {"type": "message", "role": "assistant", "id": "msg", "content": []}
        self.event("response.output_item.added", item=item)
        for delta in deltas or [text]:
            self.event("response.output_text.delta", item_id="msg", output_index=0, content_index=0, delta=delta)
        self.event("response.output_item.done", item={**item, "content": [{"type": "output_text", "text": text}]})


class ModelStub:
    """A model that runs until it is closed."""

    def __enter__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.stopped = threading.Event()
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.stopped.set()
        self.server.shutdown()
        self.server.server_close()

    def config(self):
        """Return the `config.toml` of a server that uses it."""
        return CONFIG.format(port=self.server.server_address[1])
