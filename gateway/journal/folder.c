/* What the files of the folder are: segments, files that are free, and what is not to be touched.
 */
#include "core/error.h"
#include "core/log.h"
#include "journal/inside.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct names {
    struct found {
        uint32_t id;
        int64_t size;
    } * files;
    size_t count, room;
    uint32_t highest_aside; /* the highest number among the files that were set aside */
    int error;
};

#define ASIDE "set-aside-"

static void add_name(void *context, const struct io_dir_entry *entry)
{
    struct names *names = context;
    uint32_t id;

    if (strncmp(entry->name, ASIDE, strlen(ASIDE)) == 0 &&
        segment_name_parse(entry->name + strlen(ASIDE), &id) && id > names->highest_aside)
        names->highest_aside = id;
    if (names->error < 0 || !segment_name_parse(entry->name, &id))
        return;
    if (names->count == names->room) {
        size_t room = names->room ? 2 * names->room : 64;
        struct found *grown = realloc(names->files, room * sizeof(*grown));
        if (!grown) {
            names->error = ERR_NOMEM;
            return;
        }
        names->files = grown;
        names->room = room;
    }
    names->files[names->count++] = (struct found){id, entry->size};
}

static int set_aside(struct journal *journal, uint32_t id, enum segment_kind kind,
                     const char *owner)
{
    char name[SEGMENT_NAME_SIZE_MAX];
    char aside[SEGMENT_NAME_SIZE_MAX + 16];
    segment_name(id, name);
    snprintf(aside, sizeof(aside), ASIDE "%s", name);
    if (kind == SEGMENT_FOREIGN)
        log_warn("journal", "%s belongs to gateway \"%s\", not to \"%s\": kept as %s", name, owner,
                 journal->gateway_id, aside);
    else
        log_warn("journal", "%s %s: kept as %s", name,
                 kind == SEGMENT_VERSION ? "was written by another version of Sluice"
                                         : "has a header that cannot be read",
                 aside);
    return journal->io->rename(journal->io, name, aside);
}

/* Sorts one file into its place. Returns 1 when it was set aside. */
static int sort_file(struct journal *journal, const struct found *found)
{
    struct io_file *file;
    struct segment segment;
    uint8_t header[SEGMENT_HEADER_SIZE];
    char owner[ID_SIZE_MAX] = "";

    int error = segment_open(journal->io, found->id, &file, header);
    if (error < 0)
        return error;
    journal->io->close(journal->io, file);
    enum segment_kind kind =
        segment_unpack(&segment, journal->format_newest,
                       journal->read_only ? NULL : journal->gateway_id, header, owner);
    segment.id = found->id;
    if (kind == SEGMENT_LIVE || kind == SEGMENT_FREE || kind == SEGMENT_RAW)
        journal->spare.total_bytes += found->size;
    switch (kind) {
    case SEGMENT_LIVE:
        if (segment.size > found->size) {
            segment.size = found->size; /* cut off by somebody */
            segment.end = found->size;
        }
        return index_add(&journal->index, &segment);
    case SEGMENT_FREE:
    case SEGMENT_RAW:
        return journal->read_only
                   ? 0
                   : spare_add(&journal->spare, found->id, found->size, kind == SEGMENT_RAW);
    default:
        if (journal->read_only)
            return 1;
        error = set_aside(journal, found->id, kind, owner);
        return error < 0 ? error : 1;
    }
}

int folder_read(struct journal *journal)
{
    struct names names = {0};
    int aside = 0;
    int error = journal->io->list(journal->io, add_name, &names);

    if (error == 0)
        error = names.error;
    /* A number is used once, or setting aside could take the place of what is aside already. */
    if (names.highest_aside >= journal->spare.next_id)
        journal->spare.next_id = names.highest_aside + 1;
    for (size_t i = 0; error >= 0 && i < names.count; i++) {
        if (names.files[i].id >= journal->spare.next_id)
            journal->spare.next_id = names.files[i].id + 1;
        error = sort_file(journal, &names.files[i]);
        aside += error > 0;
    }
    free(names.files);
    if (error >= 0 && aside > 0 && !journal->read_only) {
        log_warn("journal",
                 "the events in the %d files that were set aside are kept, but not published. What "
                 "to do: see \"When files are set aside\" in docs/reliability.md",
                 aside);
        error = journal->io->sync_dir(journal->io);
    }
    return error < 0 ? error : aside;
}
