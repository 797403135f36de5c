/* The record of every counter value that really went out, for an auditor to compare against. */
#ifndef SIM_TRUTH_H
#define SIM_TRUTH_H

#include <stdbool.h>
#include <stdint.h>

struct truth;

/* Opens path for appending. With hundredths a value is noted as value/100, as a scale sends
 * it. buffer_ns: 0 writes each line at once, otherwise lines wait that long, if truth_due_ns is
 * heeded. NULL with errno set when the file cannot be opened. */
struct truth *truth_open(const char *path, const char *point, bool hundredths, int64_t buffer_ns);

/* Whether a reader could take a value: it had to, it was for the reader's own clock to say, or it
 * had given it up. */
enum truth_time { TRUTH_IN_TIME, TRUTH_EDGE, TRUTH_LATE };

/* Notes one value; `from` is the port that its reader connected from, 0 where there is none. Does
 * nothing when truth is NULL, so that callers need not ask. */
void truth_note(struct truth *truth, const char *device, uint32_t value, enum truth_time time,
                unsigned from);

/* When buffered lines must be written; WIRE_NEVER when there are none or truth is NULL. */
int64_t truth_due_ns(const struct truth *truth);

void truth_flush(struct truth *truth);
void truth_close(struct truth *truth); /* NULL is fine */

#endif
