/*
 * What a configuration means in figures: load of each bus, events a second, megabytes a month of
 * each uplink, days of outage that the journal holds. Estimates from the formats' sizes, not
 * measurements: good to a factor of about one and a half.
 */
#ifndef SLUICE_CONFIG_EXPLAIN_H
#define SLUICE_CONFIG_EXPLAIN_H

#include <stdio.h>

struct config;

/* Writes sentences for people, or one JSON object. 0, or ERR_IO when the stream failed. */
int config_explain(const struct config *config, FILE *out);
int config_explain_json(const struct config *config, FILE *out);

#endif
