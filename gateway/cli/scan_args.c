#include "cli/scan_args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"
#include "core/clock.h"

#define HEAD_UNITS         10 /* most lines have their first device among these */
#define TIMEOUT_LINE_MS    250
#define TIMEOUT_NETWORK_MS 600

/* The commonest first. */
static const char usual_bauds[] = "9600,19200,38400,115200,4800,57600,2400,1200";
static const char usual_formats[] = "8N1,8E1,8O1";
static const char usual_ascii_formats[] = "7E1,7O1,8N1";

static bool add_line(struct scan_options *options, const char *text)
{
    char why[256];

    if (options->line_count == SCAN_LINES_MAX) {
        fprintf(stderr, "sluice scan: more than %d line settings\n", SCAN_LINES_MAX);
        return false;
    }
    if (port_parse_settings(text, &options->lines[options->line_count], why, sizeof why) != 0) {
        fprintf(stderr, "sluice scan: \"%s\": %s\n", text, why);
        return false;
    }
    options->line_count++;
    return true;
}

static bool combine(struct scan_options *options, const char *bauds, const char *formats)
{
    for (const char *baud = bauds; *baud;) {
        size_t baud_size = strcspn(baud, ",");

        for (const char *format = formats; *format;) {
            size_t format_size = strcspn(format, ",");
            char text[64];

            snprintf(text, sizeof text, "%.*s %.*s", (int)baud_size, baud, (int)format_size,
                     format);
            if (!add_line(options, text))
                return false;
            format += format_size + (format[format_size] == ',');
        }
        baud += baud_size + (baud[baud_size] == ',');
    }
    return true;
}

size_t scan_usual_lines(bool ascii, struct port_settings lines[SCAN_LINES_MAX])
{
    struct scan_options options = {0};

    combine(&options, usual_bauds, ascii ? usual_ascii_formats : usual_formats);
    memcpy(lines, options.lines, options.line_count * sizeof *lines);
    return options.line_count;
}

static bool parse_lines(struct scan_options *options, const struct scan_texts *texts)
{
    const char *formats = options->bus.ascii ? usual_ascii_formats : usual_formats;

    if (!options->bus.port) {
        if (texts->line || texts->bauds || texts->formats)
            fprintf(stderr, "sluice scan: the line behind a host is set there: --line, --baud and "
                            "--format are for ports\n");
        options->line_count = 1;
        return !texts->line && !texts->bauds && !texts->formats;
    }
    if (texts->line)
        return add_line(options, texts->line);
    return combine(options, texts->bauds ? texts->bauds : usual_bauds,
                   texts->formats ? texts->formats : formats);
}

/* "1-16,100" */
static bool parse_units(struct scan_options *options, const char *text)
{
    bool seen[256] = {false};
    int most = options->tcp ? 255 : 247;

    while (*text) {
        char *end;
        long first = strtol(text, &end, 10), last = first;

        if (end != text && *end == '-') {
            text = end + 1;
            last = strtol(text, &end, 10);
        }
        if (end == text || first < 0 || last > most || last < first || (*end && *end != ',')) {
            fprintf(stderr,
                    "sluice scan: --units takes numbers and ranges from 0 to %d, as 1-16,100\n",
                    most);
            return false;
        }
        for (long unit = first; unit <= last; unit++) {
            if (!seen[unit])
                options->units[options->unit_count++] = (uint8_t)unit;
            seen[unit] = true;
        }
        text = *end ? end + 1 : end;
    }
    return options->unit_count > 0;
}

/* "holding:0" */
static bool parse_question(struct scan_options *options, const char *text)
{
    const char *colon = strchr(text, ':');
    char name[16] = "", why[256], *end = NULL;
    long address = colon ? strtol(colon + 1, &end, 10) : -1;
    int table = 0;

    if (colon && (size_t)(colon - text) < sizeof name)
        memcpy(name, text, (size_t)(colon - text));
    if (modbus_point_choice("table", name, &table, why, sizeof why) != 0 || !end || *end ||
        end == colon + 1 || address < 0 || address > 65535) {
        fprintf(stderr, "sluice scan: --ask takes a table (holding, input, coil, discrete) and a "
                        "register from 0, as input:0\n");
        return false;
    }
    options->function = (uint8_t)table;
    options->address = (uint16_t)address;
    return true;
}

bool scan_args(struct scan_options *options, struct scan_texts *texts)
{
    int64_t timeout_ms = options->bus.port ? TIMEOUT_LINE_MS : TIMEOUT_NETWORK_MS;

    options->count = 1;
    if (!texts->units)
        texts->units = options->tcp ? "1-247,0,255" : "1-247";
    if (!bench_number(texts->timeout_ms, "sluice scan", "timeout", 1, 60000, &timeout_ms) ||
        !parse_lines(options, texts) ||
        !parse_units(options, texts->units) ||
        !parse_question(options, texts->ask ? texts->ask : "holding:0"))
        return false;
    options->timeout_ns = timeout_ms * NS_PER_MS;
    options->bus.connect_timeout_ns = 3 * NS_PER_S;
    options->bus.timeout_ns = options->timeout_ns;
    options->head_count = options->line_count > 1 && options->unit_count > HEAD_UNITS
                              ? HEAD_UNITS
                              : options->unit_count;
    return true;
}
