/*
 * The boot loader: starts one of two versions, and where neither can be started answers on the line
 * itself, with the window of the update and nothing else. Which one is started is decided in
 * core/slots.c.
 */
#include "board.h"
#include "chip.h"
#include "node/core/crc.h"
#include "node/core/frame.h"
#include "node/core/light.h"
#include "node/core/slave.h"
#include "node/core/update.h"
#include "node/soc/cortex/run.h"
#include "node/soc/port.h"
#include "node/soc/shared/line.h"
#include "node/soc/soc.h"
#include "verify.h"

static struct nflash settings_flash =
    SOC_FLASH(BOARD_SETTINGS_AT, BOARD_SETTINGS_SIZE, BOARD_SETTINGS_PAGE, &settings_flash);
static struct nflash slot_a =
    SOC_FLASH(BOARD_SLOT_A_AT, BOARD_SLOT_A_SIZE, BOARD_SLOT_A_PAGE, &slot_a);
static struct nflash slot_b =
    SOC_FLASH(BOARD_SLOT_B_AT, BOARD_SLOT_B_SIZE, BOARD_SLOT_B_PAGE, &slot_b);
static const struct slots slots = {
    .board = BOARD_ID, .flash = {&slot_a, &slot_b}, .reply_ms = SOC_FLASH_REPLY_MS};

static const struct settings_board defaults = {.flash =
                                                   BOARD_SETTINGS_SIZE ? &settings_flash : NULL,
                                               .baud_max = PORT_BAUD_MAX,
                                               .formats = CHIP_FORMATS,
                                               .framing = BOARD_FRAMING};

static const struct light_pattern flashes = BOARD_FLASHES;
static const uint16_t low[] = BOARD_LOW;

static struct {
    struct light light;
    struct settings settings;
    struct frame frame;
    struct update update;
    struct area area;
    struct slave slave;
    uint8_t reply[FRAME_SIZE_MAX];
} boot;

static void take_byte(uint32_t now_us, uint8_t byte, bool damaged)
{
    frame_byte(&boot.frame, now_us, byte, damaged);
}

/* At the unit and the line that the node has as a version runs. */
static void open_line(void)
{
    struct settings_line line;
    uint16_t unit, framing;

    settings_open(&boot.settings, &defaults, false);
    unit = boot.settings.values[MAP_HOLDING_SETTING_UNIT_NUMBER];
    framing = boot.settings.values[MAP_HOLDING_SETTING_FRAMING];
    line = settings_line(&boot.settings);
    frame_open(&boot.frame, (uint8_t)unit, line.baud,
               (uint8_t)(1 + line.data_bits + (line.parity != 'N') + line.stop_bits),
               (enum frame_kind)framing, soc_now_us());
    line_open(&line, take_byte);
}

/* Who stands before the board sees that it waits for an update. */
static void open_light(void)
{
    for (unsigned i = 0; i < sizeof low / sizeof low[0]; i++)
        soc_pin_use(low[i], SOC_PIN_OUTPUT);
    soc_pin_use(BOARD_LED, SOC_PIN_OUTPUT);
    light_open(&boot.light, &flashes, soc_now_us());
}

static void open_window(void)
{
    update_open(&boot.update, &slots, SLOTS_NONE);
    boot.area = (struct area){SLAVE_HOLDING, UPDATE_FIRST, UPDATE_COUNT,
                              update_read,   update_write, &boot.update};
    boot.slave = (struct slave){
        .areas = &boot.area, .area_count = 1, .objects = {MAP_VENDOR, MAP_MODEL, NODE_VERSION}};
    boot.slave.objects[5] = BOARD_ID;
}

/* A transmitter that is stuck may be none after a restart. */
static void send(size_t size)
{
    uint32_t begun_us = soc_now_us(), now_us;
    uint16_t crc = crc16(boot.reply, size);

    boot.reply[size] = (uint8_t)crc;
    boot.reply[size + 1] = (uint8_t)(crc >> 8);
    line_send(boot.reply, size + 2);
    do {
        now_us = soc_now_us();
        if (!line_is_sending())
            return;
        soc_watchdog_feed();
    } while (now_us - begun_us <= frame_sending_us(&boot.frame, size + 2));
    run_restart(RUN_FAULT);
}

static void serve(void)
{
    size_t size;

    port_mask(true);
    size = frame_end(&boot.frame, soc_now_us());
    port_mask(false);
    if (!size)
        return;
    if (boot.frame.bytes[0] == boot.frame.unit) {
        boot.reply[0] = boot.frame.unit;
        send(1 + slave_answer(&boot.slave, boot.frame.bytes + 1, size - 3, boot.reply + 1));
        if (update_wants_reset(&boot.update))
            run_restart(RUN_ASKED);
    }
    port_mask(true);
    frame_clear(&boot.frame);
    port_mask(false);
}

/* As the processor does with a program that begins where it is reset: Armv6-M and Armv7-M, B1.5.5.
 */
_Noreturn static void start(uint32_t at)
{
    __asm volatile("msr msp, %0\n"
                   "bx %1\n"
                   :
                   : "r"(REG((uintptr_t)at)), "r"(REG((uintptr_t)at + 4)));
    __builtin_unreachable();
}

int main(void)
{
    unsigned slot;

    soc_watchdog_feed(); /* of a restart that it goes on through */
    slot = slots_choose(&slots, verify);
    /* A version that hangs before it can do this itself uses up its tries, too. Not earlier: a
     * signature takes longer than some watchdogs allow. */
    soc_watchdog_start();
    run_passed();
    if (slot != SLOTS_NONE)
        start(slots.flash[slot]->at + IMAGE_ROOM);
    soc_start();
    open_line();
    open_window();
    open_light();
    for (;;) {
        serve();
        soc_pin_set(BOARD_LED, light_is_on(&boot.light, soc_now_us()));
        soc_watchdog_feed();
        if (!frame_is_begun(&boot.frame)) /* silence is measured closely */
            soc_wait();
    }
}
