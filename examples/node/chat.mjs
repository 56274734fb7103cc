// Chats with Codex from Node, with the events as they come: node chat.mjs OPTIONS_JSON TEXT
//
// The library is called in a worker, whose thread may wait: Node's own never does, and each error is read on the thread
// of its call.

import { Worker, isMainThread, parentPort, workerData } from "node:worker_threads";
import koffi from "koffi";

function work({ options, text }) {
  const library = koffi.load(process.env.CODEX_BLOCKING_LIBRARY ?? "libcodex_blocking.so");
  // A string of the library, which is freed once koffi has copied it.
  koffi.disposable("codex_text", "str", library.func("void codex_string_free(void *)"));
  const lastError = library.func("const char *codex_last_error()");
  const connect = library.func("int32_t codex_client_connect(const char *, _Out_ void **)");
  const chatEvents = library.func("int32_t codex_client_chat_events(void *, const char *, _Out_ void **)");
  const next = library.func("int32_t codex_chat_next(void *, int64_t, _Out_ codex_text *)");
  const freeChat = library.func("void codex_chat_free(void *)");
  const freeClient = library.func("void codex_client_free(void *)");

  const check = (status) => {
    if (status < 0) throw new Error(lastError());
    return status;
  };
  let client, chat;
  const out = [null];
  try {
    check(connect(options, out));
    [client] = out;
    check(chatEvents(client, JSON.stringify({ text }), out));
    [chat] = out;
    while (check(next(chat, -1, out)) === 1) parentPort.postMessage(JSON.parse(out[0]));
  } finally {
    // No handle is NULL, which is nothing to free.
    freeChat(chat ?? null);
    freeClient(client ?? null);
  }
}

if (isMainThread) {
  const [options = '{"transport": "stdio"}', text = "Say hello"] = process.argv.slice(2);
  const worker = new Worker(new URL(import.meta.url), { workerData: { options, text } });
  worker.on("message", (event) => {
    if (event.type === "text_delta") process.stdout.write(event.delta);
  });
  worker.on("error", (error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
  worker.on("exit", () => console.log());
} else {
  work(workerData);
}
