#include "daemon/timing.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "core/status.h"
#include "daemon/machine.h"
#include "daemon/wish.h"
#include "journal/reader.h"

#define ALARM_NS    (60 * NS_PER_S) /* a time server needs a moment */
#define SECONDS_MAX 4e9

/* Between two questions whether a time server is followed: soon after the start, and later. */
#define FOLLOWED_FIRST_NS (15 * NS_PER_S)
#define FOLLOWED_EVERY_NS (10 * 60 * NS_PER_S)

/* By itself where it may, as root or with the capability; else by root's part of the system. */
static int set(void *context, int64_t wall_ns)
{
    int error = machine_set_clock(wall_ns);

    if (error != ERR_DENIED)
        return error;
    error = wish_make(context, WISH_CLOCK, wall_ns);
    return error ? ERR_DENIED : 0;
}

static int restore(void *context, int64_t wall_ns)
{
    return wish_make(context, WISH_CLOCK, wall_ns);
}

static int ask_whether_followed(void *context)
{
    return wish_make(context, WISH_FOLLOWED, 1);
}

/* A board that is described by a device tree shows its clock, or has none. One whose time server
 * cannot be seen would wait for it for ever. */
static bool keeps_time(bool watched)
{
    return access("/sys/class/rtc/rtc0", F_OK) == 0 ||
           access("/sys/firmware/devicetree/base", F_OK) != 0 || !watched;
}

int timing_open(struct timekeeper **keeper, struct follow **follow, const char *state_path,
                const char *boot_id, const char *wish_path)
{
    const struct follow_options asking = {.system = &clock_system,
                                          .ask = ask_whether_followed,
                                          .context = (void *)(uintptr_t)wish_path,
                                          .first_ns = FOLLOWED_FIRST_NS,
                                          .every_ns = FOLLOWED_EVERY_NS};
    bool watched = clock_is_watched();

    *follow = NULL;
    if (!watched && follow_open(follow, &asking))
        return ERR_NOMEM;

    const struct timekeeper_options options = {
        .system = *follow ? follow_clock(*follow) : &clock_system,
        .state_path = state_path,
        .boot_id = boot_id,
        .keeps_time = keeps_time(watched || follow_is_told(*follow)),
        .set = set,
        .restore = restore,
        .context = (void *)(uintptr_t)wish_path, /* a text that they read */
    };

    return timekeeper_open(keeper, &options);
}

void timing_begin(struct timing *timing, struct running *running)
{
    struct journal_stats stats;

    *timing = (struct timing){.seen_n = 0};
    journal_stats(running->journal, &stats);
    timekeeper_stored(running->timekeeper, stats.newest_wall_ns);
}

/* --- the receiver --- */

/* Whether it was read in this life of the monotonic clock, and of ours. */
static bool is_fresh(const struct running *running, const struct event *event)
{
    struct journal_stats stats;

    journal_stats(running->journal, &stats);
    return event->boot == stats.boot && event->mono_ns >= running->started_mono_ns;
}

/* The newest reading of the point: seconds since 1970. */
static void take_reading(struct timing *timing, struct running *running, uint64_t n)
{
    struct reader *reader;
    struct event event;

    if (reader_open(&reader, running->journal, n))
        return;
    if (reader_next(reader, &event) == 1 && event.n == n && event.kind == EVENT_READING &&
        event.status == STATUS_GOOD && event.value.type == VALUE_F64 && event.value.f > 0 &&
        event.value.f < SECONDS_MAX && is_fresh(running, &event))
        timekeeper_receive(running->timekeeper, (int64_t)(event.value.f * 1e3) * NS_PER_MS,
                           event.mono_ns);
    reader_close(reader);
    timing->seen_n = n;
}

/* "gps.utc" */
static uint32_t find_stream(const struct running *running, const char *place)
{
    char device[ID_SIZE_MAX];
    const char *dot = strchr(place, '.');

    if (!dot)
        return 0;
    snprintf(device, sizeof device, "%.*s", (int)(dot - place), place);
    return journal_find(running->journal, device, dot + 1);
}

static void look_at_receiver(struct timing *timing, struct running *running)
{
    const char *place = running->current->config->site.time_from;
    struct journal_stream_ledger ledger;
    uint32_t stream = place ? find_stream(running, place) : 0;
    uint64_t durable = journal_durable(running->journal, NULL);

    if (!stream || journal_stream_ledger(running->journal, stream, &ledger) ||
        ledger.last_n > durable || ledger.last_n == timing->seen_n)
        return;
    take_reading(timing, running, ledger.last_n);
}

/* --- the alarm --- */

static void put_alarm(struct running *running, const char *words, uint16_t status)
{
    struct event event = {.kind = EVENT_ALARM,
                          .mono_ns = clock_mono(running->clock),
                          .urgent = true,
                          .status = status};

    event.value.type = VALUE_TEXT;
    event.value.data = words;
    event.value.size = (uint16_t)strlen(words);
    journal_put(running->journal, &event);
}

static void look_at_trust(struct timing *timing, struct running *running)
{
    struct timekeeper_look look;
    int64_t now_ns = clock_mono(running->clock);

    timekeeper_look(running->timekeeper, &look);
    if (!*look.why) {
        if (timing->alarmed) {
            log_info("daemon", "the clock is trusted again: by %s", time_source_name(look.source));
            put_alarm(running, "over: the clock was not trusted", STATUS_OVER);
        }
        timing->doubted_mono_ns = 0;
        timing->alarmed = false;
        return;
    }
    if (!timing->doubted_mono_ns)
        timing->doubted_mono_ns = now_ns;
    if (timing->alarmed || now_ns - timing->doubted_mono_ns < ALARM_NS)
        return;
    timing->alarmed = true;
    log_error("daemon", "%s", look.why);
    put_alarm(running, look.why, STATUS_GOOD);
}

void timing_look(struct timing *timing, struct running *running)
{
    timekeeper_step(running->timekeeper);
    look_at_receiver(timing, running);
    look_at_trust(timing, running);
}
