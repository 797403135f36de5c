/* An uplink between a journal and a broker that both do as they are told: what its tests share. */
#ifndef TESTS_UPLINK_RIG_H
#define TESTS_UPLINK_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/fake_broker.h"
#include "unit/fake_journal.h"
#include "uplink/internal.h"
#include "uplink/uplink.h"

#define DEADLINE_S 60

static const struct site site = {.id = "plant7", .fingerprint = "b61f02"};

static struct uplink_options options;

static inline int begin(void **state)
{
    (void)state;
    fake_reset();
    broker_reset();
    options = (struct uplink_options){.id = "cloud",
                                      .first = true,
                                      .url = "mqtt://127.0.0.1",
                                      .root = "sluice",
                                      .keep_alive_ns = 30 * NS_PER_S,
                                      .connect_timeout_ns = NS_PER_S,
                                      .window = 64,
                                      .tls_minimum = 12};
    return 0;
}

static inline struct uplink *start(void)
{
    struct uplink *uplink = NULL;

    assert_int_equal(uplink_start(&uplink, NULL, &site, &options, &clock_system), 0);
    return uplink;
}

static inline bool reaches(uint64_t low)
{
    int64_t until_ns = clock_mono(&clock_system) + DEADLINE_S * NS_PER_S;
    struct timespec pause = {.tv_nsec = 1000000};

    while (fake_low() < low && clock_mono(&clock_system) < until_ns)
        nanosleep(&pause, NULL);
    return fake_low() >= low;
}

/* Runs an uplink until everything has a fate. */
static inline void run(void)
{
    struct uplink *uplink = start();
    bool done = reaches(fake.count + 1);
    struct uplink_stats stats;

    uplink_stats(uplink, &stats);
    uplink_stop(uplink, NS_PER_S);
    if (!done)
        fail_msg("stands at %lu of %lu: %s %s", (unsigned long)fake_low(),
                 (unsigned long)fake.count, stats.state, stats.error);
}

static inline void add_readings(unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        fake_add(EVENT_READING);
}

static inline bool is_proof(const struct message *message)
{
    return message->last != 0 && message->reason == 0;
}

/* Every event is covered by an accepted message of its epoch. */
static inline void check_covered(void)
{
    static bool covered[FAKE_EVENTS_MAX + 1];

    memset(covered, 0, sizeof(covered));
    for (size_t i = 0; i < broker.count; i++) {
        const struct message *message = &broker.messages[i];

        if (!is_proof(message))
            continue;
        for (uint64_t n = message->first; n <= message->last; n++) {
            assert_true(n <= fake.count);
            if (fake.events[n].epoch != 0 && fake.reasons[n] == 0)
                assert_int_equal(message->epoch, fake.events[n].epoch);
            covered[n] = true;
        }
    }
    for (uint64_t n = 1; n <= fake.count; n++) {
        if (!covered[n])
            fail_msg("event %lu is covered by no message", (unsigned long)n);
    }
}

static inline void check_fates(const uint64_t *dropped, size_t count, uint8_t reason)
{
    size_t next = 0;

    for (uint64_t n = 1; n <= fake.count; n++) {
        bool is_dropped = next < count && dropped[next] == n;

        if (fake.fates[n] != (is_dropped ? FATE_DROPPED : FATE_ACKED))
            fail_msg("event %lu has fate %d", (unsigned long)n, fake.fates[n]);
        if (is_dropped)
            assert_int_equal(fake.reasons[n], reason);
        next += is_dropped;
    }
}

static inline void wait_for_state(struct uplink *uplink, const char *state,
                                  struct uplink_stats *stats)
{
    int64_t until_ns = clock_mono(&clock_system) + DEADLINE_S * NS_PER_S;
    struct timespec pause = {.tv_nsec = 1000000};

    do {
        nanosleep(&pause, NULL);
        uplink_stats(uplink, stats);
    } while (strcmp(stats->state, state) != 0 && clock_mono(&clock_system) < until_ns);
    assert_string_equal(stats->state, state);
}

#endif
