#include "serial/request.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "serial/checksum.h"
#include "serial/options.h"

#define MACRO_SIZE_MAX 48

struct building {
    const struct request_values *values;
    uint8_t *out;
    size_t used;
    char *why;
    size_t why_size;
};

static int refuse(struct building *building, const char *sentence)
{
    snprintf(building->why, building->why_size, "%s", sentence);
    return ERR_INVALID;
}

static int add(struct building *building, const void *bytes, size_t size)
{
    if (size > REQUEST_SIZE_MAX - building->used)
        return refuse(building, "longer than 256 bytes");
    memcpy(building->out + building->used, bytes, size);
    building->used += size;
    return 0;
}

static bool find_choice(const struct option_choice *choices, const char *text, int *value)
{
    for (; choices->text; choices++) {
        if (strcmp(choices->text, text) == 0) {
            *value = choices->value;
            return true;
        }
    }
    return false;
}

/* Splits `text` at blanks, in place. Returns how many words there are, at most `most` + 1. */
static size_t split(char *text, char *words[], size_t most)
{
    size_t count = 0;

    for (char *state = NULL, *word = strtok_r(text, " ", &state); word;
         word = strtok_r(NULL, " ", &state)) {
        if (count == most)
            return most + 1;
        words[count++] = word;
    }
    return count;
}

static int add_checksum(struct building *building, char *macro)
{
    struct checksum checksum = {.form = CHECKSUM_HEX, .mark = ""};
    uint8_t text[CHECKSUM_TEXT_MAX];
    char *words[3], *end = NULL;
    size_t count = split(macro, words, 3);

    if (count < 1 || count > 3 || !find_choice(serial_checksum_kinds, words[0], &checksum.kind) ||
        checksum.kind == CHECKSUM_NONE)
        return refuse(building,
                      "{...} is none of {address}, {1} to {9}, {{ and the checksums, as {xor}, "
                      "{sum8}, {lrc}, {sum7}, {crc16-modbus}, {crc16-x25}, {sdi-12}");
    if (count > 1 && !find_choice(serial_checksum_forms, words[1], &checksum.form))
        return refuse(building, "the form of a checksum is hex, hex-low-first, binary or "
                                "binary-low-first");
    if (count > 2)
        checksum.from = strtoul(words[2], &end, 10);
    if ((end && *end) || checksum.from > building->used)
        return refuse(building, "a checksum begins at one of the bytes before it");
    return add(building, text, checksum_write(&checksum, building->out, building->used, text));
}

static int add_group(struct building *building, size_t group)
{
    const struct request_values *values = building->values;

    if (group >= values->group_count)
        return refuse(building, "{N} needs an answer that was expected before, with a group N");
    return add(building, values->groups[group], strlen(values->groups[group]));
}

/* What stands between the brackets. */
static int add_macro(struct building *building, char *macro)
{
    const struct request_values *values = building->values;

    if (strcmp(macro, "address") == 0 && !values->address)
        return refuse(building, "{address} needs the key \"address\"");
    if (strcmp(macro, "address") == 0)
        return add(building, values->address, strlen(values->address));
    if (macro[0] >= '1' && macro[0] <= '9' && macro[1] == 0)
        return add_group(building, (size_t)(macro[0] - '0'));
    return add_checksum(building, macro);
}

/* From the bracket at *text, which goes behind the closing one. */
static int take_macro(struct building *building, const char **text)
{
    const char *close = strchr(*text, '}');
    char macro[MACRO_SIZE_MAX];
    size_t size;

    if ((*text)[1] == '{') {
        *text += 2;
        return add(building, "{", 1);
    }
    size = close ? (size_t)(close - *text) - 1 : 0;
    if (!close || size >= sizeof(macro))
        return refuse(building, "a { without its }; a bracket itself is written {{");
    memcpy(macro, *text + 1, size);
    macro[size] = 0;
    *text = close + 1;
    return add_macro(building, macro);
}

int request_build(const char *text, const struct request_values *values,
                  uint8_t out[REQUEST_SIZE_MAX], char *why, size_t why_size)
{
    struct building building = {.values = values, .out = out, .why = why, .why_size = why_size};
    int error = 0;

    while (*text && !error) {
        int byte;
        uint8_t raw;

        if (*text == '{') {
            error = take_macro(&building, &text);
            continue;
        }
        byte = serial_parse_byte(&text);
        if (byte < 0)
            return refuse(&building,
                          "a backslash begins \\r, \\n, \\t, \\\\ or \\xHH, written with "
                          "two backslashes");
        raw = (uint8_t)byte;
        error = add(&building, &raw, 1);
    }
    return error ? error : (int)building.used;
}
