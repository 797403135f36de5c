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
    const struct explain_wish *wish;
    struct borrow *borrow;
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
static int parse_within(struct explain_wish *wish, const char *text)
{
    char *end;

    wish->within = 0.01;
    if (!text)
        return EXIT_CODE_OK;
    wish->within = strtod(text, &end);
    if (end == text || !(wish->within > 0 && wish->within <= WITHIN_MAX) ||
        (*end && strcmp(end, "%") != 0))
        return wrong("within", text, "a share such as 2%, or a number");
    wish->within /= *end ? 100 : fabs(wish->expect);
    return EXIT_CODE_OK;
}

static int parse_texts(struct explain_wish *wish, const struct explain_texts *texts)
{
    double samples = 3, interval_ms = 1000, pick = 0;

    wish->scale = 1;
    wish->id = texts->id;
    wish->profile = texts->profile;
    if (parse_number(texts->expect, "expect", "a number other than 0", -1e15, 1e15,
                     &wish->expect) ||
        parse_number(texts->samples, "samples", "1 to 16", 1, GUESS_SAMPLES_MAX, &samples) ||
        parse_number(texts->interval_ms, "interval", "milliseconds, at most 60000", 0, 60000,
                     &interval_ms) ||
        parse_number(texts->pick, "pick", "one of the numbers that are listed", 1, 1e6, &pick) ||
        parse_number(texts->scale, "scale", "a number", -1e9, 1e9, &wish->scale))
        return EXIT_CODE_USAGE;
    if (texts->expect && wish->expect == 0)
        return wrong("expect", texts->expect, "a number other than 0");
    if (parse_within(wish, texts->within))
        return EXIT_CODE_USAGE;
    wish->samples = (int64_t)samples;
    wish->interval_ms = (int64_t)interval_ms;
    wish->pick = (int64_t)pick;
    if (wish->pick && wish->expect == 0)
        wish->samples = 1; /* nothing is judged */
    return EXIT_CODE_OK;
}

static const char *picked_id(const struct explain_wish *wish)
{
    return wish->id ? wish->id : "value";
}

static int check_pick(const struct explain_wish *wish, const struct modbus_read *read)
{
    unsigned at, kind;

    if ((wish->id || wish->profile) && !wish->pick) {
        fprintf(stderr, "sluice read: --id and --profile need a --pick\n");
        return EXIT_CODE_USAGE;
    }
    if (wish->id && !id_valid(wish->id))
        return wrong("id", wish->id, "a-z 0-9 - _");
    if (wish->pick && !guess_named((unsigned)wish->pick, (unsigned)read->count, &at, &kind)) {
        fprintf(stderr,
                "sluice read: there is no number %lld among these registers: name the same --reg "
                "and --count as where it was listed\n",
                (long long)wish->pick);
        return EXIT_CODE_USAGE;
    }
    return wish->profile ? profile_edit_check(wish->profile, picked_id(wish)) : EXIT_CODE_OK;
}

int explain_parse(struct explain_wish *wish, const struct explain_texts *texts,
                  const struct modbus_read *read)
{
    char why[512] = "";
    int code = parse_texts(wish, texts);

    if (code == EXIT_CODE_OK && modbus_registers_check(read, why, sizeof why) != 0) {
        fprintf(stderr, "sluice read: %s\n", why);
        return EXIT_CODE_USAGE;
    }
    return code == EXIT_CODE_OK ? check_pick(wish, read) : code;
}

/* Between two samples. ERR_CLOSED when it is to end, or the daemon has taken the line back. */
static int rest(const struct explain *explain)
{
    struct driver_host *host = explain->read->waits;

    return host_wait(host, -1, clock_mono(host->clock) + explain->wish->interval_ms * NS_PER_MS);
}

/* All samples. Progress goes where it is in nobody's way. */
static int take_samples(struct explain *explain, struct modbus_registers *registers, char *why,
                        size_t why_size)
{
    size_t size = 2 * (size_t)explain->read->count;
    int error = 0;

    for (int64_t i = 0; i < explain->wish->samples && !error; i++) {
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
        explain->data = calloc(count * (size_t)explain->wish->samples, 2);
        explain->there = malloc(count);
        error = explain->data && explain->there ? 0 : ERR_NOMEM;
    }
    if (!error) {
        memset(explain->there, true, count);
        error = take_samples(explain, registers, why, sizeof why);
    }
    modbus_registers_close(registers);
    explain->seen = (struct guess_samples){(unsigned)count, (unsigned)explain->wish->samples,
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
    size_t count = found && explain->wish->expect != 0
                       ? guess_search(&explain->seen, explain->wish->expect, explain->wish->within,
                                      found, 4096)
                       : 0;
    bool met = explain->wish->expect == 0;

    *scale = explain->wish->scale;
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
    unsigned at = 0, kind = 0;
    double scale;

    guess_named((unsigned)explain->wish->pick, explain->seen.count, &at, &kind);
    if (!find_scale(explain, at, kind, &scale)) {
        fprintf(stderr, "sluice read: number %lld is not near %g now\n",
                (long long)explain->wish->pick, explain->wish->expect);
        return EXIT_CODE_FAILED;
    }
    struct profile_line line = {
        .id = picked_id(explain->wish),
        .function = explain->page.function,
        .address = (uint16_t)(explain->page.address + at),
        .type = guess_kinds[kind].name,
        .order = guess_kinds[kind].registers > 1 ? guess_kinds[kind].letters : NULL,
        .scale = scale,
    };
    gateway_config_parts(&parts);
    if (explain->wish->profile)
        return profile_edit_file(explain->wish->profile, &line, explain->page.zero_based, &parts);
    profile_line_print(stdout, &line, explain->page.zero_based, &parts);
    putchar('\n');
    return EXIT_CODE_OK;
}

static int show(struct explain *explain)
{
    struct guess found[GUESSES_MAX];
    bool search = explain->wish->expect != 0;
    size_t count = search ? guess_search(&explain->seen, explain->wish->expect,
                                         explain->wish->within, found, GUESSES_MAX)
                          : guess_plausible(&explain->seen, found, GUESSES_MAX);

    if (!search && explain->wish->json)
        explain_print_json(&explain->page);
    else if (explain->wish->json)
        explain_print_guesses_json(&explain->page, found, count);
    if (!search && !explain->wish->json)
        explain_print(&explain->page);
    if (!explain->wish->json && count > 0) {
        printf(search ? "" : "\nThe likeliest:\n");
        explain_print_guesses(&explain->page, found, count);
    }
    if (!search)
        return EXIT_CODE_OK;
    if (count == 0)
        fprintf(stderr,
                "sluice read: nothing among these %u registers is within %g %% of %g; try other "
                "registers, --table input, or a larger --within\n",
                explain->seen.count, 100 * explain->wish->within, explain->wish->expect);
    return count > 0 ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}

int explain_run(const struct modbus_read *read, const struct explain_wish *wish,
                struct borrow *borrow)
{
    struct explain explain = {.read = read, .wish = wish, .borrow = borrow};
    int code;

    explain.page = (struct explain_page){.out = stdout,
                                         .samples = &explain.seen,
                                         .zero_based = read->table != NULL,
                                         .all = wish->all};
    code = sample(&explain);
    if (code == EXIT_CODE_OK)
        code = wish->pick ? pick(&explain) : show(&explain);
    free(explain.data);
    free(explain.there);
    return code;
}
