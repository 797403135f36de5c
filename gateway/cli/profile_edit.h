/* A point that a person has found, as a line of a profile or configuration, and its way into a
 * profile of the user's own without touching what else stands there. */
#ifndef SLUICE_CLI_PROFILE_EDIT_H
#define SLUICE_CLI_PROFILE_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "config/config.h"

struct profile_line {
    const char *id;
    uint8_t function;  /* 3 or 4 */
    uint16_t address;  /* as on the wire */
    const char *type;  /* "f32" */
    const char *order; /* "CDAB"; NULL for 16 bits */
    double scale;
};

/*
 * Writes the line as a JSON object: with name, unit, class and state where the vocabulary of the
 * profile folders has the id. `zero_based` says how registers are numbered.
 */
void profile_line_print(FILE *out, const struct profile_line *line, bool zero_based,
                        const struct config_parts *parts);

/*
 * Puts `item` behind the last one of the list "points" of a profile's text, with its comments and
 * blanks left as they are. Returns a new text for free(); NULL when there is no such list (or no
 * memory).
 */
char *profile_edit_append(const char *text, const char *item);

/* Sets a key of the outermost object to a value (JSON), in place of what it has, or in front of the
 * others. The rest as above. */
char *profile_edit_set(const char *text, const char *key, const char *value);

/* A file's text for free(); NULL where it cannot be read. Writing one: at once or not at all, with
 * the owner and the rights of the one it replaces; 0 or an error. */
char *profile_edit_read(const char *path);
int profile_edit_write(const char *path, const char *text);

/* Whether profile_edit_file can be done for a point of that id, as far as the file as it is now
 * tells. Its exit codes, after telling what is wrong. */
int profile_edit_check(const char *path, const char *id);

/*
 * Appends the line to the profile in `path` in the numbering that the profile has; a file that is
 * not there is made, in the numbering `zero_based`. Replaced at once or not at all. Returns an exit
 * code after telling what is wrong: an id that is there already, a file that is no profile.
 */
int profile_edit_file(const char *path, const struct profile_line *line, bool zero_based,
                      const struct config_parts *parts);

#endif
