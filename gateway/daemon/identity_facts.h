/*
 * By what a gateway knows that it is itself: its installation, its board, and the medium that its
 * state is on. Only hashes leave this file, so that no serial number of the owner's is published.
 */
#ifndef SLUICE_DAEMON_IDENTITY_FACTS_H
#define SLUICE_DAEMON_IDENTITY_FACTS_H

#define IDENTITY_FACT_SIZE  40
#define IDENTITY_BOARDS_MAX 8

/* Each is "KIND:HASH", or "" where it cannot be told. Facts of different kinds say nothing about
 * each other. */
struct identity_facts {
    char machine[IDENTITY_FACT_SIZE]; /* machine-id(5) */
    char board[IDENTITY_FACT_SIZE];   /* serial number of the board, else the address of its own
                                         network interface: the best that there is */
    char boards[IDENTITY_BOARDS_MAX][IDENTITY_FACT_SIZE]; /* all of these, the best first: one that
                                         is known makes it a board that is known */
    char medium[IDENTITY_FACT_SIZE]; /* the filesystem, and the card or disk below it */
};

/* Looks at them. `root` is "" but in tests; `state_path` is below it. */
void identity_facts_look(struct identity_facts *facts, const char *root, const char *state_path);

#endif
