#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/json.h"
#include "config/utf8.h"

const struct json *json_find(const struct json *object, const char *key)
{
    if (!object || object->type != JSON_OBJECT)
        return NULL;
    for (const struct json *item = object->first; item; item = item->next)
        if (strcmp(item->key, key) == 0)
            return item;
    return NULL;
}

void json_doubt(const struct json *value)
{
    /* The tree is made of plain memory, and const so that nobody else changes it. */
    ((struct json *)value)->doubtful = true;
    if (value->parent && value->parent->type == JSON_LIST && value->type != JSON_OBJECT)
        json_doubt(value->parent);
}

bool json_sound(const struct json *value)
{
    return value->type != JSON_BAD && !value->doubtful;
}

bool json_integer(const struct json *value, int64_t *integer)
{
    if (value->type != JSON_NUMBER)
        return false;
    char *rest;
    errno = 0;
    *integer = strtoimax(value->text, &rest, 10);
    if (*rest == '\0')
        return errno == 0;
    /* 1e3 and 5.0 are whole numbers, too; up to 2^53 a double holds them exactly. */
    if (value->number < -0x1p53 || value->number > 0x1p53)
        return false;
    *integer = (int64_t)value->number;
    return (double)*integer == value->number;
}

/* Appends at *at without overrunning. */
static void append(char *out, size_t size, size_t *at, const char *text)
{
    int wrote = snprintf(out + *at, size - *at, "%s", text);
    *at += wrote < 0 ? 0 : (size_t)wrote < size - *at ? (size_t)wrote : size - *at - 1;
}

void json_path(const struct json *value, char *out, size_t size)
{
    const struct json *steps[JSON_DEPTH_MAX + 1];
    size_t count = 0, at = 0;
    out[0] = '\0';
    for (; value && value->parent && count < JSON_DEPTH_MAX + 1; value = value->parent)
        steps[count++] = value;
    while (count-- > 0) {
        const struct json *step = steps[count];
        if (step->key) {
            append(out, size, &at, at > 0 ? "." : "");
            append(out, size, &at, step->key);
            continue;
        }
        unsigned index = 0;
        char text[16];
        for (const struct json *item = step->parent->first; item != step; item = item->next)
            index++;
        snprintf(text, sizeof(text), "[%u]", index);
        append(out, size, &at, text);
    }
    utf8_cut(out);
}

void json_describe(const struct json *value, char *out, size_t size)
{
    switch (value->type) {
    case JSON_BAD:
    case JSON_NULL:
        snprintf(out, size, "null");
        break;
    case JSON_BOOL:
        snprintf(out, size, "%s", value->truth ? "true" : "false");
        break;
    case JSON_NUMBER:
        snprintf(out, size, "the number %s", value->text);
        break;
    case JSON_STRING:
        snprintf(out, size, value->size > 60 ? "\"%.60s...\"" : "\"%.60s\"", value->text);
        break;
    case JSON_LIST:
        snprintf(out, size, "a list");
        break;
    case JSON_OBJECT:
        snprintf(out, size, "an object");
        break;
    }
    utf8_cut(out);
}
