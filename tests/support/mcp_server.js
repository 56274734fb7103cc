// A tiny MCP server over stdio for tests: one tool that asks the user to fill in a form, one that asks for
// a visit to a page, one that asks nothing. It needs Node alone, which npm brings.
//
// Invariant: a tool answers with what the user answered, as JSON, so that a test sees it in the output.

"use strict";

const tools = {
  ask: {
    mode: "form",
    message: "Who?",
    requestedSchema: {
      type: "object",
      properties: { name: { type: "string", title: "Name" }, age: { type: "integer" } },
      required: ["name"],
    },
  },
  visit: { mode: "url", message: "Log in, please", url: "https://example.com/login", elicitationId: "e1" },
  plain: null,
};

const waiting = new Map();
let asked = 0;

const send = (message) => process.stdout.write(JSON.stringify({ jsonrpc: "2.0", ...message }) + "\n");
const output = (text) => ({ content: [{ type: "text", text }] });

function request({ id, method, params }) {
  switch (method) {
    case "initialize":
      return send({
        id,
        result: {
          protocolVersion: params.protocolVersion,
          capabilities: { tools: {} },
          serverInfo: { name: "tiny", version: "1" },
        },
      });
    case "tools/list": {
      const list = Object.keys(tools).map((name) => ({ name, inputSchema: { type: "object", properties: {} } }));
      return send({ id, result: { tools: list } });
    }
    case "tools/call": {
      const elicitation = tools[params.name];
      if (!elicitation) return send({ id, result: output("done") });
      asked += 1;
      waiting.set(asked, (answer) => send({ id, result: output("answered " + JSON.stringify(answer)) }));
      return send({ id: asked, method: "elicitation/create", params: elicitation });
    }
    default:
      return send({ id, error: { code: -32601, message: "unknown method " + method } });
  }
}

let rest = "";
process.stdin.on("data", (chunk) => {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop();
  for (const line of lines.filter((line) => line.trim())) {
    const message = JSON.parse(line);
    if (message.method !== undefined) {
      if (message.id !== undefined) request(message);
    } else if (waiting.has(message.id)) {
      waiting.get(message.id)(message.result ?? message.error);
      waiting.delete(message.id);
    }
  }
});
