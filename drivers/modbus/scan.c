#include "modbus/scan.h"

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "modbus/advice.h"
#include "modbus/identify.h"
#include "modbus/scan_sunspec.h"

#define QUESTION_BYTES 15              /* a question and the shortest answer */
#define FRAME_BYTES    256             /* of a full frame: as long may an identification take */
#define FOUND_WAITS    16              /* in doubt until the setting is done; more are noise */
#define LINK_SPARE_NS  (5 * NS_PER_MS) /* what the machine takes between two questions */
#define HUNG_UP_NS     (250 * NS_PER_MS)
#define REOPEN_MAX     3 /* connections in a row that brought nothing */

/* The units that no device should have: to see whether one answers whatever the unit is. */
static const uint8_t unlikely[SCAN_EVERY_UNIT_OF] = {171, 199, 233};

struct scan_state {
    struct scan_options options; /* its bus is what the link was made with */
    struct driver_host *host;
    const struct scan_visitor *visitor;
    struct link *link;
    const struct port_settings *line; /* NULL: none is set */
    struct scan_quality quality;      /* of this setting */
    struct scan_found waiting[FOUND_WAITS];
    size_t waiting_count;
    size_t asked, total;
    int64_t left_ns;
    size_t found, sure; /* all, and those that were understood */
    bool every_unit;
    unsigned lost; /* times in a row that the connection broke */
    char *why;
    size_t why_size;
};

static int64_t wire_ns(const struct port_settings *line, bool ascii, unsigned bytes)
{
    return line && line->baud ? (ascii ? 2 : 1) * (int64_t)bytes * port_byte_ns(line) : 0;
}

/* What a question to nobody takes. */
static int64_t silent_ns(const struct scan_options *options, const struct port_settings *line)
{
    struct modbus_bus_options bus = options->bus;

    if (line)
        bus.line = *line;
    return options->timeout_ns + wire_ns(line, bus.ascii, QUESTION_BYTES) + link_silence_ns(&bus) +
           LINK_SPARE_NS;
}

static const struct port_settings *line_of(const struct scan_options *options, size_t index)
{
    return options->bus.port ? &options->lines[index] : NULL;
}

int64_t scan_most_ns(const struct scan_options *options)
{
    int64_t sum = 0;

    for (size_t i = 0; i < options->line_count; i++)
        sum += (int64_t)options->unit_count * silent_ns(options, line_of(options, i));
    return sum;
}

static int fail(struct scan_state *scan, int error)
{
    if (scan->link->why[0])
        snprintf(scan->why, scan->why_size, "%s", scan->link->why);
    else if (error == ERR_IO && !scan->options.bus.port)
        snprintf(scan->why, scan->why_size,
                 "the connection ends before anything is answered: is %s spoken at this port, and "
                 "does nobody else have the only connection?",
                 scan->options.tcp ? "Modbus TCP" : "a serial line's Modbus");
    else if (error == ERR_IO)
        snprintf(scan->why, scan->why_size, "%s", advice_port_failed);
    else
        snprintf(scan->why, scan->why_size, "%s", error_text(error));
    return error;
}

static int open_link(struct scan_state *scan)
{
    int error = scan->link->open ? 0 : scan->link->ops->open(scan->link);

    return error && error != ERR_CLOSED ? fail(scan, error) : error;
}

static void count(struct scan_tally *tally, int result, const struct link_reply *reply)
{
    switch (result) {
    case 0:
        tally->answers++;
        break;
    case ERR_EXCEPTION:
        /* 10 and 11 are a gateway's, which has nobody there. */
        if (reply->exception == 10 || reply->exception == 11) {
            tally->silent++;
            break;
        }
        tally->exceptions++;
        tally->exception = reply->exception;
        break;
    case ERR_CHECKSUM:
        tally->garbled++;
        break;
    case ERR_PROTOCOL:
        tally->doubled++;
        break;
    default:
        tally->silent++;
    }
}

/* A device that takes one connection at a time may not have noticed yet that the one before is
 * over. To be hung up on is no silence: the question is asked once more. */
static int ask_link(struct scan_state *scan, const struct modbus_request *request,
                    struct link_reply *reply)
{
    int result = scan->link->ops->transact(scan->link, request, reply);

    if (scan->link->open || result == 0 || result == ERR_CLOSED || result == ERR_EXCEPTION ||
        result == ERR_TIMEOUT)
        return result;
    int error = scan->host->ops->wait(scan->host, -1, clock_mono(scan->host->clock) + HUNG_UP_NS);
    if (error == 0)
        error = open_link(scan);
    return error ? error : scan->link->ops->transact(scan->link, request, reply);
}

/* One question. 0 or an error that ends the scan. */
static int ask(struct scan_state *scan, uint8_t unit, struct scan_tally *tally,
               int64_t *turnaround_ns)
{
    const struct scan_options *options = &scan->options;
    struct modbus_request request = {
        .unit = unit,
        .function = options->function,
        .address = options->address,
        .count = options->count,
        .timeout_ns = options->timeout_ns + wire_ns(scan->line, options->bus.ascii, QUESTION_BYTES),
    };
    struct link_reply reply;
    int result = open_link(scan);

    if (result)
        return result;
    result = ask_link(scan, &request, &reply);
    if (result == ERR_CLOSED)
        return result;
    if (result == 0 || result == ERR_EXCEPTION)
        /* Where there is no wire, a reply may be there before the request's time on it is over. */
        *turnaround_ns = reply.mono_ns > reply.sent_ns ? reply.mono_ns - reply.sent_ns : 0;
    scan->lost = scan->link->open || result == ERR_TIMEOUT ? 0 : scan->lost + 1;
    if (scan->lost >= REOPEN_MAX)
        return fail(scan, ERR_IO);
    count(tally, result, &reply);
    return 0;
}

static int progress(struct scan_state *scan, uint8_t unit)
{
    const struct scan_progress now = {.line = scan->line,
                                      .unit = unit,
                                      .asked = scan->asked,
                                      .total = scan->total,
                                      .left_ns = scan->left_ns,
                                      .found = scan->found};

    return scan->visitor->progress(scan->visitor->context, &now);
}

static int identify_unit(struct scan_state *scan, struct scan_found *found)
{
    int64_t timeout_ns =
        2 * scan->options.timeout_ns + wire_ns(scan->line, scan->options.bus.ascii, FRAME_BYTES);
    int result;

    if (!scan->options.identify)
        return 0;
    result = open_link(scan);
    if (!result)
        result = identify(scan->link, found->unit, timeout_ns, &found->ident);
    if (result == ERR_CLOSED || (!scan->link->open && (result = open_link(scan)) != 0))
        return result;
    result = progress(scan, found->unit);
    return result ? result : scan_sunspec(scan->link, timeout_ns, found);
}

static void tell(struct scan_state *scan, const struct scan_found *found)
{
    scan->found++;
    scan->sure += found->verdict != SCAN_UNCLEAR;
    scan->visitor->found(scan->visitor->context, found);
}

static int take_unit(struct scan_state *scan, struct scan_found *found)
{
    const struct scan_tally *tally = &found->tally;
    int error;

    if (tally->answers + tally->exceptions == 0) {
        *(tally->garbled + tally->doubled ? &scan->quality.garbled : &scan->quality.silent) += 1;
    } else {
        scan->quality.answering++;
        error = identify_unit(scan, found);
        if (error)
            return error;
    }
    found->verdict = scan_judge(tally, &scan->quality);
    if (found->verdict == SCAN_PRESENT)
        tell(scan, found);
    else if (tally->garbled + tally->doubled && scan->waiting_count < FOUND_WAITS)
        scan->waiting[scan->waiting_count++] = *found;
    return 0;
}

static int scan_unit(struct scan_state *scan, uint8_t unit)
{
    struct scan_found found = {.unit = unit,
                               .sunspec = SCAN_NO_SUNSPEC,
                               .every_unit = scan->every_unit,
                               .numbered = scan->options.tcp};
    int error = progress(scan, unit);

    if (scan->line)
        found.line = *scan->line;
    for (unsigned i = 0; !error && i < SCAN_ASKED_GARBLED && scan_questions(&found.tally); i++)
        error = ask(scan, unit, &found.tally, &found.turnaround_ns);
    if (!error)
        error = take_unit(scan, &found);
    scan->asked++;
    scan->left_ns -= silent_ns(&scan->options, scan->line);
    if (scan->left_ns < 0)
        scan->left_ns = 0;
    return error;
}

/* What was in doubt is judged by all that the setting has shown. */
static void judge_waiting(struct scan_state *scan)
{
    for (size_t i = 0; i < scan->waiting_count; i++) {
        struct scan_found *found = &scan->waiting[i];

        found->verdict = scan_judge(&found->tally, &scan->quality);
        if (found->verdict != SCAN_ABSENT)
            tell(scan, found);
    }
    scan->waiting_count = 0;
}

static int set_line(struct scan_state *scan, size_t line)
{
    const struct port_settings *before = scan->line;

    scan->line = line_of(&scan->options, line);
    scan->quality = (struct scan_quality){.numbered = scan->options.tcp};
    if (scan->line)
        scan->options.bus.line = *scan->line;
    if (scan->link) {
        if (scan->line && scan->line != before)
            link_line_changed(scan->link);
        return 0;
    }
    return scan->options.tcp ? link_new_tcp(&scan->link, &scan->options.bus, scan->host)
                             : link_new_line(&scan->link, &scan->options.bus, scan->host);
}

/* The units from `first` to before `end`, at one setting. */
static int scan_leg(struct scan_state *scan, size_t line, size_t first, size_t end)
{
    int error = set_line(scan, line);

    for (size_t i = first; !error && i < end; i++) {
        error = scan_unit(scan, scan->options.units[i]);
        if (!error && scan->every_unit && scan->sure && !scan->options.all)
            break;
    }
    judge_waiting(scan);
    return error;
}

/* Devices on the network without a line behind them often do not look at the unit. */
static int look_for_every_unit(struct scan_state *scan)
{
    struct scan_tally tally = {0};
    int64_t turnaround_ns;
    int error = set_line(scan, 0);

    if (scan->options.unit_count <= SCAN_EVERY_UNIT_OF)
        return error;
    for (size_t i = 0; !error && i < SCAN_EVERY_UNIT_OF; i++) {
        error = progress(scan, unlikely[i]);
        if (!error)
            error = ask(scan, unlikely[i], &tally, &turnaround_ns);
        if (tally.answers + tally.exceptions <= i)
            return error;
    }
    scan->every_unit = !error;
    return error;
}

/* All settings with the first units, then the rest; where somebody answers, the rest of that
 * setting is all. */
static int scan_all(struct scan_state *scan)
{
    const struct scan_options *options = &scan->options;
    size_t head = options->head_count, lines = options->line_count;
    int error = options->tcp ? look_for_every_unit(scan) : 0;

    for (size_t i = 0; !error && i < lines; i++) {
        size_t sure = scan->sure;

        error = scan_leg(scan, i, 0, head);
        if (error || scan->sure == sure || options->all)
            continue;
        scan->total = scan->asked + options->unit_count - head;
        scan->left_ns = (int64_t)(options->unit_count - head) * silent_ns(options, scan->line);
        return scan_leg(scan, i, head, options->unit_count);
    }
    for (size_t i = 0; !error && i < lines && head < options->unit_count; i++) {
        error = scan_leg(scan, i, head, options->unit_count);
        if (!error && scan->sure && !options->all)
            break;
    }
    return error;
}

int scan(const struct scan_options *options, struct driver_host *host,
         const struct scan_visitor *visitor, char *why, size_t why_size)
{
    struct scan_state scan = {
        .options = *options, .host = host, .visitor = visitor, .why = why, .why_size = why_size};
    int error;

    scan.total = options->line_count * options->unit_count;
    scan.left_ns = scan_most_ns(options);
    error = scan_all(&scan);
    link_free(scan.link);
    return error ? error : (int)scan.found;
}
