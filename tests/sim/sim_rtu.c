/* A Modbus RTU line with many units on it, true to the wire in time.
 *
 * The reader's bytes reach a pty at once, however long they would take on a wire. So each byte is
 * given the moment at which its stop bit would have passed (bus_receive), a frame ends 3.5
 * characters after its last byte (bus_frame_end), and replies leave byte by byte against absolute
 * deadlines. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "control.h"
#include "options.h"
#include "process.h"
#include "pty.h"
#include "registers.h"
#include "stats.h"
#include "truth.h"
#include "units.h"
#include "wire.h"

#define RX_MAX          512
#define QUEUE_MAX       32
#define NOISE_PERIOD_NS (100 * WIRE_MS)

struct reply {
    struct wire_tx tx;
    const struct unit *unit;
    int64_t due_ns; /* earliest start; the line may be taken then */
    int64_t request_end_ns;
    uint64_t frame; /* the request it answers */
    bool delayed;
    bool intact;
    bool has_counter;
    uint32_t counter;
};

struct stats {
    uint64_t requests, replies, exceptions, violations, crc_errors, other_unit, bad_length,
        silenced;
    uint64_t corrupted, late, collisions, gaps, overruns, dropped, wrong_baud, broadcasts, noise;
    uint64_t rx_bytes, tx_bytes, frames, truth_lines;
    int64_t least_silence_ns;
};

struct bus {
    struct options options;
    struct wire_timing timing;
    struct pty pty;
    struct truth *truth;
    struct stats stats;
    uint64_t random;

    uint8_t rx[RX_MAX];
    int64_t rx_time_ns[RX_MAX]; /* when each byte has passed */
    size_t rx_length;
    bool rx_garbled;
    bool rx_violation;
    bool echo;
    size_t echoed;

    struct reply queue[QUEUE_MAX];
    size_t queued;
    struct reply *sending; /* in queue; it stays there until it has gone */

    int64_t line_end_ns; /* the line has been silent since */
    int64_t noise_due_ns;
};

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Receiving */

static void note_silence(struct bus *bus, int64_t now_ns)
{
    int64_t silence_ns = now_ns - bus->line_end_ns;

    if (bus->stats.frames > 1 && silence_ns < bus->stats.least_silence_ns)
        bus->stats.least_silence_ns = silence_ns;
    /* 1 % is what the two clocks of real devices may differ by. */
    if (silence_ns >= bus->timing.silence_ns - bus->timing.silence_ns / 100)
        return;
    bus->rx_violation = true;
    bus->stats.violations++;
    if (bus->stats.violations <= 20)
        process_log("request after %lld us of silence, %lld us are needed",
                    (long long)(silence_ns / 1000), (long long)(bus->timing.silence_ns / 1000));
}

static void note_collision(struct bus *bus)
{
    bus->stats.collisions++;
    bus->rx_garbled = true;
    if (bus->sending->intact) {
        process_log("collision: the reader sends while unit %d replies", bus->sending->unit->id);
        bus->sending->intact = false;
        for (size_t i = bus->sending->tx.sent; i < bus->sending->tx.length; i++)
            bus->sending->tx.data[i] ^= 0x5a;
    }
}

static void bus_receive(struct bus *bus, int64_t now_ns)
{
    uint8_t bytes[RX_MAX];
    ssize_t n = read(bus->pty.line_fd, bytes, sizeof bytes);
    int64_t passed_ns;

    if (n <= 0)
        return;
    bus->stats.rx_bytes += (uint64_t)n;
    passed_ns = bus->rx_length ? bus->rx_time_ns[bus->rx_length - 1] : 0;
    if (bus->rx_length == 0) {
        bus->stats.frames++;
        bus->rx_garbled = false;
        bus->rx_violation = false;
        bus->echoed = 0;
        if (!bus->sending)
            note_silence(bus, now_ns);
    } else if (now_ns > passed_ns + bus->timing.byte_ns * 3 / 2) {
        bus->stats.gaps++;
    }
    if (bus->sending)
        note_collision(bus);
    passed_ns = later(passed_ns, now_ns);
    for (ssize_t i = 0; i < n; i++) {
        passed_ns += bus->timing.byte_ns;
        if (bus->rx_length == RX_MAX) {
            bus->rx_garbled = true;
            bus->rx_time_ns[RX_MAX - 1] = passed_ns;
            continue;
        }
        bus->rx[bus->rx_length] = bytes[i];
        bus->rx_time_ns[bus->rx_length++] = passed_ns;
    }
}

static void bus_echo(struct bus *bus, int64_t now_ns)
{
    size_t from = bus->echoed;

    if (!bus->echo)
        return;
    while (bus->echoed < bus->rx_length && bus->rx_time_ns[bus->echoed] <= now_ns)
        bus->echoed++;
    if (bus->echoed > from && bus->pty.line_fd >= 0 &&
        write(bus->pty.line_fd, bus->rx + from, bus->echoed - from) < 0)
        bus->stats.overruns++;
}

/* Answering */

static void seal(struct wire_tx *tx)
{
    uint16_t crc = wire_crc16(tx->data, tx->length);

    tx->data[tx->length++] = (uint8_t)crc;
    tx->data[tx->length++] = (uint8_t)(crc >> 8);
}

static void corrupt(struct bus *bus, struct reply *reply, enum unit_corruption how)
{
    struct wire_tx *tx = &reply->tx;

    reply->intact = false;
    bus->stats.corrupted++;
    if (how == CORRUPT_SHORT) {
        tx->length -= tx->length > 5 ? 3 : 1;
        return;
    }
    if (how == CORRUPT_UNIT || how == CORRUPT_FUNCTION || how == CORRUPT_LENGTH) {
        tx->length -= 2;
        if (how == CORRUPT_UNIT)
            tx->data[0] = (uint8_t)(tx->data[0] % 247 + 1);
        if (how == CORRUPT_FUNCTION)
            tx->data[1] ^= 0x07;
        if (how == CORRUPT_LENGTH && tx->length > 5) {
            tx->data[2] = (uint8_t)(tx->data[2] - 2);
            tx->length -= 2;
        }
        seal(tx);
        return;
    }
    /* One turned bit: the CRC finds it wherever it is. */
    tx->data[wire_random(&bus->random) % tx->length] ^=
        (uint8_t)(1u << wire_random(&bus->random) % 8);
}

static void answer(struct bus *bus, struct unit *unit, int64_t end_ns, int64_t now_ns)
{
    struct unit_mood mood = unit_decide(unit, now_ns);
    struct registers_reply content;
    struct reply *reply;

    unit->requests++;
    if (mood.silent) {
        bus->stats.silenced++;
        return;
    }
    if (bus->queued == QUEUE_MAX) {
        bus->stats.dropped++;
        return;
    }
    if (mood.exception) {
        registers_exception(bus->rx[1] & 0x7f, mood.exception, &content);
    } else if (!registers_answer(unit, bus->rx + 1, bus->rx_length - 3, &content)) {
        bus->stats.bad_length++;
        return;
    }
    bus->stats.exceptions += content.exception;

    reply = &bus->queue[bus->queued++];
    memset(reply, 0, sizeof *reply);
    reply->unit = unit;
    reply->request_end_ns = end_ns;
    reply->frame = bus->stats.frames;
    reply->due_ns = end_ns + bus->timing.silence_ns + unit->turnaround_ns + mood.delay_ns;
    reply->delayed = mood.delay_ns || mood.dribble_ns;
    reply->intact = true;
    reply->has_counter = content.has_counter;
    reply->counter = content.counter;
    reply->tx.byte_ns = later(bus->timing.byte_ns, mood.dribble_ns);
    reply->tx.data[0] = unit->id;
    memcpy(reply->tx.data + 1, content.pdu, content.length);
    reply->tx.length = 1 + content.length;
    seal(&reply->tx);
    if (mood.corruption)
        corrupt(bus, reply, mood.corruption);
}

static void bus_frame_end(struct bus *bus, int64_t now_ns)
{
    int64_t end_ns = bus->rx_time_ns[bus->rx_length - 1];
    size_t n = bus->rx_length;
    struct unit *unit = bus->options.units.by_id[bus->rx[0]];
    int baud = bus->options.check_baud ? pty_baud(&bus->pty) : bus->timing.baud;

    bus->line_end_ns = later(bus->line_end_ns, end_ns);
    if (baud != bus->timing.baud) {
        bus->stats.wrong_baud++;
        process_log("request at %d baud on a line of %d", baud, bus->timing.baud);
    } else if (bus->rx_garbled || n < 4 ||
               wire_crc16(bus->rx, n - 2) != (bus->rx[n - 2] | bus->rx[n - 1] << 8)) {
        bus->stats.crc_errors++;
    } else {
        bus->stats.requests++;
        if (bus->rx[0] == 0)
            bus->stats.broadcasts++;
        else if (!unit)
            bus->stats.other_unit++;
        else if (!(bus->rx_violation && bus->options.strict))
            answer(bus, unit, end_ns, now_ns);
    }
    bus->rx_length = 0;
}

/* Sending. One reply at a time: one that comes due while the line is taken waits for its end, and
 * then stands where the reader expects the answer to its latest request. */

static struct reply *next_reply(struct bus *bus)
{
    struct reply *next = NULL;

    for (size_t i = 0; i < bus->queued; i++) {
        if (!next || bus->queue[i].due_ns < next->due_ns)
            next = &bus->queue[i];
    }
    return next;
}

static int64_t start_of(const struct bus *bus, const struct reply *reply)
{
    return later(reply->due_ns, bus->line_end_ns + bus->timing.silence_ns);
}

static void bus_sent(struct bus *bus, struct reply *reply)
{
    int64_t took_ns = reply->tx.end_ns - reply->request_end_ns;
    int64_t limit_ns = bus->options.late_after_ns;
    enum truth_time time = TRUTH_IN_TIME;
    struct unit *unit = bus->options.units.by_id[reply->unit->id];

    bus->line_end_ns = later(bus->line_end_ns, reply->tx.end_ns);
    bus->stats.tx_bytes += reply->tx.length;
    bus->stats.overruns += reply->tx.lost;
    if (reply->frame != bus->stats.frames || (!limit_ns && reply->delayed))
        time = TRUTH_LATE;
    else if (limit_ns && took_ns > limit_ns)
        time = TRUTH_EDGE;
    bus->stats.late += time != TRUTH_IN_TIME;
    bus->stats.replies++;
    unit->replies++;
    if (reply->intact && !reply->tx.lost && reply->has_counter) {
        truth_note(bus->truth, unit->name, reply->counter, time, 0);
        bus->stats.truth_lines++;
    }
    bus->sending = NULL;
    *reply = bus->queue[--bus->queued];
}

static void bus_send(struct bus *bus, int64_t now_ns)
{
    if (!bus->sending && bus->queued && bus->rx_length == 0) {
        struct reply *next = next_reply(bus);

        if (start_of(bus, next) <= now_ns) {
            bus->sending = next;
            next->tx.start_ns = start_of(bus, next);
        }
    }
    if (bus->sending && wire_tx_step(&bus->sending->tx, &bus->timing, bus->pty.line_fd, now_ns))
        bus_sent(bus, bus->sending);
}

static void make_noise(struct bus *bus, size_t count)
{
    uint8_t bytes[64];

    bus->stats.noise++;
    if (bus->sending) {
        struct wire_tx *tx = &bus->sending->tx;

        tx->data[tx->sent] ^= (uint8_t)(wire_random(&bus->random) % 255 + 1);
        bus->sending->intact = false;
        return;
    }
    if (bus->rx_length)
        bus->rx_garbled = true;
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)wire_random(&bus->random);
    if (bus->pty.line_fd >= 0 && write(bus->pty.line_fd, bytes, count) < 0)
        bus->stats.overruns++;
}

static void bus_noise(struct bus *bus, int64_t now_ns)
{
    if (bus->noise_due_ns > now_ns)
        return;
    make_noise(bus, 1 + wire_random(&bus->random) % 4);
    bus->noise_due_ns =
        now_ns + NOISE_PERIOD_NS / 2 + wire_random(&bus->random) % (unsigned)NOISE_PERIOD_NS;
}

/* Steering */

static void stats_text(const struct bus *bus, char *text, size_t size)
{
    static const struct stats_row rows[] = {
        {"requests", offsetof(struct stats, requests)},
        {"replies", offsetof(struct stats, replies)},
        {"exceptions", offsetof(struct stats, exceptions)},
        {"violations", offsetof(struct stats, violations)},
        {"crc_errors", offsetof(struct stats, crc_errors)},
        {"other_unit", offsetof(struct stats, other_unit)},
        {"broadcasts", offsetof(struct stats, broadcasts)},
        {"bad_length", offsetof(struct stats, bad_length)},
        {"silenced", offsetof(struct stats, silenced)},
        {"corrupted", offsetof(struct stats, corrupted)},
        {"late", offsetof(struct stats, late)},
        {"collisions", offsetof(struct stats, collisions)},
        {"gaps", offsetof(struct stats, gaps)},
        {"overruns", offsetof(struct stats, overruns)},
        {"dropped", offsetof(struct stats, dropped)},
        {"wrong_baud", offsetof(struct stats, wrong_baud)},
        {"noise", offsetof(struct stats, noise)},
        {"truth_lines", offsetof(struct stats, truth_lines)},
        {"rx_bytes", offsetof(struct stats, rx_bytes)},
        {"tx_bytes", offsetof(struct stats, tx_bytes)},
    };
    size_t n = stats_open(text, size, "rtu", &bus->stats, rows, sizeof rows / sizeof rows[0]);
    int64_t least_ns = bus->stats.least_silence_ns;

    n += (size_t)snprintf(text + n, size - n, ",\"least_silence_us\":%lld,\"units\":{",
                          least_ns == WIRE_NEVER ? -1LL : (long long)(least_ns / 1000));
    units_stats(&bus->options.units, text + n, size - n);
}

static void wait_for(struct bus *bus, size_t count, char *words[], struct control_answer *answer)
{
    struct unit *unit = NULL;
    bool replies = count == 4 && strcmp(words[2], "replies") == 0;
    bool requests = count == 4 && strcmp(words[2], "requests") == 0;
    bool line = count == 4 && strcmp(words[1], "line") == 0;

    if (count == 4 && !line)
        unit = units_find(&bus->options.units, words[1]);
    if ((!line && !unit) || (!replies && !requests)) {
        control_error(answer, "expected: wait UNIT|line requests|replies N");
        return;
    }
    if (line)
        answer->watch = replies ? &bus->stats.replies : &bus->stats.requests;
    else
        answer->watch = replies ? &unit->replies : &unit->requests;
    answer->target = *answer->watch + strtoull(words[3], NULL, 10);
}

static void unplug(struct bus *bus)
{
    pty_unplug(&bus->pty);
    bus->rx_length = 0;
    bus->queued = 0;
    bus->sending = NULL;
}

static void steer_line(struct bus *bus, size_t count, char *words[], struct control_answer *answer)
{
    const char *value = count > 1 ? words[1] : "";
    bool on = strcmp(value, "on") == 0;
    int result = 0;

    if (strcmp(words[0], "stats") == 0) {
        stats_text(bus, answer->text, sizeof answer->text);
    } else if (strcmp(words[0], "wait") == 0) {
        wait_for(bus, count, words, answer);
    } else if (strcmp(words[0], "echo") == 0 && (on || strcmp(value, "off") == 0)) {
        bus->echo = on;
        bus->echoed = bus->rx_length;
    } else if (strcmp(words[0], "noise") == 0 && (on || strcmp(value, "off") == 0)) {
        bus->noise_due_ns = on ? wire_now_ns() : WIRE_NEVER;
    } else if (strcmp(words[0], "noise") == 0 && strcmp(value, "once") == 0) {
        size_t n = count > 2 ? strtoul(words[2], NULL, 10) : 3;

        make_noise(bus, n < 1 ? 1 : n > 64 ? 64 : n);
    } else if (strcmp(words[0], "unplug") == 0) {
        unplug(bus);
    } else if (strcmp(words[0], "plug") == 0) {
        if (bus->pty.line_fd < 0)
            result = pty_plug(&bus->pty);
        if (result < 0)
            control_error(answer, "%s", strerror(-result));
        else
            snprintf(answer->text, sizeof answer->text, "ok %s", bus->pty.name);
    } else {
        control_error(answer, "unknown command");
    }
}

static void steer(void *context, size_t count, char *words[], struct control_answer *answer)
{
    struct bus *bus = context;
    char value[128];
    int result;

    units_join(2, count, words, value, sizeof value);
    result = count < 2 ? -ENOENT : units_set(&bus->options.units, words[1], words[0], value);
    if (result == -EINVAL)
        control_error(answer, "the argument cannot be used");
    else if (result == -ESRCH && unit_knows(words[0]))
        control_error(answer, "no such unit");
    else if (result < 0)
        steer_line(bus, count, words, answer);
}

/* The loop */

static int64_t next_event_ns(struct bus *bus)
{
    int64_t next = bus->noise_due_ns;

    if (bus->rx_length)
        next = sooner(next, bus->rx_time_ns[bus->rx_length - 1] + bus->timing.silence_ns);
    if (bus->echo && bus->echoed < bus->rx_length)
        next = sooner(next, bus->rx_time_ns[bus->echoed]);
    if (bus->sending)
        next = sooner(next, wire_tx_deadline_ns(&bus->sending->tx, &bus->timing));
    else if (bus->queued && bus->rx_length == 0)
        next = sooner(next, start_of(bus, next_reply(bus)));
    return next;
}

static void arm(int timer_fd, int64_t at_ns)
{
    struct itimerspec when = {0};

    /* Absolute, so that being woken late once does not make every later byte late. */
    if (at_ns != WIRE_NEVER) {
        when.it_value.tv_sec = at_ns / WIRE_S;
        when.it_value.tv_nsec = at_ns % WIRE_S;
    }
    timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void run(struct bus *bus, struct control *control, int stop_fd)
{
    int timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

    if (timer_fd < 0)
        process_die("timerfd: %m");
    for (;;) {
        struct pollfd fds[] = {{.fd = bus->pty.line_fd, .events = POLLIN},
                               {.fd = timer_fd, .events = POLLIN},
                               {.fd = control_fd(control), .events = POLLIN},
                               {.fd = stop_fd, .events = POLLIN},
                               {.fd = bus->pty.watch_fd, .events = POLLIN}};
        int64_t now_ns;

        arm(timer_fd, next_event_ns(bus));
        if (poll(fds, sizeof fds / sizeof fds[0], -1) < 0 && errno != EINTR)
            process_die("poll: %m");
        if (fds[3].revents)
            break;
        if (fds[4].revents)
            pty_notice(&bus->pty);
        now_ns = wire_now_ns();
        /* A frame that ended before these bytes came is dealt with first: they belong to the next.
         */
        if (bus->rx_length &&
            bus->rx_time_ns[bus->rx_length - 1] + bus->timing.silence_ns <= now_ns) {
            bus_echo(bus, now_ns);
            bus_frame_end(bus, now_ns);
        }
        bus_send(bus, now_ns);
        if (fds[0].revents)
            bus_receive(bus, now_ns);
        bus_echo(bus, now_ns);
        bus_noise(bus, now_ns);
        if (fds[2].revents)
            control_run(control);
        control_check(control);
    }
    close(timer_fd);
}

int main(int argc, char *argv[])
{
    static struct bus bus;
    static char text[CONTROL_ANSWER_MAX];
    struct control *control = NULL;
    int stop_fd, result;

    options_parse(&bus.options, OPTIONS_RTU, argc, argv);
    stop_fd = process_start("sim_rtu", bus.options.stay);
    if (wire_timing_init(&bus.timing, bus.options.baud ? bus.options.baud : 9600,
                         bus.options.format ? bus.options.format : "8E1") < 0)
        process_die("--baud or --format: no such line");
    if (bus.options.realtime)
        process_realtime();
    bus.random = bus.options.seed;
    bus.noise_due_ns = WIRE_NEVER;
    bus.stats.least_silence_ns = WIRE_NEVER;
    if (bus.options.truth) {
        bus.truth = truth_open(bus.options.truth, bus.options.point ? bus.options.point : "counter",
                               false, 0);
        if (!bus.truth)
            process_die("%s: %m", bus.options.truth);
    }
    if (bus.options.control && !(control = control_open(bus.options.control, steer, &bus)))
        process_die("%s: %m", bus.options.control);
    bus.pty.link = bus.options.link;
    result = pty_plug(&bus.pty);
    if (result < 0)
        process_die("the line cannot be made: %s", strerror(-result));
    puts(bus.pty.name);
    fflush(stdout);
    process_ready(bus.options.ready_file, bus.pty.name);

    run(&bus, control, stop_fd);

    stats_text(&bus, text, sizeof text);
    puts(text);
    pty_unplug(&bus.pty);
    control_close(control);
    truth_close(bus.truth);
    if (bus.options.ready_file)
        unlink(bus.options.ready_file);
    return 0;
}
