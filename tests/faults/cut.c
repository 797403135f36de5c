#include "faults/cut.h"

#include <string.h>

#include "faults/must.h"

struct content {
    uint8_t *data;
    int64_t size;
};

struct link {
    char name[MEDIUM_NAME_SIZE_MAX];
    uint32_t file;
};

/* What a folder's names stand for. */
struct folder {
    struct link *links;
    size_t count;
};

struct cut {
    struct medium *medium;
    size_t log_size;
    size_t position;
    struct content *durable; /* by file number */
    uint32_t file_count;
    struct folder folder;
    size_t *pending; /* indices into the log */
    uint32_t pending_count;
};

static uint64_t scramble(uint64_t x)
{
    x ^= x >> 31;
    x *= UINT64_C(0x7FB5D329728EA185);
    x ^= x >> 27;
    x *= UINT64_C(0x81DADEF4BC2DD44D);
    return x ^ (x >> 33);
}

static void content_resize(struct content *content, int64_t size)
{
    if (size > content->size) {
        content->data = must_grow(content->data, (size_t)size, 1);
        memset(content->data + content->size, 0, (size_t)(size - content->size));
    }
    content->size = size;
}

static void content_write(struct content *content, int64_t offset, const uint8_t *data, size_t size)
{
    if (offset + (int64_t)size > content->size)
        content_resize(content, offset + (int64_t)size);
    memcpy(content->data + offset, data, size);
}

static struct link *folder_find(const struct folder *folder, const char *name)
{
    for (size_t i = 0; i < folder->count; i++)
        if (strcmp(folder->links[i].name, name) == 0)
            return &folder->links[i];
    return NULL;
}

static void folder_remove(struct folder *folder, const char *name)
{
    struct link *link = folder_find(folder, name);
    if (link != NULL)
        *link = folder->links[--folder->count];
}

static void folder_add(struct folder *folder, const char *name, uint32_t file)
{
    folder_remove(folder, name);
    folder->links = must_grow(folder->links, folder->count + 1, sizeof(*folder->links));
    struct link *link = &folder->links[folder->count++];
    snprintf(link->name, sizeof(link->name), "%s", name);
    link->file = file;
}

/* A change whose premise did not reach the disk is void: nothing to rename, nothing to remove. */
static void folder_apply(struct folder *folder, const struct medium_record *record)
{
    if (record->op == MEDIUM_CREATE) {
        folder_add(folder, record->name, record->file);
    } else if (record->op == MEDIUM_REMOVE) {
        folder_remove(folder, record->name);
    } else {
        const struct link *link = folder_find(folder, record->name);
        if (link == NULL)
            return;
        uint32_t file = link->file;
        folder_remove(folder, record->name);
        folder_add(folder, record->to, file);
    }
}

static bool is_data(const struct medium_record *record)
{
    return record->op == MEDIUM_WRITE || record->op == MEDIUM_TRUNCATE;
}

static void content_apply(struct content *content, const struct medium_record *record)
{
    if (record->op == MEDIUM_TRUNCATE)
        content_resize(content, record->offset);
    else
        content_write(content, record->offset, record->data, record->size);
}

struct cut *cut_open(struct medium *medium)
{
    struct cut *cut = must_alloc(sizeof(*cut));
    const struct medium_image *initial = medium_initial(medium);
    cut->medium = medium;
    cut->log_size = medium_log_size(medium);
    cut->pending = must_alloc((cut->log_size + 1) * sizeof(*cut->pending));
    uint32_t files = (uint32_t)initial->count;
    for (size_t i = 0; i < cut->log_size; i++)
        if (medium_log(medium, i)->op == MEDIUM_CREATE)
            files++;
    cut->file_count = files;
    cut->durable = must_alloc((files + 1) * sizeof(*cut->durable));
    for (size_t i = 0; i < initial->count; i++) {
        const struct medium_file *file = &initial->files[i];
        if (file->size > 0)
            content_write(&cut->durable[i], 0, file->data, (size_t)file->size);
        folder_add(&cut->folder, file->name, (uint32_t)i);
    }
    return cut;
}

void cut_close(struct cut *cut)
{
    if (cut == NULL)
        return;
    for (uint32_t i = 0; i < cut->file_count; i++)
        free(cut->durable[i].data);
    free(cut->durable);
    free(cut->folder.links);
    free(cut->pending);
    free(cut);
}

/* Ends the pending state of what a sync covers; `reached` tells whether it got to the disk. */
static void settle(struct cut *cut, const struct medium_record *sync, bool reached)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < cut->pending_count; i++) {
        const struct medium_record *record = medium_log(cut->medium, cut->pending[i]);
        bool covered = sync->op == MEDIUM_SYNC_DIR ? !is_data(record)
                                                   : is_data(record) && record->file == sync->file;
        if (!covered)
            cut->pending[left++] = cut->pending[i];
        else if (reached && is_data(record))
            content_apply(&cut->durable[record->file], record);
        else if (reached)
            folder_apply(&cut->folder, record);
    }
    cut->pending_count = left;
}

bool cut_advance(struct cut *cut)
{
    if (cut->position == cut->log_size)
        return false;
    const struct medium_record *record = medium_log(cut->medium, cut->position);
    switch (record->op) {
    case MEDIUM_SYNC:
    case MEDIUM_SYNC_DIR:
        settle(cut, record, true);
        break;
    case MEDIUM_SYNC_LOST:
        settle(cut, record, false);
        break;
    default:
        cut->pending[cut->pending_count++] = cut->position;
        break;
    }
    cut->position++;
    return true;
}

size_t cut_position(const struct cut *cut)
{
    return cut->position;
}

uint32_t cut_pending(const struct cut *cut)
{
    return cut->pending_count;
}

static uint32_t sectors_of(const struct medium_record *record, uint32_t sector_bytes)
{
    if (record->op != MEDIUM_WRITE)
        return 0;
    int64_t first = record->offset / sector_bytes;
    int64_t last = (record->offset + (int64_t)record->size - 1) / sector_bytes;
    return (uint32_t)(last - first + 1);
}

bool cut_makes_file(const struct cut *cut)
{
    for (uint32_t i = 0; i < cut->pending_count; i++)
        if (medium_log(cut->medium, cut->pending[i])->op == MEDIUM_CREATE)
            return true;
    return false;
}

uint32_t cut_last_sectors(const struct cut *cut, uint32_t sector_bytes)
{
    if (cut->pending_count == 0)
        return 0;
    return sectors_of(medium_log(cut->medium, cut->pending[cut->pending_count - 1]), sector_bytes);
}

static bool reaches(const struct cut_choice *choice, uint32_t change, uint32_t sector)
{
    switch (choice->style) {
    case CUT_ALL:
        return true;
    case CUT_NONE:
        return false;
    case CUT_UNTIL:
        return change < choice->count || (change == choice->count && sector < choice->sectors);
    case CUT_ONLY:
        return change == choice->count;
    case CUT_WITHOUT:
        return change != choice->count;
    case CUT_MASK:
        return change < 64 && (choice->seed >> change & 1) != 0;
    case CUT_RANDOM: {
        uint64_t chance = scramble(choice->seed) & 7;
        return (scramble(choice->seed * 31 + change * UINT64_C(65537) + sector) & 7) <= chance;
    }
    }
    return true;
}

/* One file of the image while it is made. */
struct draft {
    struct content content;
    uint8_t *behind; /* sectors that stopped at an older state: nothing newer reached them */
    bool begun;
};

static struct draft *draft_begin(const struct cut *cut, struct draft *drafts, uint32_t file,
                                 uint32_t sector_bytes)
{
    struct draft *draft = &drafts[file];
    if (draft->begun)
        return draft;
    const struct content *durable = &cut->durable[file];
    int64_t end = durable->size;
    for (uint32_t i = 0; i < cut->pending_count; i++) {
        const struct medium_record *record = medium_log(cut->medium, cut->pending[i]);
        if (record->file == file && record->offset + (int64_t)record->size > end)
            end = record->offset + (int64_t)record->size;
    }
    draft->begun = true;
    draft->behind = must_alloc((size_t)(end / sector_bytes) + 1);
    if (durable->size > 0)
        content_write(&draft->content, 0, durable->data, (size_t)durable->size);
    return draft;
}

static void draft_write(struct draft *draft, const struct medium_record *record, uint32_t change,
                        const struct cut_choice *choice)
{
    uint32_t sectors = sectors_of(record, choice->sector_bytes);
    int64_t first = record->offset / choice->sector_bytes;
    for (uint32_t i = 0; i < sectors; i++) {
        int64_t sector = first + i;
        if (draft->behind[sector] != 0 || !reaches(choice, change, i)) {
            draft->behind[sector] = 1;
            continue;
        }
        int64_t from = sector * choice->sector_bytes;
        int64_t to = from + choice->sector_bytes;
        int64_t end = record->offset + (int64_t)record->size;
        from = from < record->offset ? record->offset : from;
        to = to > end ? end : to;
        content_write(&draft->content, from, record->data + (from - record->offset),
                      (size_t)(to - from));
    }
}

/* Damages one sector of the newest pending write, as a card does that loses power while it
 * rewrites. */
static void damage(const struct cut *cut, struct draft *drafts, const struct cut_choice *choice)
{
    for (uint32_t i = cut->pending_count; i-- > 0;) {
        const struct medium_record *record = medium_log(cut->medium, cut->pending[i]);
        uint32_t sectors = sectors_of(record, choice->sector_bytes);
        if (sectors == 0)
            continue;
        struct content *content =
            &draft_begin(cut, drafts, record->file, choice->sector_bytes)->content;
        int64_t sector =
            record->offset / choice->sector_bytes + (int64_t)(scramble(choice->seed + 1) % sectors);
        int64_t from = sector * choice->sector_bytes;
        int64_t to = from + choice->sector_bytes;
        uint64_t kind = scramble(choice->seed + 2) % 3;
        for (int64_t at = from; at < to && at < content->size; at++)
            content->data[at] = kind == 0   ? 0
                                : kind == 1 ? 0xFF
                                            : (uint8_t)scramble(choice->seed * 977 + (uint64_t)at);
        return;
    }
}

void cut_image(const struct cut *cut, const struct cut_choice *choice, struct medium_image *image)
{
    medium_image_clear(image);
    struct draft *drafts = must_alloc((cut->file_count + 1) * sizeof(*drafts));
    struct folder folder = {0};
    for (size_t i = 0; i < cut->folder.count; i++)
        folder_add(&folder, cut->folder.links[i].name, cut->folder.links[i].file);
    for (uint32_t i = 0; i < cut->pending_count; i++) {
        const struct medium_record *record = medium_log(cut->medium, cut->pending[i]);
        if (!is_data(record)) {
            if (reaches(choice, i, 0))
                folder_apply(&folder, record);
            continue;
        }
        struct draft *draft = draft_begin(cut, drafts, record->file, choice->sector_bytes);
        if (record->op == MEDIUM_WRITE)
            draft_write(draft, record, i, choice);
        else if (reaches(choice, i, 0))
            content_resize(&draft->content, record->offset);
    }
    if (choice->garbage)
        damage(cut, drafts, choice);
    for (size_t i = 0; i < folder.count; i++) {
        uint32_t file = folder.links[i].file;
        const struct content *content =
            drafts[file].begun ? &drafts[file].content : &cut->durable[file];
        medium_image_add(image, folder.links[i].name, content->data, content->size);
    }
    for (uint32_t i = 0; i < cut->file_count; i++) {
        free(drafts[i].content.data);
        free(drafts[i].behind);
    }
    free(drafts);
    free(folder.links);
}

void cut_now(struct medium *medium, const struct cut_choice *choice, struct medium_image *image)
{
    struct cut *cut = cut_open(medium);
    while (cut_advance(cut))
        continue;
    cut_image(cut, choice, image);
    cut_close(cut);
}

static struct io_file *resume_file(const struct io *io, const char *name, int create)
{
    struct io_file *file = NULL;
    must_hold(io->open(io, name, create, &file) == 0, "a file of the killed process is missing");
    return file;
}

/* A file that was made, and perhaps written and synced, but whose name is not durable yet. */
static struct io_file *resume_created(const struct io *io, const char *name,
                                      const struct content *durable)
{
    struct io_file *file = resume_file(io, name, 1);
    if (durable->size > 0) {
        must_hold(io->write(io, file, durable->data, (size_t)durable->size, 0) == 0 &&
                      io->sync(io, file) == 0,
                  "the model disk failed");
    }
    return file;
}

struct medium *cut_resume(const struct cut *cut)
{
    struct medium_image image = {0};
    cut_image(cut, &(struct cut_choice){.style = CUT_NONE, .sector_bytes = 512}, &image);
    struct medium *medium = medium_open(&image);
    const struct io *io = medium_io(medium);
    struct io_file **files = must_alloc((cut->file_count + 1) * sizeof(struct io_file *));
    for (size_t i = 0; i < cut->folder.count; i++) {
        const struct link *link = &cut->folder.links[i];
        files[link->file] = resume_file(io, link->name, 0);
    }
    for (uint32_t i = 0; i < cut->pending_count; i++) {
        const struct medium_record *record = medium_log(cut->medium, cut->pending[i]);
        struct io_file *file = files[record->file];
        if (record->op == MEDIUM_CREATE)
            files[record->file] = resume_created(io, record->name, &cut->durable[record->file]);
        else if (record->op == MEDIUM_RENAME)
            io->rename(io, record->name, record->to);
        else if (record->op == MEDIUM_REMOVE)
            io->remove(io, record->name);
        else if (record->op == MEDIUM_TRUNCATE && file != NULL)
            io->truncate(io, file, record->offset);
        else if (record->op == MEDIUM_WRITE && file != NULL)
            io->write(io, file, record->data, record->size, record->offset);
    }
    for (uint32_t i = 0; i < cut->file_count; i++)
        io->close(io, files[i]);
    free(files);
    medium_image_clear(&image);
    return medium;
}
