/*
 * codex_blocking.h: a blocking client for OpenAI's `codex app-server`, for programs in any language.
 *
 * Written from the sources in src/capi by tests/capi; don't change it by hand.
 *
 * - Strings are UTF-8 and end with NUL. A string that comes out is freed with codex_string_free, unless it is const.
 *   What goes in is not kept after the call.
 * - Results are written to *out, which is NULL unless there is one. Structured values are JSON, the same as in Rust and
 *   in Python.
 * - A call returns a status: 0 or more if it went well, less if it failed; codex_last_error gives the error then.
 * - A handle is a number that is checked: one that is NULL, was freed or is of another kind gives a status. Each is freed
 *   once, with the function for its kind, in any order.
 * - All functions can be called from all threads, also at the same time with one handle, and from callbacks. A call
 *   blocks only the thread that makes it; each function says what it waits for.
 * - Callbacks run on threads of the library. They must return, and must not unwind (no C++ exceptions, no longjmp, no
 *   pthread_exit). One that is replaced, or whose handle is freed, inside of a callback may still run: what its user
 *   pointer points to must live until it has returned.
 * - After fork, the child gets CODEX_ERROR for the handles of its parent. It can connect by itself, unless another thread
 *   of the parent was in a call of this library at the moment of the fork: it should execute a program then.
 * - A write to a server that is gone doesn't raise SIGPIPE.
 */

#ifndef CODEX_BLOCKING_H
#define CODEX_BLOCKING_H

#include <stddef.h>
#include <stdint.h>

/**
 * The call succeeded. From a function that reads a stream: the stream has ended.
 */
#define CODEX_OK 0

/**
 * The stream has ended, and there is nothing more to read.
 */
#define CODEX_ENDED 0

/**
 * There is a result, in `*out`.
 */
#define CODEX_ITEM 1

/**
 * Nothing has arrived within the time limit. The call can be repeated.
 */
#define CODEX_NOTHING_YET 2

/**
 * The call failed; `codex_last_error` gives the error.
 */
#define CODEX_ERROR (-1)

/**
 * An argument is NULL, is not UTF-8 or JSON, or is not what the function accepts. The code of the error is
 * `invalid_input`.
 */
#define CODEX_INVALID_INPUT (-2)

/**
 * A handle is NULL, was freed, or is of another kind. The code of the error is `invalid_handle`.
 */
#define CODEX_INVALID_HANDLE (-3)

/**
 * This library has a bug: it panicked. The code of the error is `panic`. The handles of the call may not work any
 * more.
 */
#define CODEX_PANIC (-4)

/**
 * The version of the interface that this header describes. It grows when a function changes or is removed; new
 * functions don't change it.
 */
#define CODEX_ABI_VERSION 1

/**
 * A turn that is being read: its steps, or its events.
 */
typedef struct codex_chat codex_chat;

/**
 * A connection to a server.
 */
typedef struct codex_client codex_client;

/**
 * A command that runs on the server.
 */
typedef struct codex_command codex_command;

/**
 * A sign-in that waits for the user.
 */
typedef struct codex_login codex_login;

/**
 * A stream of notifications or of questions.
 */
typedef struct codex_stream codex_stream;

/**
 * A conversation of several turns.
 */
typedef struct codex_thread codex_thread;

/**
 * What a screen shows of the events of a thread.
 */
typedef struct codex_transcript codex_transcript;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * A function that is called when something is ready.
 */
typedef void (*codex_callback)(void *user);

/**
 * A function that is called with a line of the log: level 1 (error) to 5 (trace). The text is valid during the call.
 */
typedef void (*codex_log_callback)(void *user, int32_t level, const char *message);

/**
 * A function that is called with a question of the server. The text is valid during the call.
 */
typedef void (*codex_question_callback)(void *user, const char *question_json);

/**
 * Returns the version of the interface that the library has: a program that was compiled with another
 * CODEX_ABI_VERSION must not go on.
 */
int32_t codex_abi_version(void);

/**
 * Returns the version of the library, such as "0.1.0". The text is never freed.
 */
const char *codex_version(void);

/**
 * Returns the error of the last call on this thread as JSON, `{"code", "message", "causes", ..}`, or NULL if that
 * call succeeded.
 *
 * The text is valid until the next call on this thread, and is not freed by the caller. This function,
 * codex_version, codex_abi_version, and functions that free something that exists don't count as calls. NULL, too, in
 * a thread that is ending (in destructors of its variables) and in functions of atexit, where calls work otherwise.
 */
const char *codex_last_error(void);

/**
 * Returns how many handles and strings of this library the program has not freed: for the tests of a program, which
 * look for leaks.
 */
int64_t codex_open_count(void);

/**
 * Frees a string that this library has returned. Does nothing for NULL.
 *
 * A pointer that this library has not returned, or that was freed, is left alone, and codex_last_error tells so;
 * unless its memory has been used again for another string meanwhile.
 */
void codex_string_free(char *string);

/**
 * Gives the account that the server is signed in with (an Account as JSON). Blocks for at most the request limit.
 */
int32_t codex_client_account(codex_client *client, char **out_json);

/**
 * Same as codex_client_account, after the server has asked OpenAI for new tokens, if it is signed in with ChatGPT: a
 * change of the plan shows at once. Blocks for at most the request limit.
 */
int32_t codex_client_refresh_account(codex_client *client, char **out_json);

/**
 * Signs the server in with an API key. Blocks for at most the request limit.
 */
int32_t codex_client_login_api_key(codex_client *client, const char *key);

/**
 * Begins a sign-in with ChatGPT in a browser. Blocks for at most the request limit.
 */
int32_t codex_client_login_chatgpt(codex_client *client, codex_login **out);

/**
 * Begins a sign-in with ChatGPT with a code that the user types in. Blocks for at most the request limit.
 */
int32_t codex_client_login_device_code(codex_client *client, codex_login **out);

/**
 * Signs the server out. Blocks for at most the request limit.
 */
int32_t codex_client_logout(codex_client *client);

/**
 * Gives the rate limits of the account, in the protocol's JSON. Blocks for at most the request limit.
 */
int32_t codex_client_rate_limits(codex_client *client, char **out_json);

/**
 * Gives {"login_id", "url", "user_code", "is_ended"}: the page that the user opens, and the code for it (null without
 * one). Never waits.
 */
int32_t codex_login_info(codex_login *login, char **out_json);

/**
 * Waits for up to timeout_ms milliseconds (less than 0: without a limit) for the end of the sign-in: CODEX_OK if the
 * server is signed in, CODEX_NOTHING_YET if the user is not done, negative if it failed or was cancelled.
 * codex_login_cancel in another thread ends the wait; freeing the handle doesn't.
 */
int32_t codex_login_wait(codex_login *login, int64_t timeout_ms);

/**
 * Cancels the sign-in. Blocks for at most the request limit.
 */
int32_t codex_login_cancel(codex_login *login);

/**
 * Frees the handle; the sign-in goes on. NULL does nothing.
 */
void codex_login_free(codex_login *login);

/**
 * Reads the next item: a step as JSON, or an event, as the chat was begun.
 *
 * Waits for up to timeout_ms milliseconds; 0 never waits, less than 0 waits without a limit (but the inactivity
 * limit of the turn). Returns CODEX_ITEM with the item in *out_json, CODEX_ENDED (0) after the last one, or
 * CODEX_NOTHING_YET. The last item of a turn that failed is a step whose "step_type" is "error"; the call that
 * follows returns CODEX_ENDED, and codex_chat_finish the error.
 *
 * Several threads may read: each item goes to one of them. A wait ends when the turn ends, when the connection is
 * closed, and when another thread ends or frees the chat.
 */
int32_t codex_chat_next(codex_chat *chat, int64_t timeout_ms, char **out_json);

/**
 * Reads the next items, as a JSON array of at least one and at most max of them.
 *
 * Waits like codex_chat_next for the first item, and for no other: one call for many events, for languages in which
 * a call is expensive.
 */
int32_t codex_chat_next_batch(codex_chat *chat, int64_t timeout_ms, uint32_t max, char **out_json_array);

/**
 * Gives the ids: {"thread_id", "turn_id"}. Never waits.
 */
int32_t codex_chat_ids(codex_chat *chat, char **out_json);

/**
 * Reads to the end, skipping items that were not read, and gives the result (a ChatResult as JSON).
 *
 * Waits until the turn has ended, or has been inactive for its limit. If the turn failed, returns CODEX_ERROR, and
 * codex_last_error gives the failure. A second call gives the same again. The handle stays valid, and
 * codex_chat_next returns CODEX_ENDED from now on.
 */
int32_t codex_chat_finish(codex_chat *chat, char **out_json);

/**
 * Gives the failure with which the turn ended: CODEX_ITEM with the error as JSON. CODEX_OK if it runs, has
 * succeeded, or its end was not read. Never waits.
 */
int32_t codex_chat_error(codex_chat *chat, char **out_json);

/**
 * Adds a message to the running turn. Blocks for at most the request limit.
 */
int32_t codex_chat_steer(codex_chat *chat, const char *text_of_user);

/**
 * Interrupts the turn; its end can be read afterwards. Blocks for at most the request limit.
 */
int32_t codex_chat_interrupt(codex_chat *chat);

/**
 * Has the turn interrupted in the background, and returns at once: for a thread that must not wait.
 */
int32_t codex_chat_request_interrupt(codex_chat *chat);

/**
 * Interrupts the turn, waits for its end, and gives what was not read (a CancelResult as JSON). Blocks for at most
 * the request limit.
 */
int32_t codex_chat_cancel(codex_chat *chat, char **out_json);

/**
 * Gives a token with which the turn can be read on later (a ChatContinuation as JSON): as "continuation" of a
 * request, or for codex_client_cancel or codex_client_forget. The events are kept until then, also after the chat
 * was freed. Never waits.
 */
int32_t codex_chat_continuation(codex_chat *chat, char **out_json);

/**
 * Returns a descriptor for poll, epoll, GLib, Qt, libuv or asyncio: it is readable while there is something to read,
 * until codex_chat_next has returned CODEX_NOTHING_YET, and stays so after the end, also that by codex_chat_end in
 * another thread. Only wait for it: it belongs to the chat, which closes it when it is freed. Negative on failure,
 * after codex_chat_end, and on Windows.
 */
int32_t codex_chat_fd(codex_chat *chat);

/**
 * Has on_ready called with user when there is something to read: once when something comes, and again only after
 * codex_chat_next has returned CODEX_NOTHING_YET or CODEX_ENDED; at once if something is there now.
 *
 * It runs on a thread of the library, never twice at the same time, and should only wake the program's own event
 * loop. Replaces an earlier one; NULL ends the calls. Waits for a call that runs, unless it is made inside of a
 * callback, so don't hold a lock that the callback takes.
 */
int32_t codex_chat_on_ready(codex_chat *chat, codex_callback on_ready, void *user);

/**
 * Stops reading: what was not read is dropped, a call that waits returns CODEX_ENDED, and so do all that follow. A
 * descriptor that was given becomes readable; the function of codex_chat_on_ready isn't called any more. The turn goes
 * on on the server. Can be called from any thread.
 */
int32_t codex_chat_end(codex_chat *chat);

/**
 * Frees a chat. The turn goes on on the server; its events are dropped, unless a continuation was taken.
 *
 * A call that waits in another thread returns CODEX_ENDED. Waits for a callback that runs, unless it is called inside
 * of a callback; none comes after. If it is the last handle of a closed connection it may block for 0.5 s. NULL does
 * nothing.
 */
void codex_chat_free(codex_chat *chat);

/**
 * Connects to a server. Blocks until it can be written to, for at most "connect_timeout_ms".
 *
 * options_json is an object; an unknown member is an error that lists the known ones. Of the transport:
 *
 * - "transport": "stdio" (the default: runs the server as a child process), "websocket", "unix", or "scripted" (a
 *   server in this process that echoes, for tests).
 * - stdio: "command" (an array; by default $CODEX_APP_SERVER_CMD, else codex app-server), "cwd", "env" (an object; null
 *   removes a variable), "env_clear", "codex_home", "config" (an object of settings).
 * - websocket: "url" (by default $CODEX_APP_SERVER_WS_URL, else ws://127.0.0.1:8765), "token", "headers" (an object),
 *   "allow_insecure_token", "proxy" (null: none), "ping_interval_ms", "pong_timeout_ms", "root_certificates" and
 *   "client_certificate" (PEM; a build with tls).
 * - unix: "path" (by default the control socket in $CODEX_HOME), "ping_interval_ms", "pong_timeout_ms".
 * - scripted: "replay" (the path of a recording).
 * - all but scripted: "connect_timeout_ms".
 *
 * Of the client: "request_timeout_ms" (30000), "inactivity_timeout_ms" (180000), "approval_timeout_ms" (null),
 * "user_input_timeout_ms" (300000), where null means no limit; "approval_mode"; "strict"; "client_info" ({"name",
 * "version", "title"}); "experimental_api"; "opt_out" (an array of methods); "max_frame_bytes" (null),
 * "max_buffered_bytes" (1 GiB); "record" ({"path", "unmasked"}).
 *
 * "approval_mode": with "decline" (the default), what the server asks gets an answer at once that grants nothing.
 * With "manual", every question waits for codex_client_respond: look at codex_client_pending, or read
 * codex_client_questions. With codex_client_on_question every question waits in either mode.
 */
int32_t codex_client_connect(const char *options_json, codex_client **out);

/**
 * Closes the connection in an orderly way: what waits on it fails, the server's process ends. Blocks for at most
 * 5 s. Can be called from any thread, from a callback, and more than once. The handles stay valid until they are
 * freed.
 */
int32_t codex_client_close(codex_client *client);

/**
 * Frees a client. Waits for a callback that runs, unless it is called inside of a callback; none comes after. NULL
 * does nothing.
 *
 * The connection ends with its last handle (chats, threads, streams and commands count), which blocks for at most
 * 0.5 s; codex_client_close ends it at once.
 */
void codex_client_free(codex_client *client);

/**
 * Performs the handshake, and gives what the server says (an InitializeResult as JSON). The first call of any kind
 * does it too. Blocks for at most the request limit.
 */
int32_t codex_client_initialize(codex_client *client, char **out_json);

/**
 * Sends any request of the protocol, and gives its result. params_json may be NULL: {}. Blocks for at most the
 * request limit.
 */
int32_t codex_client_request(codex_client *client, const char *method, const char *params_json, char **out_json);

/**
 * Same as codex_client_request with its own limit; less than 0 means none.
 */
int32_t codex_client_request_with_timeout(codex_client *client,
                                          const char *method,
                                          const char *params_json,
                                          int64_t timeout_ms,
                                          char **out_json);

/**
 * Sends a notification. params_json may be NULL: {}. Blocks until it was written.
 */
int32_t codex_client_notify(codex_client *client, const char *method, const char *params_json);

/**
 * Gives counters of the connection (Stats as JSON). Never waits.
 */
int32_t codex_client_stats(codex_client *client, char **out_json);

/**
 * Tells whether the connection has ended: CODEX_ITEM with the reason as an error's JSON, or CODEX_OK while it is open.
 * Never waits.
 */
int32_t codex_client_ended(codex_client *client, char **out_json);

/**
 * Gives {"server_pid", "server_url"}, each null where there is none. Never waits.
 */
int32_t codex_client_info(codex_client *client, char **out_json);

/**
 * Tells whether the server knows a method: 1 (yes), 0 (no), or CODEX_NOTHING_YET where it can't be known. Blocks for
 * at most the request limit.
 */
int32_t codex_client_supports(codex_client *client, const char *method);

/**
 * Has on_ready called with user after each change of anything of this connection: an item or the end of any stream, a
 * question, the end of the connection. Calls may be merged.
 *
 * It runs on a thread of the library, never twice at the same time, and should only wake the program's own event
 * loop. Replaces an earlier one; NULL ends the calls. Set it before the first chat: chats that were begun before don't
 * tell of their time limits.
 */
int32_t codex_client_on_ready(codex_client *client, codex_callback on_ready, void *user);

/**
 * Runs a turn to its end, and gives the result (a ChatResult as JSON).
 *
 * request_json is a ChatRequest: {"text": "Hello"}, with "thread_id", "overrides", "continuation" and so on. Blocks
 * until the turn has ended, or has been inactive for its limit.
 */
int32_t codex_client_chat_once(codex_client *client, const char *request_json, char **out_json);

/**
 * Starts a turn, and gives its steps as a chat. Blocks until the server has accepted it.
 */
int32_t codex_client_chat(codex_client *client, const char *request_json, codex_chat **out);

/**
 * Same as codex_client_chat, with all events (TurnEvents as JSON) instead of steps.
 */
int32_t codex_client_chat_events(codex_client *client, const char *request_json, codex_chat **out);

/**
 * Runs a turn whose answer follows a JSON schema, and gives {"value", "result"}: the answer, and the ChatResult.
 */
int32_t codex_client_chat_json(codex_client *client,
                               const char *request_json,
                               const char *schema_json,
                               char **out_json);

/**
 * Gives the events of all turns of a thread, whoever starts them, as a chat. Blocks for at most the request limit.
 */
int32_t codex_client_follow(codex_client *client, const char *thread_id, codex_chat **out);

/**
 * Interrupts the turn of a continuation, waits for its end, and gives what was not read (a CancelResult as JSON).
 * Blocks for at most the request limit.
 */
int32_t codex_client_cancel(codex_client *client, const char *continuation_json, char **out_json);

/**
 * Drops what is kept for a continuation. The turn goes on on the server. Never waits.
 */
int32_t codex_client_forget(codex_client *client, const char *continuation_json);

/**
 * Interrupts a turn, which may be another client's if thread_id is not NULL. Blocks for at most the request limit.
 */
int32_t codex_client_interrupt_turn(codex_client *client, const char *thread_id, const char *turn_id);

/**
 * Adds a message to a running turn. input_json is an array of input items, such as [{"type": "text", "text": "Stop"}].
 * Blocks for at most the request limit.
 */
int32_t codex_client_steer_turn(codex_client *client,
                                const char *thread_id,
                                const char *turn_id,
                                const char *input_json,
                                char **out_json);

/**
 * Gives a page of the server's threads, in the protocol's JSON. options_json is ListThreads as JSON ({"limit",
 * "cursor", ..}), or NULL. Blocks for at most the request limit.
 */
int32_t codex_client_list_threads(codex_client *client, const char *options_json, char **out_json);

/**
 * Gives a page of the models, in the protocol's JSON. options_json is ListModels as JSON, or NULL. Blocks for at most
 * the request limit.
 */
int32_t codex_client_list_models(codex_client *client, const char *options_json, char **out_json);

/**
 * Gives the server's configuration, in the protocol's JSON. options_json is ReadConfig as JSON, or NULL. Blocks for at
 * most the request limit.
 */
int32_t codex_client_read_config(codex_client *client, const char *options_json, char **out_json);

/**
 * Gives what the configuration must keep to, in the protocol's JSON. Blocks for at most the request limit.
 */
int32_t codex_client_read_config_requirements(codex_client *client, char **out_json);

/**
 * Writes a value of the configuration. write_json is WriteConfigValue as JSON ({"key_path", "value", ..}). Blocks for
 * at most the request limit.
 */
int32_t codex_client_write_config_value(codex_client *client, const char *write_json, char **out_json);

/**
 * Writes several values of the configuration. batch_json is BatchWriteConfig as JSON ({"edits", ..}). Blocks for at
 * most the request limit.
 */
int32_t codex_client_batch_write_config(codex_client *client, const char *batch_json, char **out_json);

/**
 * Runs a command on the server to its end, without the agent, and gives {"exitCode", "stdout", "stderr"}.
 *
 * argv_json is an array of the program and its arguments; no shell is involved. options_json is ExecOptions as JSON
 * ({"cwd", "env", "timeout_ms", ..}), or NULL. Blocks for at most the limit of the command plus the request limit.
 */
int32_t codex_client_exec(codex_client *client, const char *argv_json, const char *options_json, char **out_json);

/**
 * Starts a command on the server, and gives it as a handle. Blocks for at most the request limit.
 */
int32_t codex_client_exec_start(codex_client *client,
                                const char *argv_json,
                                const char *options_json,
                                codex_command **out);

/**
 * Gives {"process_id", "is_over"}. Never waits.
 */
int32_t codex_command_info(codex_command *command, char **out_json);

/**
 * Reads the next chunk of output as JSON, {"stream", "data", "cap_reached"}, where "data" is an array of bytes. Waits
 * like codex_chat_next. codex_command_read is faster.
 *
 * After CODEX_ENDED, codex_command_wait tells how it ended: also if output was lost, because the connection was, or
 * because more than "max_buffered_bytes" was not read.
 */
int32_t codex_command_next(codex_command *command, int64_t timeout_ms, char **out_json);

/**
 * Reads output into a buffer of capacity bytes, and sets *out_length, and *out_stream to 1 (stdout), 2 (stderr) or 0
 * (another). Returns CODEX_ITEM, CODEX_ENDED or CODEX_NOTHING_YET, like codex_command_next, and waits like it.
 */
int32_t codex_command_read(codex_command *command,
                           int64_t timeout_ms,
                           uint8_t *buffer,
                           size_t capacity,
                           size_t *out_length,
                           int32_t *out_stream);

/**
 * Writes length bytes to the command's input, which needs "stream_stdin" or "tty" in the options. Blocks for at most
 * the request limit.
 */
int32_t codex_command_write(codex_command *command, const uint8_t *data, size_t length);

/**
 * Closes the command's input. Blocks for at most the request limit.
 */
int32_t codex_command_close_stdin(codex_command *command);

/**
 * Resizes the command's terminal. Blocks for at most the request limit.
 */
int32_t codex_command_resize(codex_command *command, uint16_t rows, uint16_t cols);

/**
 * Kills the command and what it has started. Its end can still be read. Blocks for at most the request limit.
 */
int32_t codex_command_terminate(codex_command *command);

/**
 * Waits until the command ends, and gives {"exit_code", "unread"}: the output that was not read, as chunks.
 *
 * Blocks until then, at most for the limit of the command plus the request limit. codex_command_terminate, or freeing
 * the command, from another thread ends the wait. After it nothing more can be read, and a second call fails.
 */
int32_t codex_command_wait(codex_command *command, char **out_json);

/**
 * Returns a descriptor that is readable while there is output to read, like codex_chat_fd.
 */
int32_t codex_command_fd(codex_command *command);

/**
 * Has on_ready called with user when there is output to read, like codex_chat_on_ready.
 */
int32_t codex_command_on_ready(codex_command *command, codex_callback on_ready, void *user);

/**
 * Stops reading, and terminates the command if it runs: what was not read is dropped, a call that waits returns
 * CODEX_ENDED, and so do all that follow. A descriptor that was given becomes readable; the function of
 * codex_command_on_ready isn't called any more. Can be called from any thread.
 */
int32_t codex_command_end(codex_command *command);

/**
 * Frees a command, and terminates it if it runs. Waits for a callback that runs, unless it is called inside of a
 * callback. NULL does nothing.
 */
void codex_command_free(codex_command *command);

/**
 * Has on_log called with user for each line of the log up to max_level: 1 (errors) to 5 (everything), or 0 for none.
 * What the server writes to its stderr is a line, too. By default nothing is logged.
 *
 * It runs on threads of the library and on those that call it, several at the same time, and must not call this
 * library. Replaces an earlier one; NULL ends the calls, and waits for those that run. A process that was forked logs
 * nothing until it sets its own.
 */
int32_t codex_on_log(codex_log_callback on_log, void *user, int32_t max_level);

/**
 * Gives all questions that wait for an answer, as an array. Never waits.
 */
int32_t codex_client_pending(codex_client *client, char **out_json_array);

/**
 * Answers a question, from any thread. question_json is the question as it was given (its "key" says which it is);
 * answer_json is the protocol's own result, such as {"decision": "accept"}, or NULL for the answer that grants
 * nothing. An answer that the question doesn't support, or that grants more than was asked for, is an error, and
 * nothing is sent. Blocks until it was written.
 *
 * The answers by the "type" of the question: approval: {"decision": "accept"}, also "acceptForSession", "decline",
 * "cancel"; user_input: {"answers": {"ID": {"answers": ["LABEL"]}}}; permissions: {"permissions": {..}, "scope":
 * "turn"}; elicitation: {"action": "accept", "content": {..}}; tool_call: {"contentItems": [{"type": "inputText",
 * "text": ".."}], "success": true}.
 */
int32_t codex_client_respond(codex_client *client, const char *question_json, const char *answer_json);

/**
 * Answers a question with an error of JSON-RPC. Blocks until it was written.
 */
int32_t codex_client_respond_error(codex_client *client, const char *question_json, int64_t code, const char *message);

/**
 * Has on_question called with user and each question, those first that wait already. From now on every question waits
 * for codex_client_respond, which can be called later, from any thread, or inside of the callback.
 *
 * It runs on a thread of the library, for one question at a time, in order. Replaces an earlier one; NULL ends the
 * calls. Waits for a call that runs, unless it is made inside of a callback.
 */
int32_t codex_client_on_question(codex_client *client, codex_question_callback on_question, void *user);

/**
 * Opens a stream of all notifications of the server, as {"method", "params"}. What is not read for long is dropped,
 * the oldest first, and counted in codex_client_stats.
 */
int32_t codex_client_notifications(codex_client *client, codex_stream **out);

/**
 * Opens a stream of the questions of the server: approvals, user input, tool calls, and so on. It begins with those
 * that wait for an answer. Answer them with codex_client_respond.
 *
 * Which questions wait for an answer is told at codex_client_connect, "approval_mode".
 */
int32_t codex_client_questions(codex_client *client, codex_stream **out);

/**
 * Reads the next item as JSON, like codex_chat_next. CODEX_ENDED after the end of the connection, or after
 * codex_stream_end.
 */
int32_t codex_stream_next(codex_stream *stream, int64_t timeout_ms, char **out_json);

/**
 * Reads the next items as a JSON array, like codex_chat_next_batch.
 */
int32_t codex_stream_next_batch(codex_stream *stream, int64_t timeout_ms, uint32_t max, char **out_json_array);

/**
 * Returns a descriptor that is readable while there is something to read, like codex_chat_fd.
 */
int32_t codex_stream_fd(codex_stream *stream);

/**
 * Has on_ready called with user when there is something to read, like codex_chat_on_ready.
 */
int32_t codex_stream_on_ready(codex_stream *stream, codex_callback on_ready, void *user);

/**
 * Ends the stream, from any thread: a call that waits returns CODEX_ENDED, and so do all that follow.
 */
int32_t codex_stream_end(codex_stream *stream);

/**
 * Frees a stream, and ends it. Waits for a callback that runs, unless it is called inside of a callback. NULL does
 * nothing.
 */
void codex_stream_free(codex_stream *stream);

/**
 * Starts a thread. config_json is a ThreadConfig ({"model", "cwd", ..}), or NULL. Blocks for at most the request
 * limit.
 */
int32_t codex_client_start_thread(codex_client *client, const char *config_json, codex_thread **out);

/**
 * Starts a thread with tools of the program, whose calls are questions of the type "tool_call": answer them with
 * codex_client_respond.
 *
 * tools_json is an array of {"name", "description", "input_schema", "namespace": {"name", "description"}}, the last of
 * which may be left out. Needs "experimental_api" at codex_client_connect. Blocks for at most the request limit.
 */
int32_t codex_client_start_thread_with_tools(codex_client *client,
                                             const char *config_json,
                                             const char *tools_json,
                                             codex_thread **out);

/**
 * Resumes a thread of this or an earlier program. config_json is a ThreadConfig, or NULL. Blocks for at most the
 * request limit.
 */
int32_t codex_client_resume_thread(codex_client *client,
                                   const char *thread_id,
                                   const char *config_json,
                                   codex_thread **out);

/**
 * Gives a handle for a stored thread by its id, without asking the server: to read, name or archive one of
 * codex_client_list_threads. What needs it loaded, such as a chat, resumes it first. Never waits.
 */
int32_t codex_client_thread(codex_client *client, const char *thread_id, codex_thread **out);

/**
 * Copies a thread into a new one, up to last_turn_id if that is not NULL. config_json is a ThreadConfig, or NULL.
 * Blocks for at most the request limit.
 */
int32_t codex_client_fork_thread(codex_client *client,
                                 const char *thread_id,
                                 const char *last_turn_id,
                                 const char *config_json,
                                 codex_thread **out);

/**
 * Gives what is known of the thread: {"thread_id", "defaults", "not_applied", "info"}, the last being what the server
 * answered at start, resume or fork. Never waits.
 */
int32_t codex_thread_info(codex_thread *thread, char **out_json);

/**
 * Runs a turn in the thread to its end, and gives the result, like codex_client_chat_once. The request has no
 * "thread_id".
 */
int32_t codex_thread_chat_once(codex_thread *thread, const char *request_json, char **out_json);

/**
 * Starts a turn in the thread, and gives its steps, like codex_client_chat.
 */
int32_t codex_thread_chat(codex_thread *thread, const char *request_json, codex_chat **out);

/**
 * Starts a turn in the thread, and gives its events, like codex_client_chat_events.
 */
int32_t codex_thread_chat_events(codex_thread *thread, const char *request_json, codex_chat **out);

/**
 * Runs a turn in the thread whose answer follows a JSON schema, like codex_client_chat_json.
 */
int32_t codex_thread_chat_json(codex_thread *thread,
                               const char *request_json,
                               const char *schema_json,
                               char **out_json);

/**
 * Gives the thread in the protocol's JSON, with its turns if include_turns is not 0. Blocks for at most the request
 * limit.
 */
int32_t codex_thread_read(codex_thread *thread, int32_t include_turns, char **out_json);

/**
 * Gives all turns with all their items, the oldest first, as an array in the protocol's JSON. Blocks for each page for
 * at most the request limit.
 */
int32_t codex_thread_turns(codex_thread *thread, char **out_json_array);

/**
 * Gives what the server last reported of the thread's tokens, or CODEX_OK without a result. Never waits.
 */
int32_t codex_thread_token_usage(codex_thread *thread, char **out_json);

/**
 * Sets the name. Blocks for at most the request limit.
 */
int32_t codex_thread_set_name(codex_thread *thread, const char *name);

/**
 * Moves the thread to the archive. Blocks for at most the request limit.
 */
int32_t codex_thread_archive(codex_thread *thread);

/**
 * Takes the thread back from the archive. Blocks for at most the request limit.
 */
int32_t codex_thread_unarchive(codex_thread *thread);

/**
 * Has the history summarized, and returns when that is over. Blocks for at most the inactivity limit.
 */
int32_t codex_thread_compact(codex_thread *thread);

/**
 * Drops the last num_turns turns, and gives the thread in the protocol's JSON. Blocks for the requests that are needed;
 * each has the request limit.
 */
int32_t codex_thread_rollback(codex_thread *thread, uint32_t num_turns, char **out_json);

/**
 * Starts a review, and gives its steps as a chat. target_json is such as {"type": "uncommittedChanges"}; delivery is
 * NULL, "inline" or "detached". Blocks for the requests that are needed; each has the request limit.
 */
int32_t codex_thread_review(codex_thread *thread, const char *target_json, const char *delivery, codex_chat **out);

/**
 * Starts a review, and gives its events as a chat, like codex_thread_review.
 */
int32_t codex_thread_review_events(codex_thread *thread,
                                   const char *target_json,
                                   const char *delivery,
                                   codex_chat **out);

/**
 * Changes the settings of later turns. config_json is a ThreadConfig. Blocks for the requests that are needed; each has
 * the request limit.
 */
int32_t codex_thread_update_defaults(codex_thread *thread, const char *config_json);

/**
 * Copies the thread into a new one with the same defaults, up to last_turn_id if that is not NULL. config_json is a
 * ThreadConfig that changes the defaults, or NULL. Blocks for at most the request limit.
 */
int32_t codex_thread_fork(codex_thread *thread, const char *last_turn_id, const char *config_json, codex_thread **out);

/**
 * Has the server close the thread, which frees what it keeps for it. Blocks for at most the request limit.
 */
int32_t codex_thread_unload(codex_thread *thread);

/**
 * Frees the handle; the thread stays as it is. NULL does nothing.
 */
void codex_thread_free(codex_thread *thread);

/**
 * Makes an empty transcript.
 */
int32_t codex_transcript_new(codex_transcript **out);

/**
 * Makes a transcript of history: an array of turns, as codex_thread_turns gives it.
 */
int32_t codex_transcript_from_turns(const char *turns_json, codex_transcript **out);

/**
 * Adds an event, as a chat of codex_client_chat_events gives it.
 */
int32_t codex_transcript_apply(codex_transcript *transcript, const char *event_json);

/**
 * Gives the transcript (a Transcript as JSON).
 */
int32_t codex_transcript_json(codex_transcript *transcript, char **out_json);

/**
 * Frees a transcript. NULL does nothing.
 */
void codex_transcript_free(codex_transcript *transcript);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* CODEX_BLOCKING_H */
