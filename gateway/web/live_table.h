/*
 * The newest value of each point: a table as large as the configuration (and the streams of
 * producers), in the order in which the values changed. A viewer is a place in that order: what
 * changed behind it is what it has not seen. So a viewer costs no queue, and one that is slow
 * meets the newest value of each point when it comes back, and none of those between. Not
 * thread-safe.
 */
#ifndef SLUICE_WEB_LIVE_TABLE_H
#define SLUICE_WEB_LIVE_TABLE_H

#include "core/site.h"
#include "core/stream.h"
#include "core/text.h"

#define LIVE_TEXT_SIZE_MAX 1024 /* of a value that is text: more is not shown */

struct live_table;

/* An empty table. ERR_NOMEM. */
int live_table_open(struct live_table **table);
void live_table_close(struct live_table *table);

/* Takes one more point in. 0, also for one that is there already; ERR_NOMEM. */
int live_table_add(struct live_table *table, uint32_t stream, const char *device, const char *point,
                   int8_t decimals);

/* All points of a site. 0 or ERR_NOMEM. */
int live_table_add_site(struct live_table *table, const struct site *site);

/* How many points there are; they are numbered from 0. */
size_t live_table_count(const struct live_table *table);

/* The number of the point of that stream; SIZE_MAX for none. */
size_t live_table_find(const struct live_table *table, uint32_t stream);

/* Takes a reading as the newest of its stream, unless a newer one is known; other events, and
 * streams that are not in the table, change nothing. */
void live_table_take(struct live_table *table, const struct event *event);

/* Takes over the newest values of the points that both have. */
void live_table_take_all(struct live_table *table, const struct live_table *before);

/* Whether both have the same points in the same order. */
bool live_table_same(const struct live_table *a, const struct live_table *b);

/* The place behind the newest change; 0: nothing is known of any point. */
uint64_t live_table_place(const struct live_table *table);

/* A point's newest reading, which borrows text from the table. False when there is none. */
bool live_table_value(const struct live_table *table, size_t point, struct event *event);

/* Which points a viewer wants: a bit each. */
struct live_set {
    uint8_t *bits; /* NULL: all */
};

/* Whether these are names for live_set_open: "all", or devices and points, separated by commas, as
 * in "boiler,incomer/voltage". */
bool live_names_valid(const char *names);

/* A name that the table has not is passed over: its device may be configured later. 0, ERR_NOMEM.
 */
int live_set_open(struct live_set *set, const struct live_table *table, const char *names);
void live_set_close(struct live_set *set);

/*
 * Writes the wanted values that changed behind *place and not behind `until`, as objects separated
 * by commas, as many as fit, and moves *place behind them. True when there are more.
 */
bool live_table_write(const struct live_table *table, const struct live_set *set, uint64_t *place,
                      uint64_t until, struct text *text);

/* The members of a value: "t":…,"v":…,"q":"good". */
void live_value_json(struct text *text, const struct event *event, int8_t decimals);

#endif
