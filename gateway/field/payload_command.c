#include "field/payload_command.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/error.h"

#define MS_MAX 9007199254740992.0

struct reading {
    const cJSON *root;
    struct order *order;
    char *why;
    size_t why_size;
    bool bad;
};

static void refuse(struct reading *reading, const char *sentence)
{
    if (!reading->bad)
        snprintf(reading->why, reading->why_size, "%s", sentence);
    reading->bad = true;
}

static const cJSON *member(const struct reading *reading, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(reading->root, key);
}

static void read_id(struct reading *reading)
{
    const cJSON *id = member(reading, "id");

    if (cJSON_IsString(id) && command_id_valid(id->valuestring))
        memcpy(reading->order->id, id->valuestring, strlen(id->valuestring) + 1);
    else
        refuse(reading, "\"id\" is to be a text of 1 to 64 letters, digits, - _ . :");
}

static void read_op(struct reading *reading)
{
    const cJSON *op = member(reading, "op");

    if (!cJSON_IsString(op) || strcmp(op->valuestring, "write") != 0)
        refuse(reading, "\"op\" is to be \"write\"");
}

static void read_name(struct reading *reading, const char *key, char out[ID_SIZE_MAX],
                      const char *sentence)
{
    const cJSON *name = member(reading, key);

    if (cJSON_IsString(name) && id_valid(name->valuestring))
        memcpy(out, name->valuestring, strlen(name->valuestring) + 1);
    else
        refuse(reading, sentence);
}

static void read_value(struct reading *reading)
{
    struct order *order = reading->order;
    const cJSON *value = member(reading, "v");

    if (cJSON_IsBool(value)) {
        order->form = ORDER_BOOL;
        order->truth = cJSON_IsTrue(value);
    } else if (cJSON_IsNumber(value)) {
        order->form = ORDER_NUMBER;
        order->number = value->valuedouble;
    } else if (cJSON_IsString(value) && strlen(value->valuestring) <= COMMAND_TEXT_SIZE_MAX) {
        order->form = ORDER_TEXT;
        memcpy(order->text, value->valuestring, strlen(value->valuestring) + 1);
    } else {
        refuse(reading,
               "\"v\" is to be the value: a number, true, false, or a text of at most 1000 "
               "bytes");
    }
}

static int64_t read_ms(struct reading *reading, const char *key, int64_t absent,
                       const char *sentence)
{
    const cJSON *ms = member(reading, key);

    if (!ms)
        return absent;
    if (cJSON_IsNumber(ms) && ms->valuedouble >= 1 && ms->valuedouble <= MS_MAX)
        return (int64_t)ms->valuedouble;
    refuse(reading, sentence);
    return absent;
}

int payload_command(const char *json, size_t size, struct order *order, char *why, size_t why_size)
{
    struct reading reading = {.order = order, .why = why, .why_size = why_size};
    cJSON *root = cJSON_ParseWithLength(json, size);

    *order = (struct order){.ttl_ms = -1};
    reading.root = root;
    if (!cJSON_IsObject(root)) {
        refuse(&reading, "a command is one JSON object {...}");
    } else {
        read_id(&reading);
        read_op(&reading);
        read_name(&reading, "d", order->device, "\"d\" is to be the id of a device");
        read_name(&reading, "p", order->point, "\"p\" is to be the id of a point");
        read_value(&reading);
        order->expires_ms = read_ms(&reading, "expires", 0,
                                    "\"expires\" is to be a time in milliseconds since 1970, UTC");
        order->ttl_ms = read_ms(&reading, "ttl", -1, "\"ttl\" is to be milliseconds");
    }
    cJSON_Delete(root);
    return reading.bad ? ERR_INVALID : 0;
}
