/*
 * Many threads that do everything with the same handles at the same time, and free them meanwhile. Argument: the URL of a
 * scripted server.
 */

#define _DEFAULT_SOURCE
#include <pthread.h>
#include <unistd.h>

#include "check.h"

enum { CHATS = 12, THREADS = 12 };

static codex_client *client;
static int is_over; /* Only with __atomic. */

static int over(void) { return __atomic_load_n(&is_over, __ATOMIC_RELAXED); }

static void count(void *number) { __atomic_add_fetch((int *)number, 1, __ATOMIC_RELAXED); }

static void *next(void *chat) {
    char *json;
    while (codex_chat_next(chat, 50, &json) > 0) codex_string_free(json);
    return NULL;
}

static void *next_batch(void *chat) {
    char *json;
    while (codex_chat_next_batch(chat, 50, 7, &json) > 0) codex_string_free(json);
    return NULL;
}

static void *interrupt(void *chat) {
    codex_chat_request_interrupt(chat);
    codex_chat_steer(chat, "more");
    codex_chat_interrupt(chat);
    return NULL;
}

static void *look(void *chat) {
    char *json;
    if (codex_chat_continuation(chat, &json) == CODEX_OK) codex_client_forget(client, json);
    codex_string_free(json);
    codex_chat_error(chat, &json);
    codex_string_free(json);
    codex_chat_ids(chat, &json);
    codex_string_free(json);
    return NULL;
}

static void *cancel(void *chat) {
    char *json;
    codex_chat_cancel(chat, &json);
    codex_string_free(json);
    return NULL;
}

static void *finish(void *chat) {
    char *json;
    codex_chat_finish(chat, &json);
    codex_string_free(json);
    return NULL;
}

static void *on_ready(void *chat) {
    static int calls;
    for (int i = 0; i < 5; i++) {
        codex_chat_on_ready(chat, count, &calls);
        codex_chat_fd(chat);
    }
    codex_chat_on_ready(chat, NULL, NULL);
    return NULL;
}

static void *end(void *chat) {
    codex_chat_end(chat);
    return NULL;
}

static void *free_it(void *chat) {
    usleep(2000);
    codex_chat_free(chat);
    return NULL;
}

static void *chats(void *unused) {
    static void *(*const all[])(void *) = {next, next_batch, interrupt, look, cancel, finish, on_ready, end, next};
    static const char *const requests[] = {
        "{\"text\": \"many\"}", "{\"text\": \"hang\"}", "{\"text\": \"hello\"}", "{\"text\": \"fail\"}",
    };
    unsigned seed = 7;
    for (int i = 0; i < CHATS; i++) {
        codex_chat *chat;
        CHECK((i % 2 ? codex_client_chat : codex_client_chat_events)(client, requests[i % 4], &chat) == CODEX_OK);
        pthread_t threads[6];
        for (int t = 0; t < 6; t++) {
            seed = seed * 1103515245 + 12345;
            CHECK(pthread_create(&threads[t], NULL, t == 5 ? free_it : all[seed / 65536 % 9], chat) == 0);
        }
        for (int t = 0; t < 6; t++) pthread_join(threads[t], NULL);
    }
    return unused;
}

static void log_line(void *lines, int32_t level, const char *text) {
    if (level > 0 && text != NULL) count(lines);
}

static void *logs(void *unused) {
    static int one, other;
    while (!over()) {
        CHECK(codex_on_log(log_line, &one, 5) == CODEX_OK);
        CHECK(codex_on_log(log_line, &other, 3) == CODEX_OK);
        CHECK(codex_on_log(NULL, NULL, 0) == CODEX_OK);
        usleep(1000);
    }
    return unused;
}

static void answer(void *questions, const char *question) {
    count(questions);
    codex_client_respond(client, question, "{\"decision\": \"accept\"}");
}

static void *questions(void *unused) {
    static int asked;
    while (!over()) {
        codex_client_on_question(client, answer, &asked);
        usleep(1000);
        codex_client_on_question(client, NULL, NULL);
        codex_stream *stream;
        char *json;
        CHECK(codex_client_questions(client, &stream) == CODEX_OK);
        while (codex_stream_next(stream, 5, &json) == CODEX_ITEM) {
            codex_client_respond(client, json, "{\"decision\": \"decline\"}");
            codex_string_free(json);
        }
        codex_stream_free(stream);
    }
    return unused;
}

static void *ask(void *unused) {
    for (int i = 0; i < CHATS; i++) {
        char *json;
        CHECK(codex_client_chat_once(client, "{\"text\": \"ask\"}", &json) == CODEX_OK);
        codex_string_free(json);
    }
    return unused;
}

static void *changes(void *unused) {
    static int one, other;
    while (!over()) {
        codex_client_on_ready(client, count, &one);
        codex_stream *stream;
        CHECK(codex_client_notifications(client, &stream) == CODEX_OK);
        codex_stream_on_ready(stream, count, &other);
        char *json;
        codex_stream_next(stream, 1, &json);
        codex_string_free(json);
        codex_stream_free(stream);
        codex_client_on_ready(client, NULL, NULL);
        CHECK(codex_client_stats(client, &json) == CODEX_OK);
        codex_string_free(json);
    }
    return unused;
}

static void *handles(void *unused) {
    while (!over()) {
        codex_transcript *transcript;
        char *json;
        CHECK(codex_transcript_new(&transcript) == CODEX_OK);
        CHECK(codex_transcript_json(transcript, &json) == CODEX_OK);
        codex_string_free(json);
        codex_transcript_free(transcript);
        usleep(1000);
    }
    return unused;
}

static void *command(void *unused) {
    for (int i = 0; i < CHATS; i++) {
        codex_command *command;
        CHECK(codex_client_exec_start(client, "[\"ls\"]", NULL, &command) == CODEX_OK);
        uint8_t buffer[8];
        size_t length;
        int32_t stream;
        while (codex_command_read(command, 50, buffer, sizeof buffer, &length, &stream) == CODEX_ITEM) {
        }
        codex_command_end(command);
        codex_command_free(command);
    }
    return unused;
}

int main(int number, char **arguments) {
    if (number != 2) return 2;
    char options[300];
    snprintf(options, sizeof options, "{\"transport\": \"websocket\", \"url\": \"%s\", \"approval_timeout_ms\": 60000}",
             arguments[1]);
    for (int round = 0; round < 2; round++) {
        __atomic_store_n(&is_over, 0, __ATOMIC_RELAXED);
        CHECK(codex_client_connect(options, &client) == CODEX_OK);
        static void *(*const all[THREADS])(void *) = {chats, chats, chats, ask,     command, command,
                                                      logs,  questions, changes, changes, handles, handles};
        pthread_t threads[THREADS];
        for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, all[i], NULL) == 0);
        /* The first six come to an end by themselves. */
        for (int i = 0; i < 6; i++) pthread_join(threads[i], NULL);
        __atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
        for (int i = 6; i < THREADS; i++) pthread_join(threads[i], NULL);
        codex_client_free(client);
        CHECK(codex_open_count() == 0);
    }
    puts("all well");
    return 0;
}
