#include "serial/inside.h"

#include "core/error.h"
#include "core/status.h"

/* Left between a reply and the next request, for the line to turn round. */
#define GAP_BYTE_TIMES 4

/* The reply is over, for better or worse: the line is left alone for a while before the next
 * request. */
static void end_reply(struct bus *bus, int64_t quiet_ns)
{
    bus->waiting = false;
    bus->quiet_until_ns = bus_now(bus) + quiet_ns;
    line_reset(&bus->framer);
}

static void miss_reply(struct bus *bus, uint16_t status)
{
    struct device *device = bus->last;

    if (status == STATUS_TIMEOUT)
        atomic_fetch_add(&device->stats->timeouts, 1);
    /* A reply that is late by up to another time-out is thrown away instead of taken for the next
     * one. */
    end_reply(bus, device->options->timeout_ns);
    if (bus->attempts_left > 0) {
        bus->attempts_left--;
        bus->again = device;
        return;
    }
    device_missed(device, bus_now(bus), status);
}

/* The framing that what the exchange wants is told apart by; what came already stays. */
static void follow_wants(struct bus *bus)
{
    bool wants_text = bus->wants == EXCHANGE_TEXT_LINE;

    if (bus->exchange.sent) {
        bus->exchange.sent = false;
        line_reset(&bus->framer);
        bus->echo_left = bus->options->echo ? bus->exchange.request_size : 0;
        atomic_fetch_add(&bus->last->stats->busy_ns,
                         (int64_t)bus->exchange.request_size * port_byte_ns(&bus->exchange.line));
    }
    if (bus->wants == EXCHANGE_TIME || wants_text == bus->is_text_line)
        return;
    if (wants_text)
        receive_frame_as_text(bus);
    else
        receive_frame_as(bus, bus->last);
    line_reframe(&bus->framer, &bus->framing.line);
}

static void fail_exchange(struct bus *bus)
{
    int error = bus->exchange.error;

    if (error == ERR_PROTOCOL)
        miss_reply(bus, STATUS_FORMAT);
    else if (error == ERR_AGAIN)
        miss_reply(bus, STATUS_COMMUNICATION);
    else
        bus_lose_port(bus, error_text(error));
}

/* Does the steps of the exchange that are due. */
void asking_go_on(struct bus *bus)
{
    bus->wants = exchange_run(&bus->exchange, bus_now(bus), &bus->until_ns);
    if (bus->wants == EXCHANGE_FAILED)
        fail_exchange(bus);
    else
        follow_wants(bus);
}

/* Asks a device whose points at hand are marked. */
static void attempt(struct bus *bus, struct device *device)
{
    bus->again = NULL;
    bus->last = device;
    bus->waiting = true;
    bus->fault = STATUS_TIMEOUT;
    atomic_fetch_add(&device->stats->requests, 1);
    line_reset(&bus->framer);
    receive_frame_as(bus, device);
    line_reframe(&bus->framer, &bus->framing.line);
    exchange_begin(&bus->exchange, bus->fd, &device->script, device->options,
                   serial_line(bus->options, device->options), &bus->place.rs485, bus_now(bus));
    asking_go_on(bus);
}

static void ask(struct bus *bus, struct device *device)
{
    device_begin(device, bus_now(bus));
    /* One that is down gets its probe, and the line is the others' again. */
    bus->attempts_left = device_is_down(device) ? 0 : device->options->retries;
    attempt(bus, device);
}

void asking_answered(struct bus *bus, int64_t read_ns)
{
    struct device *device = bus->last;

    atomic_store(&device->stats->round_trip_ns, read_ns - bus->exchange.sent_ns);
    end_reply(bus, GAP_BYTE_TIMES * port_byte_ns(&bus->exchange.line));
    device_answered(device, read_ns);
}

/* Offers a line to the points of the device that was asked. */
static enum outcome offer_reading(struct bus *bus, size_t size, int64_t read_ns)
{
    enum device_took took =
        device_offer(bus->last, bus->text, size, bus->exchange.replies, read_ns);

    if (took == DEVICE_NOT_MINE) {
        bus->fault = STATUS_UNEXPECTED;
        return OUTCOME_REFUSED;
    }
    if (took == DEVICE_SAID_NO)
        return OUTCOME_ANSWERED;
    bus->fault = STATUS_FORMAT; /* unless the rest comes */
    if (exchange_read(&bus->exchange))
        return OUTCOME_NEXT_STEP;
    return took == DEVICE_COMPLETE ? OUTCOME_ANSWERED : OUTCOME_TAKEN;
}

/* Offers a line to what the exchange waits for. */
enum outcome asking_offer(struct bus *bus, const struct line *line, size_t size, int64_t read_ns)
{
    receive_count(bus, bus->last, line);
    if (bus->wants == EXCHANGE_READING)
        return offer_reading(bus, size, read_ns);
    if (exchange_take(&bus->exchange, bus->text, size, read_ns)) {
        bus->fault = STATUS_TIMEOUT;
        return OUTCOME_NEXT_STEP;
    }
    if (device_says_no(bus->last, bus->text, size, read_ns))
        return OUTCOME_ANSWERED;
    bus->fault = STATUS_UNEXPECTED;
    return OUTCOME_REFUSED;
}

/* The asked device whose request is due first. */
static struct device *first_due(struct bus *bus)
{
    struct device *first = &bus->devices[0];

    for (size_t i = 1; i < bus->site->device_count; i++) {
        if (bus->devices[i].next_ns < first->next_ns)
            first = &bus->devices[i];
    }
    return first;
}

/* The reply at hand: returns when something has to be done about it. */
static int64_t follow_reply(struct bus *bus)
{
    while (bus->waiting && bus_now(bus) >= bus->until_ns) {
        if (bus->wants != EXCHANGE_TIME && !exchange_overdue(&bus->exchange, bus_now(bus)))
            miss_reply(bus, bus->fault);
        else
            asking_go_on(bus);
    }
    if (!bus->waiting)
        return bus_now(bus);
    return receive_is_wanted(bus) ? bus_sooner(bus->until_ns, receive_silence_ns(bus))
                                  : bus->until_ns;
}

/* Asks whose turn it is, and returns when the next thing is to be done. */
static int64_t ask_next(struct bus *bus)
{
    struct device *due = bus->again ? bus->again : first_due(bus);
    int64_t due_ns = due->next_ns;

    if (bus->again || due_ns < bus->quiet_until_ns)
        due_ns = bus->quiet_until_ns;
    if (due_ns > bus_now(bus))
        return due_ns;
    if (bus->again)
        attempt(bus, due);
    else
        ask(bus, due);
    return bus->waiting ? bus->until_ns : bus_now(bus);
}

int64_t asking_do_due(struct bus *bus)
{
    return bus->waiting ? follow_reply(bus) : ask_next(bus);
}
