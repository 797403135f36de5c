#include "node/core/update.h"

#include <string.h>

#include "node/core/pdu.h"

static const struct nflash *target_of(const struct update *update)
{
    return update->slots->flash[update->target];
}

/* Of the running slot: a version that uses its last try is on trial, too. */
static bool on_trial(const struct slots_view *view)
{
    return view->state == SLOT_TRIAL || view->state == SLOT_FAILED;
}

#define RANK_LAST 2 /* of those that were confirmed once */

/* Where a version comes in the order of the boot loader; 0 is first. */
static unsigned rank_of(enum slots_state state)
{
    return state == SLOT_CONFIRMED ? 0
           : state == SLOT_LEFT    ? 1
           : state == SLOT_DROPPED ? RANK_LAST
                                   : RANK_LAST + 1;
}

void update_open(struct update *update, const struct slots *slots, unsigned running)
{
    *update =
        (struct update){.slots = slots,
                        .running = (uint8_t)running,
                        .target = (uint8_t)(running == SLOTS_NONE ? SLOTS_NONE : 1 - running)};
}

/*
 * The oldest version that is taken. What the other slot holds has a say, too, where it was
 * confirmed once: after going back, what was withdrawn stays so. But it never forbids the version
 * that runs, so that a header that was damaged since locks nobody out.
 */
static uint32_t oldest_taken(const struct update *update, const struct slots_view *own)
{
    uint32_t oldest = image_oldest(own->header), others;
    struct slots_view other;

    slots_look(update->slots, 1U - update->running, &other);
    if (rank_of(other.state) > RANK_LAST)
        return oldest;
    others = image_oldest(other.header);
    if (others > image_version(own->header))
        others = image_version(own->header);
    return others > oldest ? others : oldest;
}

/* The driver compares what it wrote. */
static int write_target(const struct update *update, uint32_t at, const void *data, size_t size)
{
    const struct nflash *flash = target_of(update);

    return flash->write(flash->context, flash->at + at, data, size);
}

/* The end of what is not erased in the target's version; 0: all of it is. */
static uint32_t find_end(const struct update *update)
{
    const struct nflash *flash = target_of(update);
    uint8_t bytes[IMAGE_ALIGN];

    for (uint32_t end = image_length(update->header); end > 0; end -= IMAGE_ALIGN) {
        if (flash->read(flash->context, flash->at + IMAGE_ROOM + end - IMAGE_ALIGN, bytes,
                        sizeof bytes) != 0)
            return end;
        for (size_t i = 0; i < sizeof bytes; i++) {
            if (bytes[i] != 0xFF)
                return end;
        }
    }
    return 0;
}

/*
 * After a restart: the page in which the last byte is may hold half of one, and is erased. False:
 * that cannot be, or the header is in that page, too; or nothing was written behind the header, so
 * that nothing shows that the erasing had come to its end.
 */
static bool resume(struct update *update)
{
    const struct nflash *flash = target_of(update);
    uint32_t end = find_end(update), page;

    if (end == 0)
        return false;
    page = (IMAGE_ROOM + end - 1) / flash->page * flash->page;
    if (page < IMAGE_ROOM || flash->erase(flash->context, flash->at + page) != 0)
        return false;
    update->next = page - IMAGE_ROOM;
    update->phase = UPDATE_RECEIVING;
    return true;
}

/* Whether this version is there already, in part or as a whole. */
static bool is_begun(struct update *update, const uint8_t *header)
{
    struct slots_view view;
    bool known = update->phase == UPDATE_RECEIVING && image_slot(header) == update->target &&
                 memcmp(header, update->header, IMAGE_HEADER_SIZE) == 0;

    update->target = (uint8_t)image_slot(header);
    memcpy(update->header, header, IMAGE_HEADER_SIZE);
    slots_look(update->slots, update->target, &view);
    if (memcmp(view.header, header, IMAGE_SIGNED_SIZE) != 0)
        return false;
    if (view.state == SLOT_FILLING)
        return known || resume(update);
    if (view.state != SLOT_FILLED || memcmp(view.header, header, IMAGE_HEADER_SIZE) != 0)
        return false;
    update->phase = UPDATE_COMPLETE;
    update->next = image_length(header);
    return true;
}

static enum image_fault begin(struct update *update, const uint8_t *header)
{
    static const uint8_t zeros[IMAGE_SIGNATURE_SIZE];
    struct slots_view own = {.state = SLOT_EMPTY};
    enum image_fault fault = IMAGE_NOT_ONE;
    uint32_t size;

    if (image_is_header(header))
        fault = image_fits(header, update->slots->board,
                           update->slots->flash[image_slot(header)]->size);
    if (fault)
        return fault;
    if (image_slot(header) == update->running)
        return IMAGE_OTHER_SLOT;
    if (update->running != SLOTS_NONE)
        slots_look(update->slots, update->running, &own);
    if (on_trial(&own))
        return IMAGE_ON_TRIAL;
    if (own.state != SLOT_EMPTY && image_version(header) < oldest_taken(update, &own))
        return IMAGE_TOO_OLD;
    if (is_begun(update, header))
        return IMAGE_FINE;

    /* What was there is withdrawn before anything else: a half erased page must not show a version
     * whose marks have vanished. */
    update->phase = UPDATE_IDLE;
    if (write_target(update, IMAGE_SIGNED_SIZE, zeros, sizeof zeros) != 0)
        return IMAGE_FLASH;
    size = IMAGE_ROOM + image_length(header);
    update->pages = (uint16_t)((size + target_of(update)->page - 1) / target_of(update)->page);
    update->phase = UPDATE_ERASING;
    return IMAGE_FINE;
}

/* The last page first, so that the one with the header goes when the others are blank. */
static enum image_fault erase(struct update *update)
{
    const struct nflash *flash = target_of(update);

    if (update->phase != UPDATE_ERASING)
        return IMAGE_OUT_OF_TURN;
    if (flash->erase(flash->context, flash->at + (update->pages - 1U) * flash->page) != 0)
        return IMAGE_FLASH;
    if (--update->pages > 0)
        return IMAGE_FINE;
    update->phase = UPDATE_IDLE;
    if (write_target(update, 0, update->header, IMAGE_SIGNED_SIZE) != 0)
        return IMAGE_FLASH;
    update->phase = UPDATE_RECEIVING;
    update->next = 0;
    return IMAGE_FINE;
}

static bool is_there(const struct update *update, uint32_t at, const uint8_t *data, uint32_t size)
{
    const struct nflash *flash = target_of(update);
    uint8_t bytes[IMAGE_ALIGN];

    for (uint32_t done = 0; done < size; done += sizeof bytes) {
        if (flash->read(flash->context, flash->at + IMAGE_ROOM + at + done, bytes, sizeof bytes) !=
                0 ||
            memcmp(bytes, data + done, sizeof bytes) != 0)
            return false;
    }
    return true;
}

static enum image_fault take_block(struct update *update, uint32_t at, const uint8_t *data,
                                   uint32_t size)
{
    if (update->phase != UPDATE_RECEIVING && update->phase != UPDATE_COMPLETE)
        return IMAGE_OUT_OF_TURN;
    if (size == 0 || size % IMAGE_ALIGN != 0 || at % IMAGE_ALIGN != 0 || at > update->next)
        return IMAGE_BAD_BLOCK;
    if (at < update->next) /* its reply was lost, and it was sent again */
        return size <= update->next - at && is_there(update, at, data, size) ? IMAGE_FINE
                                                                             : IMAGE_BAD_BLOCK;
    if (size > image_length(update->header) - at)
        return IMAGE_BAD_BLOCK;
    if (write_target(update, IMAGE_ROOM + at, data, size) != 0) {
        update->phase = UPDATE_IDLE;
        return IMAGE_FLASH;
    }
    update->next = at + size;
    return IMAGE_FINE;
}

static enum image_fault finish(struct update *update)
{
    if (update->phase == UPDATE_COMPLETE)
        return IMAGE_FINE;
    if (update->phase != UPDATE_RECEIVING || update->next != image_length(update->header))
        return IMAGE_OUT_OF_TURN;
    update->phase = UPDATE_IDLE;
    if (write_target(update, IMAGE_SIGNED_SIZE, update->header + IMAGE_SIGNED_SIZE,
                     IMAGE_SIGNATURE_SIZE) != 0)
        return IMAGE_FLASH;
    update->phase = UPDATE_COMPLETE;
    return IMAGE_FINE;
}

static enum image_fault start(struct update *update)
{
    struct slots_view view;

    if (update->target == SLOTS_NONE)
        return IMAGE_OUT_OF_TURN;
    slots_look(update->slots, update->target, &view);
    if (view.state != SLOT_FILLED && view.state != SLOT_TRIAL)
        return IMAGE_OUT_OF_TURN;
    if (slots_mark(update->slots, update->target, MARK_WANTED) != 0)
        return IMAGE_FLASH;
    update->reset = true;
    return IMAGE_FINE;
}

static enum image_fault confirm(struct update *update)
{
    struct slots_view own, other;

    if (update->running == SLOTS_NONE)
        return IMAGE_OUT_OF_TURN;
    slots_look(update->slots, update->running, &own);
    slots_look(update->slots, 1U - update->running, &other);
    if (!on_trial(&own))
        return IMAGE_FINE;
    if (other.state == SLOT_CONFIRMED &&
        slots_mark(update->slots, 1U - update->running, MARK_LEFT) != 0)
        return IMAGE_FLASH;
    return slots_mark(update->slots, update->running, MARK_CONFIRMED) ? IMAGE_FLASH : IMAGE_FINE;
}

static enum image_fault go_back(struct update *update)
{
    struct slots_view own, other;

    if (update->running == SLOTS_NONE)
        return IMAGE_OUT_OF_TURN;
    slots_look(update->slots, update->running, &own);
    slots_look(update->slots, 1U - update->running, &other);
    if (other.state != SLOT_CONFIRMED && other.state != SLOT_LEFT)
        return IMAGE_NOTHING;
    if (!on_trial(&own) && image_version(other.header) < image_oldest(own.header))
        return IMAGE_TOO_OLD;
    if (slots_mark(update->slots, update->running, MARK_DROPPED) != 0)
        return IMAGE_FLASH;
    update->reset = true;
    return IMAGE_FINE;
}

static enum image_fault run_command(struct update *update, uint16_t command)
{
    switch (command) {
    case UPDATE_ERASE:
        return erase(update);
    case UPDATE_FINISH:
        return finish(update);
    case UPDATE_START:
        return start(update);
    case UPDATE_CONFIRM:
        return confirm(update);
    case UPDATE_BACK:
        return go_back(update);
    default:
        return IMAGE_OUT_OF_TURN;
    }
}

uint8_t update_write(void *context, uint16_t index, uint16_t count, const uint8_t *data)
{
    struct update *update = context;
    enum image_fault fault;

    if (index == UPDATE_AT_BEGIN && count == IMAGE_HEADER_SIZE / 2)
        fault = begin(update, data);
    else if (index == UPDATE_AT_COMMAND && count == 1)
        fault = run_command(update, pdu_u16(data));
    else if (index == UPDATE_AT_BLOCK && count > 2)
        fault = take_block(update, (uint32_t)pdu_u16(data) << 16 | pdu_u16(data + 2), data + 4,
                           (count - 2U) * 2U);
    else
        return PDU_ILLEGAL_ADDRESS;
    update->fault = (uint8_t)fault;
    return fault == IMAGE_FINE ? 0 : fault == IMAGE_FLASH ? PDU_DEVICE_FAILURE : PDU_ILLEGAL_VALUE;
}

/* What was passed over by the boot loader, although it would come first, cannot be started. */
static enum slots_state shown_state(const struct update *update, unsigned slot,
                                    const struct slots_view *view)
{
    struct slots_view own;
    unsigned running = RANK_LAST + 1;

    if (slot == update->running)
        return on_trial(view) ? SLOT_TRIAL : view->state;
    if (update->running != SLOTS_NONE) {
        slots_look(update->slots, update->running, &own);
        if (on_trial(&own) || update->reset)
            return view->state;
        running = rank_of(own.state);
    }
    return rank_of(view->state) < running ? SLOT_DAMAGED : view->state;
}

static uint16_t half_of(uint32_t value, unsigned low)
{
    return (uint16_t)(low ? value : value >> 16);
}

/* Of the registers that tell of one slot. */
static uint16_t read_slot(const struct update *update, uint16_t index)
{
    bool of_versions = index >= UPDATE_AT_VERSIONS && index < UPDATE_AT_REASONS;
    unsigned slot = of_versions ? (index - UPDATE_AT_VERSIONS) / 2U : index % 2U;
    struct slots_view view;

    slots_look(update->slots, slot, &view);
    if (of_versions)
        return view.state == SLOT_EMPTY
                   ? 0
                   : half_of(image_version(view.header), (index - UPDATE_AT_VERSIONS) % 2U);
    return index < UPDATE_AT_VERSIONS ? (uint16_t)shown_state(update, slot, &view) : view.reason;
}

/* Of those that tell of the version that runs. */
static uint16_t read_running(const struct update *update, uint16_t index)
{
    struct slots_view own;
    bool trial;

    if (update->running == SLOTS_NONE)
        return index == UPDATE_AT_TRIAL_S ? UINT16_MAX : 0;
    slots_look(update->slots, update->running, &own);
    trial = on_trial(&own);
    switch (index) {
    case UPDATE_AT_TRIES:
        return trial ? own.tries : 0;
    case UPDATE_AT_TRIAL_S:
        return !trial ? UINT16_MAX
               : image_trial_s(own.header) > update->ran_s
                   ? (uint16_t)(image_trial_s(own.header) - update->ran_s)
                   : 0;
    default:
        return trial ? 0 : half_of(oldest_taken(update, &own), index - UPDATE_AT_OLDEST);
    }
}

static uint16_t read_transfer(const struct update *update, uint16_t index)
{
    bool under_way = update->phase != UPDATE_IDLE;

    switch (index) {
    case UPDATE_AT_PHASE:
        return update->phase;
    case UPDATE_AT_FAULT:
        return update->fault;
    case UPDATE_AT_PAGES:
        return update->phase == UPDATE_ERASING ? update->pages : 0;
    case UPDATE_AT_NEXT:
    case UPDATE_AT_NEXT + 1:
        return update->phase < UPDATE_RECEIVING ? 0 : half_of(update->next, index - UPDATE_AT_NEXT);
    default:
        return under_way ? half_of(image_length(update->header), index - UPDATE_AT_LENGTH) : 0;
    }
}

static uint16_t read_board(const struct update *update, uint16_t index)
{
    const char *board = update->slots->board;
    size_t size = strlen(board), at = (size_t)(index - UPDATE_AT_BOARD) * 2;

    return (uint16_t)((at < size ? (uint8_t)board[at] : 0) << 8 |
                      (at + 1 < size ? (uint8_t)board[at + 1] : 0));
}

uint16_t update_read(void *context, uint16_t index)
{
    const struct update *update = context;

    switch (index) {
    case UPDATE_AT_MAGIC:
        return UPDATE_MAGIC;
    case UPDATE_AT_WINDOW:
        return UPDATE_WINDOW;
    case UPDATE_AT_MODE:
        return update->running == SLOTS_NONE;
    case UPDATE_AT_RUNNING:
        return update->running == SLOTS_NONE ? UINT16_MAX : update->running;
    case UPDATE_AT_TRIES:
    case UPDATE_AT_TRIAL_S:
    case UPDATE_AT_OLDEST:
    case UPDATE_AT_OLDEST + 1:
        return read_running(update, index);
    case UPDATE_AT_BLOCK_MAX:
        return UPDATE_BLOCK_MAX;
    case UPDATE_AT_SLOT_SIZE:
    case UPDATE_AT_SLOT_SIZE + 1:
        return half_of(update->slots->flash[0]->size, index - UPDATE_AT_SLOT_SIZE);
    case UPDATE_AT_REPLY_MS:
        return update->slots->reply_ms;
    default:
        break;
    }
    if (index < UPDATE_AT_PHASE)
        return read_slot(update, index);
    if (index < UPDATE_AT_OLDEST)
        return read_transfer(update, index);
    return index >= UPDATE_AT_BOARD && index < UPDATE_READ_COUNT ? read_board(update, index) : 0;
}

bool update_wants_reset(const struct update *update)
{
    return update->reset;
}

bool update_second(struct update *update)
{
    struct slots_view own;

    if (update->running == SLOTS_NONE)
        return false;
    slots_look(update->slots, update->running, &own);
    if (!on_trial(&own))
        return false;
    if (update->ran_s < UINT16_MAX)
        update->ran_s++;
    return update->ran_s >= image_trial_s(own.header);
}
