#include "field/command_value.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/limits.h"

#define EXACT_MAX    9007199254740992.0 /* 2^53 */
#define OFF_STEP_MAX 1e-6               /* of a step, beside what a double cannot tell */

static bool refuse(char *why, size_t size, const char *sentence)
{
    snprintf(why, size, "%s", sentence);
    return false;
}

static const struct site_enum *enum_of_text(const struct site_point *point, const char *text)
{
    for (size_t i = 0; i < point->enum_count; i++) {
        if (strcmp(point->enums[i].text, text) == 0)
            return &point->enums[i];
    }
    return NULL;
}

static bool bool_value(const struct order *order, struct value *value, char *why, size_t size)
{
    bool truth = order->truth;

    if (order->form == ORDER_NUMBER) {
        if (order->number != 0 && order->number != 1)
            return refuse(why, size, "allowed are true and false, or 1 and 0");
        truth = order->number == 1;
    } else if (order->form == ORDER_TEXT) {
        truth = strcmp(order->text, "true") == 0 || strcmp(order->text, "1") == 0;
        if (!truth && strcmp(order->text, "false") != 0 && strcmp(order->text, "0") != 0)
            return refuse(why, size, "allowed are true and false, or 1 and 0");
    }
    value->b = truth;
    return true;
}

/* strtod and its like also take blanks, "inf" and "0x1p3": people do not mean them. */
static bool looks_like_number(const char *text)
{
    return text[0] != '\0' && strspn(text, "0123456789+-.eE") == strlen(text);
}

static bool double_value(const struct order *order, struct value *value, char *why, size_t size)
{
    char *end = NULL;

    if (order->form == ORDER_BOOL)
        return refuse(why, size, "a number is expected");
    value->f = order->number;
    if (order->form == ORDER_TEXT) {
        value->f = looks_like_number(order->text) ? strtod(order->text, &end) : NAN;
        if (!end || *end)
            return refuse(why, size, "a number is expected, with a point before its fraction");
    }
    if (!isfinite(value->f))
        return refuse(why, size, "the number is too large");
    return true;
}

static bool whole_from_text(const struct order *order, struct value *value)
{
    char *end = NULL;

    if (!looks_like_number(order->text))
        return false;
    errno = 0;
    if (value->type == VALUE_I64)
        value->i = strtoll(order->text, &end, 10);
    else if (order->text[0] != '-')
        value->u = strtoull(order->text, &end, 10);
    return end && *end == '\0' && errno == 0;
}

static bool whole_value(const struct order *order, struct value *value, char *why, size_t size)
{
    double number = order->number;

    if (order->form == ORDER_TEXT)
        return whole_from_text(order, value) ||
               refuse(why, size,
                      value->type == VALUE_U64 ? "a whole number from 0 on is expected"
                                               : "a whole number is expected");
    if (order->form == ORDER_BOOL || number != floor(number))
        return refuse(why, size, "a whole number is expected");
    if (fabs(number) > EXACT_MAX)
        return refuse(why, size, "whole numbers beyond 2^53 are to be written as texts, \"...\"");
    if (value->type == VALUE_U64 && number < 0)
        return refuse(why, size, "a whole number from 0 on is expected");
    if (value->type == VALUE_U64)
        value->u = (uint64_t)number;
    else
        value->i = (int64_t)number;
    return true;
}

static bool convert(const struct site_point *point, const struct order *order, struct value *value,
                    char *why, size_t size)
{
    *value = (struct value){.type = point->type, .decimals = point->decimals};
    switch (point->type) {
    case VALUE_BOOL:
        return bool_value(order, value, why, size);
    case VALUE_I64:
    case VALUE_U64:
        return whole_value(order, value, why, size);
    case VALUE_F64:
        return double_value(order, value, why, size);
    case VALUE_TEXT:
        if (order->form != ORDER_TEXT)
            return refuse(why, size, "a text is expected");
        value->data = order->text;
        value->size = (uint16_t)strlen(order->text);
        return true;
    default:
        return refuse(why, size, "values of this point cannot be written");
    }
}

static double number_of(const struct value *value)
{
    switch (value->type) {
    case VALUE_BOOL:
        return value->b;
    case VALUE_I64:
        return (double)value->i;
    case VALUE_U64:
        return (double)value->u;
    default:
        return value->f;
    }
}

static bool refuse_limits(const struct site_point *point, char *why, size_t size)
{
    size_t at = (size_t)snprintf(why, size, point->enum_count > 0 ? "allowed are " : "allowed is ");

    if (at < size)
        limits_text(point, why + at, size - at);
    return false;
}

static bool in_enum(const struct site_point *point, double number)
{
    for (size_t i = 0; i < point->enum_count; i++) {
        if ((double)point->enums[i].value == number)
            return true;
    }
    return point->enum_count == 0;
}

static bool on_step(const struct site_write *write, double number)
{
    double steps = (number - (isfinite(write->minimum) ? write->minimum : 0)) / write->step;

    return fabs(steps - nearbyint(steps)) <= OFF_STEP_MAX + fabs(steps) * 4e-16;
}

static bool within_limits(const struct site_point *point, double number, char *why, size_t size)
{
    const struct site_write *write = &point->write;

    return (in_enum(point, number) && number >= write->minimum && number <= write->maximum &&
            (write->step <= 0 || on_step(write, number))) ||
           refuse_limits(point, why, size);
}

bool command_value(const struct site_point *point, const struct order *order, struct value *value,
                   char *why, size_t why_size)
{
    const struct site_enum *named =
        order->form == ORDER_TEXT ? enum_of_text(point, order->text) : NULL;
    struct order number = {.form = ORDER_NUMBER};

    if (named) {
        number.number = (double)named->value;
        order = &number;
    } else if (order->form == ORDER_TEXT && point->enum_count > 0 &&
               !looks_like_number(order->text)) {
        return refuse_limits(point, why, why_size);
    }
    return convert(point, order, value, why, why_size) &&
           (point->type == VALUE_TEXT || within_limits(point, number_of(value), why, why_size));
}
