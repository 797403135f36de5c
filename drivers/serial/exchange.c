#include "serial/exchange.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/error.h"

#define LEAVE_NS_MAX (1 * NS_PER_S) /* what bytes may take longer to leave than they should */

void exchange_begin(struct exchange *exchange, int fd, const struct script *script,
                    const struct serial_device_options *options, const struct port_settings *home,
                    const struct port_rs485 *rs485, int64_t now_ns)
{
    struct port_settings line = exchange->line;

    *exchange = (struct exchange){.script = script,
                                  .fd = fd,
                                  .rs485 = rs485,
                                  .home = home,
                                  .line = line,
                                  .timeout_ns = options->timeout_ns,
                                  .longest_wait_ns = options->longest_wait_ns,
                                  .sent_ns = now_ns,
                                  .sent_end_ns = now_ns,
                                  .deadline_ns = now_ns + options->timeout_ns,
                                  .replies = 1};
    exchange->values.address = options->address;
}

static void next_step(struct exchange *exchange)
{
    exchange->at++;
    exchange->begun = false;
}

static bool same_line(const struct port_settings *a, const struct port_settings *b)
{
    return a->baud == b->baud && a->data_bits == b->data_bits && a->parity == b->parity &&
           a->stop_bits == b->stop_bits;
}

static int set_line(struct exchange *exchange, const struct port_settings *line)
{
    int error;

    if (same_line(&exchange->line, line))
        return 0;
    error = port_set_line(exchange->fd, line);
    if (!error)
        exchange->line = *line;
    return error;
}

/* Whether what was sent has left; else *until_ns is when to look again. A port that never says so
 * is believed to be done after a while. */
static bool has_left(const struct exchange *exchange, int64_t now_ns, int64_t *until_ns)
{
    *until_ns = exchange->sent_end_ns;
    if (now_ns < exchange->sent_end_ns)
        return false;
    if (port_unsent(exchange->fd) == 0 || now_ns > exchange->sent_end_ns + LEAVE_NS_MAX)
        return true;
    *until_ns = now_ns + port_byte_ns(&exchange->line);
    return false;
}

static int send_request(struct exchange *exchange, const struct step *step, int64_t now_ns)
{
    char why[1];
    int size = request_build(step->text, &exchange->values, exchange->request, why, sizeof(why));
    ssize_t sent;

    if (size < 0)
        return size;
    port_flush_input(exchange->fd);
    exchange->request_size = (size_t)size;
    sent = port_rs485_write(exchange->fd, exchange->rs485, &exchange->line, exchange->request,
                            (size_t)size);
    if (sent != (ssize_t)size) {
        int error = sent < 0 ? error_from_errno(errno) : ERR_AGAIN;

        port_flush_output(exchange->fd);
        return error;
    }
    if (exchange->rs485->mode == PORT_RS485_RTS)
        now_ns += exchange->rs485->before_ns;
    exchange->sent = true;
    exchange->sent_ns = now_ns;
    exchange->sent_end_ns = now_ns + size * port_byte_ns(&exchange->line);
    exchange->deadline_ns = exchange->sent_end_ns + exchange->timeout_ns;
    return 0;
}

/* The time of a step; what the device says is limited. */
static int64_t time_of(const struct exchange *exchange, const struct step *step)
{
    long said;
    int64_t ns;

    if (step->group == 0)
        return step->ns;
    said = strtol(exchange->values.groups[step->group], NULL, 10);
    ns = said < 0 ? 0 : said > 999 ? 999 * NS_PER_S : said * NS_PER_S;
    return ns < exchange->longest_wait_ns ? ns : exchange->longest_wait_ns;
}

/* A pause or a break. Returns whether it is over. */
static bool wait_step(struct exchange *exchange, const struct step *step, int64_t now_ns,
                      int64_t *until_ns)
{
    bool breaks = step->verb == STEP_BREAK;

    if (!exchange->begun) {
        if (!has_left(exchange, now_ns, until_ns))
            return false;
        exchange->begun = true;
        exchange->until_ns = now_ns + time_of(exchange, step);
        exchange->deadline_ns += time_of(exchange, step);
        if (breaks)
            exchange->error = port_break(exchange->fd, true);
    }
    *until_ns = exchange->until_ns;
    if (now_ns < exchange->until_ns || exchange->error)
        return false;
    if (breaks)
        exchange->error = port_break(exchange->fd, false);
    return !exchange->error;
}

/* Another line. Returns whether it is set. */
static bool line_step(struct exchange *exchange, const struct step *step, int64_t now_ns,
                      int64_t *until_ns)
{
    struct port_settings line = step->line;

    if (!has_left(exchange, now_ns, until_ns))
        return false;
    if (step->verb == STEP_BAUD) {
        line = exchange->line;
        line.baud = script_iec_baud(exchange->values.groups[step->group][0]);
        if (line.baud == 0) {
            exchange->error = ERR_PROTOCOL;
            return false;
        }
    }
    exchange->error = set_line(exchange, &line);
    return !exchange->error;
}

static enum exchange_wants want_line(struct exchange *exchange, const struct step *step,
                                     int64_t now_ns, int64_t *until_ns)
{
    *until_ns = exchange->deadline_ns;
    switch (step->verb) {
    case STEP_AWAIT_LINE:
        if (!exchange->begun)
            exchange->until_ns = now_ns + time_of(exchange, step);
        exchange->begun = true;
        *until_ns = exchange->until_ns;
        return EXCHANGE_TEXT_LINE;
    case STEP_EXPECT_LINE:
        return EXCHANGE_TEXT_LINE;
    case STEP_EXPECT:
        return EXCHANGE_LINE;
    default:
        return EXCHANGE_READING;
    }
}

enum exchange_wants exchange_run(struct exchange *exchange, int64_t now_ns, int64_t *until_ns)
{
    if (exchange->at == 0 && !exchange->begun)
        exchange->error = set_line(exchange, exchange->home);
    while (!exchange->error) {
        const struct step *step = &exchange->script->steps[exchange->at];
        bool done = true;

        switch (step->verb) {
        case STEP_SEND:
            exchange->error = send_request(exchange, step, now_ns);
            break;
        case STEP_TIMEOUT:
            exchange->timeout_ns = time_of(exchange, step);
            break;
        case STEP_PAUSE:
        case STEP_BREAK:
            done = wait_step(exchange, step, now_ns, until_ns);
            break;
        case STEP_LINE:
        case STEP_BAUD:
            done = line_step(exchange, step, now_ns, until_ns);
            break;
        default:
            return want_line(exchange, step, now_ns, until_ns);
        }
        if (!done && !exchange->error)
            return EXCHANGE_TIME;
        next_step(exchange);
    }
    return EXCHANGE_FAILED;
}

static void keep_groups(struct exchange *exchange, const char *line, const regmatch_t *groups)
{
    struct request_values *values = &exchange->values;

    values->group_count = REQUEST_GROUPS_MAX;
    for (size_t i = 0; i < REQUEST_GROUPS_MAX; i++) {
        size_t size = groups[i].rm_so < 0 ? 0 : (size_t)(groups[i].rm_eo - groups[i].rm_so);

        if (size > REQUEST_GROUP_SIZE)
            size = 0;
        if (size > 0)
            memcpy(values->groups[i], line + groups[i].rm_so, size);
        values->groups[i][size] = 0;
    }
}

bool exchange_take(struct exchange *exchange, const char *line, size_t size, int64_t now_ns)
{
    const struct step *step = &exchange->script->steps[exchange->at];
    regmatch_t groups[PATTERN_GROUPS_MAX];

    if (!pattern_match(step->pattern, line, size, groups))
        return false;
    if (step->verb == STEP_AWAIT_LINE)
        exchange->deadline_ns = now_ns + exchange->timeout_ns;
    else
        keep_groups(exchange, line, groups);
    next_step(exchange);
    return true;
}

bool exchange_read(struct exchange *exchange)
{
    if (exchange->script->steps[exchange->at].verb == STEP_READ_ALL)
        return false;
    exchange->replies++;
    next_step(exchange);
    return true;
}

bool exchange_overdue(struct exchange *exchange, int64_t now_ns)
{
    if (exchange->script->steps[exchange->at].verb != STEP_AWAIT_LINE)
        return false;
    exchange->deadline_ns = now_ns + exchange->timeout_ns;
    next_step(exchange);
    return true;
}
