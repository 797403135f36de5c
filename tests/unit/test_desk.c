/* Commands from their arrival to their answer, with a real journal, a bus's thread that obeys, and
 * a clock that is moved by hand. */
// links: sluice_field
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

static unsigned count_events(struct journal *journal, enum event_kind kind, const char *id)
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

static bool is_stored(struct journal *journal)
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

static int run(const struct site_bus *bus, struct driver_host *host)
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

static bool can_write(const struct site_device *device, const struct site_point *point,
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

static void on_answer(struct command_sender *sender, const char *json, size_t size, bool last)
{
    struct party *party = (struct party *)sender;

    pthread_mutex_lock(&party->lock);
    snprintf(party->lines[party->count++ % ANSWERS_MAX], 512, "%.*s", (int)size, json);
    party->last += last;
    pthread_cond_broadcast(&party->told);
    pthread_mutex_unlock(&party->lock);
}

static void party_init(struct party *party, const char *by, bool remote)
{
    memset(party, 0, sizeof *party);
    pthread_mutex_init(&party->lock, NULL);
    pthread_cond_init(&party->told, NULL);
    snprintf(party->sender.by, sizeof party->sender.by, "%s", by);
    party->sender.remote = remote;
    party->sender.answer = on_answer;
}

static struct timespec soon(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    return until;
}

/* The newest line once so many answers that are the last have come. */
static const char *await_last(struct party *party, unsigned last)
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

static void await_count(struct party *party, unsigned count)
{
    struct timespec until = soon();
    int error = 0;

    pthread_mutex_lock(&party->lock);
    while (party->count < count && error == 0)
        error = pthread_cond_timedwait(&party->told, &party->lock, &until);
    pthread_mutex_unlock(&party->lock);
    assert_int_equal(error, 0);
}

static void await_executed(unsigned executed)
{
    struct timespec until = soon();
    int error = 0;

    pthread_mutex_lock(&field.lock);
    while (field.executed < executed && error == 0)
        error = pthread_cond_timedwait(&field.changed, &field.lock, &until);
    pthread_mutex_unlock(&field.lock);
    assert_int_equal(error, 0);
}

static void hold(bool held)
{
    pthread_mutex_lock(&field.lock);
    field.held = held;
    pthread_cond_broadcast(&field.changed);
    pthread_mutex_unlock(&field.lock);
}

static void set_point(struct rig *rig, size_t index, const char *id, enum value_type type,
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

static void start_field(struct rig *rig)
{
    field.journal = rig->kit->journal;
    assert_int_equal(host_start(&rig->host, NULL, rig->kit->journal, &rig->bus, &rig->kit->clock,
                                desk_done, rig->desk),
                     0);
    assert_int_equal(desk_add_bus(rig->desk, &rig->bus, rig->host), 0);
}

static void stop_field(struct rig *rig)
{
    desk_remove_bus(rig->desk, rig->host);
    host_stop(rig->host);
    rig->host = NULL;
}

static void start(struct rig *rig)
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

static void stop(struct rig *rig)
{
    stop_field(rig);
    desk_close(rig->desk);
    kit_close(rig->kit);
}

static int set_up(void **state)
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

static int tear_down(void **state)
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

static void submit(struct rig *rig, struct party *party, const char *json)
{
    static const struct command_delivery at_once = {0};
    struct command_desk *desk = desk_seam(rig->desk);

    desk->ops->submit(desk, &party->sender, json, strlen(json), &at_once);
}

static void leave(struct rig *rig, struct party *party)
{
    struct command_desk *desk = desk_seam(rig->desk);

    desk->ops->leave(desk, &party->sender);
}

/* What was told to be accepted is handed to its bus before anybody else gets at the desk. */
static void await_handed_over(struct rig *rig)
{
    struct party nobody;

    party_init(&nobody, "unix:9", false);
    leave(rig, &nobody);
}

static void has(const char *line, const char *words)
{
    if (!strstr(line, words))
        fail_msg("%s is not in %s", words, line);
}

static void a_command_is_stored_then_executed_then_answered(void **state)
{
    struct rig *rig = *state;
    struct party party;

    party_init(&party, "unix:0", false);
    submit(rig, &party,
           "{\"id\":\"7c1\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1}");
    has(await_last(&party, 1), "{\"id\":\"7c1\",\"ok\":true,\"v\":1,\"t\":");
    assert_int_equal(party.count, 2);
    has(party.lines[0], "{\"id\":\"7c1\",\"accepted\":true,\"t\":");
    has(party.lines[0], "\"key\":\"");
    assert_true(field.stored_first);
    assert_int_equal(field.executed, 1);
    assert_int_equal(count_events(rig->kit->journal, EVENT_COMMAND, "7c1"), 1);
    assert_int_equal(count_events(rig->kit->journal, EVENT_RESULT, "7c1"), 1);
    leave(rig, &party);
}

static void a_repeated_command_gets_the_same_answer_and_is_not_executed_again(void **state)
{
    static const char json[] =
        "{\"id\":\"7c1\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1}";
    struct rig *rig = *state;
    struct party party, other;
    char first[512];

    party_init(&party, "unix:0", false);
    party_init(&other, "unix:1", false);
    hold(true);
    submit(rig, &party, json);
    submit(rig, &party, json); /* while it is under way */
    hold(false);
    snprintf(first, sizeof first, "%s", await_last(&party, 1));
    submit(rig, &party, json);
    assert_string_equal(await_last(&party, 2), first);
    assert_int_equal(field.executed, 1);
    submit(rig, &party,
           "{\"id\":\"7c1\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":0}");
    has(await_last(&party, 3), "another command");
    submit(rig, &other, json); /* ids are those of their senders */
    await_last(&other, 1);
    assert_int_equal(field.executed, 2);
    leave(rig, &party);
    leave(rig, &other);
}

static void says_in_words_why_a_command_is_refused(void **state)
{
    static const struct {
        const char *json, *words;
    } cases[] = {
        {"{\"id\":\"a\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":2}",
         "allowed are 0 (off), 1 (auto)"},
        {"{\"id\":\"b\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":\"on\"}",
         "allowed are 0 (off), 1 (auto)"},
        {"{\"id\":\"c\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1.5}",
         "whole number"},
        {"{\"id\":\"d\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"setpoint\",\"v\":4.5}",
         "allowed is 5 to 90 in steps of 0.5"},
        {"{\"id\":\"e\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"setpoint\",\"v\":20.3}",
         "in steps of 0.5"},
        {"{\"id\":\"f\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"setpoint\",\"v\":\"warm\"}",
         "a number is expected"},
        {"{\"id\":\"g\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"flow\",\"v\":1}",
         "\"why\":\"not writable\""},
        {"{\"id\":\"h\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"nix\",\"v\":1}",
         "\"why\":\"no such point\""},
        {"{\"id\":\"i\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"count\",\"v\":66}",
         "the device cannot do 66"},
        {"{\"id\":\"j\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"count\",\"v\":-1}", "from 0 on"},
        {"{\"id\":\"k\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"count\",\"v\":1e300}",
         "as texts"},
        {"{\"id\":\"l\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"count\",\"v\":null}",
         "is to be the value"},
        {"{\"id\":\"m\",\"op\":\"erase\",\"d\":\"boiler\",\"p\":\"count\",\"v\":1}",
         "\\\"op\\\" is to be"},
        {"{\"id\":\"n\",\"op\":\"write\",\"d\":\"Boiler\",\"p\":\"count\",\"v\":1}",
         "id of a device"},
        {"{\"id\":\"not an id\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"count\",\"v\":1}",
         "1 to 64"},
        {"{\"id\":\"o\",\"op\":\"write\",", "one JSON object"},
        {"[1]", "one JSON object"},
    };
    struct rig *rig = *state;
    struct party party;

    party_init(&party, "unix:0", false);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        submit(rig, &party, cases[i].json);
        has(await_last(&party, i + 1), cases[i].words);
        has(party.lines[i], "\"ok\":false");
    }
    assert_int_equal(field.executed, 0);
    leave(rig, &party);
}

static void numbers_and_texts_of_an_enum_may_be_written_as_texts(void **state)
{
    static const struct {
        const char *point, *value, *told;
    } cases[] = {
        {"mode", "\"auto\"", "\"v\":1"},
        {"mode", "\"0\"", "\"v\":0"},
        {"setpoint", "\"21.5\"", "\"v\":21.5"},
        {"count", "\"18446744073709551615\"", "\"v\":\"18446744073709551615\""},
    };
    struct rig *rig = *state;
    struct party party;
    char json[256];

    party_init(&party, "unix:0", false);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        snprintf(json, sizeof json,
                 "{\"id\":\"%u\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"%s\",\"v\":%s}", i,
                 cases[i].point, cases[i].value);
        submit(rig, &party, json);
        has(await_last(&party, i + 1), cases[i].told);
    }
    leave(rig, &party);
}

static void what_was_refused_of_a_point_is_stored_as_well(void **state)
{
    struct rig *rig = *state;
    struct party party;

    party_init(&party, "unix:0", false);
    submit(rig, &party, "{\"id\":\"r1\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":9}");
    /* The next one is stored behind it. */
    submit(rig, &party, "{\"id\":\"r2\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1}");
    await_last(&party, 2);
    assert_int_equal(count_events(rig->kit->journal, EVENT_RESULT, "r1"), 1);
    assert_int_equal(count_events(rig->kit->journal, EVENT_COMMAND, "r1"), 0);
    leave(rig, &party);
}

static void a_command_whose_time_is_over_is_not_executed(void **state)
{
    struct rig *rig = *state;
    struct party party;
    char json[256];

    party_init(&party, "mqtt:cloud", true);
    snprintf(json, sizeof json,
             "{\"id\":\"late\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1,"
             "\"expires\":%lld}",
             (long long)NOW_MS - 1);
    submit(rig, &party, json);
    has(await_last(&party, 1), "\"why\":\"expired\"");

    /* The bus is busy until it is over. */
    hold(true);
    snprintf(json, sizeof json,
             "{\"id\":\"waits\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1,"
             "\"expires\":%lld}",
             (long long)NOW_MS + 10000);
    submit(rig, &party, json);
    await_count(&party, 2);
    await_handed_over(rig);
    kit_pass(rig->kit, 10 * NS_PER_S);
    hold(false);
    has(await_last(&party, 2), "\"why\":\"expired\"");

    /* The wall clock that is set back meanwhile does not make it younger. */
    hold(true);
    submit(rig, &party,
           "{\"id\":\"back\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1,"
           "\"ttl\":5000,\"expires\":1795448400000}");
    await_count(&party, 4);
    await_handed_over(rig);
    rig->kit->wall_ns -= 3600 * NS_PER_S;
    rig->kit->mono_ns += 6 * NS_PER_S;
    hold(false);
    has(await_last(&party, 3), "\"why\":\"expired\"");
    assert_int_equal(field.executed, 0);
    leave(rig, &party);
}

static void a_broker_s_command_must_say_until_when(void **state)
{
    struct rig *rig = *state;
    struct party party;

    party_init(&party, "mqtt:cloud", true);
    submit(rig, &party,
           "{\"id\":\"1\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1,\"ttl\":5000}");
    has(await_last(&party, 1), "expires");
    submit(rig, &party,
           "{\"id\":\"2\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1,"
           "\"expires\":1795460000000}");
    has(await_last(&party, 2), "an hour ahead");
    submit(rig, &party, "{\"op\":\"write\"}"); /* to whom should that be answered? */
    assert_int_equal(party.count, 2);
    assert_int_equal(field.executed, 0);
    leave(rig, &party);
}

static void without_a_clock_only_what_cannot_have_waited_is_executed(void **state)
{
    static const char json[] = "{\"id\":\"%s\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\","
                               "\"v\":1,\"expires\":1795448400000}";
    const struct command_delivery late = {.late = true};
    struct rig *rig = *state;
    struct command_desk *desk = desk_seam(rig->desk);
    struct party party;
    char text[256];

    party_init(&party, "mqtt:cloud", true);
    rig->kit->trust = CLOCK_UNSET;
    rig->kit->wall_ns = 0;
    snprintf(text, sizeof text, json, "waited");
    desk->ops->submit(desk, &party.sender, text, strlen(text), &late);
    has(await_last(&party, 1), "\"why\":\"clock unset\"");
    snprintf(text, sizeof text, json, "fresh");
    submit(rig, &party, text);
    has(await_last(&party, 2), "\"ok\":true");
    hold(true);
    snprintf(text, sizeof text, json, "slow");
    submit(rig, &party, text);
    rig->kit->mono_ns += DESK_TTL_NS;
    hold(false);
    has(await_last(&party, 3), "\"why\":\"expired\"");
    assert_int_equal(field.executed, 1);
    leave(rig, &party);
}

static void a_retained_command_is_refused_once(void **state)
{
    static const char json[] = "{\"id\":\"kept\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\","
                               "\"v\":1,\"expires\":1795448310000}";
    const struct command_delivery retained = {.retained = true};
    struct rig *rig = *state;
    struct command_desk *desk = desk_seam(rig->desk);
    struct party party;

    party_init(&party, "mqtt:cloud", true);
    desk->ops->submit(desk, &party.sender, json, strlen(json), &retained);
    has(await_last(&party, 1), "retain");
    assert_int_equal(field.executed, 0);
    submit(rig, &party, json);
    await_last(&party, 2);
    /* It had been executed; the broker delivers what it kept of it at every connection. */
    desk->ops->submit(desk, &party.sender, json, strlen(json), &retained);
    assert_int_equal(party.last, 2);
    leave(rig, &party);
}

static void more_commands_than_may_come_are_refused(void **state)
{
    struct rig *rig = *state;
    struct party party;
    char json[160];

    party_init(&party, "unix:0", false);
    for (unsigned i = 0; i <= DESK_BURST; i++) {
        snprintf(json, sizeof json,
                 "{\"id\":\"%u\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"nix\",\"v\":1}", i);
        submit(rig, &party, json);
    }
    has(await_last(&party, DESK_BURST + 1), "\"why\":\"too many commands\"");
    kit_pass(rig->kit, NS_PER_S / DESK_RATE_PER_S);
    submit(rig, &party, json);
    has(await_last(&party, DESK_BURST + 2), "\"why\":\"no such point\"");
    leave(rig, &party);
}

static void a_bus_that_stops_answers_what_it_leaves(void **state)
{
    struct rig *rig = *state;
    struct party party;

    party_init(&party, "unix:0", false);
    field.stuck = true;
    submit(rig, &party, "{\"id\":\"1\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1}");
    await_executed(1);
    submit(rig, &party, "{\"id\":\"2\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":0}");
    stop_field(rig);
    await_last(&party, 2);
    for (unsigned i = 0; i < party.count; i++) {
        if (strstr(party.lines[i], "\"id\":\"1\",\"ok\""))
            has(party.lines[i], "\"why\":\"interrupted\"");
        if (strstr(party.lines[i], "\"id\":\"2\",\"ok\""))
            has(party.lines[i], "\"why\":\"stopped\"");
    }
    leave(rig, &party);
    field.stuck = false;
    start_field(rig);
    assert_int_equal(field.executed, 1);
}

/* As a kill between the two leaves it: a command in the journal, and no result. */
static void put_command_without_result(struct rig *rig, const char *id)
{
    struct command command = {.op = COMMAND_WRITE, .value = {.type = VALUE_U64, .u = 1}};
    uint8_t packed[COMMAND_PACKED_SIZE_MAX];
    struct event event = {.kind = EVENT_COMMAND, .stream = rig->streams[0]};

    snprintf(command.id, sizeof command.id, "%s", id);
    snprintf(command.by, sizeof command.by, "unix:0");
    event.mono_ns = rig->kit->mono_ns;
    event.value.type = VALUE_BYTES;
    event.value.data = packed;
    event.value.size = (uint16_t)command_pack(&command, packed);
    assert_int_equal(journal_put(rig->kit->journal, &event), 0);
    kit_flush(rig->kit);
}

static void what_a_restart_interrupted_is_answered_and_not_executed(void **state)
{
    static const char json[] =
        "{\"id\":\"cut\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1}";
    static const char done[] =
        "{\"id\":\"done\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"setpoint\",\"v\":21.5}";
    struct rig *rig = *state;
    struct party party;
    unsigned answers = 1;

    party_init(&party, "unix:0", false);
    submit(rig, &party, done);
    await_last(&party, answers);
    leave(rig, &party);
    put_command_without_result(rig, "cut");
    for (int restart = 0; restart < 2; restart++) {
        stop(rig);
        start(rig);
        submit(rig, &party, json);
        has(await_last(&party, ++answers), "\"why\":\"interrupted\"");
        submit(rig, &party, done);
        has(await_last(&party, ++answers), "\"ok\":true,\"v\":21.5");
        leave(rig, &party);
    }
    assert_int_equal(field.executed, 1);
    assert_int_equal(count_events(rig->kit->journal, EVENT_RESULT, "cut"), 1);
    assert_int_equal(count_events(rig->kit->journal, EVENT_RESULT, "done"), 1);
}

static void a_sender_that_was_started_anew_hears_of_its_commands(void **state)
{
    struct rig *rig = *state;
    struct command_desk *desk = desk_seam(rig->desk);
    struct party before, after;

    party_init(&before, "mqtt:cloud", true);
    party_init(&after, "mqtt:cloud", true);
    hold(true);
    submit(rig, &before,
           "{\"id\":\"1\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1,"
           "\"expires\":1795448310000}");
    leave(rig, &before);
    desk->ops->join(desk, &after.sender);
    hold(false);
    has(await_last(&after, 1), "\"ok\":true");
    assert_int_equal(before.last, 0);
    leave(rig, &after);

    /* Also of one that ended while it was away. */
    party_init(&after, "mqtt:cloud", true);
    submit(rig, &before,
           "{\"id\":\"2\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":0,"
           "\"expires\":1795448310000}");
    leave(rig, &before);
    await_executed(2);
    desk->ops->join(desk, &after.sender);
    has(await_last(&after, 1), "\"id\":\"2\",\"ok\":true");
    leave(rig, &after);
}

#define DESK_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DESK_TEST(a_command_is_stored_then_executed_then_answered),
        DESK_TEST(a_repeated_command_gets_the_same_answer_and_is_not_executed_again),
        DESK_TEST(says_in_words_why_a_command_is_refused),
        DESK_TEST(numbers_and_texts_of_an_enum_may_be_written_as_texts),
        DESK_TEST(what_was_refused_of_a_point_is_stored_as_well),
        DESK_TEST(a_command_whose_time_is_over_is_not_executed),
        DESK_TEST(a_broker_s_command_must_say_until_when),
        DESK_TEST(without_a_clock_only_what_cannot_have_waited_is_executed),
        DESK_TEST(a_retained_command_is_refused_once),
        DESK_TEST(more_commands_than_may_come_are_refused),
        DESK_TEST(a_bus_that_stops_answers_what_it_leaves),
        DESK_TEST(what_a_restart_interrupted_is_answered_and_not_executed),
        DESK_TEST(a_sender_that_was_started_anew_hears_of_its_commands),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
