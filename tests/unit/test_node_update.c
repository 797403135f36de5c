/* The window by which a node gets a new version, and which of its slots is started: the tables of
 * docs/node-update.md. */
// links: faults_node
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "faults/node_flash.h"
#include "node/core/pdu.h"
#include "node/core/update.h"

#define LENGTH    1800
#define WANTED    (1U << MARK_WANTED)
#define CONFIRMED (WANTED | 1U << MARK_TRY | 1U << MARK_CONFIRMED | 1U << MARK_CHECKED)

struct rig {
    struct node_flash flash;
    struct update update;
    uint8_t image[IMAGE_HEADER_SIZE + LENGTH + IMAGE_ALIGN];
};

/* Version 5 runs in slot A, and 3 is the oldest that may follow. */
static void prepare(struct rig *rig, unsigned marks)
{
    node_flash_make(&rig->flash, 4);
    node_flash_image(rig->image, 0, 5, 3, LENGTH);
    node_flash_fit(&rig->flash, rig->image, marks);
    update_open(&rig->update, &rig->flash.slots, 0);
    node_flash_image(rig->image, 1, 6, 3, LENGTH);
}

static uint16_t get(struct rig *rig, uint16_t index)
{
    return update_read(&rig->update, index);
}

static uint8_t begin(struct rig *rig)
{
    return update_write(&rig->update, UPDATE_AT_BEGIN, IMAGE_HEADER_SIZE / 2, rig->image);
}

static uint8_t command(struct rig *rig, uint16_t number)
{
    uint8_t data[2];

    pdu_put_u16(data, number);
    return update_write(&rig->update, UPDATE_AT_COMMAND, 1, data);
}

static uint8_t block(struct rig *rig, uint16_t at, uint16_t size)
{
    uint8_t data[4 + UPDATE_BLOCK_MAX];

    pdu_put_u16(data, 0);
    pdu_put_u16(data + 2, at);
    memcpy(data + 4, rig->image + IMAGE_HEADER_SIZE + at, size);
    return update_write(&rig->update, UPDATE_AT_BLOCK, (uint16_t)(2 + size / 2), data);
}

static void erase_all(struct rig *rig)
{
    assert_int_equal(get(rig, UPDATE_AT_PHASE), UPDATE_ERASING);
    while (get(rig, UPDATE_AT_PAGES) > 0)
        assert_int_equal(command(rig, UPDATE_ERASE), 0);
    assert_int_equal(get(rig, UPDATE_AT_PHASE), UPDATE_RECEIVING);
}

static void send_from(struct rig *rig, uint16_t at)
{
    for (; at < LENGTH; at = (uint16_t)(at + 200))
        assert_int_equal(block(rig, at, (uint16_t)(LENGTH - at < 200 ? LENGTH - at : 200)), 0);
}

static void deliver(struct rig *rig)
{
    assert_int_equal(begin(rig), 0);
    erase_all(rig);
    send_from(rig, 0);
    assert_int_equal(command(rig, UPDATE_FINISH), 0);
    assert_int_equal(command(rig, UPDATE_START), 0);
    assert_true(update_wants_reset(&rig->update));
}

static unsigned restart(struct rig *rig)
{
    unsigned slot = slots_choose(&rig->flash.slots, node_flash_check);

    update_open(&rig->update, &rig->flash.slots, slot);
    return slot;
}

static void refused(struct rig *rig, enum image_fault fault)
{
    assert_int_equal(begin(rig), PDU_ILLEGAL_VALUE);
    assert_int_equal(get(rig, UPDATE_AT_FAULT), fault);
    assert_int_equal(get(rig, UPDATE_AT_PHASE), UPDATE_IDLE);
    assert_int_equal(rig->flash.done, 0);
}

static void set_length(struct rig *rig, uint16_t length)
{
    rig->image[40] = (uint8_t)length;
    rig->image[41] = (uint8_t)(length >> 8);
}

static void a_version_that_cannot_run_here_is_refused_before_anything_is_erased(void **state)
{
    struct rig rig;

    (void)state;
    prepare(&rig, CONFIRMED);
    rig.image[0] = 'X';
    refused(&rig, IMAGE_NOT_ONE);
    prepare(&rig, CONFIRMED);
    rig.image[IMAGE_BOARD_AT] = 'n';
    refused(&rig, IMAGE_OTHER_BOARD);
    prepare(&rig, CONFIRMED); /* and where one board's name begins as another's */
    rig.image[IMAGE_BOARD_AT + strlen(NODE_FLASH_BOARD)] = '2';
    refused(&rig, IMAGE_OTHER_BOARD);
    prepare(&rig, CONFIRMED);
    rig.image[6] = 0;
    refused(&rig, IMAGE_OTHER_SLOT);
    prepare(&rig, CONFIRMED);
    set_length(&rig, LENGTH + IMAGE_ALIGN / 2);
    refused(&rig, IMAGE_NOT_ONE);
    prepare(&rig, CONFIRMED);
    set_length(&rig, NODE_FLASH_SLOT - IMAGE_ROOM + IMAGE_ALIGN);
    refused(&rig, IMAGE_TOO_LONG);
    prepare(&rig, CONFIRMED);
    rig.image[32] = 2;
    refused(&rig, IMAGE_TOO_OLD);
    prepare(&rig, WANTED | 1U << MARK_TRY);
    refused(&rig, IMAGE_ON_TRIAL);
}

static void an_update_ends_in_a_version_on_trial_that_is_confirmed(void **state)
{
    struct rig rig;

    (void)state;
    prepare(&rig, CONFIRMED);
    deliver(&rig);
    assert_int_equal(restart(&rig), 1);
    assert_int_equal(get(&rig, UPDATE_AT_RUNNING), 1);
    assert_int_equal(get(&rig, UPDATE_AT_STATES + 1), SLOT_TRIAL);
    assert_int_equal(get(&rig, UPDATE_AT_TRIES), SLOTS_TRIES - 1);
    assert_int_equal(get(&rig, UPDATE_AT_TRIAL_S), 60);
    assert_int_equal(command(&rig, UPDATE_CONFIRM), 0);
    assert_int_equal(get(&rig, UPDATE_AT_STATES), SLOT_LEFT);
    assert_int_equal(get(&rig, UPDATE_AT_STATES + 1), SLOT_CONFIRMED);
    assert_int_equal(get(&rig, UPDATE_AT_OLDEST + 1), 3);
    assert_int_equal(restart(&rig), 1);

    /* And back. */
    assert_int_equal(command(&rig, UPDATE_BACK), 0);
    assert_true(update_wants_reset(&rig.update));
    assert_int_equal(restart(&rig), 0);
    assert_int_equal(get(&rig, UPDATE_AT_STATES + 1), SLOT_DROPPED);
    assert_int_equal(command(&rig, UPDATE_BACK), PDU_ILLEGAL_VALUE);
    assert_int_equal(get(&rig, UPDATE_AT_FAULT), IMAGE_NOTHING);
}

/* As soon as it is confirmed; one on trial may be left at any time. */
static void nobody_goes_back_to_what_was_withdrawn(void **state)
{
    struct rig rig;

    (void)state;
    prepare(&rig, CONFIRMED);
    node_flash_image(rig.image, 1, 6, 6, LENGTH);
    deliver(&rig);
    restart(&rig);
    assert_int_equal(command(&rig, UPDATE_BACK), 0);
    assert_int_equal(restart(&rig), 0);
    deliver(&rig);
    restart(&rig);
    assert_int_equal(command(&rig, UPDATE_CONFIRM), 0);
    assert_int_equal(command(&rig, UPDATE_BACK), PDU_ILLEGAL_VALUE);
    assert_int_equal(get(&rig, UPDATE_AT_FAULT), IMAGE_TOO_OLD);
    assert_int_equal(restart(&rig), 1);
}

/* The floor of the version that was gone back from holds as long as that one is in its slot. */
static void what_was_withdrawn_stays_so_after_going_back(void **state)
{
    struct rig rig;

    (void)state;
    prepare(&rig, CONFIRMED);
    node_flash_image(rig.image, 1, 6, 5, LENGTH);
    deliver(&rig);
    restart(&rig);
    assert_int_equal(command(&rig, UPDATE_CONFIRM), 0);
    assert_int_equal(command(&rig, UPDATE_BACK), 0);
    assert_int_equal(restart(&rig), 0);
    assert_int_equal(get(&rig, UPDATE_AT_OLDEST + 1), 5);
    rig.flash.done = 0;
    node_flash_image(rig.image, 1, 4, 0, LENGTH);
    refused(&rig, IMAGE_TOO_OLD);
    node_flash_image(rig.image, 1, 5, 0, LENGTH);
    assert_int_equal(begin(&rig), 0);
}

/* Of the other slot: what was not confirmed has no say, and nothing forbids what runs. */
static void nothing_in_the_other_slot_locks_anybody_out(void **state)
{
    struct rig rig;

    (void)state;
    prepare(&rig, CONFIRMED);
    node_flash_image(rig.image, 1, 6, 5, LENGTH);
    node_flash_fit(&rig.flash, rig.image, WANTED);
    assert_int_equal(get(&rig, UPDATE_AT_OLDEST + 1), 3);
    prepare(&rig, CONFIRMED);
    node_flash_image(rig.image, 1, 9, 9, LENGTH);
    node_flash_fit(&rig.flash, rig.image, CONFIRMED | 1U << MARK_DROPPED);
    assert_int_equal(get(&rig, UPDATE_AT_OLDEST + 1), 5);
    node_flash_image(rig.image, 1, 5, 0, LENGTH);
    assert_int_equal(begin(&rig), 0);
}

static void a_version_that_nobody_confirms_is_left_after_three_tries(void **state)
{
    struct rig rig;

    (void)state;
    prepare(&rig, CONFIRMED);
    deliver(&rig);
    for (unsigned i = 0; i < SLOTS_TRIES; i++) {
        assert_int_equal(restart(&rig), 1);
        assert_int_equal(get(&rig, UPDATE_AT_STATES + 1), SLOT_TRIAL);
        for (unsigned second = 1; second < 60; second++)
            assert_false(update_second(&rig.update));
        assert_true(update_second(&rig.update));
    }
    assert_int_equal(restart(&rig), 0);
    assert_int_equal(get(&rig, UPDATE_AT_STATES + 1), SLOT_FAILED);
    for (unsigned second = 0; second < 200; second++)
        assert_false(update_second(&rig.update));
    /* The same version may be sent again. */
    deliver(&rig);
    assert_int_equal(restart(&rig), 1);
}

/* After the boot loader has refused it the old version runs, and says why. */
static void is_refused_at_the_start(struct rig *rig, enum image_fault reason)
{
    assert_int_equal(restart(rig), 0);
    assert_int_equal(get(rig, UPDATE_AT_STATES + 1), SLOT_REFUSED);
    assert_int_equal(get(rig, UPDATE_AT_REASONS + 1), reason);
    assert_int_equal(restart(rig), 0);
}

static void what_was_not_signed_so_is_not_started(void **state)
{
    struct rig rig;

    (void)state;
    prepare(&rig, CONFIRMED);
    rig.image[IMAGE_HEADER_SIZE + 1000] ^= 1;
    deliver(&rig);
    is_refused_at_the_start(&rig, IMAGE_ALTERED);
    prepare(&rig, CONFIRMED);
    rig.image[IMAGE_SIGNED_SIZE + 10] ^= 1;
    deliver(&rig);
    is_refused_at_the_start(&rig, IMAGE_UNSIGNED);
    /* Nor when it comes by another way than the window, with its marks. */
    prepare(&rig, CONFIRMED);
    node_flash_image(rig.image, 1, 2, 0, LENGTH);
    node_flash_fit(&rig.flash, rig.image, WANTED);
    is_refused_at_the_start(&rig, IMAGE_TOO_OLD);
    prepare(&rig, CONFIRMED);
    node_flash_image(rig.image, 0, 6, 3, LENGTH);
    node_flash_fit(&rig.flash, rig.image, WANTED);
    memcpy(rig.flash.bytes + NODE_FLASH_SLOT, rig.flash.bytes, NODE_FLASH_SLOT);
    node_flash_image(rig.image, 0, 5, 3, LENGTH);
    node_flash_fit(&rig.flash, rig.image, CONFIRMED);
    is_refused_at_the_start(&rig, IMAGE_OTHER_SLOT);
}

/* What is whole says which the oldest is that may be started; what is damaged, nothing. */
static void the_oldest_that_may_be_started_is_that_of_a_whole_version(void **state)
{
    struct rig rig;

    (void)state;
    prepare(&rig, CONFIRMED);
    node_flash_image(rig.image, 1, 3, 0, LENGTH);
    deliver(&rig);
    assert_int_equal(restart(&rig), 1);
    prepare(&rig, CONFIRMED);
    rig.flash.bytes[IMAGE_ROOM + 700] ^= 4;
    assert_int_equal(restart(&rig), SLOTS_NONE);
    node_flash_image(rig.image, 1, 2, 0, LENGTH);
    deliver(&rig);
    assert_int_equal(restart(&rig), 1);
}

static void a_damaged_version_gives_way_to_the_other(void **state)
{
    struct rig rig;

    (void)state;
    prepare(&rig, CONFIRMED);
    deliver(&rig);
    restart(&rig);
    command(&rig, UPDATE_CONFIRM);
    rig.flash.bytes[NODE_FLASH_SLOT + IMAGE_ROOM + 700] ^= 4;
    assert_int_equal(restart(&rig), 0);
    assert_int_equal(get(&rig, UPDATE_AT_STATES + 1), SLOT_DAMAGED);
    rig.flash.bytes[IMAGE_ROOM + 700] ^= 4;
    assert_int_equal(restart(&rig), SLOTS_NONE);
    assert_int_equal(get(&rig, UPDATE_AT_MODE), 1);
    assert_int_equal(get(&rig, UPDATE_AT_RUNNING), UINT16_MAX);
    assert_int_equal(get(&rig, UPDATE_AT_STATES), SLOT_DAMAGED);
    /* The boot loader takes it for any slot. */
    deliver(&rig);
    assert_int_equal(restart(&rig), 1);
}

static void a_block_may_come_twice_and_none_may_be_missing(void **state)
{
    struct rig rig;

    (void)state;
    prepare(&rig, CONFIRMED);
    assert_int_equal(block(&rig, 0, 240), PDU_ILLEGAL_VALUE);
    assert_int_equal(get(&rig, UPDATE_AT_FAULT), IMAGE_OUT_OF_TURN);
    begin(&rig);
    erase_all(&rig);
    assert_int_equal(block(&rig, 0, 240), 0);
    assert_int_equal(block(&rig, 0, 240), 0);
    assert_int_equal(get(&rig, UPDATE_AT_NEXT + 1), 240);
    assert_int_equal(block(&rig, 480, 240), PDU_ILLEGAL_VALUE);
    assert_int_equal(get(&rig, UPDATE_AT_FAULT), IMAGE_BAD_BLOCK);
    assert_int_equal(block(&rig, 120, 240), PDU_ILLEGAL_VALUE);
    assert_int_equal(block(&rig, 240, 12), PDU_ILLEGAL_VALUE);
    rig.image[IMAGE_HEADER_SIZE] ^= 1;
    assert_int_equal(block(&rig, 0, 240), PDU_ILLEGAL_VALUE);
    assert_int_equal(command(&rig, UPDATE_FINISH), PDU_ILLEGAL_VALUE);
    assert_int_equal(command(&rig, UPDATE_START), PDU_ILLEGAL_VALUE);
    assert_int_equal(get(&rig, UPDATE_AT_NEXT + 1), 240);
    for (uint16_t at = 240; at < LENGTH - 120; at = (uint16_t)(at + 120))
        assert_int_equal(block(&rig, at, 120), 0);
    assert_int_equal(block(&rig, LENGTH - 120, 120 + IMAGE_ALIGN), PDU_ILLEGAL_VALUE);
    assert_int_equal(get(&rig, UPDATE_AT_FAULT), IMAGE_BAD_BLOCK);
    assert_int_equal(block(&rig, LENGTH - 120, 120), 0);
    assert_int_equal(command(&rig, UPDATE_FINISH), 0);
}

/* As far as five blocks. */
static void send_1200(struct rig *rig)
{
    prepare(rig, CONFIRMED);
    begin(rig);
    erase_all(rig);
    for (uint16_t at = 0; at < 1200; at = (uint16_t)(at + 240))
        assert_int_equal(block(rig, at, 240), 0);
}

static void it_goes_on_where_it_was(void **state)
{
    struct rig rig;

    (void)state;
    send_1200(&rig);
    /* The gateway was restarted. */
    assert_int_equal(begin(&rig), 0);
    assert_int_equal(get(&rig, UPDATE_AT_PHASE), UPDATE_RECEIVING);
    assert_int_equal(get(&rig, UPDATE_AT_NEXT + 1), 1200);
    /* The node was: from the page on that holds the last byte. */
    assert_int_equal(restart(&rig), 0);
    assert_int_equal(begin(&rig), 0);
    assert_int_equal(get(&rig, UPDATE_AT_PHASE), UPDATE_RECEIVING);
    assert_int_equal(get(&rig, UPDATE_AT_NEXT + 1), NODE_FLASH_PAGE - IMAGE_ROOM);
    send_from(&rig, NODE_FLASH_PAGE - IMAGE_ROOM);
    command(&rig, UPDATE_FINISH);
    /* All was there when the node was restarted once more. */
    assert_int_equal(restart(&rig), 0);
    assert_int_equal(begin(&rig), 0);
    assert_int_equal(get(&rig, UPDATE_AT_PHASE), UPDATE_COMPLETE);
    assert_int_equal(command(&rig, UPDATE_START), 0);
    assert_int_equal(restart(&rig), 1);
}

/* Built anew, with another content under the same version. */
static void it_does_not_go_on_with_the_beginning_of_another_one(void **state)
{
    struct rig rig;

    (void)state;
    send_1200(&rig);
    rig.image[IMAGE_HASH_AT] ^= 1;
    assert_int_equal(begin(&rig), 0);
    assert_int_equal(get(&rig, UPDATE_AT_PHASE), UPDATE_ERASING);
    assert_int_equal(get(&rig, UPDATE_AT_NEXT + 1), 0);
}

static void the_window_has_no_other_doors(void **state)
{
    static const uint8_t data[512];
    struct rig rig;

    (void)state;
    prepare(&rig, CONFIRMED);
    for (uint16_t index = 0; index < UPDATE_COUNT; index++) {
        for (uint16_t count = 1; count <= 123 && index + count <= UPDATE_COUNT; count++) {
            uint8_t said = update_write(&rig.update, index, count, data);

            assert_true(said == PDU_ILLEGAL_ADDRESS || said == PDU_ILLEGAL_VALUE);
        }
        get(&rig, index);
    }
    assert_int_equal(rig.flash.done, 0);
    assert_int_equal(get(&rig, UPDATE_AT_MAGIC), UPDATE_MAGIC);
    assert_int_equal(get(&rig, UPDATE_AT_BOARD), 'm' << 8 | 'o');
    assert_int_equal(get(&rig, UPDATE_AT_VERSIONS + 1), 5);
    assert_int_equal(get(&rig, UPDATE_AT_SLOT_SIZE + 1), NODE_FLASH_SLOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_version_that_cannot_run_here_is_refused_before_anything_is_erased),
        cmocka_unit_test(an_update_ends_in_a_version_on_trial_that_is_confirmed),
        cmocka_unit_test(nobody_goes_back_to_what_was_withdrawn),
        cmocka_unit_test(what_was_withdrawn_stays_so_after_going_back),
        cmocka_unit_test(nothing_in_the_other_slot_locks_anybody_out),
        cmocka_unit_test(a_version_that_nobody_confirms_is_left_after_three_tries),
        cmocka_unit_test(what_was_not_signed_so_is_not_started),
        cmocka_unit_test(the_oldest_that_may_be_started_is_that_of_a_whole_version),
        cmocka_unit_test(a_damaged_version_gives_way_to_the_other),
        cmocka_unit_test(a_block_may_come_twice_and_none_may_be_missing),
        cmocka_unit_test(it_goes_on_where_it_was),
        cmocka_unit_test(it_does_not_go_on_with_the_beginning_of_another_one),
        cmocka_unit_test(the_window_has_no_other_doors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
