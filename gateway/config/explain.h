/*
 * What a configuration means in figures: load of each bus, events a second, megabytes a month of
 * each uplink, days of outage that the journal holds. Estimates from the formats' sizes, not
 * measurements: good to a factor of about one and a half.
 */
#ifndef SLUICE_CONFIG_EXPLAIN_H
#define SLUICE_CONFIG_EXPLAIN_H

#include <stdio.h>

struct config;
struct json_writer; /* config/json_write.h */

/* Writes sentences for people, or one JSON object. 0, or ERR_IO when the stream failed. */
int config_explain(const struct config *config, FILE *out);
int config_explain_json(const struct config *config, FILE *out);

/* How many days of outage the journal holds when every point changes each time it is read; 0 where
 * nothing is read. The one figure for that: whatever shows it has it from here. */
double config_outage_days(const struct config *config);

/* The figures that a change is judged by, as an object under `key`, with the sentences as "words".
 */
void config_explain_meaning(const struct config *config, struct json_writer *writer,
                            const char *key);

#endif
