/* What the files of edit.h share: the text at hand, how it is laid out, and where things go. */
#ifndef SLUICE_CONFIG_EDIT_INSIDE_H
#define SLUICE_CONFIG_EDIT_INSIDE_H

#include <stdio.h>

#include "config/edit.h"

#define EDIT_INDENT_MAX 64
#define EDIT_WIDTH      110 /* up to which an object or list is written on one line */

/* How the file is laid out, from what stands in it. */
struct edit_style {
    char unit[EDIT_INDENT_MAX]; /* one step of indentation */
    const char *newline;        /* "\n" or "\r\n" */
    const char *colon, *comma;  /* ": " or ":", ", " or "," */
    bool padded;                /* { "a": 1 } and not {"a": 1} */
    bool flat;                  /* all of it on one line */
    bool expanded;              /* each key and entry on a line of its own */
};

struct edit_document {
    char *text; /* terminated */
    size_t size;
    struct arena *arena;
    struct json *root;
    struct edit_style style;
};

/* Bytes that are replaced. */
struct edit_splice {
    size_t begin, end; /* of the old text */
    const char *with;
    size_t size;
};

/* Replaces up to a few stretches, in the order of the text. 0, or an error with a sentence; then
 * the document is not to be used any more. The tree is as before. */
int edit_splice_text(struct edit_document *document, const struct edit_splice *splices,
                     size_t count, char why[EDIT_WHY_SIZE]);

/* The same, and reads the tree anew. */
int edit_splice(struct edit_document *document, const struct edit_splice *splices, size_t count,
                char why[EDIT_WHY_SIZE]);

/* Looks at the text for how it is laid out. */
void edit_look(struct edit_document *document);

/* The blanks that begin the line on which byte `at` stands. */
void edit_indent(const struct edit_document *document, size_t at, char out[EDIT_INDENT_MAX]);

/* Writes a value whose first line stands behind `indent`. `spread`: a list or object on several
 * lines, whatever its size. */
void edit_write(FILE *out, const struct edit_style *style, const struct json *value,
                const char *indent, bool spread);
void edit_write_key(FILE *out, const struct edit_style *style, const char *key);

/* Whether a value stands on more than one line. */
bool edit_is_spread(const struct edit_document *document, const struct json *value);

/* Puts a new item behind the last one of a list (`key` NULL) or object. */
int edit_insert(struct edit_document *document, const struct json *parent, const char *key,
                const struct json *value, char why[EDIT_WHY_SIZE]);
int edit_replace(struct edit_document *document, const struct json *old, const struct json *value,
                 char why[EDIT_WHY_SIZE]);
int edit_remove(struct edit_document *document, const struct json *item, char why[EDIT_WHY_SIZE]);

#endif
