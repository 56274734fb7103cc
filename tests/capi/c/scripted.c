/* Every group of functions against a scripted server. Arguments: its URL, and that of one whose turns never end. */

#define _DEFAULT_SOURCE
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#include "check.h"

static const char *url, *endless_url;

static codex_client *connect_with(const char *more) {
    char options[512];
    codex_client *client = NULL;
    snprintf(options, sizeof options, "{\"transport\":\"websocket\",\"url\":\"%s\"%s}", url, more);
    CHECK(codex_client_connect(options, &client) == CODEX_OK && client != NULL);
    CHECK(codex_last_error() == NULL);
    return client;
}

static void steps_of_a_turn_come_one_by_one(void) {
    codex_client *client = connect_with("");
    codex_chat *chat = NULL;
    char *json = NULL;
    CHECK(codex_client_chat(client, "{\"text\":\"hello\"}", &chat) == CODEX_OK);
    CHECK(codex_chat_ids(chat, &json) == CODEX_OK && contains(json, "\"thread_id\":\"thread-"));
    CHECK(codex_chat_next(chat, -1, &json) == CODEX_ITEM && contains(json, "\"step_type\":\"userMessage\""));
    CHECK(codex_chat_next(chat, 10000, &json) == CODEX_ITEM && contains(json, "\"text\":\"echo: hello\""));
    CHECK(codex_chat_next(chat, -1, &json) == CODEX_ENDED && json == NULL);
    CHECK(codex_chat_next(chat, 0, &json) == CODEX_ENDED);
    CHECK(codex_chat_finish(chat, &json) == CODEX_OK && contains(json, "\"final_text\":\"echo: hello\""));
    CHECK(codex_chat_finish(chat, &json) == CODEX_OK && contains(json, "\"final_text\":\"echo: hello\""));
    CHECK(codex_chat_next(chat, -1, &json) == CODEX_ENDED);
    CHECK(codex_chat_error(chat, &json) == CODEX_OK && json == NULL);
    codex_chat_free(chat);
    CHECK(codex_client_chat_once(client, "{\"text\":\"again\"}", &json) == CODEX_OK);
    CHECK(contains(json, "\"final_text\":\"echo: again\""));
    CHECK(codex_client_chat_json(client, "{\"text\":\"json\"}", "{\"type\":\"object\"}", &json) == CODEX_OK);
    CHECK(contains(json, "\"value\":{\"a\":1}"));
    codex_client_free(client);
}

static void events_come_in_batches(void) {
    codex_client *client = connect_with("");
    codex_chat *chat = NULL;
    codex_transcript *transcript = NULL;
    char *json = NULL;
    int deltas = 0, batches = 0, status;
    CHECK(codex_client_chat_events(client, "{\"text\":\"many\"}", &chat) == CODEX_OK);
    CHECK(codex_transcript_new(&transcript) == CODEX_OK);
    while ((status = codex_chat_next_batch(chat, -1, 100, &json)) == CODEX_ITEM) {
        batches++;
        CHECK(json[0] == '[');
        for (char *at = json; (at = strstr(at, "\"type\":\"text_delta\"")) != NULL; at++) deltas++;
        codex_string_free(json);
    }
    CHECK(status == CODEX_ENDED && deltas == 1000 && batches >= 10);
    CHECK(codex_transcript_apply(transcript, "{\"type\":\"text_delta\",\"item_id\":\"i\",\"delta\":\"x\"}") == CODEX_OK);
    CHECK(codex_transcript_json(transcript, &json) == CODEX_OK && contains(json, "\"text\":\"x\""));
    codex_transcript_free(transcript);
    codex_chat_free(chat);
    codex_client_free(client);
}

static void a_failed_turn_gives_its_closing_step_and_then_its_error(void) {
    codex_client *client = connect_with("");
    codex_chat *chat = NULL;
    char *json = NULL;
    CHECK(codex_client_chat(client, "{\"text\":\"fail\"}", &chat) == CODEX_OK);
    CHECK(codex_chat_next(chat, -1, &json) == CODEX_ITEM && contains(json, "userMessage"));
    CHECK(codex_chat_next(chat, -1, &json) == CODEX_ITEM && contains(json, "\"step_type\":\"error\""));
    CHECK(codex_chat_next(chat, -1, &json) == CODEX_ENDED);
    CHECK(codex_chat_error(chat, &json) == CODEX_ITEM && contains(json, "\"code\":\"turn_failed\""));
    CHECK(codex_chat_finish(chat, &json) == CODEX_ERROR && json == NULL && failed_with("turn_failed"));
    CHECK(codex_chat_finish(chat, &json) == CODEX_ERROR && failed_with("turn_failed"));
    CHECK(codex_chat_error(chat, &json) == CODEX_ITEM && contains(json, "\"code\":\"turn_failed\""));
    CHECK(codex_chat_next(chat, -1, &json) == CODEX_ENDED);
    codex_chat_free(chat);
    codex_client_free(client);
}

struct wait {
    codex_chat *chat;
    codex_stream *stream;
    int status;
};

static void *wait_in_next(void *argument) {
    struct wait *wait = argument;
    char *json = NULL;
    do {
        wait->status = wait->chat ? codex_chat_next(wait->chat, -1, &json) : codex_stream_next(wait->stream, -1, &json);
        codex_string_free(json);
    } while (wait->status == CODEX_ITEM);
    return NULL;
}

static codex_chat *hanging(codex_client *client) {
    codex_chat *chat = NULL;
    char *json = NULL;
    CHECK(codex_client_chat(client, "{\"text\":\"hang\"}", &chat) == CODEX_OK);
    CHECK(codex_chat_next(chat, -1, &json) == CODEX_ITEM && contains(json, "userMessage"));
    CHECK(codex_chat_next(chat, 0, &json) == CODEX_NOTHING_YET && json == NULL);
    CHECK(codex_chat_next(chat, 1, &json) == CODEX_NOTHING_YET);
    return chat;
}

static void a_wait_ends_whoever_ends_it(void) {
    for (int how = 0; how < 6; how++) {
        codex_client *client = connect_with("");
        struct wait waits[2] = {{hanging(client), NULL, 9}, {NULL, NULL, 9}};
        pthread_t threads[2];
        char *json = NULL;
        waits[1] = waits[0];
        for (int i = 0; i < 2; i++) CHECK(pthread_create(&threads[i], NULL, wait_in_next, &waits[i]) == 0);
        /* Both ways are right: before or after they wait. */
        if (how % 2) usleep(20000);
        switch (how / 2) {
            case 0: CHECK(codex_chat_interrupt(waits[0].chat) == CODEX_OK); break;
            case 1: codex_chat_free(waits[0].chat); break;
            case 2: CHECK(codex_client_close(client) == CODEX_OK); break;
        }
        for (int i = 0; i < 2; i++) {
            pthread_join(threads[i], NULL);
            CHECK(waits[i].status == CODEX_ENDED || (how / 2 == 1 && waits[i].status == CODEX_INVALID_HANDLE));
        }
        if (how / 2 == 1) {
            CHECK(codex_chat_next(waits[0].chat, 0, &json) == CODEX_INVALID_HANDLE && failed_with("invalid_handle"));
        } else {
            CHECK(codex_chat_finish(waits[0].chat, &json) == CODEX_ERROR);
            CHECK(failed_with(how / 2 == 0 ? "turn_interrupted" : "closed"));
            codex_chat_free(waits[0].chat);
        }
        codex_client_free(client);
    }
}

static void a_stream_ends_from_another_thread(void) {
    codex_client *client = connect_with("");
    struct wait wait = {NULL, NULL, 9};
    pthread_t thread;
    char *json = NULL;
    CHECK(codex_client_notifications(client, &wait.stream) == CODEX_OK);
    CHECK(codex_stream_next(wait.stream, 0, &json) == CODEX_NOTHING_YET);
    CHECK(pthread_create(&thread, NULL, wait_in_next, &wait) == 0);
    CHECK(codex_client_chat_once(client, "{\"text\":\"x\"}", &json) == CODEX_OK);
    codex_string_free(json);
    CHECK(codex_stream_end(wait.stream) == CODEX_OK);
    pthread_join(thread, NULL);
    CHECK(wait.status == CODEX_ENDED);
    codex_stream_free(wait.stream);
    codex_client_free(client);
}

static int is_readable(int fd, int limit_ms) {
    struct pollfd pollfd = {fd, POLLIN, 0};
    return poll(&pollfd, 1, limit_ms) == 1;
}

static void a_descriptor_is_readable_after_the_end(void) {
    codex_client *client = connect_with("");
    codex_chat *chat = hanging(client);
    codex_stream *stream = NULL;
    char *json = NULL;
    const int of_chat = codex_chat_fd(chat);
    CHECK(of_chat >= 0 && !is_readable(of_chat, 0));
    CHECK(codex_chat_end(chat) == CODEX_OK && is_readable(of_chat, 0));
    CHECK(codex_chat_next(chat, 0, &json) == CODEX_ENDED && is_readable(of_chat, 0));
    CHECK(codex_client_questions(client, &stream) == CODEX_OK);
    const int of_stream = codex_stream_fd(stream);
    CHECK(of_stream >= 0 && !is_readable(of_stream, 0));
    CHECK(codex_stream_end(stream) == CODEX_OK && is_readable(of_stream, 0));
    codex_stream_free(stream);
    codex_chat_free(chat);
    codex_client_free(client);
}

static void cancel_continue_and_forget(void) {
    codex_client *client = connect_with("");
    codex_chat *chat = hanging(client), *again = NULL;
    char *token = NULL, *json = NULL;
    char request[600];
    CHECK(codex_chat_continuation(chat, &token) == CODEX_OK && strstr(token, "\"turn_id\""));
    codex_chat_free(chat);
    snprintf(request, sizeof request, "{\"continuation\":%s}", token);
    CHECK(codex_client_chat(client, request, &again) == CODEX_OK);
    CHECK(codex_chat_cancel(again, &json) == CODEX_OK && contains(json, "\"was_interrupted\":true"));
    CHECK(codex_chat_next(again, -1, &json) == CODEX_ENDED);
    codex_chat_free(again);
    CHECK(codex_client_chat(client, request, &again) == CODEX_ERROR && again == NULL);
    CHECK(failed_with("no_longer_pending"));
    codex_string_free(token);

    chat = hanging(client);
    CHECK(codex_chat_continuation(chat, &token) == CODEX_OK);
    codex_chat_free(chat);
    CHECK(codex_client_cancel(client, token, &json) == CODEX_OK && contains(json, "\"was_interrupted\":true"));
    CHECK(codex_client_forget(client, token) == CODEX_OK);
    codex_string_free(token);

    chat = hanging(client);
    CHECK(codex_chat_steer(chat, "look there") == CODEX_OK);
    CHECK(codex_chat_request_interrupt(chat) == CODEX_OK);
    CHECK(codex_chat_finish(chat, &json) == CODEX_ERROR && failed_with("turn_interrupted"));
    codex_chat_free(chat);

    chat = hanging(client);
    CHECK(codex_chat_end(chat) == CODEX_OK);
    CHECK(codex_chat_next(chat, -1, &json) == CODEX_ENDED);
    CHECK(codex_chat_finish(chat, &json) == CODEX_ERROR && failed_with("no_longer_pending"));
    codex_chat_free(chat);
    codex_client_free(client);
}

static atomic_int is_cancelled;

static void *cancel_it(void *chat) {
    char *json = NULL;
    CHECK(codex_chat_cancel(chat, &json) == CODEX_ERROR && json == NULL);
    is_cancelled = 1;
    return NULL;
}

static void a_cancel_that_waits_keeps_nobody(void) {
    const char *usual = url;
    url = endless_url;
    codex_client *client = connect_with(",\"request_timeout_ms\":null");
    url = usual;
    codex_chat *chat = hanging(client);
    pthread_t thread;
    char *json = NULL;
    int status;
    CHECK(pthread_create(&thread, NULL, cancel_it, chat) == 0);
    /* It has the stream now. */
    while ((status = codex_chat_continuation(chat, &json)) == CODEX_OK) codex_string_free(json);
    CHECK(failed_with("no_longer_pending"));
    CHECK(codex_chat_error(chat, &json) == CODEX_OK && json == NULL);
    CHECK(codex_chat_next(chat, 0, &json) == CODEX_NOTHING_YET);
    CHECK(codex_chat_next(chat, 1, &json) == CODEX_NOTHING_YET);
    CHECK(codex_chat_end(chat) == CODEX_OK);
    CHECK(codex_chat_next(chat, -1, &json) == CODEX_ENDED);
    codex_chat_free(chat);
    CHECK(!is_cancelled);
    CHECK(codex_client_close(client) == CODEX_OK);
    pthread_join(thread, NULL);
    codex_client_free(client);
}

static void a_descriptor_is_readable_while_there_is_something(void) {
    codex_client *client = connect_with("");
    codex_chat *chat = hanging(client);
    struct pollfd watched = {codex_chat_fd(chat), POLLIN, 0};
    char *json = NULL;
    CHECK(watched.fd >= 0 && codex_chat_fd(chat) == watched.fd);
    CHECK(poll(&watched, 1, 0) == 0);
    CHECK(codex_chat_request_interrupt(chat) == CODEX_OK);
    CHECK(poll(&watched, 1, 30000) == 1);
    while (codex_chat_next(chat, 0, &json) != CODEX_ENDED) codex_string_free(json);
    CHECK(poll(&watched, 1, 0) == 1);
    CHECK(codex_chat_finish(chat, &json) == CODEX_ERROR);
    CHECK(poll(&watched, 1, 0) == 1 && watched.revents == POLLIN);
    codex_chat_free(chat);
    CHECK(poll(&watched, 1, 0) == 1 && watched.revents == POLLNVAL);
    codex_client_free(client);
}

struct calls {
    atomic_int count;
    codex_client *client;
    codex_chat *chat;
    atomic_int is_running;
    atomic_int is_allowed;
};

static void count_call(void *user) {
    struct calls *calls = user;
    atomic_fetch_add(&calls->count, 1);
}

static void free_inside(void *user) {
    struct calls *calls = user;
    codex_chat_free(calls->chat);
    codex_client_free(calls->client);
    atomic_fetch_add(&calls->count, 1);
}

static void run_slowly(void *user) {
    struct calls *calls = user;
    atomic_store(&calls->is_running, 1);
    while (!atomic_load(&calls->is_allowed)) sched_yield();
    usleep(30000);
    atomic_store(&calls->is_running, 0);
    atomic_fetch_add(&calls->count, 1);
}

static void await_calls(struct calls *calls, int count) {
    for (int i = 0; i < 30000 && atomic_load(&calls->count) < count; i++) usleep(1000);
    CHECK(atomic_load(&calls->count) >= count);
}

static void callbacks_come_and_end(void) {
    codex_client *client = connect_with("");
    struct calls calls = {0, client, NULL, 0, 0};
    char *json = NULL;
    /* Of the client. */
    CHECK(codex_client_on_ready(client, count_call, &calls) == CODEX_OK);
    CHECK(codex_client_chat_once(client, "{\"text\":\"x\"}", &json) == CODEX_OK);
    codex_string_free(json);
    await_calls(&calls, 1);
    CHECK(codex_client_on_ready(client, NULL, NULL) == CODEX_OK);
    /* Of a chat: at once, if something is there. */
    calls.chat = hanging(client);
    atomic_store(&calls.count, 0);
    CHECK(codex_chat_on_ready(calls.chat, count_call, &calls) == CODEX_OK);
    CHECK(codex_chat_interrupt(calls.chat) == CODEX_OK);
    await_calls(&calls, 1);
    /* It frees what it was called for. */
    atomic_store(&calls.count, 0);
    CHECK(codex_chat_on_ready(calls.chat, free_inside, &calls) == CODEX_OK);
    await_calls(&calls, 1);
    CHECK(codex_chat_next(calls.chat, 0, &json) == CODEX_INVALID_HANDLE);
    CHECK(codex_client_close(client) == CODEX_INVALID_HANDLE);
}

static void freeing_waits_for_a_callback(void) {
    codex_client *client = connect_with("");
    struct calls calls = {0, client, hanging(client), 0, 0};
    CHECK(codex_chat_on_ready(calls.chat, run_slowly, &calls) == CODEX_OK);
    CHECK(codex_chat_request_interrupt(calls.chat) == CODEX_OK);
    while (!atomic_load(&calls.is_running)) sched_yield();
    atomic_store(&calls.is_allowed, 1);
    codex_chat_free(calls.chat);
    CHECK(!atomic_load(&calls.is_running));
    int count = atomic_load(&calls.count);
    codex_client_free(client);
    CHECK(atomic_load(&calls.count) == count);
}

static void questions_wait_for_an_answer_by_hand(void) {
    codex_client *client = connect_with(",\"approval_mode\":\"manual\"");
    codex_client *other = connect_with(",\"approval_mode\":\"manual\"");
    codex_chat *chat = NULL;
    codex_stream *stream = NULL;
    char *pending = NULL, *json = NULL, *question;
    CHECK(codex_client_questions(client, &stream) == CODEX_OK);
    CHECK(codex_client_chat(client, "{\"text\":\"ask\"}", &chat) == CODEX_OK);
    CHECK(codex_stream_next(stream, -1, &json) == CODEX_ITEM);
    CHECK(codex_client_pending(client, &pending) == CODEX_OK);
    question = only_item(pending);
    CHECK(strcmp(question, json) == 0 && contains(json, "\"kind\":\"command\""));
    CHECK(codex_client_respond(client, question, "{\"decision\":\"moon\"}") == CODEX_INVALID_INPUT);
    CHECK(codex_client_respond(client, question, "{\"decision\":{\"acceptWithExecpolicyAmendment\":"
                                                 "{\"execpolicy_amendment\":[]}}}") == CODEX_INVALID_INPUT);
    CHECK(codex_client_respond(client, question, "{}") == CODEX_INVALID_INPUT && failed_with("invalid_input"));
    CHECK(codex_client_respond(client, "{\"request_id\":1}", "{\"decision\":\"accept\"}") == CODEX_INVALID_INPUT);
    CHECK(codex_client_respond(other, question, "{\"decision\":\"accept\"}") == CODEX_ERROR);
    CHECK(failed_with("no_longer_pending"));
    char *key = strstr(question, "\"key\":\"") + 7, first = *key;
    *key = first == '0' ? '1' : '0';
    CHECK(codex_client_respond(client, question, "{\"decision\":\"accept\"}") == CODEX_ERROR);
    CHECK(failed_with("no_longer_pending"));
    *key = first;
    CHECK(codex_client_respond(client, question, "{\"decision\":\"accept\"}") == CODEX_OK);
    CHECK(codex_client_respond(client, question, "{\"decision\":\"accept\"}") == CODEX_ERROR);
    CHECK(failed_with("no_longer_pending"));
    CHECK(codex_chat_finish(chat, &json) == CODEX_OK && contains(json, "asked"));
    codex_string_free(pending);
    codex_chat_free(chat);

    /* An error, and the answer that grants nothing. */
    for (int i = 0; i < 2; i++) {
        CHECK(codex_client_chat(client, "{\"text\":\"ask\"}", &chat) == CODEX_OK);
        CHECK(codex_stream_next(stream, -1, &json) == CODEX_ITEM);
        if (i == 0) CHECK(codex_client_respond_error(client, json, -32000, "no") == CODEX_OK);
        if (i == 1) CHECK(codex_client_respond(client, json, NULL) == CODEX_OK);
        codex_string_free(json);
        CHECK(codex_chat_finish(chat, &json) == CODEX_OK && contains(json, "asked"));
        codex_chat_free(chat);
    }
    codex_stream_free(stream);
    codex_client_free(other);
    codex_client_free(client);
}

struct asked {
    codex_client *client;
    atomic_int count;
    int is_answered_inside;
    char question[4000];
};

static void on_question(void *user, const char *question) {
    struct asked *asked = user;
    snprintf(asked->question, sizeof asked->question, "%s", question);
    if (asked->is_answered_inside)
        CHECK(codex_client_respond(asked->client, question, "{\"decision\":\"accept\"}") == CODEX_OK);
    atomic_fetch_add(&asked->count, 1);
}

static void a_callback_gets_questions(void) {
    codex_client *client = connect_with("");
    struct asked asked = {client, 0, 1, ""};
    codex_chat *chat = NULL;
    char *json = NULL;
    CHECK(codex_client_on_question(client, on_question, &asked) == CODEX_OK);
    CHECK(codex_client_chat_once(client, "{\"text\":\"ask\"}", &json) == CODEX_OK && contains(json, "asked"));
    /* The turn may be over before the callback has returned. */
    for (int i = 0; i < 30000 && atomic_load(&asked.count) < 1; i++) usleep(1000);
    CHECK(atomic_load(&asked.count) == 1);
    /* Later, from another thread than that of the callback. */
    asked.is_answered_inside = 0;
    CHECK(codex_client_chat(client, "{\"text\":\"ask\"}", &chat) == CODEX_OK);
    for (int i = 0; i < 30000 && atomic_load(&asked.count) < 2; i++) usleep(1000);
    CHECK(codex_client_respond(client, asked.question, "{\"decision\":\"decline\"}") == CODEX_OK);
    CHECK(codex_chat_finish(chat, &json) == CODEX_OK && contains(json, "asked"));
    codex_chat_free(chat);
    /* Without it, what is asked is declined at once again. */
    CHECK(codex_client_on_question(client, NULL, NULL) == CODEX_OK);
    CHECK(codex_client_chat_once(client, "{\"text\":\"ask\"}", &json) == CODEX_OK && contains(json, "asked"));
    CHECK(atomic_load(&asked.count) == 2);
    CHECK(codex_client_on_question(client, on_question, &asked) == CODEX_OK);
    codex_client_free(client);
}

static void threads_and_requests(void) {
    codex_client *client = connect_with("");
    codex_thread *thread = NULL, *fork = NULL, *resumed = NULL;
    codex_chat *chat = NULL, *followed = NULL;
    char *json = NULL;
    CHECK(codex_client_initialize(client, &json) == CODEX_OK && contains(json, "\"raw\""));
    CHECK(codex_client_start_thread(client, NULL, &thread) == CODEX_OK);
    CHECK(codex_thread_info(thread, &json) == CODEX_OK && strstr(json, "\"thread_id\":\"thread-"));
    char id[64];
    CHECK(sscanf(strstr(json, "\"thread_id\":\"") + 13, "%63[^\"]", id) == 1);
    codex_string_free(json);
    CHECK(codex_client_follow(client, id, &followed) == CODEX_OK);
    CHECK(codex_thread_chat_once(thread, "{\"text\":\"one\"}", &json) == CODEX_OK && contains(json, "echo: one"));
    CHECK(codex_chat_next(followed, -1, &json) == CODEX_ITEM);
    codex_string_free(json);
    codex_chat_free(followed);
    CHECK(codex_thread_chat(thread, "{\"text\":\"two\"}", &chat) == CODEX_OK);
    CHECK(codex_chat_finish(chat, &json) == CODEX_OK && contains(json, "echo: two"));
    codex_chat_free(chat);
    CHECK(codex_thread_chat_events(thread, "{\"text\":\"three\"}", &chat) == CODEX_OK);
    CHECK(codex_chat_finish(chat, &json) == CODEX_OK && contains(json, "echo: three"));
    codex_chat_free(chat);
    CHECK(codex_thread_chat_json(thread, "{\"text\":\"json\"}", "{}", &json) == CODEX_OK);
    CHECK(contains(json, "{\"a\":1}"));
    CHECK(codex_thread_token_usage(thread, &json) == CODEX_ITEM && contains(json, "totalTokens"));
    CHECK(codex_thread_set_name(thread, "a name") == CODEX_OK);
    CHECK(codex_thread_read(thread, 1, &json) == CODEX_OK && contains(json, "\"thread\""));
    CHECK(codex_thread_turns(thread, &json) == CODEX_OK && json[0] == '[' && contains(json, "echo: three"));
    CHECK(codex_thread_update_defaults(thread, "{\"model\":\"m\"}") == CODEX_OK);
    CHECK(codex_thread_info(thread, &json) == CODEX_OK && contains(json, "\"model\":\"m\""));
    CHECK(codex_thread_fork(thread, NULL, NULL, &fork) == CODEX_OK);
    CHECK(codex_client_resume_thread(client, id, "{}", &resumed) == CODEX_OK);
    codex_thread_free(resumed);
    codex_thread_free(fork);
    CHECK(codex_client_fork_thread(client, id, NULL, NULL, &fork) == CODEX_OK);
    codex_thread_free(fork);
    CHECK(codex_thread_archive(thread) == CODEX_OK && codex_thread_unarchive(thread) == CODEX_OK);
    CHECK(codex_client_list_threads(client, "{\"limit\":5}", &json) == CODEX_OK && contains(json, "\"data\""));
    CHECK(codex_client_list_models(client, NULL, &json) == CODEX_OK && contains(json, "\"data\""));
    CHECK(codex_thread_unload(thread) == CODEX_OK);
    codex_thread_free(thread);
    CHECK(codex_client_request(client, "moon/phase", "{\"a\":1}", &json) == CODEX_ERROR && failed_with("rpc"));
    CHECK(codex_client_request_with_timeout(client, "model/list", NULL, -1, &json) == CODEX_OK);
    CHECK(contains(json, "\"data\""));
    CHECK(codex_client_notify(client, "moon/rises", NULL) == CODEX_OK);
    CHECK(codex_client_stats(client, &json) == CODEX_OK && contains(json, "\"frames\":"));
    CHECK(codex_client_info(client, &json) == CODEX_OK && contains(json, "\"server_url\":\"ws://"));
    CHECK(codex_client_ended(client, &json) == CODEX_OK && json == NULL);
    CHECK(codex_client_close(client) == CODEX_OK && codex_client_close(client) == CODEX_OK);
    CHECK(codex_client_ended(client, &json) == CODEX_ITEM && contains(json, "\"code\":\"closed\""));
    CHECK(codex_client_chat_once(client, "{\"text\":\"x\"}", &json) == CODEX_ERROR && failed_with("closed"));
    codex_client_free(client);
}

static void commands_run(void) {
    codex_client *client = connect_with("");
    codex_command *command = NULL;
    char *json = NULL;
    unsigned char buffer[2];
    size_t length = 9;
    int32_t stream = 9;
    int status, total = 0;
    CHECK(codex_client_exec(client, "[\"ls\"]", NULL, &json) == CODEX_OK && contains(json, "\"exitCode\":0"));
    CHECK(codex_client_exec_start(client, "[\"ls\"]", "{\"stream_stdin\":true}", &command) == CODEX_OK);
    CHECK(codex_command_info(command, &json) == CODEX_OK && contains(json, "\"process_id\""));
    while ((status = codex_command_read(command, -1, buffer, sizeof buffer, &length, &stream)) == CODEX_ITEM) {
        CHECK(length > 0 && length <= sizeof buffer && stream == 1);
        total += (int)length;
    }
    CHECK(status == CODEX_ENDED && total == 7 && length == 0);
    CHECK(codex_command_next(command, -1, &json) == CODEX_ENDED);
    CHECK(codex_command_wait(command, &json) == CODEX_OK && contains(json, "\"exit_code\":0"));
    CHECK(codex_command_wait(command, &json) == CODEX_ERROR && failed_with("no_longer_pending"));
    CHECK(codex_command_write(command, (const uint8_t *)"x", 1) == CODEX_ERROR && failed_with("no_longer_pending"));
    CHECK(codex_command_terminate(command) == CODEX_OK);
    codex_command_free(command);
    codex_client_free(client);
}

static void accounts(void) {
    codex_client *client = connect_with("");
    char *json = NULL;
    CHECK(codex_client_account(client, &json) == CODEX_OK && contains(json, "\"kind\":\"api_key\""));
    CHECK(codex_client_login_api_key(client, "") == CODEX_INVALID_INPUT);
    codex_client_free(client);
}

int main(int count, char **arguments) {
    if (count != 3) return 2;
    url = arguments[1];
    endless_url = arguments[2];
    CHECK(codex_abi_version() == CODEX_ABI_VERSION);
    steps_of_a_turn_come_one_by_one();
    events_come_in_batches();
    a_failed_turn_gives_its_closing_step_and_then_its_error();
    a_wait_ends_whoever_ends_it();
    a_stream_ends_from_another_thread();
    a_descriptor_is_readable_after_the_end();
    cancel_continue_and_forget();
    a_cancel_that_waits_keeps_nobody();
    a_descriptor_is_readable_while_there_is_something();
    callbacks_come_and_end();
    freeing_waits_for_a_callback();
    questions_wait_for_an_answer_by_hand();
    a_callback_gets_questions();
    threads_and_requests();
    commands_run();
    accounts();
    CHECK(codex_open_count() == 0);
    puts("all well");
    return 0;
}
