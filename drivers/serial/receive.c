#include "serial/inside.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "core/status.h"
#include "serial/meter.h"

#define READ_SIZE     512
#define TEXT_LINE_MAX 256 /* of the lines that an exchange expects by itself */

void receive_frame_as(struct bus *bus, const struct device *device)
{
    const struct serial_device_options *options = device->options;
    struct framing *framing = &bus->framing;

    serial_framing(bus->options, options, &framing->line);
    serial_checksum(bus->options, options, &framing->checksum);
    framing->silence_ns = serial_silence_ns(bus->options, options);
    framing->is_binary = device->is_binary;
    framing->is_sml = options->notation == SERIAL_SML;
    bus->is_text_line = false;
}

void receive_frame_as_text(struct bus *bus)
{
    bus->framing = (struct framing){
        .line = {.start = "", .end = "\r\n", .length_max = TEXT_LINE_MAX},
        .checksum = {.kind = CHECKSUM_NONE, .mark = ""},
    };
    bus->is_text_line = true;
}

/* Whom a fault is counted for: whoever was asked; on a bus whose devices speak by themselves nobody
 * can tell, and the first one is taken. A bus without devices has counters for one, too. */
static struct driver_stats *fault_stats(struct bus *bus)
{
    return bus->last ? bus->last->stats : &bus->host->stats[0];
}

void receive_count(struct bus *bus, struct device *device, const struct line *line)
{
    size_t end_size = line->size == line->content_size ? bus->framer.end_size : 0;

    atomic_fetch_add(&device->stats->busy_ns,
                     (int64_t)(line->size + end_size) * port_byte_ns(&bus->exchange.line));
}

/* Offers a line to the devices that speak by themselves; the first whose it is takes it. */
static enum outcome offer_to_all(struct bus *bus, const struct line *line, size_t size,
                                 int64_t read_ns)
{
    for (size_t i = 0; i < bus->site->device_count; i++) {
        struct device *device = &bus->devices[i];

        if (device_offer(device, bus->text, size, 0, read_ns) == DEVICE_NOT_MINE)
            continue;
        receive_count(bus, device, line);
        device_answered(device, read_ns);
        return OUTCOME_TAKEN;
    }
    return OUTCOME_REFUSED;
}

/*
 * Copies a line's content into bus->text. In text a zero byte stands for one that came with a
 * parity error, as no line's text has any.
 */
static bool copy_text(struct bus *bus, const struct line *line, size_t *size)
{
    if (checksum_check(&bus->framing.checksum, line->data, line->size, size) < 0)
        return false;
    if (*size > line->content_size)
        *size = line->content_size;
    if (bus->framing.is_sml) {
        int text_size = meter_read(line->data, *size, bus->text, sizeof(bus->text));

        *size = text_size < 0 ? 0 : (size_t)text_size;
        return text_size >= 0;
    }
    if (!bus->framing.is_binary && memchr(line->data, 0, *size))
        return false;
    memcpy(bus->text, line->data, *size);
    bus->text[*size] = 0;
    return true;
}

bool receive_is_wanted(const struct bus *bus)
{
    return !bus->asked || (bus->waiting && bus->wants != EXCHANGE_TIME);
}

static void refuse_line(struct bus *bus, const struct line *line, _Atomic uint64_t *counter)
{
    if (!line->hidden)
        atomic_fetch_add(counter, 1);
    line_reject(&bus->framer);
}

static void take_lines(struct bus *bus, int64_t read_ns)
{
    struct line line;
    size_t size;

    while (receive_is_wanted(bus) && line_next(&bus->framer, &line)) {
        enum outcome outcome;

        if (!copy_text(bus, &line, &size)) {
            bus->fault = STATUS_CORRUPT;
            refuse_line(bus, &line, &fault_stats(bus)->corrupt);
            continue;
        }
        outcome = bus->asked ? asking_offer(bus, &line, size, read_ns)
                             : offer_to_all(bus, &line, size, read_ns);
        if (outcome == OUTCOME_REFUSED) {
            refuse_line(bus, &line, &fault_stats(bus)->unexpected);
            continue;
        }
        line_accept(&bus->framer);
        bus->heard_ns = read_ns;
        if (outcome == OUTCOME_NEXT_STEP)
            asking_go_on(bus);
        else if (outcome == OUTCOME_ANSWERED)
            asking_answered(bus, read_ns);
    }
}

/* Leaves out what the adapter returns of the request. */
static size_t skip_echo(struct bus *bus, const uint8_t *bytes, size_t size)
{
    const struct exchange *exchange = &bus->exchange;
    size_t at = 0;

    while (bus->echo_left > 0 && at < size) {
        if (bytes[at] != exchange->request[exchange->request_size - bus->echo_left]) {
            bus->echo_left = 0;
            break;
        }
        bus->echo_left--;
        at++;
    }
    return at;
}

void receive_bytes(struct bus *bus)
{
    uint8_t bytes[READ_SIZE];
    ssize_t got = read(bus->fd, bytes, sizeof(bytes));
    int64_t read_ns = bus_now(bus);
    size_t at;

    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        bus_lose_port(bus, got < 0 ? strerror(errno) : "it was unplugged");
        return;
    }
    bus->received_ns = read_ns;
    if (bus->asked && !bus->waiting) {
        atomic_fetch_add(&fault_stats(bus)->unexpected, 1);
        return;
    }
    at = skip_echo(bus, bytes, (size_t)got);
    while (at < (size_t)got && (!bus->asked || bus->waiting)) {
        at += line_feed(&bus->framer, bytes + at, (size_t)got - at);
        take_lines(bus, read_ns);
    }
}

/* When the line will have been silent for long enough to mean something; INT64_MAX: it is not
 * waited for. */
int64_t receive_silence_ns(const struct bus *bus)
{
    if (bus->framing.silence_ns == 0 || bus->framer.head == bus->framer.used)
        return INT64_MAX;
    return bus->received_ns + bus->framing.silence_ns;
}

void receive_notice_silence(struct bus *bus)
{
    if (!receive_is_wanted(bus) || receive_silence_ns(bus) > bus_now(bus))
        return;
    line_silence(&bus->framer);
    take_lines(bus, bus->received_ns);
}
