#include "cli/explain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"
#include "cli/command.h"
#include "cli/profile_edit.h"
#include "core/clock.h"
#include "core/error.h"

#define WITHIN_MAX  1e15
#define GUESSES_MAX 24 /* that are listed; a display's value fits few more by accident */

struct explain {
    const struct modbus_read *read;
    struct borrow *borrow;
    double expect, within, scale;
    int64_t samples, interval_ms, pick;
    const char *id, *profile;
    bool all, json;
    uint8_t *data;
    bool *there;
    struct guess_samples seen;
    struct explain_page page;
};

static int wrong(const char *flag, const char *text, const char *allowed)
{
    fprintf(stderr, "sluice read: --%s takes %s, not \"%s\"\n", flag, allowed, text);
    return EXIT_CODE_USAGE;
}

static int parse_number(const char *text, const char *flag, const char *allowed, double least,
                        double most, double *number)
{
    char *end;

    if (!text)
        return EXIT_CODE_OK;
    *number = strtod(text, &end);
    return end == text || *end || !(*number >= least && *number <= most)
               ? wrong(flag, text, allowed)
               : EXIT_CODE_OK;
}

/* "2%", or how far in the value's own unit. */
static int parse_within(struct explain *explain, const char *text)
{
    char *end;

    explain->within = 0.01;
    if (!text)
        return EXIT_CODE_OK;
    explain->within = strtod(text, &end);
    if (end == text || !(explain->within > 0 && explain->within <= WITHIN_MAX) ||
        (*end && strcmp(end, "%") != 0))
        return wrong("within", text, "a share such as 2%, or a number");
    explain->within /= *end ? 100 : fabs(explain->expect);
    return EXIT_CODE_OK;
}

static int parse(struct explain *explain, const struct explain_texts *texts)
{
    double samples = 3, interval_ms = 1000, pick = 0;

    explain->scale = 1;
    explain->id = texts->id;
    explain->profile = texts->profile;
    if (parse_number(texts->expect, "expect", "a number other than 0", -1e15, 1e15,
                     &explain->expect) ||
        parse_number(texts->samples, "samples", "1 to 16", 1, GUESS_SAMPLES_MAX, &samples) ||
        parse_number(texts->interval_ms, "interval", "milliseconds, at most 60000", 0, 60000,
                     &interval_ms) ||
        parse_number(texts->pick, "pick", "one of the numbers that are listed", 1, 1e6, &pick) ||
        parse_number(texts->scale, "scale", "a number", -1e9, 1e9, &explain->scale))
        return EXIT_CODE_USAGE;
    if (texts->expect && explain->expect == 0)
        return wrong("expect", texts->expect, "a number other than 0");
    if (parse_within(explain, texts->within))
        return EXIT_CODE_USAGE;
    explain->samples = (int64_t)samples;
    explain->interval_ms = (int64_t)interval_ms;
    explain->pick = (int64_t)pick;
    if ((explain->id || explain->profile) && !explain->pick) {
        fprintf(stderr, "sluice read: --id and --profile need a --pick\n");
        return EXIT_CODE_USAGE;
    }
    if (explain->id && !id_valid(explain->id))
        return wrong("id", explain->id, "a-z 0-9 - _");
    return EXIT_CODE_OK;
}

/* Between two samples. ERR_CLOSED when it is to end, or the daemon has taken the line back. */
static int rest(const struct explain *explain)
{
    struct driver_host *host = explain->read->waits;

    return host_wait(host, -1, clock_mono(host->clock) + explain->interval_ms * NS_PER_MS);
}

/* All samples. Progress goes where it is in nobody's way. */
static int take_samples(struct explain *explain, struct modbus_registers *registers, char *why,
                        size_t why_size)
{
    size_t size = 2 * (size_t)explain->read->count;
    int error = 0;

    for (int64_t i = 0; i < explain->samples && !error; i++) {
        if (i > 0 && rest(explain) != 0) {
            snprintf(why, why_size, "stopped");
            return ERR_CLOSED;
        }
        error = modbus_registers_read(registers, explain->data + (size_t)i * size, explain->there,
                                      why, why_size);
    }
    return error;
}

static int sample(struct explain *explain)
{
    struct modbus_registers *registers = NULL;
    size_t count = (size_t)explain->read->count;
    char why[256] = "";
    int error = modbus_registers_open(&registers, explain->read, why, sizeof why);

    if (!error) {
        modbus_registers_place(registers, &explain->page.function, &explain->page.address);
        explain->data = calloc(count * (size_t)explain->samples, 2);
        explain->there = malloc(count);
        error = explain->data && explain->there ? 0 : ERR_NOMEM;
    }
    if (!error) {
        memset(explain->there, true, count);
        error = take_samples(explain, registers, why, sizeof why);
    }
    modbus_registers_close(registers);
    explain->seen = (struct guess_samples){(unsigned)count, (unsigned)explain->samples,
                                           explain->data, explain->there};
    if (error)
        fprintf(stderr, "sluice read: %s\n", *why ? why : error_text(error));
    borrow_hint(explain->borrow, error);
    return error == ERR_INVALID ? EXIT_CODE_USAGE : bench_exit_code(error);
}

/* With an expectation the scale by which it was met, else the one that was given. */
static bool find_scale(const struct explain *explain, unsigned at, unsigned kind, double *scale)
{
    struct guess *found = calloc(4096, sizeof *found);
    size_t count = found && explain->expect != 0
                       ? guess_search(&explain->seen, explain->expect, explain->within, found, 4096)
                       : 0;
    bool met = explain->expect == 0;

    *scale = explain->scale;
    for (size_t i = 0; i < count; i++) {
        if (found[i].at != at || found[i].kind != kind)
            continue;
        *scale = found[i].scale;
        met = true;
    }
    free(found);
    return met;
}

static int pick(struct explain *explain)
{
    struct config_parts parts;
    unsigned at, kind;
    double scale;

    if (!guess_named((unsigned)explain->pick, explain->seen.count, &at, &kind)) {
        fprintf(stderr, "sluice read: there is no number %lld among these registers\n",
                (long long)explain->pick);
        return EXIT_CODE_USAGE;
    }
    if (!find_scale(explain, at, kind, &scale)) {
        fprintf(stderr, "sluice read: number %lld is not near %g now\n", (long long)explain->pick,
                explain->expect);
        return EXIT_CODE_FAILED;
    }
    struct profile_line line = {
        .id = explain->id ? explain->id : "value",
        .function = explain->page.function,
        .address = (uint16_t)(explain->page.address + at),
        .type = guess_kinds[kind].name,
        .order = guess_kinds[kind].registers > 1 ? guess_kinds[kind].letters : NULL,
        .scale = scale,
    };
    gateway_config_parts(&parts);
    if (explain->profile)
        return profile_edit_file(explain->profile, &line, explain->page.zero_based, &parts);
    profile_line_print(stdout, &line, explain->page.zero_based, &parts);
    putchar('\n');
    return EXIT_CODE_OK;
}

static int show(struct explain *explain)
{
    struct guess found[GUESSES_MAX];
    bool search = explain->expect != 0;
    size_t count =
        search ? guess_search(&explain->seen, explain->expect, explain->within, found, GUESSES_MAX)
               : guess_plausible(&explain->seen, found, GUESSES_MAX);

    if (!search && explain->json)
        explain_print_json(&explain->page);
    else if (explain->json)
        explain_print_guesses_json(&explain->page, found, count);
    if (!search && !explain->json)
        explain_print(&explain->page);
    if (!explain->json && count > 0) {
        printf(search ? "" : "\nThe likeliest:\n");
        explain_print_guesses(&explain->page, found, count);
    }
    if (!search)
        return EXIT_CODE_OK;
    if (count == 0)
        fprintf(stderr,
                "sluice read: nothing among these %u registers is within %g %% of %g; try other "
                "registers, --table input, or a larger --within\n",
                explain->seen.count, 100 * explain->within, explain->expect);
    return count > 0 ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

int explain_run(const struct modbus_read *read, const struct explain_texts *texts, bool all,
                bool json, struct borrow *borrow)
{
    struct explain explain = {.read = read, .borrow = borrow, .all = all, .json = json};
    int code = parse(&explain, texts);

    if (code != EXIT_CODE_OK)
        return code;
    if (explain.pick && explain.expect == 0)
        explain.samples = 1; /* nothing is judged */
    explain.page = (struct explain_page){
        .out = stdout, .samples = &explain.seen, .zero_based = read->table != NULL, .all = all};
    code = sample(&explain);
    if (code == EXIT_CODE_OK)
        code = explain.pick ? pick(&explain) : show(&explain);
    free(explain.data);
    free(explain.there);
    return code;
}
