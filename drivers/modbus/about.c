#include "modbus/about.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/status.h"
#include "modbus/learn.h"
#include "modbus/passport.h"
#include "modbus/point.h"

/* The cuts, as learn_text has them. */
static void put_gaps(const struct plan *plan, uint32_t index, struct text *text)
{
    char words[LEARN_TEXT_SIZE_MAX], *rest = words, *word;
    bool any = false;

    words[learn_text(plan, index, words)] = '\0';
    while ((word = strtok_r(rest, " ", &rest))) {
        unsigned function;
        long first, last;

        if (sscanf(word, "cut=%u:%ld-%ld", &function, &first, &last) != 3)
            continue;
        text_printf(text, "%s{\"function\":%u,\"first\":%ld,\"last\":%ld}",
                    any ? "," : "\"gaps\":[", function, first, last);
        any = true;
    }
    if (any)
        text_string(text, "]");
}

static void put_point(const struct plan *plan, const struct plan_group *group, uint32_t at,
                      struct text *text)
{
    const struct site_point *point = &plan->bus->devices[group->device].points[plan->order[at]];
    const struct modbus_point_options *options = point->options;
    /* One that was refused before a restart is tried again at once: nothing else is known of it. */
    uint16_t status = plan->refusals[at] ? plan->refusals[at] : STATUS_ILLEGAL_ADDRESS;

    text_printf(text, "{\"id\":\"%s\",\"reg\":%" PRId64 ",\"function\":%u,\"why\":\"%s\"",
                point->id, options->reg, (unsigned)group->function, status_why(status));
    text_printf(text, ",\"help\":\"%s\"}", status_help(status));
}

static void put_points(const struct plan *plan, uint32_t index, struct text *text)
{
    const struct plan_device *device = &plan->devices[index];
    size_t count = 0;

    for (uint32_t i = 0; i < device->groups; i++) {
        const struct plan_group *group = &plan->groups[device->first_group + i];

        for (uint32_t at = group->first; at < group->first + group->points; at++) {
            if (!(plan->flags[at] & PLAN_REFUSED) && !plan->refusals[at])
                continue;
            if (count == ABOUT_POINTS_MAX)
                break;
            text_string(text, count++ ? "," : "\"points\":[");
            put_point(plan, group, at, text);
        }
    }
    if (count)
        text_string(text, "]");
}

/* What is known of who the device is. */
static void put_identity(const struct plan *plan, uint32_t index, struct text *text)
{
    static const char *const keys[] = {"serial",       "vendor", "product_code", "revision",
                                       "product_name", "model",  "application"};
    const char *words = plan->devices[index].identity;
    char value[128];
    bool any = false;

    for (size_t i = 0; words && i < sizeof keys / sizeof keys[0]; i++) {
        if (!passport_word(words, keys[i], value, sizeof value))
            continue;
        text_printf(text, "%s\"%s\":", any ? "," : "\"identity\":{", keys[i]);
        text_json_string(text, value, strlen(value));
        any = true;
    }
    if (any)
        text_string(text, "}");
}

void about_device(const struct plan *plan, uint32_t index, struct text *text)
{
    void (*const parts[])(const struct plan *plan, uint32_t index, struct text *text) = {
        put_gaps, put_identity, put_points};

    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        size_t before = text->size;

        if (before)
            text_string(text, ",");
        size_t begun = text->size;
        parts[i](plan, index, text);
        if (text->size != begun || text->cut)
            continue;
        text->size = before; /* it has nothing to say */
        text->data[before] = '\0';
    }
}
