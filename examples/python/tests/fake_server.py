"""An app-server for tests, over stdin and stdout: the first word of the user's text says what a turn does.

`many N`: N deltas. `hang`: nothing more, until it is interrupted. `fail`: the turn fails. `ask`: an approval. `input`: a
question to the user. `tool`: a tool call. `empty`: no answer. `slow`: two messages, the second after a file at the path
exists. Anything else is echoed.
"""

import json
import os
import sys
import threading
import time

lock = threading.Lock()
state = {"id": 0, "answers": {}, "turns": {}}


def new(kind):
    with lock:
        state["id"] += 1
        return f"{kind}-{state['id']}"


def send(message):
    with lock:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def notify(method, **params):
    send({"method": method, "params": params})


def ask(method, **params):
    """Send a request, and return its answer."""
    number = int(new("q").split("-")[1]) + 1000
    event = threading.Event()
    state["answers"][number] = [event, None]
    send({"id": number, "method": method, "params": params})
    event.wait(60)
    return state["answers"][number][1]


def turn_of(turn, status, error=None):
    return {"id": turn, "items": [], "status": status, "error": error}


class Turn:
    def __init__(self, thread, text):
        self.thread, self.text, self.id = thread, text, new("turn")
        self.interrupted = threading.Event()
        state["turns"][self.id] = self

    def tell(self, method, **params):
        notify(method, threadId=self.thread, turnId=self.id, **params)

    def end(self, status, error=None):
        notify("turn/completed", threadId=self.thread, turn=turn_of(self.id, status, error))

    def message(self, text, deltas=()):
        item = {"id": new("msg"), "type": "agentMessage", "phase": None}
        self.tell("item/started", item={**item, "text": ""})
        for delta in deltas or [text]:
            self.tell("item/agentMessage/delta", itemId=item["id"], delta=delta)
        self.tell("item/completed", item={**item, "text": text})

    def run(self):
        notify("turn/started", threadId=self.thread, turn=turn_of(self.id, "inProgress"))
        user = {"id": new("user"), "type": "userMessage", "content": [{"type": "text", "text": self.text}]}
        self.tell("item/started", item=user)
        self.tell("item/completed", item=user)
        word, _, rest = self.text.partition(" ")
        if word == "hang":
            self.interrupted.wait()
            return self.end("interrupted")
        if word == "fail":
            return self.end("failed", {"message": "the model is gone", "codexErrorInfo": "serverOverloaded"})
        if word == "empty":
            return self.end("completed")
        if word == "many":
            deltas = [f"{at} \"é\\\n" if at % 7 == 0 else f"{at} " for at in range(int(rest))]
            self.message("".join(deltas), deltas)
        elif word == "slow":
            self.message("first")
            while not os.path.exists(rest):
                time.sleep(0.01)
            self.message("second")
        elif word == "ask":
            answer = ask(
                "item/commandExecution/requestApproval", threadId=self.thread, turnId=self.id, itemId=new("exec"),
                startedAtMs=0, command="rm -rf /", cwd="/", reason="because",
            )
            self.message(json.dumps(answer))
        elif word == "input":
            question = {
                "id": "color", "header": "Color", "question": "Which?", "isOther": True, "isSecret": False,
                "options": [{"label": "red", "description": "r"}, {"label": "blue", "description": "b"}],
            }
            answer = ask(
                "item/tool/requestUserInput", threadId=self.thread, turnId=self.id, itemId=new("ask"),
                questions=[question],
            )
            self.message(json.dumps(answer))
        elif word == "tool":
            answer = ask(
                "item/tool/call", threadId=self.thread, turnId=self.id, callId="c", tool="add",
                arguments={"a": 1, "b": 2},
            )
            self.message(json.dumps(answer))
        else:
            self.message(f"echo: {self.text}")
        self.end("completed")


def thread_result(thread):
    return {
        "thread": {
            "id": thread, "sessionId": thread, "preview": "", "ephemeral": False, "modelProvider": "fake", "createdAt": 0,
            "updatedAt": 0, "status": {"type": "idle"}, "cwd": "/", "cliVersion": "0.169.0", "source": "vscode",
            "turns": [], "historyMode": "paginated",
        },
        "model": "fake", "modelProvider": "fake", "cwd": "/", "approvalPolicy": "never", "approvalsReviewer": "user",
        "sandbox": {"type": "readOnly"},
    }


def serve(message):
    method, params, number = message["method"], message.get("params") or {}, message["id"]

    def reply(result):
        send({"id": number, "result": result})

    if method == "initialize":
        reply({"userAgent": "fake/0.169.0", "codexHome": "/", "platformFamily": "unix", "platformOs": "fake"})
    elif method == "thread/start":
        reply(thread_result(new("thread")))
    elif method == "turn/start":
        text = "".join(part.get("text", "") for part in params["input"])
        turn = Turn(params["threadId"], text)
        reply({"turn": turn_of(turn.id, "inProgress")})
        threading.Thread(target=turn.run, daemon=True).start()
    elif method == "turn/interrupt":
        log = os.environ.get("FAKE_LOG")
        if log:
            with open(log, "a") as file:
                file.write("turn/interrupt\n")
        reply({})
        state["turns"][params["turnId"]].interrupted.set()
    elif method == "never":
        pass
    elif method == "account/read":
        reply({"account": {"type": "apiKey"}, "requiresOpenaiAuth": True})
    elif method == "command/exec":
        if params["command"] == ["cat"]:
            state["cat"] = number
        elif params["command"] == ["sleep"]:
            state["sleep"] = number
        else:
            reply({"exitCode": 0, "stdout": "out", "stderr": "err"})
    elif method == "command/exec/write":
        reply({})
        process = params["processId"]
        if params.get("deltaBase64"):
            notify("command/exec/outputDelta", processId=process, stream="stdout", deltaBase64=params["deltaBase64"],
                   capReached=False)
        if params.get("closeStdin"):
            send({"id": state["cat"], "result": {"exitCode": 7, "stdout": "", "stderr": ""}})
    elif method == "command/exec/terminate":
        reply({})
        send({"id": state["sleep"], "result": {"exitCode": -1, "stdout": "", "stderr": ""}})
    elif method in ("thread/unsubscribe", "turn/steer"):
        reply({})
    else:
        send({"id": number, "error": {"code": -32601, "message": f"no method {method}", "data": {"x": 1}}})


for line in sys.stdin:
    message = json.loads(line)
    if "method" in message and "id" in message:
        serve(message)
    elif "id" in message:
        slot = state["answers"][message["id"]]
        slot[1] = message.get("result", {"error": message.get("error")})
        slot[0].set()
