/* The node's program: one loop, an interrupt for the line and one for the time. */
#include <stddef.h>

#include "board.h"
#include "chip.h"
#include "contacts.h"
#include "node/core/node.h"
#include "node/core/update.h"
#include "node/soc/cortex/run.h"
#include "node/soc/port.h"
#include "node/soc/shared/line.h"
#include "node/soc/soc.h"

static struct nflash settings_flash, slot_a, slot_b;

static const struct slots slots = {
    .board = BOARD_ID, .flash = {&slot_a, &slot_b}, .reply_ms = SOC_FLASH_REPLY_MS};

static struct node_facts facts = {
    .settings = {.baud_max = PORT_BAUD_MAX, .formats = CHIP_FORMATS, .framing = BOARD_FRAMING},
    .model = BOARD_ID,
    .version = NODE_VERSION,
};

static struct {
    struct node node;
    struct frame frame;
    struct sensor sensor;
    struct update update;
    uint8_t reply[FRAME_SIZE_MAX];
    bool replying;
    uint32_t reply_us, reply_max_us; /* when it was begun to be sent, and how long that may take */
    uint32_t now_ms, tick_us;        /* when the last millisecond was full */
    uint32_t analog_ms, trial_ms;
} app;

extern const uint8_t layout_vectors[]; /* this program's first byte */

static void take_byte(uint32_t now_us, uint8_t byte, bool damaged)
{
    frame_byte(&app.frame, now_us, byte, damaged);
}

static void open_line(void)
{
    const uint16_t *settings = app.node.settings.values;
    struct settings_line line = settings_line(&app.node.settings);
    uint8_t bits = (uint8_t)(1 + line.data_bits + (line.parity != 'N') + line.stop_bits);

    port_mask(true);
    frame_open(&app.frame, (uint8_t)settings[MAP_HOLDING_SETTING_UNIT_NUMBER], line.baud, bits,
               (enum frame_kind)settings[MAP_HOLDING_SETTING_FRAMING], soc_now_us());
    line_open(&line, take_byte);
}

static void do_wish(enum node_wish wish)
{
    if (wish == NODE_LINE)
        open_line();
    else if (wish == NODE_RESTART)
        run_restart(RUN_ASKED);
}

/* The line: a frame that has ended is answered; when the reply has left, what it asked for is done.
 * A transmitter that is stuck holds the line for all: a restart lets go of it. */
static void serve_line(void)
{
    uint32_t now_us = soc_now_us(); /* before the line is looked at: what is late here is not it */
    size_t size;

    if (app.replying) {
        if (line_is_sending()) {
            if (now_us - app.reply_us > app.reply_max_us)
                run_restart(RUN_FAULT);
            return;
        }
        app.replying = false;
        do_wish(update_wants_reset(&app.update) ? NODE_RESTART : node_sent(&app.node));
        return;
    }
    port_mask(true);
    size = frame_end(&app.frame, soc_now_us());
    port_mask(false);
    if (!size)
        return;
    size = node_answer(&app.node, app.frame.bytes, size, app.reply);
    port_mask(true);
    frame_clear(&app.frame);
    port_mask(false);
    app.replying = true;
    if (!size)
        return;
    app.reply_us = soc_now_us();
    app.reply_max_us = frame_sending_us(&app.frame, size);
    line_send(app.reply, size);
    contacts_blink(app.now_ms);
}

/* The window of the update, where a boot loader has started this version: what stands alone is in
 * no slot. */
static void open_update(void)
{
    const struct area area = {SLAVE_HOLDING, UPDATE_FIRST, UPDATE_COUNT,
                              update_read,   update_write, &app.update};
    uintptr_t at = (uintptr_t)layout_vectors - IMAGE_ROOM;

    slot_a =
        (struct nflash)SOC_FLASH(BOARD_SLOT_A_AT, BOARD_SLOT_A_SIZE, BOARD_SLOT_A_PAGE, &slot_a);
    slot_b =
        (struct nflash)SOC_FLASH(BOARD_SLOT_B_AT, BOARD_SLOT_B_SIZE, BOARD_SLOT_B_PAGE, &slot_b);
    update_open(&app.update, &slots, at == slot_b.at ? 1 : at == slot_a.at ? 0 : SLOTS_NONE);
    if (app.update.running != SLOTS_NONE)
        node_add_area(&app.node, &area);
}

static void measure(void)
{
    uint32_t interval_ms = node_interval_ms(&app.node);

    node_take_sensor(&app.node, &app.sensor,
                     sensor_poll(&app.sensor, &contacts_i2c, interval_ms, app.now_ms));
    if (app.now_ms - app.analog_ms < interval_ms)
        return;
    app.analog_ms = app.now_ms;
    for (unsigned i = 0; i < NODE_ANALOGS; i++)
        node_take_analog(&app.node, i, contacts_analog(i));
}

/* Each millisecond, or as soon after it as what took longer is done. */
static void serve_time(void)
{
    uint32_t passed_ms = (soc_now_us() - app.tick_us) / 1000;
    bool closed[MAP_DISCRETES];

    if (!passed_ms)
        return;
    app.tick_us += passed_ms * 1000;
    app.now_ms += passed_ms;
    if (app.now_ms - app.trial_ms >= 1000) {
        app.trial_ms += 1000;
        if (update_second(&app.update))
            run_restart(RUN_ASKED);
    }
    contacts_read(closed);
    node_take_damaged(&app.node, app.frame.damaged);
    if (!app.replying)
        do_wish(node_tick(&app.node, app.now_ms, closed));
    contacts_show(app.node.outputs);
    contacts_tick(app.now_ms);
    /* A transfer on I2C takes some milliseconds, by which a reply may be late; but none in which
     * this node still holds the line. */
    if (!app.replying)
        measure();
    soc_watchdog_feed();
}

int main(void)
{
    soc_start();
    soc_watchdog_start();
    facts.restart_reason = run_reason();
    facts.rescue = contacts_open();
    facts.serial = soc_serial();
    settings_flash = (struct nflash)SOC_FLASH(BOARD_SETTINGS_AT, BOARD_SETTINGS_SIZE,
                                              BOARD_SETTINGS_PAGE, &settings_flash);
    facts.settings.flash = BOARD_SETTINGS_SIZE ? &settings_flash : NULL;
    node_open(&app.node, &facts);
    open_update();
    app.tick_us = soc_now_us();
    open_line();
    for (;;) {
        serve_line();
        serve_time();
        /* Silence is measured closely; all else waits for the next byte or millisecond. */
        if (!app.replying && !frame_is_begun(&app.frame))
            soc_wait();
    }
}
