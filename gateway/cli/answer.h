/* Fields of what the daemon answers. An `object` that is NULL or none has none. */
#ifndef SLUICE_CLI_ANSWER_H
#define SLUICE_CLI_ANSWER_H

#include <stdbool.h>

struct cJSON;

/* The text of a key, which lives as long as the object; "" where there is none. */
const char *answer_text(const struct cJSON *object, const char *key);

/* 0 where there is none. */
double answer_number(const struct cJSON *object, const char *key);

/* Whether it is there and true. */
bool answer_truth(const struct cJSON *object, const char *key);

#endif
