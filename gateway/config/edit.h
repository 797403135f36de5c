/*
 * Edits of a configuration's text by place: what an edit does not name keeps its bytes, with its
 * comments, its order and its layout. What is new is written as its neighbours are.
 */
#ifndef SLUICE_CONFIG_EDIT_H
#define SLUICE_CONFIG_EDIT_H

#include <stddef.h>

#include "config/json.h"

#define EDIT_COUNT_MAX 256 /* edits at a time */
#define EDIT_WHY_SIZE  320

/*
 * Applies `edits` in order: a list of objects, each with "at" and one of "set", "add" and "remove".
 *
 * "at" is a path: texts are keys, an object as {"id": "boiler"} is the entry of a list that has
 * that id, a number is an entry's place in a list (from 0). "set" takes any value; what is set to
 * an object or to a list of entries with ids changes what differs, and no more. The last key, and
 * objects on the way to it, are made where they are missing. "add" puts a value behind the last
 * entry of a list, which is made where it is missing. "remove": true takes a key or an entry away,
 * with the comment behind it on the same line.
 *
 * Returns 0 with *edited (terminated, the caller's to free). Else with a sentence in `why`:
 * ERR_INVALID (an edit that is none), ERR_NOT_FOUND (nothing stands at its path), ERR_EXISTS (the
 * id is there already), ERR_CONFIG (the text has mistakes and cannot be edited by place),
 * ERR_TOO_LARGE, ERR_NOMEM. Any thread.
 */
int edit_text(const struct json *edits, const char *text, size_t size, char **edited,
              size_t *edited_size, char why[EDIT_WHY_SIZE]);

/* A value as JSON on one line, without comments; the caller's to free. NULL when out of memory. */
char *edit_print(const struct json *value);

/* Whether two values mean the same: keys in any order, numbers by their value. */
bool edit_same(const struct json *a, const struct json *b);

/* The entry of a list that has the id; NULL. */
const struct json *edit_entry(const struct json *list, const char *id);

/* The id of an entry of a list; NULL where it is no object with one. */
const char *edit_id(const struct json *entry);

#endif
