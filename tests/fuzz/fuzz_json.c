/*
 * Any bytes as a configuration file: what comes out is a whole tree or a told error, and every
 * text, path and place in the tree is sound.
 */
#include <stdlib.h>
#include <string.h>

#include "config/json.h"
#include "core/error.h"
#include "fuzz/fuzz.h"

static const char *const seeds[] = {
    "{\"a\": [1, -2.5e3, true, null, \"x\\u00e9\\ud83d\\ude00\"], // c\n"
    " \"b\": {\"c\": {}}, /* d */ \"e\": 9007199254740993, }",
    "[[[[{\"k\":\"\\\\\\\"\"}]]], 'single', word, 0x1F, 007, \"\xc3\xbc\xe2\x82\xac\"]",
    "\xef\xbb\xbf{ \"version\": 1, \"gateway\": { \"id\": \"g\" }, \"buses\": [ {}, {} ], \"a\" 1 "
    "\"a\": 2 }",
};

static void require(int truth)
{
    if (!truth)
        abort();
}

static void count_told(void *context, struct json_place at, const char *sentence)
{
    require(at.line >= 1 && at.column >= 1 && *sentence);
    ++*(unsigned *)context;
}

static void walk(const struct json *value, unsigned depth)
{
    char path[32], found[32];
    unsigned count = 0;
    int64_t integer;
    require(depth <= JSON_DEPTH_MAX && value->at.line >= 1 && value->at.column >= 1);
    json_path(value, path, sizeof(path));
    json_describe(value, found, sizeof(found));
    require(strlen(path) < sizeof(path) && strlen(found) < sizeof(found));
    if (value->type == JSON_STRING)
        require(strlen(value->text) == value->size);
    json_integer(value, &integer);
    for (const struct json *item = value->first; item; item = item->next, count++) {
        require(item->parent == value && (item->key != NULL) == (value->type == JSON_OBJECT));
        require(!item->key || json_find(value, item->key) != NULL);
        walk(item, depth + 1);
    }
    require(count == value->count);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena *arena;
    struct json *root;
    unsigned told = 0;
    if (arena_open(&arena) != 0)
        return 0;
    int error = json_read(&root, arena, (const char *)data, size, count_told, &told);
    require(error == 0 || error == ERR_INVALID || error == ERR_NOMEM);
    require((error == 0) == (root != NULL));
    require(error != ERR_INVALID || told > 0);
    if (root)
        walk(root, 0);
    arena_close(arena);
    return 0;
}

size_t fuzz_seed(uint64_t random, uint8_t *out, size_t room)
{
    const char *seed = seeds[random % (sizeof(seeds) / sizeof(seeds[0]))];
    size_t size = strlen(seed) < room ? strlen(seed) : room;
    memcpy(out, seed, size);
    return size;
}
