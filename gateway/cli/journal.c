#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/offline.h"
#include "config/json_write.h"
#include "core/error.h"
#include "journal/cursor.h"
#include "journal/reader.h"

static void print_consumer(void *context, const struct cursor_ledger *ledger)
{
    (void)context;
    printf("consumer   %s: acknowledged %" PRIu64 ", pending %" PRIu64 ", low-water mark %" PRIu64
           "\n",
           ledger->name, ledger->acked, ledger->pending, ledger->low);
}

static void print_stats(const struct offline *offline, const struct journal_stats *stats)
{
    struct journal_previous previous;
    char oldest[32], newest[32];

    journal_previous(offline->journal, &previous);
    clock_format(stats->oldest_wall_ns, oldest);
    clock_format(stats->newest_wall_ns, newest);
    printf("epoch      %08" PRIx32 "\n", stats->epoch);
    if (previous.epoch) {
        char when[32] = "a time that is not known";
        if (previous.newest_ns != 0)
            clock_format(previous.newest_ns, when);
        printf("before it  %08" PRIx32 " up to event %" PRIu64 " of %s (%s)\n", previous.epoch,
               previous.last, when, previous.why);
    }
    printf("events     %" PRIu64 " to %" PRIu64 "\n", stats->oldest, stats->newest);
    printf("time       %s to %s\n", oldest, newest);
    printf("segments   %" PRIu32 ", %" PRIu64 " bytes\n", stats->segments, stats->bytes);
    printf("streams    %" PRIu32 "\n", stats->streams);
    printf("ledger     produced %" PRIu64 ", stored %" PRIu64 ", refused %" PRIu64 "\n",
           stats->produced, stats->stored, stats->refused);
    cursor_each(offline->journal, print_consumer, NULL);
}

static void write_consumer(void *context, const struct cursor_ledger *ledger)
{
    struct json_writer *writer = context;

    json_write_open(writer, ledger->name, '{');
    json_write_integer(writer, "acked", (int64_t)ledger->acked);
    json_write_integer(writer, "pending", (int64_t)ledger->pending);
    json_write_integer(writer, "low", (int64_t)ledger->low);
    json_write_close(writer, '}');
}

static void write_epoch(struct json_writer *writer, const char *key, uint32_t epoch)
{
    char text[16];

    snprintf(text, sizeof text, "%08" PRIx32, epoch);
    json_write_text(writer, key, text);
}

/* The keys are those of "journal" in the status, as far as that has them. */
static void write_stats(const struct offline *offline, const struct journal_stats *stats)
{
    struct json_writer writer = {.out = stdout};
    struct journal_previous previous;

    journal_previous(offline->journal, &previous);
    json_write_open(&writer, NULL, '{');
    write_epoch(&writer, "epoch", stats->epoch);
    if (previous.epoch) {
        json_write_open(&writer, "prev", '{');
        write_epoch(&writer, "epoch", previous.epoch);
        json_write_integer(&writer, "last", (int64_t)previous.last);
        json_write_text(&writer, "why", previous.why);
        json_write_close(&writer, '}');
    }
    json_write_integer(&writer, "oldest", (int64_t)stats->oldest);
    json_write_integer(&writer, "newest", (int64_t)stats->newest);
    json_write_integer(&writer, "oldest_at", stats->oldest_wall_ns / NS_PER_MS);
    json_write_integer(&writer, "newest_at", stats->newest_wall_ns / NS_PER_MS);
    json_write_integer(&writer, "segments", stats->segments);
    json_write_integer(&writer, "bytes", (int64_t)stats->bytes);
    json_write_integer(&writer, "streams", stats->streams);
    json_write_integer(&writer, "produced", (int64_t)stats->produced);
    json_write_integer(&writer, "stored", (int64_t)stats->stored);
    json_write_integer(&writer, "refused", (int64_t)stats->refused);
    json_write_open(&writer, "consumers", '{');
    cursor_each(offline->journal, write_consumer, &writer);
    json_write_close(&writer, '}');
    json_write_close(&writer, '}');
}

static int journal_stat(const char *folder, bool json)
{
    struct journal_stats stats;
    struct offline offline;
    int code = offline_open(&offline, folder);

    if (code)
        return code;
    journal_stats(offline.journal, &stats);
    (json ? write_stats : print_stats)(&offline, &stats);
    offline_close(&offline);
    return EXIT_CODE_OK;
}

static void print_fault(void *context, const char *segment, int64_t offset, const char *sentence)
{
    (void)context;
    printf("%s at %" PRId64 ": %s\n", segment, offset, sentence);
}

static void write_fault(void *context, const char *segment, int64_t offset, const char *sentence)
{
    struct json_writer *writer = context;

    json_write_open(writer, NULL, '{');
    json_write_text(writer, "segment", segment);
    json_write_integer(writer, "offset", offset);
    json_write_text(writer, "sentence", sentence);
    json_write_close(writer, '}');
}

/* The number of faults, or an error. */
static int verify_into_json(const struct io *io)
{
    struct json_writer writer = {.out = stdout};

    json_write_open(&writer, NULL, '{');
    json_write_open(&writer, "faults", '[');
    int faults = journal_verify(io, write_fault, &writer);
    json_write_close(&writer, ']');
    json_write_close(&writer, '}');
    return faults;
}

static int journal_verify_folder(const char *folder, bool json)
{
    struct offline offline;
    int code = offline_open(&offline, folder);

    if (code)
        return code;
    int faults =
        json ? verify_into_json(&offline.io) : journal_verify(&offline.io, print_fault, NULL);
    offline_close(&offline);
    if (faults < 0) {
        fprintf(stderr, "sluice journal: %s\n", error_text(faults));
        return EXIT_CODE_SYSTEM;
    }
    if (!json)
        printf("%d faults\n", faults);
    return faults ? EXIT_CODE_FAILED : EXIT_CODE_OK;
}

static int journal_dump(const char *folder)
{
    const struct feed_query query = {
        .from_ns = INT64_MIN, .to_ns = INT64_MAX, .kinds = UINT32_MAX, .format = FEED_JSON};
    struct offline offline;
    int code = offline_open(&offline, folder);

    if (code)
        return code;
    code = offline_feed(&offline, &query, stdout);
    offline_close(&offline);
    return code;
}

int command_journal(int argc, char **argv)
{
    const char *folder = GATEWAY_JOURNAL_PATH;
    bool json = false;
    const struct args_flag flags[] = {
        {"journal", 'j', "DIR", "the journal's folder; " GATEWAY_JOURNAL_PATH " unless given",
         &folder, NULL},
        {"json", 'J', NULL, "stat and verify: as one JSON object, as dump is anyhow", NULL, &json},
        {0},
    };
    const struct args_command command = {
        .name = "sluice journal",
        .operands = " stat|verify|dump [DIR]",
        .operands_min = 1,
        .operands_max = 2,
        .about = "Looks into a journal's folder, beside a running daemon or after its end, and\n"
                 "changes nothing. DIR is the same as --journal DIR.\n\n"
                 "  stat    what it holds: epochs, events, times, consumers\n"
                 "  verify  reads everything and tells every fault\n"
                 "  dump    prints every event, declarations too, as a JSON object a line\n",
        .after =
            "Exit status: 1 verify found faults; 5 there is no journal, or it cannot be read.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    if (argc - first == 2)
        folder = argv[first + 1];
    if (strcmp(argv[first], "stat") == 0)
        return journal_stat(folder, json);
    if (strcmp(argv[first], "verify") == 0)
        return journal_verify_folder(folder, json);
    if (strcmp(argv[first], "dump") == 0)
        return journal_dump(folder);
    fprintf(stderr, "sluice journal: stat, verify or dump is expected, not \"%s\"\n", argv[first]);
    return EXIT_CODE_USAGE;
}
