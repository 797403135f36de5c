/* sluice read --explain: what registers may mean, shown to a person who decides. */
#ifndef SLUICE_CLI_EXPLAIN_H
#define SLUICE_CLI_EXPLAIN_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/borrow.h"
#include "modbus/guess.h"
#include "modbus/read.h"

/* As they were given on the command line; NULL: not given. */
struct explain_texts {
    const char *expect, *within, *samples, *interval_ms, *pick, *id, *scale, *profile;
};

/* What they wish. */
struct explain_wish {
    double expect, within, scale; /* expect 0: nothing is looked for */
    int64_t samples, interval_ms;
    int64_t pick; /* 0: nothing is */
    const char *id, *profile;
    bool all, json;
};

/*
 * Checks all that can be wrong with the texts and what they are asked of, before a line is taken
 * for it: also whether the profile takes the point. Returns an exit code, after telling what is
 * wrong.
 */
int explain_parse(struct explain_wish *wish, const struct explain_texts *texts,
                  const struct modbus_read *read);

/* Reads, explains, and writes what was picked. `borrow` is kept meanwhile. Returns an exit code. */
int explain_run(const struct modbus_read *read, const struct explain_wish *wish,
                struct borrow *borrow);

/* What is printed: of which registers. */
struct explain_page {
    FILE *out;
    const struct guess_samples *samples;
    uint8_t function;
    uint16_t address; /* of the first register, on the wire */
    bool zero_based;
    bool all; /* 64 bits and signed values also where they say nothing new */
};

/* Every register in every type and order. */
void explain_print(const struct explain_page *page);
void explain_print_json(const struct explain_page *page);

/* Guesses, one a line, the likeliest first. */
void explain_print_guesses(const struct explain_page *page, const struct guess *guesses,
                           size_t count);
void explain_print_guesses_json(const struct explain_page *page, const struct guess *guesses,
                                size_t count);

#endif
