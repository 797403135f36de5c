"""The mistakes that planted_bugs.py plants: each is one that could be made, and that no ordinary test would notice."""

import dataclasses


@dataclasses.dataclass
class Plant:
    file: str
    changes: tuple  # (piece, what stands in its place) ...
    arguments: tuple = ()  # of the crash enumerator, beyond --stop


PLANTS = {
    "a commit is not synced": Plant("commit.c", ((
        "    int error = commit->io->sync(commit->io, commit->file);",
        "    int error = 0;"),)),
    "durable is told before the sync has returned": Plant("commit.c", ((
        "    if (error == 0)\n        error = sync_frame(commit, &took_ns);",
        "    if (error == 0)\n        commit->on_durable(commit->context, generation, buffer);\n"
        "    if (error == 0)\n        error = sync_frame(commit, &took_ns);"),)),
    "a frame is written before the one before it is durable": Plant("commit.c", ((
        "    int error = begun ? 0 : begin_frame(commit, buffer);\n",
        "    int error = begun ? 0 : begin_frame(commit, buffer);\n"
        # The nap gives the next frame time to be queued, however busy the machine is.
        "    nanosleep(&(struct timespec){.tv_nsec = 300000}, NULL);\n"
        "    if (error == 0 && commit->queued > 1)\n        error = begin_frame(commit, commit->queue[1]);\n"), (
        "    if (commit->begun)\n        error = begin_frame(commit, commit->begun);\n",
        ""),)),
    "the checksum of a frame is not checked": Plant("frame.c", ((
        "    if (get_u32(data + AT_CRC) != crc32c(0, data + AT_VERSION, whole - AT_VERSION))\n"
        "        return ERR_CORRUPT;\n",
        ""),)),
    "the generation of a frame is not checked": Plant("frame.c", ((
        " || get_u64(data + AT_GENERATION) != generation ||",
        " ||"),)),
    "the folder is not synced when a file was made": Plant("spare.c", ((
        "        error = io->sync(io, *file);\n    if (error == 0)\n        error = io->sync_dir(io);",
        "        error = io->sync(io, *file);"),)),
    "a crash does not begin a new epoch": Plant("recovery.c", ((
        "    if (!journal->state.clean)\n        return \"unclean start\";\n",
        ""),)),
    "a number is given twice": Plant("recovery.c", ((
        "    writer->next_n = last_n + 1;",
        "    writer->next_n = last_n > 0 ? last_n : 1;"),)),
    "a cursor moves further than it was told": Plant("cursor.c", ((
        "cursor_mark(cursor, first, last);",
        "cursor_mark(cursor, first, last + (last < journal_durable(cursor->journal, NULL)));"),)),
    "a cursor is stored where it began": Plant("cursors.c", ((
        "    pack_varint(packer, cursor->low);",
        "    pack_varint(packer, cursor->began);"),)),
    "the ranges of a cursor are stored one too long": Plant("cursors.c", ((
        "        pack_varint(packer, range->last - range->first + 1);",
        "        pack_varint(packer, range->last - range->first + 2);"),)),
    "a clean end is believed although something follows": Plant("state.c", ((
        "    state->clean = false;\n    if (frame->epoch",
        "    if (frame->epoch"),)),
    "a checkpoint forgets the newest values": Plant("state.c", ((
        "    if (!stream_entry_event(entry, &event))\n        return;",
        "    if (entry->number > 0 || !stream_entry_event(entry, &event))\n        return;"),)),
    "the tail that a killed process left is not made durable": Plant("recovery.c", ((
        "    if (error == 0 && !clean && load.tail_size > 0) {",
        "    if (error == 0 && !clean && load.tail_size < 0) {"),), ("--kills-every", "2")),
    "a file that a killed process made is used without a sync of the folder": Plant("spare.c", ((
        "    if (error == 0 && used->raw)\n        error = io->sync_dir(io);",
        "    if (error == 0 && used->raw)\n        error = 0;"),)),
    "a retired segment is read again after a kill": Plant("recovery.c", ((
        "        error = drop_retired(journal);",
        "        error = 0;"),), ("--kills-every", "2")),
    "a retired segment's file is used again before it is durable that it went": Plant("retention.c", ((
        "        bool free = at_once || (!retiring->waits && retiring->commit <= done);\n",
        "        bool free = true;\n"),)),
    "nothing tells of the crash": Plant("recovery.c", ((
        "    if (crash)\n",
        "    if (crash && !journal)\n"),)),
}
