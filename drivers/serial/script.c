#include "serial/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "serial/request.h"

#define TIME_NS_MAX (999 * NS_PER_S)

enum argument {
    ARGUMENT_NONE,
    ARGUMENT_TEXT,
    ARGUMENT_PATTERN,
    ARGUMENT_TIME,
    ARGUMENT_TIME_PATTERN,
    ARGUMENT_LINE,
    ARGUMENT_GROUP
};

static const struct {
    const char *word;
    enum step_verb verb;
    enum argument argument;
} verbs[] = {
    {"send", STEP_SEND, ARGUMENT_TEXT},
    {"expect", STEP_EXPECT, ARGUMENT_PATTERN},
    {"expect-line", STEP_EXPECT_LINE, ARGUMENT_PATTERN},
    {"await-line", STEP_AWAIT_LINE, ARGUMENT_TIME_PATTERN},
    {"read", STEP_READ, ARGUMENT_NONE},
    {"pause", STEP_PAUSE, ARGUMENT_TIME},
    {"break", STEP_BREAK, ARGUMENT_TIME},
    {"line", STEP_LINE, ARGUMENT_LINE},
    {"baud", STEP_BAUD, ARGUMENT_GROUP},
    {"timeout", STEP_TIMEOUT, ARGUMENT_TIME},
};

struct compiling {
    struct request_values values; /* with as many groups as there will be */
    const char *address;
    char *why;
    size_t why_size;
};

static int refuse(const struct compiling *compiling, const char *sentence)
{
    snprintf(compiling->why, compiling->why_size, "%s", sentence);
    return ERR_INVALID;
}

/* "{1}" at *text, which goes behind it; 0 for anything else. */
static size_t take_group(const char **text)
{
    const char *at = *text;

    if (at[0] != '{' || at[1] < '1' || at[1] > '9' || at[2] != '}')
        return 0;
    *text = at + 3;
    return (size_t)(at[1] - '0');
}

static int take_time(const struct compiling *compiling, const char **text, struct step *step)
{
    static const char help[] = "a time is \"12ms\", \"5s\" or \"{1}s\", up to 999s";
    char *end;
    unsigned long number;

    step->group = take_group(text);
    if (step->group > 0) {
        if (step->group >= compiling->values.group_count)
            return refuse(compiling,
                          "{N} needs an answer that was expected before, with a group N");
        if (**text != 's')
            return refuse(compiling, help);
        ++*text;
        return 0;
    }
    if (**text < '0' || **text > '9')
        return refuse(compiling, help);
    number = strtoul(*text, &end, 10);
    if (number > TIME_NS_MAX / NS_PER_MS)
        return refuse(compiling, help);
    step->ns = (int64_t)number;
    if (strncmp(end, "ms", 2) == 0)
        step->ns *= NS_PER_MS;
    else if (*end == 's')
        step->ns *= NS_PER_S;
    else
        return refuse(compiling, help);
    *text = end + (*end == 'm' ? 2 : 1);
    return step->ns > TIME_NS_MAX ? refuse(compiling, help) : 0;
}

static int take_pattern(struct compiling *compiling, const char *text, struct step *step)
{
    int error = pattern_compile(&step->pattern, text, compiling->address, compiling->why,
                                compiling->why_size);

    if (!error && step->verb != STEP_AWAIT_LINE) {
        size_t groups = pattern_groups(step->pattern) + 1;

        compiling->values.group_count = groups < REQUEST_GROUPS_MAX ? groups : REQUEST_GROUPS_MAX;
    }
    return error;
}

static int take_send(struct compiling *compiling, const char *text, struct step *step)
{
    uint8_t bytes[REQUEST_SIZE_MAX];
    int size = request_build(text, &compiling->values, bytes, compiling->why, compiling->why_size);

    step->text = text;
    return size < 0 ? size : *text ? 0 : refuse(compiling, "sends nothing");
}

static int take_argument(struct compiling *compiling, enum argument argument, const char *text,
                         struct step *step)
{
    int error = 0;

    switch (argument) {
    case ARGUMENT_TEXT:
        return take_send(compiling, text, step);
    case ARGUMENT_PATTERN:
        return take_pattern(compiling, text, step);
    case ARGUMENT_LINE:
        return port_parse_settings(text, &step->line, compiling->why, compiling->why_size);
    case ARGUMENT_GROUP:
        step->group = take_group(&text);
        if (step->group == 0 || step->group >= compiling->values.group_count)
            return refuse(compiling, "is \"baud {N}\", with the group N of an answer before");
        break;
    case ARGUMENT_TIME:
        error = take_time(compiling, &text, step);
        break;
    case ARGUMENT_TIME_PATTERN:
        error = take_time(compiling, &text, step);
        if (!error && *text++ != ' ')
            error = refuse(compiling, "is \"await-line TIME PATTERN\"");
        return error ? error : take_pattern(compiling, text, step);
    default:
        break;
    }
    return error || !*text ? error : refuse(compiling, "has more behind it than belongs there");
}

static int compile_step(struct compiling *compiling, const char *text, struct step *step)
{
    size_t word_size = strcspn(text, " ");

    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strlen(verbs[i].word) != word_size || strncmp(verbs[i].word, text, word_size) != 0)
            continue;
        step->verb = verbs[i].verb;
        text += word_size;
        return take_argument(compiling, verbs[i].argument, *text ? text + 1 : text, step);
    }
    return refuse(compiling, "is no step; there are: send, expect, expect-line, await-line, read, "
                             "pause, break, line, baud, timeout");
}

/* What is expected must be the answer to something, and somebody must be asked at all. */
static int check_order(const struct compiling *compiling, const struct script *script)
{
    for (size_t i = 0; i < script->count; i++) {
        if (script->steps[i].verb == STEP_SEND)
            return 0;
    }
    return refuse(compiling, "no step sends anything: a device that speaks by itself needs no "
                             "exchange");
}

int script_compile(struct script *script, const struct serial_device_options *options,
                   size_t *wrong, char *why, size_t why_size)
{
    struct compiling compiling = {.address = options->address, .why = why, .why_size = why_size};
    bool is_exchange = options->exchange.count > 0;
    int error = 0;

    *script = (struct script){.count = 0};
    *wrong = 0;
    compiling.values.address = options->address;
    compiling.values.group_count = 1;
    if (options->exchange.count > SERIAL_STEPS_MAX)
        return refuse(&compiling, "an exchange has at most 24 steps");
    if (!is_exchange)
        error = take_send(&compiling, options->request, &script->steps[script->count++]);
    for (size_t i = 0; i < options->exchange.count && !error; i++) {
        *wrong = i;
        error =
            compile_step(&compiling, options->exchange.items[i], &script->steps[script->count++]);
    }
    if (error)
        return error;
    if (script->steps[script->count - 1].verb == STEP_READ)
        script->count--;
    script->steps[script->count++].verb = STEP_READ_ALL;
    return check_order(&compiling, script);
}

void script_free(struct script *script)
{
    for (size_t i = 0; i < script->count; i++)
        pattern_free(script->steps[i].pattern);
    script->count = 0;
}

int32_t script_iec_baud(char character)
{
    static const int32_t bauds[] = {300, 600, 1200, 2400, 4800, 9600, 19200};

    return character >= '0' && character <= '6' ? bauds[character - '0'] : 0;
}
