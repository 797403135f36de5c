#include "core/limits.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "core/text.h"

static void enum_text(const struct site_point *point, char *out, size_t size)
{
    size_t at = 0;

    for (size_t i = 0; i < point->enum_count && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%" PRId64 " (%s)", i ? ", " : "",
                               point->enums[i].value, point->enums[i].text);
}

static void number_text(const struct site_write *write, char *out, size_t size)
{
    struct text text;
    char memory[160];

    text_init(&text, memory, sizeof memory);
    if (isfinite(write->minimum))
        text_f64(&text, write->minimum, DECIMALS_SHORTEST);
    if (isfinite(write->minimum) && isfinite(write->maximum))
        text_string(&text, " to ");
    else if (isfinite(write->minimum))
        text_string(&text, " and more");
    else
        text_string(&text, isfinite(write->maximum) ? "at most " : "any number");
    if (isfinite(write->maximum))
        text_f64(&text, write->maximum, DECIMALS_SHORTEST);
    if (write->step > 0) {
        text_string(&text, " in steps of ");
        text_f64(&text, write->step, DECIMALS_SHORTEST);
    }
    snprintf(out, size, "%s", memory);
}

void limits_text(const struct site_point *point, char *out, size_t size)
{
    if (point->enum_count > 0)
        enum_text(point, out, size);
    else if (point->type == VALUE_BOOL)
        snprintf(out, size, "true or false");
    else if (point->type == VALUE_TEXT)
        snprintf(out, size, "a text");
    else
        number_text(&point->write, out, size);
}
