/* A configuration that somebody proposes, held against the one that there is. */
#ifndef SLUICE_WEB_PROPOSAL_H
#define SLUICE_WEB_PROPOSAL_H

#include <stdio.h>

#include "config/config.h"
#include "config/edit.h"
#include "config/history.h"

struct journal;     /* journal/journal.h */
struct json_writer; /* config/json_write.h */

#define PROPOSAL_MISTAKES_MAX 100

struct proposal {
    char *old; /* the file, terminated; `first` where there is none */
    char revision[HISTORY_REVISION_SIZE];
    char *text; /* proposed; NULL where the edits could not be made */
    size_t size;
    int edit_error;
    char why[EDIT_WHY_SIZE]; /* of the edits */
    struct config *config;   /* NULL: it has mistakes */
    unsigned mistakes;
    char first[512]; /* of them */
    FILE *told;      /* the list of them, as JSON */
    char *told_text;
    size_t told_size;
};

/*
 * Reads the file (`first` stands for one that is not there) and makes the proposal of a request's
 * "text", or of its "edits". Reads and checks it: takes some time. Returns 0 (which says nothing of
 * mistakes), or ERR_INVALID when `body` has neither or both, or the edits are none; ERR_NOMEM, ...:
 * proposal->why says it. Close it in any case.
 */
int proposal_open(struct proposal *proposal, const struct json *body, const char *path,
                  const char *first, const struct config_parts *parts);
void proposal_close(struct proposal *proposal);

/* The fields of the answer to a check, into an open object; the journal says what waits. */
void proposal_write(struct proposal *proposal, const struct journal *journal,
                    struct json_writer *writer);

/* Its mistakes as the list "errors", each with its place; into an open object. */
void proposal_write_mistakes(const struct proposal *proposal, struct json_writer *writer);

/* Which keys change, in words. */
void proposal_words(const struct proposal *proposal, char *out, size_t size);

#endif
