/* A desk with a real journal, a bus's thread that obeys, and a clock that is moved by hand: what
 * the tests of commands share. */
#ifndef TESTS_DESK_RIG_H
#define TESTS_DESK_RIG_H

#include "unit/journal_kit.h"

#include <pthread.h>
#include <math.h>
#include <stdatomic.h>

#include "core/command.h"
#include "core/status.h"
#include "field/desk.h"

#define ANSWERS_MAX 64
#define NOW_MS      (INT64_C(1795448300) * 1000)

/* What the bus's thread does with commands. */
static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool held;  /* takes none */
    bool stuck; /* does not answer, until it is stopped */
    uint16_t status;
    unsigned executed;
    struct value last;
    struct journal *journal;
    bool stored_first; /* each was durable when it was executed */
} field = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static inline unsigned count_events(struct journal *journal, enum event_kind kind, const char *id)
{
    struct reader *reader;
    struct event event;
    unsigned count = 0;

    assert_int_equal(reader_open(&reader, journal, 0), 0);
    while (reader_next(reader, &event) > 0) {
        struct command command = {0};
        struct command_result result = {0};

        if (event.kind != kind)
            continue;
        if (kind == EVENT_COMMAND)
            command_unpack(&command, event.value.data, event.value.size);
        else
            command_result_unpack(&result, event.value.data, event.value.size);
        count += strcmp(kind == EVENT_COMMAND ? command.id : result.id, id) == 0;
    }
    reader_close(reader);
    return count;
}

static inline bool is_stored(struct journal *journal)
{
    struct reader *reader;
    struct event event;
    unsigned commands = 0;

    if (reader_open(&reader, journal, 0) != 0)
        return false;
    while (reader_next(reader, &event) > 0)
        commands += event.kind == EVENT_COMMAND;
    reader_close(reader);
    return commands > field.executed;
}

static inline int run(const struct site_bus *bus, struct driver_host *host)
{
    (void)bus;
    while (host_rest(host, -1, INT64_MAX) != ERR_CLOSED) {
        struct driver_command *command;

        pthread_mutex_lock(&field.lock);
        while (field.held)
            pthread_cond_wait(&field.changed, &field.lock);
        pthread_mutex_unlock(&field.lock);
        command = host_take_command(host);
        if (!command)
            continue;
        pthread_mutex_lock(&field.lock);
        field.stored_first &= is_stored(field.journal);
        field.executed++;
        field.last = command->value;
        bool stuck = field.stuck;
        pthread_cond_broadcast(&field.changed);
        pthread_mutex_unlock(&field.lock);
        if (stuck)
            return host_wait(host, -1, INT64_MAX) == ERR_CLOSED ? 0 : ERR_INVALID;
        host_answer(host, command, field.status,
                    field.status == STATUS_GOOD ? &command->value : NULL);
    }
    return 0;
}

static inline bool can_write(const struct site_device *device, const struct site_point *point,
                             const struct value *value, char *why, size_t why_size)
{
    (void)device;
    (void)point;
    (void)value;
    snprintf(why, why_size, "the device cannot do 66");
    return value->type != VALUE_U64 || value->u != 66;
}

static const struct driver obeys = {.name = "obeys", .run = run, .can_write = can_write};

static const struct site_enum modes[] = {{0, "off"}, {1, "auto"}};

struct rig {
    struct kit *kit;
    struct desk *desk;
    struct host *host;
    struct site_point points[4];
    uint32_t streams[4];
    struct site_device device;
    struct site_bus bus;
};

/* A sender, and what it was told. */
struct party {
    struct command_sender sender;
    pthread_mutex_t lock;
    pthread_cond_t told;
    unsigned count, last;
    char lines[ANSWERS_MAX][512];
};

static inline void on_answer(struct command_sender *sender, const char *json, size_t size,
                             bool last)
{
    struct party *party = (struct party *)sender;

    pthread_mutex_lock(&party->lock);
    snprintf(party->lines[party->count++ % ANSWERS_MAX], 512, "%.*s", (int)size, json);
    party->last += last;
    pthread_cond_broadcast(&party->told);
    pthread_mutex_unlock(&party->lock);
}

static inline void party_init(struct party *party, const char *by, bool remote)
{
    memset(party, 0, sizeof *party);
    pthread_mutex_init(&party->lock, NULL);
    pthread_cond_init(&party->told, NULL);
    snprintf(party->sender.by, sizeof party->sender.by, "%s", by);
    party->sender.remote = remote;
    party->sender.answer = on_answer;
}

static inline struct timespec soon(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    return until;
}

/* The newest line once so many answers that are the last have come. */
static inline const char *await_last(struct party *party, unsigned last)
{
    struct timespec until = soon();
    int error = 0;

    pthread_mutex_lock(&party->lock);
    while (party->last < last && error == 0)
        error = pthread_cond_timedwait(&party->told, &party->lock, &until);
    pthread_mutex_unlock(&party->lock);
    if (error)
        fail_msg("%u of %u answers came", party->last, last);
    return party->lines[(party->count - 1) % ANSWERS_MAX];
}

static inline void await_count(struct party *party, unsigned count)
{
    struct timespec until = soon();
    int error = 0;

    pthread_mutex_lock(&party->lock);
    while (party->count < count && error == 0)
        error = pthread_cond_timedwait(&party->told, &party->lock, &until);
    pthread_mutex_unlock(&party->lock);
    assert_int_equal(error, 0);
}

static inline void await_executed(unsigned executed)
{
    struct timespec until = soon();
    int error = 0;

    pthread_mutex_lock(&field.lock);
    while (field.executed < executed && error == 0)
        error = pthread_cond_timedwait(&field.changed, &field.lock, &until);
    pthread_mutex_unlock(&field.lock);
    assert_int_equal(error, 0);
}

static inline void hold(bool held)
{
    pthread_mutex_lock(&field.lock);
    field.held = held;
    pthread_cond_broadcast(&field.changed);
    pthread_mutex_unlock(&field.lock);
}

static inline void set_point(struct rig *rig, size_t index, const char *id, enum value_type type,
                             bool writable)
{
    struct site_point *point = &rig->points[index];
    struct stream stream = {.type = (uint8_t)type, .decimals = DECIMALS_SHORTEST};

    snprintf(stream.device, sizeof stream.device, "boiler");
    snprintf(stream.point, sizeof stream.point, "%s", id);
    assert_int_equal(journal_declare(rig->kit->journal, &stream), 0);
    rig->streams[index] = stream.number;
    *point = (struct site_point){.id = id, .type = (uint8_t)type, .decimals = DECIMALS_SHORTEST};
    point->write = (struct site_write){
        .allowed = writable, .minimum = -INFINITY, .maximum = INFINITY, .verify = true};
}

static inline void start_field(struct rig *rig)
{
    field.journal = rig->kit->journal;
    assert_int_equal(host_start(&rig->host, NULL, rig->kit->journal, &rig->bus, &rig->kit->clock,
                                desk_done, rig->desk),
                     0);
    assert_int_equal(desk_add_bus(rig->desk, &rig->bus, rig->host), 0);
}

static inline void stop_field(struct rig *rig)
{
    desk_remove_bus(rig->desk, rig->host);
    host_stop(rig->host);
    rig->host = NULL;
}

static inline void start(struct rig *rig)
{
    kit_open(rig->kit);
    set_point(rig, 0, "mode", VALUE_U64, true);
    rig->points[0].enums = modes;
    rig->points[0].enum_count = 2;
    set_point(rig, 1, "setpoint", VALUE_F64, true);
    rig->points[1].write.minimum = 5;
    rig->points[1].write.maximum = 90;
    rig->points[1].write.step = 0.5;
    set_point(rig, 2, "flow", VALUE_F64, false);
    set_point(rig, 3, "count", VALUE_U64, true);
    rig->device = (struct site_device){
        .id = "boiler", .points = rig->points, .streams = rig->streams, .point_count = 4};
    rig->bus = (struct site_bus){
        .id = "hall", .devices = &rig->device, .device_count = 1, .driver = &obeys};
    assert_int_equal(desk_open(&rig->desk, rig->kit->journal, &rig->kit->clock), 0);
    start_field(rig);
}

static inline void stop(struct rig *rig)
{
    stop_field(rig);
    desk_close(rig->desk);
    kit_close(rig->kit);
}

static inline int set_up(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    void *kit = NULL;

    if (!rig || kit_setup(&kit) != 0)
        return -1;
    rig->kit = kit;
    rig->kit->options.commit_ns = -1;
    field.held = field.stuck = false;
    field.stored_first = true;
    field.status = STATUS_GOOD;
    field.executed = 0;
    start(rig);
    *state = rig;
    return 0;
}

static inline int tear_down(void **state)
{
    struct rig *rig = *state;
    void *kit = rig->kit;
    int result;

    hold(false);
    stop(rig);
    result = kit_teardown(&kit);
    free(rig);
    return result;
}

static inline void submit(struct rig *rig, struct party *party, const char *json)
{
    static const struct command_delivery at_once = {0};
    struct command_desk *desk = desk_seam(rig->desk);

    desk->ops->submit(desk, &party->sender, json, strlen(json), &at_once);
}

static inline void leave(struct rig *rig, struct party *party)
{
    struct command_desk *desk = desk_seam(rig->desk);

    desk->ops->leave(desk, &party->sender);
}

/* What was told to be accepted is handed to its bus before anybody else gets at the desk. */
static inline void await_handed_over(struct rig *rig)
{
    struct party nobody;

    party_init(&nobody, "unix:9", false);
    leave(rig, &nobody);
}

static inline void has(const char *line, const char *words)
{
    if (!strstr(line, words))
        fail_msg("%s is not in %s", words, line);
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
