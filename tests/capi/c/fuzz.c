/*
 * Calls random functions with random arguments, from several threads, for so many seconds, with this seed. The calls
 * are in fuzz_calls.h, which the test writes from the header.
 */

#define _DEFAULT_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum { KINDS = 7, KEPT = 1 << 16, TEXTS = 64, THREADS = 4 };

/* Every handle that ever was, live or freed. */
static _Atomic(void *) handles[KEPT];
static atomic_uint made;
/* Copies of results, to be given back as arguments. */
static char *texts[TEXTS];
static pthread_mutex_t texts_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int is_over;
static atomic_ullong calls, successes;

static _Thread_local uint64_t state;
static _Thread_local int depth;
static _Thread_local char scratch[4][65536];
static _Thread_local unsigned turn;

static uint32_t random_below(uint32_t limit) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32) % limit;
}

static const char *const FIXED[] = {
    "{\"text\":\"hello\"}", "{\"text\":\"hang\"}", "{\"text\":\"\"}", "{\"text\":\"x\",\"thread_id\":\"thread-1\"}",
    "{\"transport\":\"scripted\",\"request_timeout_ms\":300,\"inactivity_timeout_ms\":300}",
    "{\"transport\":\"scripted\",\"request_timeout_ms\":300,\"inactivity_timeout_ms\":300,\"approval_mode\":\"manual\","
    "\"experimental_api\":true}",
    "{\"transport\":\"stdio\",\"command\":[\"/bin/cat\"],\"request_timeout_ms\":200,\"inactivity_timeout_ms\":200}",
    "{}", "[]", "null", "[\"ls\"]", "[\"a\",\"b\"]", "[{\"type\":\"text\",\"text\":\"x\"}]", "{\"limit\":3}",
    "{\"type\":\"object\"}", "{\"type\":\"uncommittedChanges\"}", "inline", "thread-1", "thread-2", "turn-1", "turn-2",
    "model/list", "thread/start", "moon/phase", "{\"decision\":\"accept\"}", "{\"model\":\"m\"}", "name",
    "{\"stream_stdin\":true,\"timeout_ms\":100}", "{\"key_path\":\"a\",\"value\":1}", "{\"edits\":[]}",
    "[{\"name\":\"t\",\"description\":\"d\",\"input_schema\":{}}]",
    "{\"type\":\"text_delta\",\"item_id\":\"i\",\"delta\":\"x\"}", "", "\xff\xfe", "{\"text\":", "\"", "{\"a\":1e999}",
};

static const char *random_text(void) {
    char *copy = scratch[turn++ % 4];
    uint32_t choice = random_below(16);
    size_t length;
    if (choice == 0) return NULL;
    if (choice < 11) {
        snprintf(copy, sizeof scratch[0], "%s", FIXED[random_below(sizeof FIXED / sizeof *FIXED)]);
    } else {
        pthread_mutex_lock(&texts_lock);
        const char *kept = texts[random_below(TEXTS)];
        if (choice > 13 && kept) snprintf(copy, sizeof scratch[0], "{\"continuation\":%.60000s}", kept);
        else snprintf(copy, sizeof scratch[0], "%s", kept ? kept : "");
        pthread_mutex_unlock(&texts_lock);
    }
    length = strlen(copy);
    if (length && random_below(8) == 0) copy[random_below((uint32_t)length)] ^= (char)(1 << random_below(8));
    if (length && random_below(16) == 0) copy[random_below((uint32_t)length)] = 0;
    return copy;
}

static void *random_handle(int kind) {
    uint32_t choice = random_below(32);
    uint32_t count = atomic_load(&made);
    if (choice == 0) return NULL;
    if (choice == 1) return (void *)(uintptr_t)(((uint64_t)random_below(UINT32_MAX) << 32) | random_below(UINT32_MAX));
    /* A young one of this kind, most often. */
    for (int i = 0; i < 40 && count; i++) {
        uint32_t back = random_below(i < 30 && count > 60 ? 60 : count);
        uintptr_t handle = (uintptr_t)atomic_load(&handles[(count - 1 - back) % KEPT]);
        if (choice == 2 || (int)(handle >> (sizeof handle * 8 - 8) & 0x7f) == kind) return (void *)handle;
    }
    return NULL;
}

static void keep_handle(void *handle) {
    if (handle) atomic_store(&handles[atomic_fetch_add(&made, 1) % KEPT], handle);
}

static void keep_text(char *text) {
    if (!text) return;
    pthread_mutex_lock(&texts_lock);
    char **place = &texts[random_below(TEXTS)];
    free(*place);
    *place = strlen(text) < 60000 ? strdup(text) : NULL;
    pthread_mutex_unlock(&texts_lock);
    codex_string_free(text);
    if (random_below(64) == 0) codex_string_free(text);
}

static void random_call(void);

static void random_callback(void *user) {
    (void)user;
    if (depth == 0 && random_below(4) == 0) random_call();
}

static void random_on_question(void *user, const char *question) {
    (void)user;
    if (question[0] != '{') abort();
    if (depth == 0 && random_below(4) == 0) random_call();
}

static void random_on_log(void *user, int32_t level, const char *message) {
    (void)user;
    (void)message;
    if (level < 1 || level > 5) abort();
}

#define HANDLE(type, kind) ((type *)random_handle(kind))
#define MAYBE(pointer) (random_below(64) == 0 ? NULL : (pointer))
#define TIMEOUT ((int64_t)random_below(20) - (random_below(40) == 0 ? INT64_MAX : 0))
#define WAIT ((int64_t)random_below(5))
#define NUMBER random_below(random_below(2) ? 4 : UINT32_MAX)

#include "fuzz_calls.h"

static void random_call(void) {
    uint32_t which = random_below(FUZZ_CALLS);
    time_t start = time(NULL);
    depth++;
    int status = fuzz_call(which);
    depth--;
    if (time(NULL) - start > 9) fprintf(stderr, "%s took %ld s\n", FUZZ_NAMES[which], (long)(time(NULL) - start));
    atomic_fetch_add(&calls, 1);
    if (status >= 0) atomic_fetch_add(&successes, 1);
    /* Few enough handles live that those that are picked do. */
    if (random_below(24) == 0) fuzz_free();
    const char *error = codex_last_error();
    if (error && (error[0] != '{' || strstr(error, "\"code\":\"panic\""))) {
        fprintf(stderr, "%s\n", error);
        abort();
    }
}

static void *fuzz(void *seed) {
    state = (uint64_t)(uintptr_t)seed * 0x9e3779b97f4a7c15u | 1;
    while (!atomic_load(&is_over)) random_call();
    return NULL;
}

int main(int count, char **arguments) {
    int seconds = count > 1 ? atoi(arguments[1]) : 10;
    uintptr_t seed = count > 2 ? (uintptr_t)strtoul(arguments[2], NULL, 10) : (uintptr_t)time(NULL);
    pthread_t threads[THREADS];
    /* Not the servers of this machine, which may be real. */
    setenv("CODEX_APP_SERVER_CMD", "/bin/false", 1);
    setenv("CODEX_APP_SERVER_WS_URL", "ws://127.0.0.1:1", 1);
    setenv("CODEX_HOME", "/nonexistent", 1);
    /* A call that hangs ends it. */
    alarm((unsigned)seconds + 120);
    fprintf(stderr, "seed %lu\n", (unsigned long)seed);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, fuzz, (void *)(seed + (uintptr_t)i)) == 0);
    sleep((unsigned)seconds);
    atomic_store(&is_over, 1);
    /* What waits without a limit ends with its connection. */
    for (unsigned i = 0; i < KEPT; i++) codex_client_close((codex_client *)atomic_load(&handles[i]));
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    CHECK(codex_on_log(NULL, NULL, 0) == CODEX_OK);
    depth = 1; /* For callbacks on this thread; those on others may still call. */
    for (int round = 0; round < 2; round++) {
        for (unsigned i = 0; i < KEPT; i++) fuzz_free_any(atomic_load(&handles[i]));
        usleep(300000);
    }
    for (int i = 0; i < TEXTS; i++) free(texts[i]);
    printf("%llu calls, %llu went well, %u handles, %lld left\n", (unsigned long long)calls,
           (unsigned long long)successes, made, (long long)codex_open_count());
    /* What was pushed out of the list is not freed. */
    CHECK(atomic_load(&made) > KEPT || codex_open_count() == 0);
    CHECK(successes > 0);
    return 0;
}
