#include "core/site_json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/clock.h"

void site_json_text(struct text *text, const char *key, const char *value)
{
    if (!value || !value[0])
        return;
    text_printf(text, ",\"%s\":", key);
    text_json_string(text, value, strlen(value));
}

const char *site_type_name(uint8_t type)
{
    switch (type) {
    case VALUE_BOOL:
        return "boolean";
    case VALUE_I64:
    case VALUE_U64:
        return "integer";
    case VALUE_TEXT:
    case VALUE_BYTES:
        return "string";
    default:
        return "number";
    }
}

/* A silence that was intended, and one more reading, or what the way takes where that is longer. */
static int64_t age_ms(int64_t silence_ns, int64_t every_ns)
{
    int64_t slack_ns = every_ns > 5 * NS_PER_S ? every_ns : 5 * NS_PER_S;

    if (silence_ns < every_ns)
        silence_ns = every_ns;
    return silence_ns > 0 ? (silence_ns + slack_ns) / NS_PER_MS : 0;
}

int64_t site_point_max_age_ms(const struct site_point *point)
{
    if (!point->on_change)
        return age_ms(point->at_most_ns, point->every_ns);
    return point->at_least_ns > 0 ? age_ms(point->at_least_ns, point->every_ns) : 0;
}

int64_t site_device_max_age_ms(const struct site_device *device)
{
    int64_t every_ns = INT64_MAX;

    for (size_t i = 0; i < device->point_count; i++)
        if (device->points[i].every_ns < every_ns)
            every_ns = device->points[i].every_ns;
    return device->heartbeat_ns > 0 && device->point_count > 0
               ? age_ms(device->heartbeat_ns, every_ns)
               : 0;
}

/* ,"write":{"min":0,"max":1} of a point that takes commands. */
static void put_write(struct text *text, const struct site_write *write)
{
    const struct {
        const char *key;
        double number;
        bool given;
    } limits[] = {
        {"min", write->minimum, isfinite(write->minimum)},
        {"max", write->maximum, isfinite(write->maximum)},
        {"step", write->step, write->step > 0},
    };
    bool more = false;

    if (!write->allowed)
        return;
    text_string(text, ",\"write\":{");
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        if (!limits[i].given)
            continue;
        text_printf(text, "%s\"%s\":", more ? "," : "", limits[i].key);
        text_f64(text, limits[i].number, DECIMALS_SHORTEST);
        more = true;
    }
    text_string(text, "}");
}

void site_json_point(struct text *text, const struct site_point *point)
{
    text_printf(text, "\"type\":\"%s\"", site_type_name(point->type));
    site_json_text(text, "name", point->name);
    site_json_text(text, "unit", point->unit);
    site_json_text(text, "ucum", point->ucum);
    site_json_text(text, "class", point->class);
    site_json_text(text, "state", point->state);
}

void site_json_writing(struct text *text, const struct site_point *point)
{
    for (size_t i = 0; i < point->enum_count; i++) {
        text_printf(text, "%s\"%" PRId64 "\":", i == 0 ? ",\"enum\":{" : ",",
                    point->enums[i].value);
        text_json_string(text, point->enums[i].text, strlen(point->enums[i].text));
    }
    text_string(text, point->enum_count > 0 ? "}" : "");
    put_write(text, &point->write);
}
