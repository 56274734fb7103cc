/* Whatever is wrong with a call gives a status, not a crash. */

#define _DEFAULT_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static codex_client *scripted(void) {
    codex_client *client = NULL;
    CHECK(codex_client_connect("{\"transport\":\"scripted\"}", &client) == CODEX_OK);
    return client;
}

static void options_are_checked(void) {
    codex_client *client = (codex_client *)1;
    CHECK(codex_client_connect(NULL, &client) == CODEX_INVALID_INPUT && client == NULL);
    CHECK(codex_client_connect("{\"transport\":\"scripted\"}", NULL) == CODEX_INVALID_INPUT);
    CHECK(codex_client_connect("", &client) == CODEX_INVALID_INPUT && failed_with("invalid_input"));
    CHECK(codex_client_connect("[]", &client) == CODEX_INVALID_INPUT);
    CHECK(codex_client_connect("{\"transport\":\"moon\"}", &client) == CODEX_INVALID_INPUT);
    CHECK(codex_client_connect("{\"transport\":\"scripted\"", &client) == CODEX_INVALID_INPUT);
    CHECK(codex_client_connect("{\"transport\":\"scripted\",\"x\":\"\xff\"}", &client) == CODEX_INVALID_INPUT);
    CHECK(strstr(codex_last_error(), "UTF-8") != NULL);
    CHECK(codex_client_connect("{\"transport\":\"scripted\",\"moon\":1}", &client) == CODEX_INVALID_INPUT);
    CHECK(strstr(codex_last_error(), "unknown field `moon`") && strstr(codex_last_error(), "`request_timeout_ms`"));
    CHECK(codex_client_connect("{\"transport\":\"scripted\",\"command\":[\"x\"]}", &client) == CODEX_INVALID_INPUT);
    CHECK(strstr(codex_last_error(), "`command`") != NULL);
    CHECK(codex_client_connect("{\"transport\":\"scripted\",\"replay\":\"/nonexistent\"}", &client) < 0);
    CHECK(codex_client_connect("{\"command\":[\"/nonexistent\"]}", &client) == CODEX_ERROR && client == NULL);
    CHECK(failed_with("transport"));
}

static void an_error_names_the_option_and_shows_no_secret(void) {
    static const char *const wrong[][2] = {
        {"{\"transport\": \"websocket\", \"headers\": \"Bearer s3cret\"}", "`headers`: "},
        {"{\"env\": \"KEY=s3cret\"}", "`env`: "},
        {"{\"env\": {\"KEY\": [\"s3cret\"]}}", "`env.KEY`: "},
        {"{\"transport\": \"websocket\", \"client_certificate\": \"s3cret\"}", "`client_certificate`: "},
        {"{\"connect_timeout_ms\": -1}", "`connect_timeout_ms`: "},
        {"{\"record\": {\"path\": \"x\", \"mask\": true}}", "`record.mask`: "},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        codex_client *client = NULL;
        CHECK(codex_client_connect(wrong[i][0], &client) == CODEX_INVALID_INPUT);
        CHECK(strstr(codex_last_error(), wrong[i][1]) && !strstr(codex_last_error(), "s3cret"));
    }
}

static void a_recording_can_be_replayed_and_recorded_into_its_file(void) {
    char path[] = "/tmp/codex-blocking-XXXXXX", options[200];
    int file = mkstemp(path);
    CHECK(file >= 0 && close(file) == 0);
    for (int i = 0; i < 2; i++) {
        codex_client *client, *other = NULL;
        char *json, part[100];
        snprintf(part, sizeof part, "\"replay\": \"%s\", ", path);
        snprintf(options, sizeof options, "{\"transport\": \"scripted\", %s\"record\": {\"path\": \"%s\"}}", i == 0 ? "" : part, path);
        CHECK(codex_client_connect(options, &client) == CODEX_OK);
        CHECK(codex_client_chat_once(client, "{\"text\": \"hello\"}", &json) == CODEX_OK && contains(json, "echo: hello"));
        snprintf(options, sizeof options, "{\"transport\": \"scripted\", \"record\": {\"path\": \"%s\"}}", path);
        CHECK(codex_client_connect(options, &other) == CODEX_INVALID_INPUT && strstr(codex_last_error(), "another recorder"));
        CHECK(codex_client_close(client) == CODEX_OK);
        codex_client_free(client);
    }
    CHECK(unlink(path) == 0);
}

static void handles_are_checked(void) {
    codex_client *client = scripted(), *freed = scripted();
    codex_chat *chat = NULL;
    codex_stream *stream = (codex_stream *)1;
    char *json = (char *)1;
    codex_client_free(freed);
    CHECK(codex_client_stats(NULL, &json) == CODEX_INVALID_HANDLE && json == NULL && failed_with("invalid_handle"));
    CHECK(codex_client_stats(freed, &json) == CODEX_INVALID_HANDLE && strstr(codex_last_error(), "freed"));
    CHECK(codex_client_notifications(freed, &stream) == CODEX_INVALID_HANDLE && stream == NULL);
    codex_client_free(freed);
    CHECK(failed_with("invalid_handle"));
    CHECK(codex_client_chat(client, "{\"text\":\"x\"}", &chat) == CODEX_OK);
    CHECK(codex_client_close((codex_client *)chat) == CODEX_INVALID_HANDLE);
    CHECK(strstr(codex_last_error(), "a codex_chat was given where a codex_client is expected") != NULL);
    CHECK(codex_chat_finish((codex_chat *)client, &json) == CODEX_INVALID_HANDLE);
    codex_chat_free((codex_chat *)client);
    CHECK(failed_with("invalid_handle"));
    CHECK(codex_client_stats(client, NULL) == CODEX_INVALID_INPUT);
    CHECK(codex_client_request(client, NULL, NULL, &json) == CODEX_INVALID_INPUT);
    CHECK(codex_client_request(client, "\xc3\x28", NULL, &json) == CODEX_INVALID_INPUT);
    CHECK(codex_client_request(client, "x", "{", &json) == CODEX_INVALID_INPUT);
    CHECK(codex_client_chat_once(client, "{\"txt\":\"x\"}", &json) == CODEX_INVALID_INPUT);
    CHECK(codex_chat_next_batch(chat, 0, 0, &json) == CODEX_INVALID_INPUT);
    CHECK(codex_chat_steer(chat, NULL) == CODEX_INVALID_INPUT);
    /* What is no handle at all. */
    uintptr_t bits = (uintptr_t)client;
    for (unsigned i = 0; i < sizeof bits * 8; i++) {
        codex_client *odd = (codex_client *)(bits ^ (uintptr_t)1 << i);
        CHECK(codex_client_stats(odd, &json) == CODEX_INVALID_HANDLE && json == NULL);
    }
    CHECK(codex_client_stats((codex_client *)&bits, &json) == CODEX_INVALID_HANDLE);
    CHECK(codex_client_stats((codex_client *)UINTPTR_MAX, &json) == CODEX_INVALID_HANDLE);
    codex_chat_free(chat);
    codex_client_free(client);
    codex_client_free(NULL);
    codex_chat_free(NULL);
}

static void a_freed_handle_is_told_for_long(void) {
    codex_transcript *first = NULL, *other = NULL;
    char *json = NULL;
    CHECK(codex_transcript_new(&first) == CODEX_OK);
    codex_transcript_free(first);
    for (int i = 0; i < 20000; i++) {
        CHECK(codex_transcript_new(&other) == CODEX_OK && other != first);
        CHECK(codex_transcript_json(first, &json) == CODEX_INVALID_HANDLE);
        codex_transcript_free(other);
    }
}

static void strings_are_checked(void) {
    codex_client *client = scripted();
    char *json = NULL, own[] = "own";
    CHECK(codex_client_stats(client, &json) == CODEX_OK);
    codex_string_free(json);
    CHECK(codex_last_error() == NULL);
    codex_string_free(json);
    CHECK(failed_with("invalid_handle"));
    codex_string_free(own);
    codex_string_free((char *)(uintptr_t)codex_version());
    CHECK(strcmp(own, "own") == 0 && failed_with("invalid_handle"));
    codex_string_free(NULL);
    codex_client_free(client);
}

static void *fail_here(void *unused) {
    (void)unused;
    CHECK(codex_last_error() == NULL);
    CHECK(codex_client_close(NULL) == CODEX_INVALID_HANDLE && failed_with("invalid_handle"));
    return NULL;
}

static void an_error_belongs_to_its_thread(void) {
    pthread_t thread;
    codex_client *client = NULL;
    CHECK(codex_client_connect("{}x", &client) == CODEX_INVALID_INPUT);
    CHECK(pthread_create(&thread, NULL, fail_here, NULL) == 0);
    pthread_join(thread, NULL);
    CHECK(failed_with("invalid_input"));
    client = scripted();
    CHECK(codex_last_error() == NULL);
    codex_client_free(client);
}

static codex_chat *shared;

static void *use_it(void *unused) {
    (void)unused;
    for (int i = 0; i < 200; i++) {
        char *json = NULL;
        switch (i % 5) {
            case 0: codex_chat_next(shared, 0, &json); break;
            case 1: codex_chat_next_batch(shared, 1, 3, &json); break;
            case 2: codex_chat_fd(shared); break;
            case 3: codex_chat_continuation(shared, &json); break;
            case 4: codex_chat_error(shared, &json); break;
        }
        codex_string_free(json);
    }
    return NULL;
}

static void threads_share_a_handle_that_is_freed(void) {
    codex_client *client = scripted();
    for (int round = 0; round < 20; round++) {
        pthread_t threads[4];
        CHECK(codex_client_chat_events(client, "{\"text\":\"hello\"}", &shared) == CODEX_OK);
        for (int i = 0; i < 4; i++) CHECK(pthread_create(&threads[i], NULL, use_it, NULL) == 0);
        if (round % 2) codex_chat_free(shared);
        for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
        if (round % 2 == 0) codex_chat_free(shared);
    }
    codex_client_free(client);
}

/* With AddressSanitizer a forked process may wait for good for a lock of its allocator, which another thread had. */
#ifdef __SANITIZE_ADDRESS__
enum { CAN_FORK = 0 };
#else
enum { CAN_FORK = 1 };
#endif

static void *keep_busy(void *user) {
    codex_client *client = user;
    char *json = NULL;
    while (codex_client_stats(client, &json) == CODEX_OK) codex_string_free(json);
    return NULL;
}

/* Ends a child whose checks went well in a way that nothing of this process can take part in. */
static void end_well(void) {
    kill(getpid(), SIGKILL);
}

static void await_child(pid_t child) {
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* Threads of the parent hold locks at any moment. */
static void a_fork_gets_errors_for_the_handles_of_its_parent(void) {
    codex_client *client = scripted();
    codex_chat *chat = NULL;
    pthread_t threads[2];
    char *text = NULL;
    CHECK(codex_client_chat(client, "{\"text\":\"x\"}", &chat) == CODEX_OK);
    CHECK(codex_client_stats(client, &text) == CODEX_OK);
    for (int i = 0; i < 2; i++) CHECK(pthread_create(&threads[i], NULL, keep_busy, client) == 0);
    for (int i = 0; i < 20; i++) {
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            char *json = NULL;
            alarm(60);
            CHECK(codex_client_stats(client, &json) == CODEX_ERROR && json == NULL && failed_with("closed"));
            CHECK(codex_chat_next(chat, -1, &json) == CODEX_ERROR);
            codex_chat_free(chat);
            codex_client_free(client);
            codex_string_free(text);
            CHECK(codex_client_close(client) == CODEX_ERROR);
            CHECK(codex_open_count() == 0);
            end_well();
        }
        await_child(child);
    }
    codex_client_free(client);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    codex_string_free(text);
    codex_chat_free(chat);
}

static void a_fork_can_connect_by_itself(void) {
    codex_client *client = scripted(), *own = NULL;
    char *json = NULL;
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(60);
        CHECK(codex_client_connect("{\"transport\":\"scripted\"}", &own) == CODEX_OK);
        CHECK(codex_client_chat_once(own, "{\"text\":\"y\"}", &json) == CODEX_OK && contains(json, "echo: y"));
        codex_client_free(own);
        CHECK(codex_open_count() == 0);
        end_well();
    }
    await_child(child);
    codex_client_free(client);
}

/* A server that is gone before it is written to: SIGPIPE would end this program. */
static void no_signal_is_raised(void) {
    signal(SIGPIPE, SIG_DFL);
    for (int i = 0; i < 20; i++) {
        codex_client *client = NULL;
        char *json = NULL;
        int status = codex_client_connect("{\"command\":[\"/bin/sh\",\"-c\",\"exec <&-; sleep 0.1\"]}", &client);
        if (status == CODEX_OK) {
            CHECK(codex_client_request(client, "x", NULL, &json) == CODEX_ERROR && failed_with("transport"));
            CHECK(codex_client_notify(client, "x", NULL) == CODEX_ERROR);
        }
        codex_client_free(client);
    }
}

static void many_lines(void *user, int32_t level, const char *message) {
    CHECK(level >= 1 && level <= 5 && message != NULL);
    ++*(int *)user;
}

static void the_log_is_told(void) {
    int lines = 0;
    CHECK(codex_on_log(many_lines, &lines, 9) == CODEX_INVALID_INPUT);
    CHECK(codex_on_log(many_lines, &lines, 1) == CODEX_OK);
    codex_client *client = scripted();
    codex_chat *chat = NULL;
    CHECK(codex_client_chat(client, "{\"text\":\"x\"}", &chat) == CODEX_OK);
    CHECK(codex_on_log(NULL, NULL, 0) == CODEX_OK);
    codex_chat_free(chat);
    codex_client_free(client);
}

static atomic_int is_in_log, may_return;

/* The server's own line, which a thread of the library logs; the command has it in another form. */
static void wait_in_log(void *unused, int32_t level, const char *message) {
    (void)unused, (void)level;
    if (strstr(message, "a line of the server") == NULL) return;
    is_in_log = 1;
    while (!may_return) usleep(1000);
}

static void a_fork_does_not_wait_for_the_log_of_its_parent(void) {
    codex_client *client = NULL;
    CHECK(codex_on_log(wait_in_log, NULL, 5) == CODEX_OK);
    CHECK(codex_client_connect("{\"command\":[\"/bin/sh\",\"-c\",\"echo 'a line of'' the server' >&2; cat\"]}", &client) ==
          CODEX_OK);
    while (!is_in_log) usleep(1000);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        codex_client *own = NULL;
        alarm(60);
        CHECK(codex_client_connect("{\"transport\":\"scripted\"}", &own) == CODEX_OK);
        codex_client_free(own);
        CHECK(codex_on_log(NULL, NULL, 0) == CODEX_OK);
        end_well();
    }
    await_child(child);
    may_return = 1;
    CHECK(codex_on_log(NULL, NULL, 0) == CODEX_OK);
    codex_client_free(client);
}

int main(void) {
    CHECK(codex_last_error() == NULL && codex_version() != NULL);
    options_are_checked();
    an_error_names_the_option_and_shows_no_secret();
    a_recording_can_be_replayed_and_recorded_into_its_file();
    handles_are_checked();
    a_freed_handle_is_told_for_long();
    strings_are_checked();
    an_error_belongs_to_its_thread();
    threads_share_a_handle_that_is_freed();
    no_signal_is_raised();
    the_log_is_told();
    if (CAN_FORK) {
        a_fork_gets_errors_for_the_handles_of_its_parent();
        a_fork_can_connect_by_itself();
        a_fork_does_not_wait_for_the_log_of_its_parent();
    }
    CHECK(codex_open_count() == 0);
    puts("all well");
    return 0;
}
