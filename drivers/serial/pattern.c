#include "serial/pattern.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"

#define ADDRESS_MACRO "{address}"
#define EXPANDED_MAX  1024
#define BYTE_MAX      16383 /* the last that a line can have */

struct pattern {
    bool is_byte;
    regex_t regex;
    size_t at;
    unsigned mask, wanted;
    bool any; /* any bit of the mask will do */
};

/* Only letters and digits are allowed in an address, so nothing in it means anything to regcomp. */
static bool expand(const char *text, const char *address, char out[EXPANDED_MAX])
{
    size_t used = 0;

    while (*text) {
        const char *piece = text;
        size_t size = 1;

        if (strncmp(text, ADDRESS_MACRO, strlen(ADDRESS_MACRO)) == 0) {
            piece = address ? address : "";
            size = strlen(piece);
            text += strlen(ADDRESS_MACRO);
        } else {
            text++;
        }
        if (used + size >= EXPANDED_MAX)
            return false;
        memcpy(out + used, piece, size);
        used += size;
    }
    out[used] = 0;
    return true;
}

static bool is_byte_condition(const char *text)
{
    return strncmp(text, "byte ", 5) == 0 && text[5] >= '0' && text[5] <= '9';
}

/* Reads a number of at most `maximum`, decimal or 0x..., and what follows it. */
static bool take_number(const char **text, unsigned long maximum, const char *follow,
                        unsigned long *number)
{
    char *end;

    if (**text < '0' || **text > '9')
        return false;
    *number = strtoul(*text, &end, 0);
    if (*number > maximum || strncmp(end, follow, strlen(follow)) != 0)
        return false;
    *text = end + strlen(follow);
    return true;
}

static int compile_byte(struct pattern *pattern, const char *text, char *why, size_t why_size)
{
    unsigned long at, mask, wanted = 0;
    const char *rest = text + 5, *before;
    bool good = take_number(&rest, BYTE_MAX, " & ", &at);

    before = rest;
    if (good && take_number(&rest, 0xFF, " = ", &mask)) {
        good = take_number(&rest, 0xFF, "", &wanted);
    } else if (good) {
        rest = before;
        pattern->any = true;
        good = take_number(&rest, 0xFF, "", &mask);
    }
    if (!good || *rest || mask == 0 || (wanted & ~mask) != 0) {
        snprintf(why, why_size,
                 "a condition on a byte is \"byte N & MASK\" or \"byte N & MASK = VALUE\", as "
                 "\"byte 2 & 0x08\"; MASK is 1 to 255 and has each bit of VALUE");
        return ERR_INVALID;
    }
    pattern->is_byte = true;
    pattern->at = at;
    pattern->mask = (unsigned)mask;
    pattern->wanted = (unsigned)wanted;
    return 0;
}

static int compile_regex(struct pattern *pattern, const char *text, const char *address, char *why,
                         size_t why_size)
{
    char expanded[EXPANDED_MAX];
    int error;

    if (!expand(text, address, expanded)) {
        snprintf(why, why_size, "longer than %d bytes", EXPANDED_MAX - 1);
        return ERR_INVALID;
    }
    error = regcomp(&pattern->regex, expanded, REG_EXTENDED);
    if (!error)
        return 0;
    regerror(error, &pattern->regex, why, why_size);
    return error == REG_ESPACE ? ERR_NOMEM : ERR_INVALID;
}

int pattern_compile(struct pattern **pattern, const char *text, const char *address, char *why,
                    size_t why_size)
{
    struct pattern *made = calloc(1, sizeof(*made));
    int error;

    *pattern = NULL;
    if (!made)
        return ERR_NOMEM;
    error = is_byte_condition(text) ? compile_byte(made, text, why, why_size)
                                    : compile_regex(made, text, address, why, why_size);
    if (error) {
        free(made);
        return error;
    }
    *pattern = made;
    return 0;
}

void pattern_free(struct pattern *pattern)
{
    if (!pattern)
        return;
    if (!pattern->is_byte)
        regfree(&pattern->regex);
    free(pattern);
}

static bool byte_holds(const struct pattern *pattern, const char *line, size_t size)
{
    unsigned bits;

    if (pattern->at >= size)
        return false;
    bits = (uint8_t)line[pattern->at] & pattern->mask;
    return pattern->any ? bits != 0 : bits == pattern->wanted;
}

bool pattern_match(const struct pattern *pattern, const char *line, size_t size,
                   regmatch_t groups[PATTERN_GROUPS_MAX])
{
    if (pattern->is_byte) {
        for (size_t i = 0; i < PATTERN_GROUPS_MAX; i++)
            groups[i] = (regmatch_t){-1, -1};
        groups[0] = (regmatch_t){0, (regoff_t)size};
        return byte_holds(pattern, line, size);
    }
    /* The C library's own: the length counts, not a terminating zero. */
    groups[0] = (regmatch_t){0, (regoff_t)size};
    return regexec(&pattern->regex, line, PATTERN_GROUPS_MAX, groups, REG_STARTEND) == 0;
}

bool pattern_matches(const struct pattern *pattern, const char *line, size_t size)
{
    regmatch_t whole = {0, (regoff_t)size};

    if (pattern->is_byte)
        return byte_holds(pattern, line, size);
    return regexec(&pattern->regex, line, 0, &whole, REG_STARTEND) == 0;
}

size_t pattern_groups(const struct pattern *pattern)
{
    return pattern->is_byte ? 0 : pattern->regex.re_nsub;
}
