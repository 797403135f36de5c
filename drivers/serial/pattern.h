/*
 * What a line must be like: a POSIX extended regular expression, or a condition on one of its
 * bytes ("byte 2 & 0x08"). Pure; compiled once.
 */
#ifndef SLUICE_SERIAL_PATTERN_H
#define SLUICE_SERIAL_PATTERN_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#define PATTERN_GROUPS_MAX 10 /* 0 to 9, group 0 is the whole match */

struct pattern;

/*
 * Compiles a pattern; each "{address}" in it stands for `address` (NULL: for nothing). A text that
 * begins with "byte " and a digit is a condition on a byte: "byte N & MASK" holds when any bit of
 * the mask is set in byte N, counted from 0; "byte N & MASK = VALUE" when these bits have that
 * value. All else is a regular expression. Returns 0, ERR_NOMEM, or ERR_INVALID with the reason in
 * `why`. pattern_free(NULL) is fine.
 */
int pattern_compile(struct pattern **pattern, const char *text, const char *address, char *why,
                    size_t why_size);
void pattern_free(struct pattern *pattern);

/* Whether the line fits; any bytes, zeros too. Thread-safe, as pattern_match. */
bool pattern_matches(const struct pattern *pattern, const char *line, size_t size);

/* The same with the places of the groups, which are -1 where a group took no part. */
bool pattern_match(const struct pattern *pattern, const char *line, size_t size,
                   regmatch_t groups[PATTERN_GROUPS_MAX]);

/* How many groups the pattern has besides the whole match. */
size_t pattern_groups(const struct pattern *pattern);

#endif
