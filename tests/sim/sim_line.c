/* Serial sensors that speak in lines: a talker of NMEA 0183 sentences and a scale of the MT-SICS
 * kind.
 *
 * Both share the line: what they have to say is queued (line_say) and leaves at the pace of the
 * wire, and faults are applied there, so that talker and scale only say what a healthy device
 * would. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "control.h"
#include "line.h"
#include "process.h"
#include "stats.h"

#define NOISE_PERIOD_NS     (300 * WIRE_MS)
#define SCALE_TURNAROUND_NS (5 * WIRE_MS)

/* Speaking */

static void corrupt(struct line *line, struct text *text, enum unit_corruption how)
{
    struct wire_tx *tx = &text->tx;

    text->intact = false;
    line->stats.corrupted++;
    if (how == CORRUPT_SHORT)
        tx->length = tx->length / 2;
    else if (line->device->command)
        /* A scale's line has no check sum: only a byte that is no character can be told. */
        tx->data[tx->length / 2] |= 0x80;
    else
        /* Within the sentence and keeping it printable, so that the check sum alone tells. */
        tx->data[1 + wire_random(&line->random) % (tx->length - 6)] ^= 0x01;
}

void line_say(struct line *line, bool has_counter, const char *format, ...)
{
    int64_t now_ns = wire_now_ns();
    struct unit_mood mood = unit_decide(&line->unit, now_ns);
    struct text *text;
    va_list args;
    int n;

    if (mood.silent) {
        line->stats.silenced++;
        return;
    }
    if (line->queued == QUEUE_MAX) {
        line->stats.dropped++;
        return;
    }
    text = &line->queue[line->queued];
    memset(text, 0, sizeof *text);
    va_start(args, format);
    n = vsnprintf((char *)text->tx.data, sizeof text->tx.data - 3, format, args);
    va_end(args);
    text->tx.length = (size_t)n;
    text->tx.data[text->tx.length++] = '\r';
    text->tx.data[text->tx.length++] = '\n';
    text->tx.byte_ns =
        mood.dribble_ns > line->timing.byte_ns ? mood.dribble_ns : line->timing.byte_ns;
    text->request_end_ns = line->device->command && !line->repeat ? line->rx_end_ns : now_ns;
    text->due_ns = text->request_end_ns + line->unit.turnaround_ns + mood.delay_ns;
    text->delayed = mood.delay_ns || mood.dribble_ns;
    text->intact = true;
    text->has_counter = has_counter;
    text->counter = line->unit.counter;
    if (line->cut_next)
        corrupt(line, text, CORRUPT_SHORT);
    else if (mood.corruption)
        corrupt(line, text, mood.corruption);
    line->cut_next = false;
    line->queued++;
}

static void said(struct line *line)
{
    struct text *text = &line->queue[0];
    int64_t limit_ns = line->options.late_after_ns;
    bool late = limit_ns ? text->tx.end_ns - text->request_end_ns > limit_ns : text->delayed;

    line->line_end_ns = text->tx.end_ns;
    line->stats.replies++;
    line->unit.replies++;
    line->stats.late += late;
    line->stats.overruns += text->tx.lost;
    line->stats.tx_bytes += text->tx.length;
    if (text->has_counter && text->intact && text->heard && !text->tx.lost) {
        truth_note(line->truth, line->unit.name, text->counter, late ? TRUTH_LATE : TRUTH_IN_TIME,
                   0);
        line->stats.truth_lines++;
    }
    line->queued--;
    memmove(text, text + 1, line->queued * sizeof *text);
}

static int64_t speaking_due_ns(struct line *line)
{
    struct text *text = &line->queue[0];

    if (line->queued == 0)
        return WIRE_NEVER;
    if (text->tx.start_ns == 0)
        text->tx.start_ns = text->due_ns > line->line_end_ns ? text->due_ns : line->line_end_ns;
    return wire_tx_deadline_ns(&text->tx, &line->timing);
}

static void speak(struct line *line, int64_t now_ns)
{
    while (speaking_due_ns(line) <= now_ns) {
        struct text *text = &line->queue[0];

        if (text->tx.sent == 0)
            text->heard = line->device->command || pty_is_heard(&line->pty);
        if (!wire_tx_step(&line->queue[0].tx, &line->timing, line->pty.line_fd, now_ns))
            break;
        said(line);
    }
}

static const struct device *const devices[] = {&line_nmea, &line_scale};

/* Listening */

static void execute(struct line *line)
{
    line->rx[line->rx_length] = '\0';
    line->rx_length = 0;
    line->stats.requests++;
    line->unit.requests++;
    if (line->options.check_baud && pty_baud(&line->pty) != line->timing.baud)
        line->stats.wrong_baud++;
    else
        line->device->command(line, line->rx);
}

static void hear(struct line *line, int64_t now_ns)
{
    char bytes[RX_MAX];
    ssize_t n = read(line->pty.line_fd, bytes, sizeof bytes);

    if (n <= 0)
        return;
    line->stats.rx_bytes += (uint64_t)n;
    if (line->rx_end_ns < now_ns)
        line->rx_end_ns = now_ns;
    if (line->echo && write(line->pty.line_fd, bytes, (size_t)n) < 0)
        line->stats.overruns++;
    for (ssize_t i = 0; i < n; i++) {
        /* The answer's time counts from here, since a pty hands over the whole command at once. */
        line->rx_end_ns += line->timing.byte_ns;
        if (!line->device->command)
            continue;
        if (bytes[i] == '\n' && line->rx_length && line->rx[line->rx_length - 1] == '\r') {
            line->rx_length--;
            execute(line);
        } else if (line->rx_length < RX_MAX - 1) {
            line->rx[line->rx_length++] = bytes[i];
        }
    }
}

/* Steering */

static void make_noise(struct line *line, size_t count)
{
    uint8_t bytes[64];

    line->stats.noise++;
    if (line->queued && line->queue[0].tx.sent) {
        struct wire_tx *tx = &line->queue[0].tx;

        tx->data[tx->sent] ^= (uint8_t)(wire_random(&line->random) % 127 + 0x81);
        line->queue[0].intact = false;
        return;
    }
    for (size_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)wire_random(&line->random);
    if (line->pty.line_fd >= 0 && write(line->pty.line_fd, bytes, count) < 0)
        line->stats.overruns++;
}

static void stats_text(const struct line *line, char *text, size_t size)
{
#define OFFSET(name) offsetof(struct stats, name)
    static const struct stats_row rows[] = {
        {"requests", OFFSET(requests)}, {"replies", OFFSET(replies)},
        {"silenced", OFFSET(silenced)}, {"corrupted", OFFSET(corrupted)},
        {"late", OFFSET(late)},         {"overruns", OFFSET(overruns)},
        {"dropped", OFFSET(dropped)},   {"wrong_baud", OFFSET(wrong_baud)},
        {"noise", OFFSET(noise)},       {"truth_lines", OFFSET(truth_lines)},
        {"rx_bytes", OFFSET(rx_bytes)}, {"tx_bytes", OFFSET(tx_bytes)},
    };
#undef OFFSET
    size_t n = stats_open(text, size, line->device->kind, &line->stats, rows,
                          sizeof rows / sizeof rows[0]);

    snprintf(text + n, size - n, ",\"name\":\"%s\",\"counter\":%u}", line->unit.name,
             line->unit.counter);
}

static int steer_state(struct line *line, const char *value)
{
    static const struct {
        const char *name;
        char state;
    } states[] = {
        {"stable", 'S'}, {"dynamic", 'D'}, {"busy", 'I'}, {"overload", '+'}, {"underload", '-'}};

    for (size_t i = 0; line->device->command && i < sizeof states / sizeof states[0]; i++) {
        if (strcmp(states[i].name, value) == 0) {
            line->state = states[i].state;
            return 0;
        }
    }
    return -EINVAL;
}

static int steer_noise(struct line *line, const char *value, const char *number)
{
    size_t n = number ? strtoul(number, NULL, 10) : 3;

    if (strcmp(value, "once") == 0)
        make_noise(line, n < 1 ? 1 : n > 64 ? 64 : n);
    else if (strcmp(value, "on") == 0)
        line->noise_due_ns = wire_now_ns();
    else if (strcmp(value, "off") == 0)
        line->noise_due_ns = WIRE_NEVER;
    else
        return -EINVAL;
    return 0;
}

static int steer_pty(struct line *line, bool plug, struct control_answer *answer)
{
    int result = 0;

    if (!plug) {
        pty_unplug(&line->pty);
        line->queued = 0;
        line->rx_length = 0;
        return 0;
    }
    if (line->pty.line_fd < 0)
        result = pty_plug(&line->pty);
    if (result == 0)
        snprintf(answer->text, sizeof answer->text, "ok %s", line->pty.name);
    return result;
}

static int steer_every(struct line *line, const char *value)
{
    int64_t every_ns;

    if (wire_parse_duration(value, &every_ns) < 0 || every_ns < WIRE_MS)
        return -EINVAL;
    line->options.every_ns = every_ns;
    line->tick_due_ns = wire_now_ns() + every_ns;
    return 0;
}

static int steer_wait(struct line *line, char *words[], struct control_answer *answer)
{
    if (!words[1] || !words[2])
        return -EINVAL;
    if (strcmp(words[1], "requests") == 0)
        answer->watch = &line->stats.requests;
    else if (strcmp(words[1], "replies") == 0)
        answer->watch = &line->stats.replies;
    else if (strcmp(words[1], "values") == 0)
        answer->watch = &line->stats.truth_lines;
    else
        return -EINVAL;
    answer->target = *answer->watch + strtoull(words[2], NULL, 10);
    return 0;
}

static void steer(void *context, size_t count, char *words[], struct control_answer *answer)
{
    struct line *line = context;
    const char *verb = words[0];
    const char *value = count > 1 ? words[1] : "";
    char joined[128];
    int result = 0;

    if (strcmp(verb, "stats") == 0) {
        stats_text(line, answer->text, sizeof answer->text);
    } else if (strcmp(verb, "wait") == 0) {
        result = steer_wait(line, words, answer);
    } else if (strcmp(verb, "plug") == 0 || strcmp(verb, "unplug") == 0) {
        result = steer_pty(line, verb[0] == 'p', answer);
    } else if (strcmp(verb, "noise") == 0) {
        result = steer_noise(line, value, words[2]);
    } else if (strcmp(verb, "state") == 0) {
        result = steer_state(line, value);
    } else if (strcmp(verb, "every") == 0) {
        result = steer_every(line, value);
    } else if (strcmp(verb, "half") == 0) {
        line->cut_next = true;
    } else if (strcmp(verb, "echo") == 0) {
        line->echo = strcmp(value, "on") == 0;
    } else {
        /* There is one device, so faults need not name it: "delay 2s". */
        units_join(1, count, words, joined, sizeof joined);
        result = unit_set(&line->unit, verb, joined);
    }
    if (result == -ENOENT)
        control_error(answer, "unknown command");
    else if (result == -EINVAL)
        control_error(answer, "the argument cannot be used");
    else if (result < 0)
        control_error(answer, "%s", strerror(-result));
}

/* The loop */

static void arm(int timer_fd, int64_t at_ns)
{
    /* Absolute, so that being woken late once does not make every later byte late. */
    struct itimerspec when = {.it_value = {.tv_sec = at_ns / WIRE_S, .tv_nsec = at_ns % WIRE_S}};

    timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static int64_t next_event_ns(struct line *line)
{
    int64_t next_ns = line->tick_due_ns;
    int64_t speaking_ns = speaking_due_ns(line);

    if (speaking_ns < next_ns)
        next_ns = speaking_ns;
    return line->noise_due_ns < next_ns ? line->noise_due_ns : next_ns;
}

static void run(struct line *line, struct control *control, int stop_fd)
{
    int timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

    if (timer_fd < 0)
        process_die("timerfd: %m");
    for (;;) {
        struct pollfd fds[] = {{.fd = line->pty.line_fd, .events = POLLIN},
                               {.fd = timer_fd, .events = POLLIN},
                               {.fd = control_fd(control), .events = POLLIN},
                               {.fd = stop_fd, .events = POLLIN},
                               {.fd = line->pty.watch_fd, .events = POLLIN}};
        int64_t now_ns;

        arm(timer_fd, next_event_ns(line));
        if (poll(fds, sizeof fds / sizeof fds[0], -1) < 0 && errno != EINTR)
            process_die("poll: %m");
        if (fds[3].revents)
            break;
        if (fds[4].revents)
            pty_notice(&line->pty);
        now_ns = wire_now_ns();
        if (fds[0].revents)
            hear(line, now_ns);
        if (line->tick_due_ns <= now_ns) {
            line->device->tick(line);
            line->tick_due_ns += line->options.every_ns;
        }
        if (line->noise_due_ns <= now_ns) {
            make_noise(line, 1 + wire_random(&line->random) % 4);
            line->noise_due_ns = now_ns + NOISE_PERIOD_NS / 2 +
                                 wire_random(&line->random) % (unsigned)NOISE_PERIOD_NS;
        }
        speak(line, now_ns);
        if (fds[2].revents)
            control_run(control);
        control_check(control);
    }
    close(timer_fd);
}

static void set_up(struct line *line)
{
    const struct options *options = &line->options;
    const char *point;

    for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++) {
        if (options->kind && strcmp(options->kind, devices[i]->kind) == 0)
            line->device = devices[i];
    }
    if (!line->device)
        process_die("which sensor? nmea or scale");
    if (wire_timing_init(&line->timing, options->baud ? options->baud : line->device->baud,
                         options->format ? options->format : "8N1") < 0)
        process_die("--baud or --format: no such line");
    if (options->every_ns < WIRE_MS)
        process_die("--every: 1 ms is the least");
    snprintf(line->unit.name, sizeof line->unit.name, "%s",
             options->name ? options->name : line->device->kind);
    line->unit.turnaround_ns = line->device->command ? SCALE_TURNAROUND_NS : 0;
    line->state = 'S';
    line->random = options->seed;
    line->noise_due_ns = WIRE_NEVER;
    line->tick_due_ns = wire_now_ns() + options->every_ns;
    line->pty.link = options->link;
    point = options->point ? options->point : line->device->point;
    if (options->truth &&
        !(line->truth = truth_open(options->truth, point, line->device->command != NULL, 0)))
        process_die("%s: %m", options->truth);
}

int main(int argc, char *argv[])
{
    static struct line line;
    static char text[CONTROL_ANSWER_MAX];
    struct control *control = NULL;
    int stop_fd, result;

    options_parse(&line.options, OPTIONS_LINE, argc, argv);
    stop_fd = process_start("sim_line", line.options.stay);
    set_up(&line);
    if (line.options.realtime)
        process_realtime();
    if (line.options.control && !(control = control_open(line.options.control, steer, &line)))
        process_die("%s: %m", line.options.control);
    result = pty_plug(&line.pty);
    if (result < 0)
        process_die("the line cannot be made: %s", strerror(-result));
    puts(line.pty.name);
    fflush(stdout);
    process_ready(line.options.ready_file, line.pty.name);

    run(&line, control, stop_fd);

    stats_text(&line, text, sizeof text);
    puts(text);
    pty_unplug(&line.pty);
    control_close(control);
    truth_close(line.truth);
    if (line.options.ready_file)
        unlink(line.options.ready_file);
    return 0;
}
