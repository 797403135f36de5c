/*
 * Whether this gateway is still on the machine that it was on. Where a card was put into another
 * board, either the board was replaced, or there are two gateways now that think they are the same
 * one: only a person knows. Until that is said everything is read and stored, and nothing is
 * published. docs/identity.md.
 */
#ifndef SLUICE_DAEMON_IDENTITY_H
#define SLUICE_DAEMON_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/event.h"
#include "daemon/identity_facts.h"

#define IDENTITY_TEXT_SIZE (3 * IDENTITY_FACT_SIZE)

struct identity;

/* What is asked, and what was said. */
enum identity_state {
    IDENTITY_SURE,   /* nothing is asked */
    IDENTITY_ASKED,  /* replaced or copied? */
    IDENTITY_COPIED, /* it was copied, and has still the other one's id */
};

struct identity_look {
    enum identity_state state;
    bool machine, board, medium; /* what is another one than it was */
    int64_t since_ms;            /* when that was seen; wall clock */
};

/*
 * Compares `facts` with those that are kept in the folder, and keeps them where there are none.
 * What cannot be kept is told in the log: then nothing is ever asked. Where they are kept and
 * cannot be read, it is asked, and nothing is written until the answer. `state_path` outlives it.
 * ERR_NOMEM.
 */
int identity_open(struct identity **identity, const char *state_path,
                  const struct identity_facts *facts, int64_t now_ms);
void identity_close(struct identity *identity); /* NULL is fine */

/* The id that the configuration gives from now on: a copy with an id of its own is asked no more.
 */
void identity_named(struct identity *identity, const char *gateway_id);

/* What the journal takes as the identity of the machine: it changes with each fact that changes. */
void identity_text(const struct identity *identity, char out[IDENTITY_TEXT_SIZE]);

/* Any thread. */
void identity_look(struct identity *identity, struct identity_look *look);

/* Whether nothing may be published at present. Any thread. */
bool identity_holds(struct identity *identity);

/*
 * The answer of a person. 0; ERR_INVALID: nothing is asked; else an error of the folder, and
 * nothing has changed. Any thread.
 */
int identity_answer(struct identity *identity, bool copied);

const char *identity_state_name(enum identity_state state); /* "sure", "asked", "copied" */

#endif
