/* The real server, whose model is a stub. Argument: the options to connect with, in manual mode. */

#define _DEFAULT_SOURCE
#include <pthread.h>
#include <unistd.h>

#include "check.h"

static void a_turn_is_read(codex_client *client) {
    codex_chat *chat = NULL;
    codex_transcript *transcript = NULL;
    char *json = NULL;
    int status, deltas = 0;
    CHECK(codex_client_chat_once(client, "{\"text\":\"hello\"}", &json) == CODEX_OK && contains(json, "echo: hello"));
    CHECK(codex_client_chat_events(client, "{\"text\":\"flood 500\"}", &chat) == CODEX_OK);
    CHECK(codex_transcript_new(&transcript) == CODEX_OK);
    while ((status = codex_chat_next(chat, -1, &json)) == CODEX_ITEM) {
        deltas += strstr(json, "\"type\":\"text_delta\"") != NULL;
        CHECK(codex_transcript_apply(transcript, json) == CODEX_OK);
        codex_string_free(json);
    }
    CHECK(status == CODEX_ENDED && deltas >= 500);
    CHECK(codex_transcript_json(transcript, &json) == CODEX_OK && contains(json, "\"status\":\"completed\""));
    CHECK(codex_chat_finish(chat, &json) == CODEX_OK);
    codex_string_free(json);
    codex_transcript_free(transcript);
    codex_chat_free(chat);
}

static void a_command_of_the_agent_is_approved(codex_client *client) {
    codex_chat *chat = NULL;
    codex_stream *stream = NULL;
    char *question = NULL, *json = NULL;
    CHECK(codex_client_questions(client, &stream) == CODEX_OK);
    CHECK(codex_client_chat(client, "{\"text\":\"escalate echo it ran\"}", &chat) == CODEX_OK);
    CHECK(codex_stream_next(stream, 60000, &question) == CODEX_ITEM && strstr(question, "echo it ran"));
    CHECK(codex_client_respond(client, question, "{\"decision\":\"accept\"}") == CODEX_OK);
    CHECK(codex_chat_finish(chat, &json) == CODEX_OK);
    codex_string_free(json);
    codex_string_free(question);
    codex_stream_free(stream);
    codex_chat_free(chat);
}

static void threads_are_kept(codex_client *client) {
    codex_thread *thread = NULL, *fork = NULL;
    codex_chat *chat = NULL;
    char *json = NULL, *token = NULL;
    char request[1000];
    CHECK(codex_client_start_thread(client, "{\"sandbox\":\"read-only\"}", &thread) == CODEX_OK);
    CHECK(codex_thread_chat_once(thread, "{\"text\":\"one\"}", &json) == CODEX_OK && contains(json, "echo: one"));
    CHECK(codex_thread_chat_once(thread, "{\"text\":\"two\"}", &json) == CODEX_OK && contains(json, "echo: two"));
    CHECK(codex_thread_set_name(thread, "a name") == CODEX_OK);
    CHECK(codex_thread_info(thread, &json) == CODEX_OK && contains(json, "\"sandbox\""));
    CHECK(codex_thread_turns(thread, &json) == CODEX_OK && contains(json, "echo: two"));
    CHECK(codex_thread_fork(thread, NULL, NULL, &fork) == CODEX_OK);
    codex_thread_free(fork);
    CHECK(codex_thread_rollback(thread, 1, &json) == CODEX_OK && contains(json, "\"thread\""));
    CHECK(codex_thread_compact(thread) == CODEX_OK);
    CHECK(codex_thread_chat(thread, "{\"text\":\"hang\"}", &chat) == CODEX_OK);
    CHECK(codex_chat_continuation(chat, &token) == CODEX_OK);
    codex_chat_free(chat);
    snprintf(request, sizeof request, "{\"continuation\":%s}", token);
    CHECK(codex_client_chat(client, request, &chat) == CODEX_OK);
    CHECK(codex_chat_cancel(chat, &json) == CODEX_OK && contains(json, "\"was_interrupted\":true"));
    codex_chat_free(chat);
    codex_string_free(token);
    CHECK(codex_thread_unload(thread) == CODEX_OK);
    codex_thread_free(thread);
    CHECK(codex_client_list_threads(client, NULL, &json) == CODEX_OK && contains(json, "a name"));
}

static void *wait_for_it(void *command) {
    char *json = NULL;
    int status = codex_command_wait(command, &json);
    codex_string_free(json);
    return (void *)(intptr_t)status;
}

static void commands_stream(codex_client *client) {
    codex_command *command = NULL;
    char *json = NULL;
    uint8_t buffer[64];
    size_t length = 0;
    int32_t stream = 0;
    pthread_t thread;
    CHECK(codex_client_exec(client, "[\"echo\",\"hi\"]", NULL, &json) == CODEX_OK && contains(json, "hi\\n"));
    CHECK(codex_client_exec_start(client, "[\"cat\"]", "{\"stream_stdin\":true}", &command) == CODEX_OK);
    CHECK(codex_command_write(command, (const uint8_t *)"a\0b", 3) == CODEX_OK);
    CHECK(codex_command_read(command, 60000, buffer, sizeof buffer, &length, &stream) == CODEX_ITEM);
    CHECK(length == 3 && memcmp(buffer, "a\0b", 3) == 0 && stream == 1);
    CHECK(codex_command_fd(command) >= 0);
    CHECK(codex_command_close_stdin(command) == CODEX_OK);
    CHECK(codex_command_wait(command, &json) == CODEX_OK && contains(json, "\"exit_code\":0"));
    codex_command_free(command);
    /* Freed by one thread while another waits. */
    for (int i = 0; i < 3; i++) {
        void *status = NULL;
        CHECK(codex_client_exec_start(client, "[\"sleep\",\"60\"]", "{\"timeout_ms\":70000}", &command) == CODEX_OK);
        CHECK(pthread_create(&thread, NULL, wait_for_it, command) == 0);
        usleep(200000);
        if (i == 0) CHECK(codex_command_terminate(command) == CODEX_OK);
        if (i == 1) codex_command_free(command);
        if (i == 2) CHECK(codex_command_end(command) == CODEX_OK);
        pthread_join(thread, &status);
        if (i != 1) codex_command_free(command);
    }
}

int main(int count, char **arguments) {
    codex_client *client = NULL;
    char *json = NULL;
    if (count != 2) return 2;
    CHECK(codex_client_connect(arguments[1], &client) == CODEX_OK);
    CHECK(codex_client_info(client, &json) == CODEX_OK && contains(json, "\"server_pid\":"));
    a_turn_is_read(client);
    a_command_of_the_agent_is_approved(client);
    threads_are_kept(client);
    commands_stream(client);
    CHECK(codex_client_close(client) == CODEX_OK);
    codex_client_free(client);
    CHECK(codex_open_count() == 0);
    puts("all well");
    return 0;
}
