/* What the programs of these tests share: checks that say where they failed. */

#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "codex_blocking.h"

#define CHECK(condition)                                                                                      \
    do {                                                                                                      \
        if (!(condition)) {                                                                                   \
            const char *error = codex_last_error();                                                           \
            fprintf(stderr, "%s:%d: not so: %s\n  last error: %s\n", __FILE__, __LINE__, #condition,          \
                    error ? error : "none");                                                                  \
            exit(1);                                                                                          \
        }                                                                                                     \
    } while (0)

/* Whether the last call failed with an error of this code. */
static inline int failed_with(const char *code) {
    const char *error = codex_last_error();
    char wanted[64];
    snprintf(wanted, sizeof wanted, "\"code\":\"%s\"", code);
    return error != NULL && strstr(error, wanted) != NULL;
}

/* Whether a result contains a text. Frees it. */
static inline int contains(char *json, const char *text) {
    int found = json != NULL && strstr(json, text) != NULL;
    if (!found) fprintf(stderr, "not in %s: %s\n", json ? json : "NULL", text);
    codex_string_free(json);
    return found;
}

/* The only item of an array of JSON, in place. */
static inline char *only_item(char *array) {
    size_t length = strlen(array);
    array[length - 1] = 0;
    return array + 1;
}

#endif
