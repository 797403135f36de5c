"""The mistakes that planted_bugs.py plants in a node's slots and in the window of its update."""

from plants import Plant

PLANTS = {
    "what was there is not withdrawn before it is erased": Plant("update.c", ((
        "    if (write_target(update, IMAGE_SIGNED_SIZE, zeros, sizeof zeros) != 0)\n        return IMAGE_FLASH;\n",
        ""),)),
    "the signature is written with the header": Plant("update.c", ((
        "    if (write_target(update, 0, update->header, IMAGE_SIGNED_SIZE) != 0)",
        "    if (write_target(update, 0, update->header, IMAGE_HEADER_SIZE) != 0)"), (
        "    if (write_target(update, IMAGE_SIGNED_SIZE, update->header + IMAGE_SIGNED_SIZE,\n"
        "                     IMAGE_SIGNATURE_SIZE) != 0)\n        return IMAGE_FLASH;\n",
        ""),)),
    "it goes on behind the last byte, without erasing the page": Plant("update.c", ((
        "    if (page < IMAGE_ROOM || flash->erase(flash->context, flash->at + page) != 0)\n        return false;\n"
        "    update->next = page - IMAGE_ROOM;",
        "    if (page < IMAGE_ROOM)\n        return false;\n    update->next = end;"),)),
    "a header without data is gone on with": Plant("update.c", ((
        "    if (end == 0)\n        return false;\n    page = ",
        "    if (end == 0) {\n        update->next = 0;\n        update->phase = UPDATE_RECEIVING;\n        return true;\n    }\n    page = "),)),
    "the old version is not marked left": Plant("update.c", ((
        "    if (other.state == SLOT_CONFIRMED &&\n        slots_mark(update->slots, 1U - update->running, MARK_LEFT) != 0)\n"
        "        return IMAGE_FLASH;\n",
        ""),)),
    "the version that is left is marked dropped as well": Plant("update.c", ((
        "update->running, MARK_LEFT) != 0)",
        "update->running, MARK_DROPPED) != 0)"),)),
    "a try is not marked": Plant("slots.c", ((
        "    return slots_mark(slots, slot, (enum slots_mark)(MARK_TRY + SLOTS_TRIES - view->tries)) == 0;",
        "    return true;"),)),
    "half of a confirmation is not made whole": Plant("slots.c", ((
        "{MARK_WANTED, MARK_CONFIRMED, MARK_LEFT, MARK_DROPPED}",
        "{MARK_WANTED, MARK_LEFT, MARK_DROPPED}"),)),
    "half of going back is not made whole": Plant("slots.c", ((
        "{MARK_WANTED, MARK_CONFIRMED, MARK_LEFT, MARK_DROPPED}",
        "{MARK_WANTED, MARK_CONFIRMED, MARK_LEFT}"),)),
    "a withdrawn version is one": Plant("slots.c", ((
        " || is_all(signature, IMAGE_SIGNATURE_SIZE, 0))",
        ")"),)),
    "a version is started that nobody asked for": Plant("slots.c", ((
        "    if (begun[MARK_WANTED])\n        return view->tries",
        "    if (true)\n        return view->tries"),)),
    "the version on trial is not preferred": Plant("slots.c", ((
        "        if (views[slot].state == SLOT_TRIAL && take_try(slots, slot, views, check))\n            return slot;",
        "        if (views[1 - slot].state != SLOT_CONFIRMED && views[slot].state == SLOT_TRIAL &&\n"
        "            take_try(slots, slot, views, check))\n            return slot;"),)),
}
