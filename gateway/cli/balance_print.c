#include "cli/balance_inside.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#define SHOWN_MAX 10

static void print_json(const struct balance *balance, const struct balance_report *report,
                       FILE *out)
{
    const struct ledger_uplink *uplink = balance_ledger_of(balance, balance->uplink);

    fprintf(out,
            "{\"uplink\":\"%s\",\"messages\":%" PRIu64 ",\"events\":%" PRIu64
            ",\"duplicates\":%" PRIu64 ",\"broken\":%" PRIu64 ",\"epochs\":%" PRIu64
            ",\"covers\":[%" PRIu64 ",%" PRIu64 "],\"holes\":%" PRIu64 ",\"hole_events\":%" PRIu64
            ",\"marks_short\":%" PRIu64 ",\"gaps\":%" PRIu64 ",\"gap_events\":%" PRIu64
            ",\"truth\":%" PRIu64 ",\"delivered\":%" PRIu64 ",\"excused\":%" PRIu64
            ",\"before\":%" PRIu64 ",\"missing\":%" PRIu64 ",\"never_sent\":%" PRIu64,
            balance->uplink, report->messages, report->events, report->duplicates, report->broken,
            report->epochs, report->first, report->last, report->holes, report->hole_events,
            report->marks_short, report->gaps, report->gap_events, report->truth, report->delivered,
            report->excused, report->before, report->missing, report->never_sent);
    if (uplink)
        fprintf(out,
                ",\"ledger\":{\"last\":%" PRIu64 ",\"acked\":%" PRIu64 ",\"pending\":%" PRIu64
                ",\"dropped\":%" PRIu64 ",\"retained\":%s}",
                balance->ledger.last, uplink->acked, uplink->pending, uplink->dropped,
                balance->ledger.retained ? "true" : "false");
    fprintf(out, ",\"proven\":%s}\n", report->proven ? "true" : "false");
}

/* "2026-11-28T03:34:41.123Z" */
static const char *time_text(int64_t wall_ms, char text[32])
{
    time_t seconds = (time_t)(wall_ms / 1000);
    struct tm utc;

    if (!gmtime_r(&seconds, &utc) || strftime(text, 32, "%Y-%m-%dT%H:%M:%S", &utc) == 0)
        return "?";
    size_t size = strlen(text);
    snprintf(text + size, 32 - size, ".%03dZ", (int)(wall_ms % 1000));
    return text;
}

static void print_missing(const struct balance *balance, FILE *out)
{
    char when[32];
    int shown = 0;

    for (size_t i = 0; i < balance->series_room; i++) {
        const struct series *series = balance->series[i];
        for (size_t w = 0; series && w < series->witness_count; w++) {
            const struct witness *witness = &series->witnesses[w];
            if (witness->late || balance_leaves_out(balance, series, witness) ||
                number_set_has(&series->arrived, witness->value) ||
                balance_excuses(balance, witness->t))
                continue;
            if (shown++ == SHOWN_MAX)
                return;
            fprintf(out, "  missing: %s = %g, sent at %s\n", series->name,
                    (double)witness->value / WITNESS_SCALE, time_text(witness->t, when));
        }
    }
}

static void print_witnesses(const struct balance *balance, const struct balance_report *report,
                            FILE *out)
{
    char when[32];

    fprintf(out,
            "witnesses: %" PRIu64 " values sent, %" PRIu64 " arrived, %" PRIu64
            " excused by a told crash, %" PRIu64 " missing, %" PRIu64 " arrived that nobody sent\n",
            report->truth, report->delivered, report->excused, report->missing, report->never_sent);
    if (report->before)
        fprintf(out,
                "  left out: %" PRIu64 " sent before the audit listened, the last of them at %s\n",
                report->before, time_text(report->before_t, when));
    print_missing(balance, out);
}

static void print_uplinks(const struct balance *balance, FILE *out)
{
    const struct ledger_uplink *uplink = balance_ledger_of(balance, balance->uplink);
    const char *before = "other uplinks, not proven here: ";

    if (uplink)
        fprintf(out,
                "ledger of the gateway%s: its newest event is %" PRIu64 "; of uplink %s %" PRIu64
                " are acknowledged, %" PRIu64 " pending, %" PRIu64 " dropped\n",
                balance->ledger.retained ? ", as the broker had kept it from before the audit" : "",
                balance->ledger.last, uplink->id, uplink->acked, uplink->pending, uplink->dropped);
    for (size_t i = 0; i < balance->seen_count; i++) {
        if (strcmp(balance->seen[i], balance->uplink) == 0)
            continue;
        fprintf(out, "%s%s", before, balance->seen[i]);
        before = ", ";
    }
    if (*before == ',')
        fputs(" (--uplink)\n", out);
}

static const char *ending(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void print_words(const struct balance *balance, const struct balance_report *report,
                        FILE *out)
{
    if (balance->uplink[0])
        fprintf(out, "uplink %s: ", balance->uplink);
    fprintf(out,
            "%" PRIu64 " message%s, %" PRIu64 " event%s, %" PRIu64 " duplicate%s dropped, %" PRIu64
            " epoch%s\n",
            report->messages, ending(report->messages), report->events, ending(report->events),
            report->duplicates, ending(report->duplicates), report->epochs, ending(report->epochs));
    fprintf(out, "covers: %" PRIu64 " to %" PRIu64 ", %" PRIu64 " hole%s\n", report->first,
            report->last, report->holes, ending(report->holes));
    for (size_t i = 1; i < balance->covers.count && i <= SHOWN_MAX; i++)
        fprintf(out, "  hole: %" PRIu64 " to %" PRIu64 "\n", balance->covers.items[i - 1].last + 1,
                balance->covers.items[i].first - 1);
    if (report->gaps)
        fprintf(out, "gaps told by the gateway: %" PRIu64 ", naming %" PRIu64 " events\n",
                report->gaps, report->gap_events);
    if (report->marks_short)
        fprintf(out, "marks whose count was not reached: %" PRIu64 "\n", report->marks_short);
    if (report->broken)
        fprintf(out, "messages that break the contract: %" PRIu64 "\n", report->broken);
    print_uplinks(balance, out);
    if (report->truth || report->before)
        print_witnesses(balance, report, out);
    if (report->proven && report->gap_events)
        fprintf(out,
                "proven: all is accounted for; %" PRIu64 " events were lost, as the gateway told\n",
                report->gap_events);
    else if (report->proven)
        fprintf(out, "proven: nothing is missing\n");
    else if (!report->events)
        fprintf(out, "NOT PROVEN: no event arrived\n");
    else
        fprintf(out, "NOT PROVEN: see above\n");
}

void balance_print(struct balance *balance, const struct balance_report *report, bool json,
                   FILE *out)
{
    if (json)
        print_json(balance, report, out);
    else
        print_words(balance, report, out);
}
