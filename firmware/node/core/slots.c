#include "node/core/slots.h"

#include <string.h>

static uint32_t mark_at(const struct nflash *flash, enum slots_mark mark)
{
    return flash->at + SLOTS_MARKS_AT + (uint32_t)mark * SLOTS_MARK_SIZE;
}

static bool is_all(const uint8_t *bytes, size_t size, uint8_t value)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != value)
            return false;
    }
    return true;
}

static bool was_confirmed(const struct slots_view *view)
{
    return view->state == SLOT_CONFIRMED || view->state == SLOT_LEFT || view->state == SLOT_DROPPED;
}

static enum slots_state state_of(const struct slots_view *view, const bool begun[MARK_COUNT])
{
    const uint8_t *signature = view->header + IMAGE_SIGNED_SIZE;

    if (!image_is_header(view->header) || is_all(signature, IMAGE_SIGNATURE_SIZE, 0))
        return SLOT_EMPTY;
    if (is_all(signature, IMAGE_SIGNATURE_SIZE, 0xFF))
        return SLOT_FILLING;
    if (begun[MARK_CONFIRMED])
        return begun[MARK_DROPPED] ? SLOT_DROPPED : begun[MARK_LEFT] ? SLOT_LEFT : SLOT_CONFIRMED;
    if (begun[MARK_REFUSED])
        return SLOT_REFUSED;
    if (begun[MARK_DROPPED])
        return SLOT_FAILED;
    if (begun[MARK_WANTED])
        return view->tries > 0 ? SLOT_TRIAL : SLOT_FAILED;
    return SLOT_FILLED;
}

void slots_look(const struct slots *slots, unsigned slot, struct slots_view *view)
{
    const struct nflash *flash = slots->flash[slot];
    uint8_t marks[MARK_COUNT][SLOTS_MARK_SIZE];
    bool begun[MARK_COUNT];

    *view = (struct slots_view){.state = SLOT_EMPTY};
    if (flash->read(flash->context, flash->at, view->header, sizeof view->header) != 0 ||
        flash->read(flash->context, mark_at(flash, MARK_WANTED), marks, sizeof marks) != 0)
        return;
    for (unsigned i = 0; i < MARK_COUNT; i++) {
        begun[i] = !is_all(marks[i], SLOTS_MARK_SIZE, 0xFF);
        /* A try counts when it is wholly marked: half of a mark may read otherwise next time. */
        if (i >= MARK_TRY && i < MARK_TRY + SLOTS_TRIES && !is_all(marks[i], SLOTS_MARK_SIZE, 0))
            view->tries++;
    }
    view->checked = is_all(marks[MARK_CHECKED], SLOTS_MARK_SIZE, 0);
    view->state = state_of(view, begun);
    if (view->state == SLOT_REFUSED && is_all(marks[MARK_REFUSED] + 1, SLOTS_MARK_SIZE - 1, 0))
        view->reason = marks[MARK_REFUSED][0];
}

static int write_mark(const struct nflash *flash, enum slots_mark mark, uint8_t first)
{
    const uint8_t zeros[SLOTS_MARK_SIZE] = {first};
    uint8_t bytes[SLOTS_MARK_SIZE];
    int error = flash->read(flash->context, mark_at(flash, mark), bytes, sizeof bytes);

    /* What is set already is not written again: some flash counts writes. */
    if (error || memcmp(bytes, zeros, sizeof bytes) == 0)
        return error;
    return flash->write(flash->context, mark_at(flash, mark), zeros, sizeof zeros);
}

int slots_mark(const struct slots *slots, unsigned slot, enum slots_mark mark)
{
    return write_mark(slots->flash[slot], mark, 0);
}

/* The marks that count when they are half set are made whole, so that they read the same for ever.
 */
static void mend(const struct slots *slots, unsigned slot)
{
    static const enum slots_mark whole[] = {MARK_WANTED, MARK_CONFIRMED, MARK_LEFT, MARK_DROPPED};
    const struct nflash *flash = slots->flash[slot];
    uint8_t bytes[SLOTS_MARK_SIZE];

    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) {
        if (flash->read(flash->context, mark_at(flash, whole[i]), bytes, sizeof bytes) == 0 &&
            !is_all(bytes, sizeof bytes, 0xFF))
            slots_mark(slots, slot, whole[i]);
    }
}

static enum image_fault check_slot(const struct slots *slots, unsigned slot,
                                   const struct slots_view *view, slots_check *check)
{
    const struct nflash *flash = slots->flash[slot];
    enum image_fault fault = image_fits(view->header, slots->board, flash->size);

    if (!fault && image_slot(view->header) != slot)
        fault = IMAGE_OTHER_SLOT;
    if (!fault)
        fault = check(flash, view->header, view->checked);
    if (!fault)
        slots_mark(slots, slot, MARK_CHECKED); /* without it, it is checked again next time */
    return fault;
}

/* Whether the version on trial may be started, and a try of it was used up. */
static bool take_try(const struct slots *slots, unsigned slot, const struct slots_view views[2],
                     slots_check *check)
{
    const struct slots_view *view = &views[slot], *other = &views[1 - slot];
    enum image_fault fault = check_slot(slots, slot, view, check);

    if (!fault && was_confirmed(other) && check_slot(slots, 1 - slot, other, check) == IMAGE_FINE &&
        image_version(view->header) < image_oldest(other->header))
        fault = IMAGE_TOO_OLD;
    if (fault) {
        write_mark(slots->flash[slot], MARK_REFUSED, (uint8_t)fault);
        return false;
    }
    /* The tries are marked in their order, so the first that is left is behind those. */
    return slots_mark(slots, slot, (enum slots_mark)(MARK_TRY + SLOTS_TRIES - view->tries)) == 0;
}

unsigned slots_choose(const struct slots *slots, slots_check *check)
{
    static const enum slots_state order[] = {SLOT_CONFIRMED, SLOT_LEFT, SLOT_DROPPED};
    struct slots_view views[2];

    for (unsigned slot = 0; slot < 2; slot++) {
        mend(slots, slot);
        slots_look(slots, slot, &views[slot]);
    }
    for (unsigned slot = 0; slot < 2; slot++) {
        if (views[slot].state == SLOT_TRIAL && take_try(slots, slot, views, check))
            return slot;
    }
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        for (unsigned slot = 0; slot < 2; slot++) {
            if (views[slot].state == order[i] &&
                check_slot(slots, slot, &views[slot], check) == IMAGE_FINE)
                return slot;
        }
    }
    return SLOTS_NONE;
}
