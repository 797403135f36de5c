/* A command is executed when it is durable, and not before: what may happen until then. */
// links: sluice_field
#include "unit/desk_rig.h"
#include "unit/sync_gate.h"

/* A disk to which nothing can be written for a while. */
static struct {
    int (*write)(const struct io *io, struct io_file *file, const void *data, size_t size,
                 int64_t offset);
    _Atomic bool broken;
} disk;

static int write_or_not(const struct io *io, struct io_file *file, const void *data, size_t size,
                        int64_t offset)
{
    return disk.broken ? ERR_IO : disk.write(io, file, data, size, offset);
}

static int set_up_with_a_gate(void **state)
{
    struct rig *rig;

    if (set_up(state) != 0)
        return -1;
    rig = *state;
    stop(rig);
    gate_put(rig->kit);
    disk.write = rig->kit->io.write;
    rig->kit->io.write = write_or_not;
    start(rig);
    return 0;
}

/* The disk is at it: nothing of the command is durable yet. */
static void submit_until_it_is_written(struct rig *rig, struct party *party)
{
    kit_flush(rig->kit);
    gate_set(false, 0);
    submit(rig, party, "{\"id\":\"1\",\"op\":\"write\",\"d\":\"boiler\",\"p\":\"mode\",\"v\":1}");
    gate_await();
    assert_int_equal(party->count, 0);
}

static void what_is_durable_is_executed(void **state)
{
    struct rig *rig = *state;
    struct party party;

    party_init(&party, "unix:0", false);
    submit_until_it_is_written(rig, &party);
    assert_int_equal(field.executed, 0);
    gate_set(true, 0);
    has(await_last(&party, 1), "\"ok\":true");
    assert_int_equal(field.executed, 1);
    leave(rig, &party);
}

static void what_may_not_be_written_any_more_is_not_executed(void **state)
{
    struct rig *rig = *state;
    struct party party;

    party_init(&party, "unix:0", false);
    submit_until_it_is_written(rig, &party);
    rig->points[0].write.allowed = false;
    gate_set(true, 0);
    has(await_last(&party, 1), "the configuration changed meanwhile");
    assert_int_equal(field.executed, 0);
    leave(rig, &party);
}

static void another_point_of_that_name_is_not_written(void **state)
{
    struct rig *rig = *state;
    struct party party;

    party_init(&party, "unix:0", false);
    submit_until_it_is_written(rig, &party);
    rig->streams[0] = rig->streams[3];
    gate_set(true, 0);
    has(await_last(&party, 1), "the configuration changed meanwhile");
    assert_int_equal(field.executed, 0);
    leave(rig, &party);
}

static void what_is_too_old_when_it_is_durable_is_not_executed(void **state)
{
    struct rig *rig = *state;
    struct party party;

    party_init(&party, "unix:0", false);
    submit_until_it_is_written(rig, &party);
    rig->kit->mono_ns += DESK_TTL_NS;
    gate_set(true, 0);
    has(await_last(&party, 1), "\"why\":\"expired\"");
    assert_int_equal(field.executed, 0);
    leave(rig, &party);
}

static void what_cannot_be_stored_is_not_executed(void **state)
{
    struct rig *rig = *state;
    struct party party;

    party_init(&party, "unix:0", false);
    submit_until_it_is_written(rig, &party);
    disk.broken = true;
    gate_fail(ERR_IO);
    has(await_last(&party, 1), status_why(STATUS_NOT_STORED));
    has(await_last(&party, 1), "\"ok\":false");
    disk.broken = false;
    assert_int_equal(field.executed, 0);
    leave(rig, &party);
}

#define GATED_TEST(name) cmocka_unit_test_setup_teardown(name, set_up_with_a_gate, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        GATED_TEST(what_is_durable_is_executed),
        GATED_TEST(what_may_not_be_written_any_more_is_not_executed),
        GATED_TEST(another_point_of_that_name_is_not_written),
        GATED_TEST(what_is_too_old_when_it_is_durable_is_not_executed),
        GATED_TEST(what_cannot_be_stored_is_not_executed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
