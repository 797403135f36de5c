#include "cli/answer.h"

#include <cjson/cJSON.h>

#include "core/clock.h"

const char *answer_text(const cJSON *object, const char *key)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

    return text ? text : "";
}

double answer_number(const cJSON *object, const char *key)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

    return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

int64_t answer_whole(const cJSON *object, const char *key)
{
    double number = answer_number(object, key);

    if (number >= (double)ANSWER_MOST)
        return ANSWER_MOST;
    return number > -(double)ANSWER_MOST ? (int64_t)number : -ANSWER_MOST;
}

int64_t answer_time(const cJSON *object, const char *key)
{
    const int64_t most = ANSWER_MOST / NS_PER_MS;
    int64_t ms = answer_whole(object, key);

    return (ms > most ? most : ms < -most ? -most : ms) * NS_PER_MS;
}

uint64_t answer_count(const cJSON *object, const char *key)
{
    int64_t whole = answer_whole(object, key);

    return whole > 0 ? (uint64_t)whole : 0;
}

bool answer_truth(const cJSON *object, const char *key)
{
    return cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, key));
}
