#include "cli/balance_inside.h"

#include <inttypes.h>

#define SHOWN_MAX 10

static void print_json(const struct balance *balance, const struct balance_report *report,
                       FILE *out)
{
    fprintf(out,
            "{\"uplink\":\"%s\",\"messages\":%" PRIu64 ",\"events\":%" PRIu64
            ",\"duplicates\":%" PRIu64 ",\"broken\":%" PRIu64 ",\"epochs\":%" PRIu64
            ",\"covers\":[%" PRIu64 ",%" PRIu64 "],\"holes\":%" PRIu64 ",\"hole_events\":%" PRIu64
            ",\"marks_short\":%" PRIu64 ",\"gaps\":%" PRIu64 ",\"gap_events\":%" PRIu64
            ",\"truth\":%" PRIu64 ",\"delivered\":%" PRIu64 ",\"excused\":%" PRIu64
            ",\"missing\":%" PRIu64 ",\"never_sent\":%" PRIu64 ",\"proven\":%s}\n",
            balance->uplink, report->messages, report->events, report->duplicates, report->broken,
            report->epochs, report->first, report->last, report->holes, report->hole_events,
            report->marks_short, report->gaps, report->gap_events, report->truth, report->delivered,
            report->excused, report->missing, report->never_sent,
            report->proven ? "true" : "false");
}

static void print_missing(const struct balance *balance, FILE *out)
{
    int shown = 0;

    for (size_t i = 0; i < balance->series_room; i++) {
        const struct series *series = balance->series[i];
        for (size_t w = 0; series && w < series->witness_count; w++) {
            const struct witness *witness = &series->witnesses[w];
            if (witness->late || number_set_has(&series->arrived, witness->value) ||
                balance_excuses(balance, witness->t))
                continue;
            if (shown++ == SHOWN_MAX)
                return;
            fprintf(out, "  missing: %s = %g, sent at %" PRId64 "\n", series->name,
                    (double)witness->value / WITNESS_SCALE, witness->t);
        }
    }
}

static void print_words(const struct balance *balance, const struct balance_report *report,
                        FILE *out)
{
    fprintf(out,
            "%" PRIu64 " messages, %" PRIu64 " events, %" PRIu64 " duplicates dropped, %" PRIu64
            " epochs\n",
            report->messages, report->events, report->duplicates, report->epochs);
    fprintf(out, "covers: %" PRIu64 " to %" PRIu64 ", %" PRIu64 " holes\n", report->first,
            report->last, report->holes);
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
    if (report->truth) {
        fprintf(
            out,
            "witnesses: %" PRIu64 " values sent, %" PRIu64 " arrived, %" PRIu64
            " excused by a told crash, %" PRIu64 " missing, %" PRIu64 " arrived that nobody sent\n",
            report->truth, report->delivered, report->excused, report->missing, report->never_sent);
        print_missing(balance, out);
    }
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
