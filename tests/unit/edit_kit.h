/* What tests of edits begin with: JSON that is read, and an edit of a text by a text. */
#ifndef SLUICE_TEST_EDIT_KIT_H
#define SLUICE_TEST_EDIT_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config/edit.h"
#include "core/error.h"
#include "unit/random.h"

struct read {
    struct arena *arena;
    struct json *root;
    unsigned told;
};

static inline void count_mistake(void *context, struct json_place at, const char *sentence)
{
    (void)at;
    (void)sentence;
    ++*(unsigned *)context;
}

/* To be closed by its arena. */
static inline struct read read_json(const char *text)
{
    struct read read = {0};

    assert_int_equal(arena_open(&read.arena), 0);
    json_read(&read.root, read.arena, text, strlen(text), count_mistake, &read.told);
    return read;
}

/* As edit_text: `edited` is the caller's. */
static inline int edit(const char *edits, const char *text, char **edited, char why[EDIT_WHY_SIZE])
{
    struct read read = read_json(edits);
    size_t size = 0;

    assert_non_null(read.root);
    int error = edit_text(read.root, text, strlen(text), edited, &size, why);
    if (!error)
        assert_int_equal(strlen(*edited), size);
    arena_close(read.arena);
    return error;
}

#endif
