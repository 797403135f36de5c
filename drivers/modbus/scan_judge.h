/*
 * What the answers of a unit mean: one device, two with the same number, noise, or nobody. Pure.
 *
 * Two devices with one number answer at the same time: their bits fall on each other and the
 * checksum is wrong, or one is later and its answer comes behind that of the other. It is told from
 * noise by where it happens: noise spoils whoever answers, and comes where nobody does.
 *
 * Over Modbus TCP none of that can be seen: what falls on each other behind a gateway is its to
 * notice. An answer that does not belong to its question is the server's own fault there.
 */
#ifndef SLUICE_MODBUS_SCAN_JUDGE_H
#define SLUICE_MODBUS_SCAN_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

/* What came of the questions to a unit. */
struct scan_tally {
    unsigned answers, exceptions; /* an exception is an answer, too */
    unsigned silent;
    unsigned garbled;  /* something came that is no sound frame */
    unsigned doubled;  /* sound frames, but more than one, or one of somebody else */
    uint8_t exception; /* the last one */
};

/* What came of all units at one setting of the line. */
struct scan_quality {
    unsigned answering, silent; /* units */
    unsigned garbled;           /* units of which nothing sound came, but something did */
    bool numbered;              /* answers carry their question's number: no line is heard */
};

enum scan_verdict {
    SCAN_ABSENT,
    SCAN_PRESENT,
    SCAN_NOISY,   /* it answers, but on a line with noise */
    SCAN_SHARED,  /* two devices or more have this number */
    SCAN_UNCLEAR, /* something answers: two devices, or one at another baud or parity */
};

/* Whether more questions are needed: of what answers or garbles, so many in all. */
#define SCAN_ASKED_PRESENT 3
#define SCAN_ASKED_GARBLED 5
unsigned scan_questions(const struct scan_tally *tally);

enum scan_verdict scan_judge(const struct scan_tally *tally, const struct scan_quality *quality);

/* One word, for JSON; and a sentence that says what to do, "" where nothing is to be done. */
const char *scan_word(enum scan_verdict verdict);
const char *scan_advice(enum scan_verdict verdict, bool numbered);

#endif
