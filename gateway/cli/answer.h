/* Fields of what the daemon answers. An `object` that is NULL or none has none. */
#ifndef SLUICE_CLI_ANSWER_H
#define SLUICE_CLI_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

struct cJSON;

/* The text of a key, which lives as long as the object; "" where there is none. */
const char *answer_text(const struct cJSON *object, const char *key);

/* 0 where there is none. */
double answer_number(const struct cJSON *object, const char *key);

/* The same as a whole number, towards zero; what is beyond ANSWER_MOST is that, or its negative:
 * two of them can be added and subtracted whatever a broken daemon says. */
#define ANSWER_MOST INT64_C(4000000000000000000)
int64_t answer_whole(const struct cJSON *object, const char *key);

/* The same of what is never less than 0. */
uint64_t answer_count(const struct cJSON *object, const char *key);

/* Nanoseconds since 1970 of what is said in whole milliseconds, with the same bounds. */
int64_t answer_time(const struct cJSON *object, const char *key);

/* Whether it is there and true. */
bool answer_truth(const struct cJSON *object, const char *key);

#endif
