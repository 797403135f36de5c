#include "cli/scan_print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/bench.h"
#include "core/clock.h"
#include "core/text.h"
#include "modbus/describe.h"

#define LINE_SIZE 4096

const char *scan_print_time(int64_t ns, char text[32])
{
    int64_t s = (ns + NS_PER_S - 1) / NS_PER_S;

    if (s < 60)
        snprintf(text, 32, "%" PRId64 " s", s);
    else if (s < 600)
        snprintf(text, 32, "%" PRId64 " min %" PRId64 " s", s / 60, s % 60);
    else
        snprintf(text, 32, "%" PRId64 " min", (s + 59) / 60);
    return text;
}

static void put_key(struct text *text, const char *key, const char *value)
{
    if (!value || !*value)
        return;
    text_printf(text, ",\"%s\":", key);
    text_json_string(text, value, strlen(value));
}

static void heard_json(const struct listen *listen, enum listen_verdict verdict, const char *line)
{
    char bytes[LINE_SIZE];
    struct text text;

    text_init(&text, bytes, sizeof bytes);
    text_printf(&text, "{\"kind\":\"line\",\"heard\":\"%s\"", listen_word(verdict));
    put_key(&text, "line", line);
    text_printf(&text, ",\"bytes\":%zu,\"requests\":%u,\"replies\":%u,\"units\":[", listen->bytes,
                listen->requests, listen->replies);
    for (size_t i = 0; i < listen->pair_count; i++)
        text_printf(&text, "%s{\"unit\":%u,\"function\":%u,\"requests\":%u,\"replies\":%u}",
                    i ? "," : "", listen->pairs[i].unit, listen->pairs[i].function,
                    listen->pairs[i].requests, listen->pairs[i].replies);
    text_string(&text, "]}");
    printf("%s\n", text.data);
}

void scan_print_heard(const struct listen *listen, enum listen_verdict verdict,
                      const struct port_settings *line, bool json)
{
    char settings[24], name[DESCRIBE_NAME_SIZE];

    bench_line(line, settings);
    if (json) {
        heard_json(listen, verdict, settings);
        return;
    }
    printf("%s%s%s\n", settings, *settings ? ": " : "", listen_sentence(verdict));
    if (verdict != LISTEN_MASTER && verdict != LISTEN_REPLIES)
        return;
    for (size_t i = 0; i < listen->pair_count; i++)
        printf("  unit %u  %s: asked %u time%s, answered %u time%s\n", listen->pairs[i].unit,
               describe_function(listen->pairs[i].function, name), listen->pairs[i].requests,
               listen->pairs[i].requests == 1 ? "" : "s", listen->pairs[i].replies,
               listen->pairs[i].replies == 1 ? "" : "s");
}

static void found_json(const struct scan_found *found, const char *profile, const char *line)
{
    const struct scan_tally *tally = &found->tally;
    char bytes[LINE_SIZE];
    struct text text;

    text_init(&text, bytes, sizeof bytes);
    text_printf(&text, "{\"kind\":\"device\",\"unit\":%u,\"verdict\":\"%s\"", found->unit,
                scan_word(found->verdict));
    put_key(&text, "line", line);
    text_printf(&text,
                ",\"answers\":%u,\"exceptions\":%u,\"silent\":%u,\"garbled\":%u,\"doubled\":%u",
                tally->answers, tally->exceptions, tally->silent, tally->garbled, tally->doubled);
    if (tally->exceptions)
        text_printf(&text, ",\"exception\":%u", tally->exception);
    if (found->turnaround_ns)
        text_printf(&text, ",\"took_us\":%" PRId64, found->turnaround_ns / NS_PER_US);
    if (found->every_unit)
        text_string(&text, ",\"every_unit\":true");
    if (ident_known(&found->ident)) {
        text_printf(&text, ",\"identification\":{\"conformity\":%u", found->ident.conformity);
        for (int i = 0; i < IDENT_OBJECTS; i++)
            put_key(&text, ident_key(i), found->ident.texts[i]);
        text_string(&text, "}");
    }
    if (found->sunspec != SCAN_NO_SUNSPEC) {
        text_printf(&text, ",\"sunspec\":{\"register\":%" PRId32, found->sunspec);
        put_key(&text, "vendor", found->sunspec_vendor);
        put_key(&text, "model", found->sunspec_model);
        text_string(&text, "}");
    }
    put_key(&text, "profile", profile);
    text_string(&text, "}");
    printf("%s\n", text.data);
}

static void put_names(const struct scan_found *found)
{
    const char *before = ": ";

    for (int i = 0; i < IDENT_OBJECTS; i++) {
        if (!found->ident.texts[i][0] || i == IDENT_URL)
            continue;
        printf("%s%s%s", before, i == IDENT_REVISION ? "revision " : "", found->ident.texts[i]);
        before = ", ";
    }
    if (found->sunspec == SCAN_NO_SUNSPEC)
        return;
    printf("%sSunSpec at %" PRId32, before, found->sunspec);
    if (found->sunspec_vendor[0])
        printf(" (%s %s)", found->sunspec_vendor, found->sunspec_model);
}

void scan_print_found(const struct scan_found *found, const char *profile, bool json)
{
    const struct scan_tally *tally = &found->tally;
    char settings[24];

    bench_line(&found->line, settings);
    if (json) {
        found_json(found, profile, settings);
        return;
    }
    printf("%s%sunit %u", settings, *settings ? "  " : "", found->unit);
    if (found->verdict == SCAN_PRESENT || found->verdict == SCAN_NOISY)
        printf(" answers in %" PRId64 " ms", (found->turnaround_ns + NS_PER_MS - 1) / NS_PER_MS);
    if (tally->exceptions)
        printf(" (exception %u, so it is there)", tally->exception);
    put_names(found);
    if (profile)
        printf("; profile %s fits", profile);
    else if (found->sunspec != SCAN_NO_SUNSPEC)
        printf("; sluice sunspec writes its profile");
    printf("\n");
    if (found->every_unit)
        printf("  it answers whatever the unit is: a device by itself, not a line of several\n");
    const char *advice = scan_advice(found->verdict, found->numbered);
    if (*advice)
        printf("  %s (%u of %u answers sound)\n", advice, tally->answers + tally->exceptions,
               tally->answers + tally->exceptions + tally->garbled + tally->doubled +
                   tally->silent);
}

void scan_print_end(int found, const char *units)
{
    char bytes[LINE_SIZE];
    struct text text;

    text_init(&text, bytes, sizeof bytes);
    text_printf(&text, "{\"kind\":\"end\",\"found\":%d", found);
    put_key(&text, "units", units);
    text_string(&text, "}");
    printf("%s\n", text.data);
}
