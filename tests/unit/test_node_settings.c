/* A node's settings: what survives a cut at any moment, and how a node is found again. */
// links: sluice_node
#include "unit/node_flash.h"

#include "node/core/pdu.h"
#include "node/core/settings.h"

#define SAVES 60 /* more than both pages hold */

static void data_of(uint8_t data[STORE_DATA_SIZE], unsigned number)
{
    for (unsigned i = 0; i < STORE_DATA_SIZE; i++)
        data[i] = (uint8_t)(number * 31 + i);
}

static void what_was_saved_last_is_found(void **state)
{
    uint8_t data[STORE_DATA_SIZE];

    (void)state;
    for (uint8_t unit = 2; unit <= NFLASH_UNIT_MAX; unit = (uint8_t)(unit * 2)) {
        struct flash_model model;
        struct store store, again;

        flash_open(&model, unit, unit);
        assert_int_equal(store_open(&store, &model.flash), 0);
        for (unsigned i = 0; i < SAVES; i++) {
            data_of(data, i);
            assert_int_equal(store_save(&store, data), 0);
            assert_int_equal(store_open(&again, &model.flash), 1);
            assert_memory_equal(again.data, data, sizeof data);
            assert_int_equal(again.number, i + 1);
        }
    }
}

static void both_pages_wear_alike_and_what_is_there_already_wears_nothing(void **state)
{
    unsigned slots = FLASH_PAGE / STORE_RECORD_SIZE;
    struct flash_model model;
    struct store store;
    uint8_t data[STORE_DATA_SIZE];

    (void)state;
    flash_open(&model, 2, 1);
    store_open(&store, &model.flash);
    for (unsigned i = 0; i < 20 * slots; i++) {
        data_of(data, i);
        assert_int_equal(store_save(&store, data), 0);
        assert_int_equal(store_save(&store, data), 0);
    }
    assert_int_equal(store.number, 20 * slots);
    assert_int_equal(model.erases[0], 10);
    assert_int_equal(model.erases[1], 10);
}

/*
 * One life: some saves, a cut at the given step, power again, more saves, perhaps another cut.
 * Behind each the data is what was last saved, or what was being saved.
 */
static void live(struct flash_model *model, int cut, int cut_again)
{
    uint8_t before[STORE_DATA_SIZE], during[STORE_DATA_SIZE];
    struct store store;
    bool any = false;
    const int cuts[] = {cut, cut_again, -1};

    store_open(&store, &model->flash);
    for (unsigned round = 0; round < 3; round++) {
        unsigned i = 0;

        model->cut_after = cuts[round];
        for (; i < 20; i++) {
            data_of(during, 20 * round + i);
            if (store_save(&store, during) != 0)
                break;
            memcpy(before, during, sizeof before);
            any = true;
        }
        assert_true(i == 20 || model->off);
        flash_power(model);
        if (store_open(&store, &model->flash) == 0) {
            assert_false(any);
            continue;
        }
        if (memcmp(store.data, during, sizeof during) != 0) {
            assert_true(any);
            assert_memory_equal(store.data, before, sizeof before);
        }
        memcpy(before, store.data, sizeof before);
        any = true;
    }
    /* The last round was without a cut. */
    data_of(during, 59);
    assert_memory_equal(store.data, during, sizeof during);
}

static void a_cut_at_any_write_or_erase_loses_nothing_that_was_saved(void **state)
{
    int steps = 20 * STORE_RECORD_SIZE / 4 + 6;

    (void)state;
    for (int cut = 0; cut < steps; cut++) {
        for (int again = 0; again < steps; again += cut % 8 ? 7 : 1) {
            struct flash_model model;

            flash_open(&model, 4, (uint64_t)(cut * 1000 + again));
            live(&model, cut, again);
        }
    }
}

static void a_place_that_is_worn_out_is_passed_over(void **state)
{
    struct flash_model model;
    struct store store;
    uint8_t data[STORE_DATA_SIZE];

    (void)state;
    flash_open(&model, 4, 1);
    store_open(&store, &model.flash);
    data_of(data, 0);
    assert_int_equal(store_save(&store, data), 0);
    model.bytes[STORE_RECORD_SIZE + 5] = 0xFE; /* the next place */
    data_of(data, 1);
    assert_int_equal(store_save(&store, data), 0);
    assert_int_equal(store.at, FLASH_AT + 2 * STORE_RECORD_SIZE);
    model.stuck_at = 3 * STORE_RECORD_SIZE + 6; /* looks blank, and stays so */
    data_of(data, 2);
    assert_int_equal(store_save(&store, data), 0);
    assert_int_equal(store.at, FLASH_AT + 4 * STORE_RECORD_SIZE);
}

struct kit {
    struct flash_model model;
    struct settings_board board;
    struct settings settings;
};

static void start(struct kit *kit, bool rescue)
{
    settings_open(&kit->settings, &kit->board, rescue);
}

static void build(struct kit *kit)
{
    memset(kit, 0, sizeof *kit);
    flash_open(&kit->model, 4, 1);
    kit->board =
        (struct settings_board){&kit->model.flash, 115200, 0x0F, MAP_SETTING_FRAMING_IS_BY_SILENCE};
    start(kit, false);
}

static uint8_t set(struct kit *kit, uint16_t index, uint16_t value)
{
    uint8_t data[2];

    pdu_put_u16(data, value);
    return settings_write(&kit->settings, index, 1, data);
}

static unsigned unit_of(const struct kit *kit)
{
    return kit->settings.values[MAP_HOLDING_SETTING_UNIT_NUMBER];
}

static void a_new_node_has_the_settings_of_its_profile(void **state)
{
    struct settings_line line;
    struct kit kit;

    (void)state;
    build(&kit);
    line = settings_line(&kit.settings);
    assert_int_equal(unit_of(&kit), 1);
    assert_int_equal(line.baud, 9600);
    assert_int_equal(line.parity, 'E');
    assert_int_equal(line.data_bits, 8);
    assert_int_equal(line.stop_bits, 1);
    assert_int_equal(settings_state(&kit.settings), MAP_SETTINGS_STATE_IS_STORED);
    /* A UART without parity. */
    kit.board.formats = 1;
    start(&kit, false);
    assert_int_equal(settings_line(&kit.settings).parity, 'N');
}

static void a_new_place_holds_once_somebody_asked_there(void **state)
{
    struct kit kit;

    (void)state;
    build(&kit);
    assert_int_equal(set(&kit, MAP_HOLDING_SETTING_UNIT_NUMBER, 7), 0);
    assert_int_equal(settings_state(&kit.settings), MAP_SETTINGS_STATE_IS_ON_TRIAL);
    settings_confirm(&kit.settings); /* the request that set it does not count */
    assert_true(settings_apply(&kit.settings, 1000));
    assert_false(settings_apply(&kit.settings, 1000));
    settings_save(&kit.settings);
    start(&kit, false); /* power lost on trial */
    assert_int_equal(unit_of(&kit), 1);

    set(&kit, MAP_HOLDING_SETTING_UNIT_NUMBER, 7);
    settings_apply(&kit.settings, 1000);
    settings_confirm(&kit.settings);
    settings_save(&kit.settings);
    assert_int_equal(settings_state(&kit.settings), MAP_SETTINGS_STATE_IS_STORED);
    assert_false(settings_expire(&kit.settings, 1000 + 10 * SETTINGS_TRIAL_MS));
    start(&kit, false);
    assert_int_equal(unit_of(&kit), 7);
}

static void a_place_where_nobody_asks_is_left_after_a_minute(void **state)
{
    struct kit kit;

    (void)state;
    build(&kit);
    set(&kit, MAP_HOLDING_SETTING_BAUD, 1152);
    assert_true(settings_apply(&kit.settings, 0xFFFFFF00u)); /* the clock wraps meanwhile */
    assert_int_equal(settings_line(&kit.settings).baud, 115200);
    assert_false(settings_expire(&kit.settings, 0xFFFFFF00u + SETTINGS_TRIAL_MS - 1));
    assert_true(settings_expire(&kit.settings, 0xFFFFFF00u + SETTINGS_TRIAL_MS));
    assert_int_equal(settings_line(&kit.settings).baud, 9600);
    assert_false(settings_expire(&kit.settings, 0xFFFFFF00u + 2 * SETTINGS_TRIAL_MS));
    settings_save(&kit.settings);
    assert_int_equal(kit.settings.store.number, 0);
}

/* A second change before anybody asked: what is gone back to is still where somebody was. */
static void two_changes_on_trial_go_back_to_where_it_began(void **state)
{
    struct kit kit;

    (void)state;
    build(&kit);
    set(&kit, MAP_HOLDING_SETTING_BAUD, 192);
    settings_apply(&kit.settings, 0);
    set(&kit, MAP_HOLDING_SETTING_BAUD, 384);
    settings_apply(&kit.settings, 10);
    assert_true(settings_expire(&kit.settings, 10 + SETTINGS_TRIAL_MS));
    assert_int_equal(settings_line(&kit.settings).baud, 9600);
}

static void other_settings_hold_at_once_and_do_not_confirm_a_place(void **state)
{
    struct kit kit;

    (void)state;
    build(&kit);
    set(&kit, MAP_HOLDING_SETTING_UNIT_NUMBER, 9);
    settings_apply(&kit.settings, 0);
    set(&kit, MAP_HOLDING_TEMPERATURE_CORRECTION, (uint16_t)-150);
    settings_save(&kit.settings);
    start(&kit, false);
    assert_int_equal(unit_of(&kit), 1);
    assert_int_equal((int16_t)kit.settings.values[MAP_HOLDING_TEMPERATURE_CORRECTION], -150);
}

static void the_strap_brings_back_the_factorys_place_and_leaves_what_is_stored(void **state)
{
    struct kit kit;

    (void)state;
    build(&kit);
    set(&kit, MAP_HOLDING_SETTING_UNIT_NUMBER, 9);
    set(&kit, MAP_HOLDING_SETTING_FRAMING, MAP_SETTING_FRAMING_IS_BY_LENGTH);
    set(&kit, MAP_HOLDING_SETTING_LOW_PASS, 3);
    settings_apply(&kit.settings, 0);
    settings_confirm(&kit.settings);
    settings_save(&kit.settings);
    start(&kit, true);
    assert_int_equal(unit_of(&kit), 1);
    assert_int_equal(kit.settings.values[MAP_HOLDING_SETTING_FRAMING], kit.board.framing);
    assert_int_equal(kit.settings.values[MAP_HOLDING_SETTING_LOW_PASS], 3);
    assert_int_equal(settings_state(&kit.settings), MAP_SETTINGS_STATE_IS_RESCUE);
    settings_confirm(&kit.settings); /* it is polled there */
    settings_save(&kit.settings);
    start(&kit, false);
    assert_int_equal(unit_of(&kit), 9);
    /* In rescue a new place is tried as ever, and left for the factory's. */
    start(&kit, true);
    set(&kit, MAP_HOLDING_SETTING_UNIT_NUMBER, 30);
    settings_apply(&kit.settings, 0);
    assert_true(settings_expire(&kit.settings, SETTINGS_TRIAL_MS));
    assert_int_equal(unit_of(&kit), 1);
    /* What is set to the factory's own value on purpose stays. */
    set(&kit, MAP_HOLDING_SETTING_UNIT_NUMBER, 1);
    settings_save(&kit.settings);
    start(&kit, false);
    assert_int_equal(unit_of(&kit), 1);
}

static void what_cannot_be_is_refused_and_changes_nothing(void **state)
{
    static const struct {
        uint16_t index, value;
    } cases[] = {
        {MAP_HOLDING_SETTING_UNIT_NUMBER, 0},
        {MAP_HOLDING_SETTING_UNIT_NUMBER, 248},
        {MAP_HOLDING_SETTING_BAUD, 97},
        {MAP_HOLDING_SETTING_BAUD, 11},
        {MAP_HOLDING_SETTING_FORMAT, 2},
        {MAP_HOLDING_SETTING_FORMAT, 4},
        {MAP_HOLDING_SETTING_FRAMING, 2},
        {MAP_HOLDING_SETTING_SAMPLE_INTERVAL, 99},
        {MAP_HOLDING_SETTING_LOW_PASS, 7},
        {MAP_HOLDING_SETTING_MEDIAN, 3},
        {MAP_HOLDING_TEMPERATURE_CORRECTION, 2001},
        {MAP_HOLDING_TEMPERATURE_CORRECTION, (uint16_t)-2001},
        {MAP_HOLDING_SETTING_BAUD, 1152},
    };
    struct settings before;
    uint8_t both[4];
    struct kit kit;

    (void)state;
    build(&kit);
    kit.board.formats = 3; /* no odd parity */
    kit.board.baud_max = 57600;
    before = kit.settings;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (set(&kit, cases[i].index, cases[i].value) != PDU_ILLEGAL_VALUE)
            fail_msg("register %u takes %u", cases[i].index, cases[i].value);
        /* Nor a good one in front of it. */
        if (cases[i].index == 0)
            continue;
        pdu_put_u16(both, kit.settings.values[cases[i].index - 1]);
        pdu_put_u16(both + 2, cases[i].value);
        assert_int_equal(settings_write(&kit.settings, cases[i].index - 1, 2, both),
                         PDU_ILLEGAL_VALUE);
    }
    assert_memory_equal(&kit.settings, &before, sizeof before);
}

static void what_another_firmware_stored_is_taken_as_far_as_it_is_possible(void **state)
{
    uint8_t data[STORE_DATA_SIZE] = {1, 3, 0, 44, 0, 97, 0, 2};
    struct kit kit;

    (void)state;
    build(&kit);
    assert_int_equal(store_save(&kit.settings.store, data), 0);
    start(&kit, false);
    assert_int_equal(unit_of(&kit), 44);
    assert_int_equal(settings_line(&kit.settings).baud, 9600);
    assert_int_equal(settings_line(&kit.settings).parity, 'O');
    assert_int_equal(kit.settings.values[MAP_HOLDING_SETTING_SAMPLE_INTERVAL], 1000);
    data[0] = 2; /* a layout that nobody knows */
    assert_int_equal(store_save(&kit.settings.store, data), 0);
    start(&kit, false);
    assert_int_equal(unit_of(&kit), 1);
}

static void a_flash_that_does_not_take_it_is_told(void **state)
{
    struct kit kit;

    (void)state;
    build(&kit);
    kit.model.cut_after = 0;
    set(&kit, MAP_HOLDING_SETTING_LOW_PASS, 3);
    settings_save(&kit.settings);
    assert_int_equal(settings_state(&kit.settings), MAP_SETTINGS_STATE_IS_NOT_STORED);
    assert_int_equal(kit.settings.values[MAP_HOLDING_SETTING_LOW_PASS], 3);
    kit.board.flash = NULL;
    start(&kit, false);
    set(&kit, MAP_HOLDING_SETTING_LOW_PASS, 4);
    settings_save(&kit.settings);
    assert_int_equal(settings_state(&kit.settings), MAP_SETTINGS_STATE_IS_NOT_STORED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_saved_last_is_found),
        cmocka_unit_test(both_pages_wear_alike_and_what_is_there_already_wears_nothing),
        cmocka_unit_test(a_cut_at_any_write_or_erase_loses_nothing_that_was_saved),
        cmocka_unit_test(a_place_that_is_worn_out_is_passed_over),
        cmocka_unit_test(a_new_node_has_the_settings_of_its_profile),
        cmocka_unit_test(a_new_place_holds_once_somebody_asked_there),
        cmocka_unit_test(a_place_where_nobody_asks_is_left_after_a_minute),
        cmocka_unit_test(two_changes_on_trial_go_back_to_where_it_began),
        cmocka_unit_test(other_settings_hold_at_once_and_do_not_confirm_a_place),
        cmocka_unit_test(the_strap_brings_back_the_factorys_place_and_leaves_what_is_stored),
        cmocka_unit_test(what_cannot_be_is_refused_and_changes_nothing),
        cmocka_unit_test(what_another_firmware_stored_is_taken_as_far_as_it_is_possible),
        cmocka_unit_test(a_flash_that_does_not_take_it_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
