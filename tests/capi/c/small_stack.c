/*
 * Calls on a thread whose stack is as small as the guide allows, with JSON that is nested as deeply as it can be and much
 * deeper. Argument: the URL of a scripted server.
 */

#include <pthread.h>

#include "check.h"

/* What a build without optimization needs; the guide has the size for one with it. */
enum { STACK = 512 * 1024, DEEPEST = 126, TOO_DEEP = 100000 };

static char options[300];

/* A list in a list in a list, between two texts. */
static char *nested(const char *before, int levels, const char *after) {
    size_t start = strlen(before), end = strlen(after);
    char *json = malloc(start + 2 * (size_t)levels + end + 1);
    memcpy(json, before, start);
    memset(json + start, '[', (size_t)levels);
    memset(json + start + levels, ']', (size_t)levels);
    memcpy(json + start + 2 * levels, after, end + 1);
    return json;
}

static void deep(codex_client *client, codex_thread *thread, int levels) {
    char *json = NULL, *bare = nested("", levels, "");
    codex_client_request(client, "none/such", bare, &json);
    codex_string_free(json);
    codex_client_chat_json(client, "{\"text\": \"json\"}", bare, &json);
    codex_string_free(json);
    free(bare);

    char *config = nested("{\"config\": {\"key\": ", levels - 2, "}}");
    codex_thread_update_defaults(thread, config);
    free(config);

    char *server = nested("{\"command\": [\"/no/such/program\"], \"config\": {\"key\": ", levels - 2, "}}");
    codex_client *other = NULL;
    CHECK(codex_client_connect(server, &other) < 0 && other == NULL);
    free(server);

    char *turns = nested("[{\"id\": \"t\", \"status\": \"completed\", \"items\": [{\"type\": \"new\", \"deep\": ", levels - 4, "}]}]");
    codex_transcript *transcript = NULL;
    codex_transcript_from_turns(turns, &transcript);
    codex_transcript_free(transcript);
    free(turns);
}

static void *work(void *unused) {
    codex_client *client;
    CHECK(codex_client_connect(options, &client) == CODEX_OK);
    char *json;
    CHECK(codex_client_chat_once(client, "{\"text\": \"hello\"}", &json) == CODEX_OK && contains(json, "echo"));
    codex_chat *chat;
    CHECK(codex_client_chat_events(client, "{\"text\": \"many\"}", &chat) == CODEX_OK);
    while (codex_chat_next(chat, -1, &json) == CODEX_ITEM) codex_string_free(json);
    CHECK(codex_chat_finish(chat, &json) == CODEX_OK && contains(json, "xxx"));
    codex_chat_free(chat);
    codex_thread *thread;
    CHECK(codex_client_start_thread(client, NULL, &thread) == CODEX_OK);
    deep(client, thread, DEEPEST);
    deep(client, thread, TOO_DEEP);
    codex_thread_free(thread);
    codex_client_free(client);
    return unused;
}

int main(int count, char **arguments) {
    if (count != 2) return 2;
    snprintf(options, sizeof options, "{\"transport\": \"websocket\", \"url\": \"%s\"}", arguments[1]);
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, STACK) == 0);
    CHECK(pthread_create(&thread, &attributes, work, NULL) == 0 && pthread_join(thread, NULL) == 0);
    CHECK(codex_open_count() == 0);
    puts("all well");
    return 0;
}
