#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/answer.h"
#include "cli/client.h"
#include "cli/command.h"
#include "core/clock.h"

static const cJSON *get(const cJSON *object, const char *key)
{
    return cJSON_GetObjectItemCaseSensitive(object, key);
}

/* What goes over a network, in steps of 1000, as budgets and tariffs count. */
static void print_traffic(double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    size_t unit = 0;

    while (bytes >= 1000 && unit < 4) {
        bytes /= 1000;
        unit++;
    }
    printf(unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
}

/* What is stored, in steps of 1024, as the configuration says how much may be. */
static void print_size(double bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;

    while (bytes >= 1024 && unit < 4) {
        bytes /= 1024;
        unit++;
    }
    printf(bytes == floor(bytes) ? "%.0f %s" : "%.1f %s", bytes, units[unit]);
}

static void print_dropped(const cJSON *dropped)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, dropped)
    {
        printf(", %.0f dropped (%s)", item->valuedouble, item->string);
    }
}

static void print_duration(double seconds)
{
    if (seconds < 120)
        printf("%.0f s", seconds);
    else if (seconds < 7200)
        printf("%.0f min", seconds / 60);
    else if (seconds < 172800)
        printf("%.1f h", seconds / 3600);
    else
        printf("%.1f days", seconds / 86400);
}

static void print_gateway(const cJSON *status)
{
    const cJSON *clock = get(status, "clock");
    char time[32];

    clock_format(answer_time(clock, "t"), time);
    printf("%s  %s\n", answer_text(status, "id"), answer_text(status, "name"));
    printf("  sluice %s, up ", answer_text(status, "version"));
    print_duration(answer_number(status, "uptime_s"));
    printf(", configuration %s\n  clock %s, %s\n",
           answer_text(get(status, "config"), "fingerprint"), time, answer_text(clock, "trust"));
    if (*answer_text(clock, "why"))
        printf("    %s\n", answer_text(clock, "why"));
    if (get(status, "identity"))
        printf("  ON ANOTHER MACHINE THAN BEFORE: nothing is published; see sluice identity\n");
    const cJSON *refused = get(get(status, "config"), "refused");
    if (!refused)
        return;
    clock_format(answer_time(refused, "at"), time);
    printf("  the newest file was refused at %s, the one before it runs on:\n    %s\n", time,
           answer_text(refused, "why"));
}

static void print_journal(const cJSON *journal)
{
    const cJSON *previous = get(journal, "prev");

    printf("\njournal  epoch %s, events %.0f to %.0f, ", answer_text(journal, "epoch"),
           answer_number(journal, "oldest"), answer_number(journal, "newest"));
    print_size(answer_number(journal, "bytes"));
    printf(" of ");
    print_size(answer_number(journal, "keep_bytes"));
    printf("\n  produced %.0f = stored %.0f + refused %.0f + waiting %.0f",
           answer_number(journal, "produced"), answer_number(journal, "stored"),
           answer_number(journal, "refused"), answer_number(journal, "waiting"));
    print_dropped(get(journal, "dropped"));
    if (answer_number(journal, "outage_days") > 0) {
        printf("\n  holds an outage of at least ");
        print_duration(answer_number(journal, "outage_days") * 86400);
    }
    printf("\n  commits every %.0f ms (a power cut takes at most that), last sync %.1f ms, worst "
           "%.1f ms\n",
           answer_number(journal, "commit_ms"), answer_number(journal, "last_sync_us") / 1000,
           answer_number(journal, "worst_sync_us") / 1000);
    if (previous) {
        char newest[32] = "";
        if (answer_number(previous, "t") != 0)
            clock_format(answer_time(previous, "t"), newest);
        printf("  epoch before: %s up to %.0f%s%s (%s)\n", answer_text(previous, "epoch"),
               answer_number(previous, "last"), *newest ? " of " : "", newest,
               answer_text(previous, "why"));
    }
    if (*answer_text(journal, "error"))
        printf("  NOTHING CAN BE STORED: %s\n", answer_text(journal, "error"));
}

/* "3 requests", "1 reply". */
static void print_count(double count, const char *one, const char *many)
{
    printf("%.0f %s", count, count == 1 ? one : many);
}

/* "is serial 4711, vendor Acme" */
static void print_identity(const cJSON *identity)
{
    const char *separator = "       is ";
    const cJSON *word;

    cJSON_ArrayForEach(word, identity)
    {
        printf("%s%s %s", separator, word->string, word->valuestring);
        separator = ", ";
    }
    if (*separator == ',')
        printf("\n");
}

/* Registers as on the wire: what stands there is between points, and has no other number. */
static void print_gaps(const cJSON *gaps)
{
    const char *separator = "       not read over, as on the wire: ";
    const cJSON *gap;

    cJSON_ArrayForEach(gap, gaps)
    {
        double first = answer_number(gap, "first"), last = answer_number(gap, "last");

        printf("%sfunction %.0f ", separator, answer_number(gap, "function"));
        if (last < first)
            printf("between %.0f and %.0f", last, first);
        else
            printf("%.0f to %.0f", first, last);
        separator = ", ";
    }
    if (*separator == ',')
        printf("\n");
}

/* "reads at most 60 at once, 2 gaps not read over, 1 point refused" */
static void print_learnt(const cJSON *learnt)
{
    static const struct {
        const char *key, *before, *one, *many;
    } parts[] = {
        {"max_block", "reads at most ", "register at once", "registers at once"},
        {"cuts", "", "place not read over", "places not read over"},
        {"refused", "", "point refused", "points refused"},
    };
    const cJSON *point;
    const char *separator = "       learnt: ";

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        double count = answer_number(learnt, parts[i].key);

        if (count == 0)
            continue;
        printf("%s%s", separator, parts[i].before);
        print_count(count, parts[i].one, parts[i].many);
        separator = ", ";
    }
    if (*separator == ',')
        printf("\n");
    print_identity(get(learnt, "identity"));
    cJSON_ArrayForEach(point, get(learnt, "points"))
    {
        printf("       refuses %s (register %.0f, function %.0f): %s, %s\n",
               answer_text(point, "id"), answer_number(point, "reg"),
               answer_number(point, "function"), answer_text(point, "why"),
               answer_text(point, "help"));
    }
    print_gaps(get(learnt, "gaps"));
}

static void print_device(const cJSON *device)
{
    static const struct {
        const char *key, *one, *many;
    } counters[] = {
        {"requests", "request", "requests"},        {"replies", "reply", "replies"},
        {"timeouts", "time-out", "time-outs"},      {"corrupt", "corrupt", "corrupt"},
        {"unexpected", "unexpected", "unexpected"}, {"exceptions", "exception", "exceptions"},
    };
    const cJSON *age = get(device, "age_ms");

    if (answer_number(device, "points") == 0) {
        printf("  -    %-20s no points: nothing is read of it; name a profile, or points\n",
               answer_text(device, "id"));
        return;
    }
    printf("  %s %-20s ", cJSON_IsTrue(get(device, "up")) ? "up  " : "DOWN",
           answer_text(device, "id"));
    print_count(answer_number(device, "points"), "point", "points");
    if (answer_number(device, "bad") > 0)
        printf(" (%.0f bad)", answer_number(device, "bad"));
    if (answer_number(device, "implausible") > 0)
        printf(" (%.0f implausible)", answer_number(device, "implausible"));
    for (size_t i = 0; i < sizeof counters / sizeof *counters; i++) {
        if (answer_number(device, counters[i].key) == 0)
            continue;
        printf(", ");
        print_count(answer_number(device, counters[i].key), counters[i].one, counters[i].many);
    }
    if (answer_number(device, "round_trip_us") > 0)
        printf(", %.1f ms", answer_number(device, "round_trip_us") / 1000);
    if (answer_number(device, "bus_percent") > 0)
        printf(", %.1f %% of the bus", answer_number(device, "bus_percent"));
    if (age)
        printf(", heard %.1f s ago", age->valuedouble / 1000);
    if (get(device, "next_probe_ms"))
        printf(", next try in %.1f s", answer_number(device, "next_probe_ms") / 1000);
    printf("\n");
    if (*answer_text(device, "why"))
        printf("       %s: %s\n", answer_text(device, "why"), answer_text(device, "help"));
    if (answer_number(device, "late_ms") > 0)
        printf("       it answers %.0f ms after it was asked, later than its time-out: raise its "
               "\"timeout\"\n",
               answer_number(device, "late_ms"));
    if (*answer_text(device, "doubt"))
        printf("       ANOTHER MODEL? It %s\n", answer_text(device, "doubt"));
    print_learnt(get(device, "learnt"));
}

static void print_buses(const cJSON *buses)
{
    const cJSON *bus, *device;

    cJSON_ArrayForEach(bus, buses)
    {
        printf("\nbus %s  %s\n", answer_text(bus, "id"), answer_text(bus, "driver"));
        if (*answer_text(bus, "error"))
            printf("  IT GAVE UP: %s\n", answer_text(bus, "error"));
        cJSON_ArrayForEach(device, get(bus, "devices"))
        {
            print_device(device);
        }
    }
}

static void print_connection(const cJSON *uplink)
{
    if (*answer_text(uplink, "mqtt"))
        printf(", MQTT %s", answer_text(uplink, "mqtt"));
    if (*answer_text(uplink, "tls"))
        printf(", %s", answer_text(uplink, "tls"));
    if (!cJSON_IsTrue(get(uplink, "delivery_proven")))
        printf(", delivery unproven");
}

static void print_uplinks(const cJSON *status)
{
    const cJSON *uplink;

    cJSON_ArrayForEach(uplink, get(status, "uplinks"))
    {
        char cursor[128];
        printf("\nuplink %s  %s\n  %s", answer_text(uplink, "id"), answer_text(uplink, "url"),
               answer_text(uplink, "state"));
        if (strcmp(answer_text(uplink, "state"), "online") == 0)
            print_connection(uplink);
        if (get(uplink, "next_try_ms"))
            printf(", next try in %.1f s", answer_number(uplink, "next_try_ms") / 1000);
        printf("\n");
        if (*answer_text(uplink, "error"))
            printf("  %s%s\n",
                   strcmp(answer_text(uplink, "state"), "connecting") == 0 ? "the attempt before: "
                                                                           : "",
                   answer_text(uplink, "error"));
        if (*answer_text(uplink, "alarm"))
            printf("  ALARM: %s\n", answer_text(uplink, "alarm"));
        snprintf(cursor, sizeof cursor, "uplink/%s", answer_text(uplink, "id"));
        const cJSON *ledger = get(get(status, "consumers"), cursor);
        printf("  events: %.0f acknowledged, %.0f pending", answer_number(ledger, "acked"),
               answer_number(ledger, "pending"));
        print_dropped(get(ledger, "dropped"));
        printf("; since its start %.0f messages, ", answer_number(uplink, "published"));
        print_traffic(answer_number(uplink, "bytes"));
        printf(", %.0f in flight\n", answer_number(uplink, "in_flight"));
        if (answer_number(ledger, "acked") == 0 && answer_number(ledger, "pending") > 0)
            printf(
                "  new at this broker: all of the pending goes first (\"from\": \"now\" in a new "
                "uplink leaves it out)\n");
    }
}

/* What to type into a browser, and how to tell that it is this gateway that answers. */
static void print_page(const cJSON *web)
{
    const cJSON *url;
    const char *separator = "\npage  ";

    cJSON_ArrayForEach(url, get(web, "urls"))
    {
        printf("%s%s", separator, url->valuestring);
        separator = "\n      ";
    }
    if (*answer_text(web, "error"))
        printf("%sERROR: %s", separator, answer_text(web, "error"));
    if (*answer_text(web, "fingerprint"))
        printf("\n  certificate %s, SHA-256 %s",
               cJSON_IsTrue(get(web, "self_signed")) ? "signed by itself"
                                                     : "signed by an authority",
               answer_text(web, "fingerprint"));
    if (cJSON_IsTrue(get(web, "enabled")))
        printf("\n");
}

int command_status(int argc, char **argv)
{
    const char *socket_path = gateway_socket_path();
    bool json = false;
    const struct args_flag flags[] = {
        {"json", 'J', NULL, "the whole status as one JSON object", NULL, &json},
        COMMAND_SOCKET_FLAG(&socket_path),
        {0},
    };
    const struct args_command command = {
        .name = "sluice status",
        .operands = "",
        .about = "Shows what the gateway is doing: journal, buses with their devices, uplinks,\n"
                 "and the ledger of events.\n",
        .after = "Exit status: 4 when the daemon does not answer.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);
    char *body = NULL;

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    int code = client_get_body(socket_path, "/api/v1/status", &body);
    if (code != EXIT_CODE_OK)
        return code;
    if (json) {
        fputs(body, stdout);
    } else {
        cJSON *status = cJSON_Parse(body);
        print_gateway(status);
        print_page(get(status, "web"));
        print_journal(get(status, "journal"));
        print_buses(get(status, "buses"));
        print_uplinks(status);
        cJSON_Delete(status);
    }
    free(body);
    return EXIT_CODE_OK;
}
