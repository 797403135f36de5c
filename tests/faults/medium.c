#include "faults/medium.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "faults/must.h"

struct node {
    uint32_t number;
    uint8_t *data;
    int64_t size;
    int64_t room;
};

struct entry {
    char name[MEDIUM_NAME_SIZE_MAX];
    struct node *node;
};

struct io_file {
    struct node *node;
    struct io_file *next; /* all handles, so that closing the medium frees those left open */
    char name[MEDIUM_NAME_SIZE_MAX];
};

struct medium {
    struct io io;
    pthread_mutex_t mutex;
    pthread_cond_t released;
    struct medium_image initial;
    struct node **nodes;
    size_t node_count;
    struct entry *entries;
    size_t entry_count;
    struct io_file *handles;
    struct medium_record *log;
    size_t log_size, log_room;
    uint64_t calls[MEDIUM_OPS];
    struct medium_fault faults[MEDIUM_FAULTS_MAX];
    size_t fault_count;
    uint64_t (*observe)(void *context);
    void *observe_context;
    int64_t capacity;
    bool read_only, lying, stalled, slow_making, slow_syncs;
    uint32_t waiting;
};

static struct medium *medium_of(const struct io *io)
{
    return io->context;
}

static void name_copy(char to[MEDIUM_NAME_SIZE_MAX], const char *name)
{
    snprintf(to, MEDIUM_NAME_SIZE_MAX, "%s", name);
}

/* State; the mutex is held */

static struct entry *entry_find(struct medium *medium, const char *name)
{
    for (size_t i = 0; i < medium->entry_count; i++)
        if (strcmp(medium->entries[i].name, name) == 0)
            return &medium->entries[i];
    return NULL;
}

static void entry_remove(struct medium *medium, struct entry *entry)
{
    size_t at = (size_t)(entry - medium->entries);
    memmove(entry, entry + 1, (medium->entry_count - at - 1) * sizeof(*entry));
    medium->entry_count--;
}

static struct node *node_add(struct medium *medium, const char *name)
{
    struct node *node = must_alloc(sizeof(*node));
    node->number = (uint32_t)medium->node_count;
    medium->nodes = must_grow(medium->nodes, medium->node_count + 1, sizeof(struct node *));
    medium->nodes[medium->node_count++] = node;
    medium->entries = must_grow(medium->entries, medium->entry_count + 1, sizeof(*medium->entries));
    struct entry *entry = &medium->entries[medium->entry_count++];
    name_copy(entry->name, name);
    entry->node = node;
    return node;
}

static void node_resize(struct node *node, int64_t size)
{
    if (size > node->room) {
        node->data = must_grow(node->data, (size_t)size, 1);
        node->room = size;
    }
    if (size > node->size)
        memset(node->data + node->size, 0, (size_t)(size - node->size));
    node->size = size;
}

static int64_t used(const struct medium *medium)
{
    int64_t sum = 0;
    for (size_t i = 0; i < medium->entry_count; i++)
        sum += medium->entries[i].node->size;
    return sum;
}

static struct medium_record *record(struct medium *medium, enum medium_op op, uint64_t observed)
{
    if (medium->log_size == medium->log_room) {
        medium->log_room = medium->log_room == 0 ? 256 : 2 * medium->log_room;
        medium->log = must_grow(medium->log, medium->log_room, sizeof(*medium->log));
    }
    struct medium_record *entry = &medium->log[medium->log_size++];
    *entry = (struct medium_record){.op = op, .observed = observed};
    return entry;
}

/* Counts the call; returns the error that it is to fail with, or 0. */
static int fault(struct medium *medium, enum medium_op op, const char *name, bool *partial)
{
    medium->calls[op]++;
    bool changes = op != MEDIUM_OPEN && op != MEDIUM_READ && op != MEDIUM_LIST &&
                   op != MEDIUM_SYNC && op != MEDIUM_SYNC_DIR;
    if (changes && medium->read_only)
        return ERR_READ_ONLY;
    for (size_t i = 0; i < medium->fault_count; i++) {
        struct medium_fault *rule = &medium->faults[i];
        if (rule->op != op || strncmp(name, rule->prefix, strlen(rule->prefix)) != 0)
            continue;
        if (rule->skip > 0) {
            rule->skip--;
            continue;
        }
        if (rule->times == 0)
            continue;
        if (rule->times != UINT64_MAX)
            rule->times--;
        if (partial != NULL)
            *partial = rule->partial;
        return rule->error;
    }
    return 0;
}

/* Asks the observer and takes the mutex. */
static uint64_t enter(struct medium *medium)
{
    uint64_t observed = medium->observe != NULL ? medium->observe(medium->observe_context) : 0;
    pthread_mutex_lock(&medium->mutex);
    return observed;
}

/* While *slow, and so long at the most. Called and returns with the mutex held. */
static void take_time(struct medium *medium, const bool *slow, long ms)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += ms * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    while (*slow)
        if (pthread_cond_timedwait(&medium->released, &medium->mutex, &until) != 0)
            return;
}

/* struct io */

static int disk_open(const struct io *io, const char *name, int create, struct io_file **file)
{
    struct medium *medium = medium_of(io);
    uint64_t observed = enter(medium);
    if (create)
        take_time(medium, &medium->slow_making, MEDIUM_MAKING_MS);
    int error = fault(medium, create ? MEDIUM_CREATE : MEDIUM_OPEN, name, NULL);
    struct entry *entry = entry_find(medium, name);
    if (error == 0 && create && entry != NULL)
        error = ERR_EXISTS;
    if (error == 0 && !create && entry == NULL)
        error = ERR_NOT_FOUND;
    if (error != 0)
        goto out;
    struct node *node = create ? node_add(medium, name) : entry->node;
    if (create) {
        struct medium_record *made = record(medium, MEDIUM_CREATE, observed);
        made->file = node->number;
        name_copy(made->name, name);
    }
    struct io_file *handle = must_alloc(sizeof(*handle));
    handle->node = node;
    name_copy(handle->name, name);
    handle->next = medium->handles;
    medium->handles = handle;
    *file = handle;
out:
    pthread_mutex_unlock(&medium->mutex);
    return error;
}

static void disk_close(const struct io *io, struct io_file *file)
{
    struct medium *medium = medium_of(io);
    if (file == NULL)
        return;
    pthread_mutex_lock(&medium->mutex);
    struct io_file **link = &medium->handles;
    while (*link != NULL && *link != file)
        link = &(*link)->next;
    if (*link != NULL)
        *link = file->next;
    pthread_mutex_unlock(&medium->mutex);
    free(file);
}

static int disk_write(const struct io *io, struct io_file *file, const void *data, size_t size,
                      int64_t offset)
{
    struct medium *medium = medium_of(io);
    uint64_t observed = enter(medium);
    bool partial = false;
    int error = fault(medium, MEDIUM_WRITE, file->name, &partial);
    if (error != 0)
        size = partial ? size / 2 : 0;
    struct node *node = file->node;
    int64_t end = offset + (int64_t)size;
    if (error == 0 && medium->capacity >= 0 && end > node->size &&
        used(medium) + end - node->size > medium->capacity) {
        error = ERR_NO_SPACE;
        size = 0;
    }
    if (size > 0) {
        if (end > node->size)
            node_resize(node, end);
        memcpy(node->data + offset, data, size);
        struct medium_record *written = record(medium, MEDIUM_WRITE, observed);
        written->file = node->number;
        written->offset = offset;
        written->size = size;
        written->data = must_alloc(size);
        memcpy(written->data, data, size);
    }
    pthread_mutex_unlock(&medium->mutex);
    return error;
}

static int64_t disk_read(const struct io *io, struct io_file *file, void *data, size_t size,
                         int64_t offset)
{
    struct medium *medium = medium_of(io);
    pthread_mutex_lock(&medium->mutex);
    int64_t got = fault(medium, MEDIUM_READ, file->name, NULL);
    if (got == 0 && offset < file->node->size) {
        got = file->node->size - offset;
        if (got > (int64_t)size)
            got = (int64_t)size;
        memcpy(data, file->node->data + offset, (size_t)got);
    }
    pthread_mutex_unlock(&medium->mutex);
    return got;
}

/* What was written may become durable at any time before the sync: cut.c tries that anyway. */
static void disk_push(const struct io *io, struct io_file *file, size_t size, int64_t offset)
{
    (void)io, (void)file, (void)size, (void)offset;
}

static int disk_sync(const struct io *io, struct io_file *file)
{
    struct medium *medium = medium_of(io);
    uint64_t observed = enter(medium);
    int error = fault(medium, MEDIUM_SYNC, file->name, NULL);
    medium->waiting++;
    while (medium->stalled)
        pthread_cond_wait(&medium->released, &medium->mutex);
    take_time(medium, &medium->slow_syncs, MEDIUM_SYNC_MS);
    medium->waiting--;
    if (!medium->lying || error != 0)
        record(medium, error == 0 ? MEDIUM_SYNC : MEDIUM_SYNC_LOST, observed)->file =
            file->node->number;
    pthread_mutex_unlock(&medium->mutex);
    return error;
}

static int64_t disk_size(const struct io *io, struct io_file *file)
{
    struct medium *medium = medium_of(io);
    pthread_mutex_lock(&medium->mutex);
    int64_t size = file->node->size;
    pthread_mutex_unlock(&medium->mutex);
    return size;
}

static int disk_truncate(const struct io *io, struct io_file *file, int64_t size)
{
    struct medium *medium = medium_of(io);
    uint64_t observed = enter(medium);
    int error = fault(medium, MEDIUM_TRUNCATE, file->name, NULL);
    if (error == 0 && medium->capacity >= 0 && size > file->node->size &&
        used(medium) + size - file->node->size > medium->capacity)
        error = ERR_NO_SPACE;
    if (error == 0) {
        node_resize(file->node, size);
        struct medium_record *cut = record(medium, MEDIUM_TRUNCATE, observed);
        cut->file = file->node->number;
        cut->offset = size;
    }
    pthread_mutex_unlock(&medium->mutex);
    return error;
}

static int disk_rename(const struct io *io, const char *from, const char *to)
{
    struct medium *medium = medium_of(io);
    uint64_t observed = enter(medium);
    int error = fault(medium, MEDIUM_RENAME, from, NULL);
    struct entry *entry = entry_find(medium, from);
    if (error == 0 && entry == NULL)
        error = ERR_NOT_FOUND;
    if (error == 0) {
        struct medium_record *renamed = record(medium, MEDIUM_RENAME, observed);
        name_copy(renamed->name, from);
        name_copy(renamed->to, to);
        struct entry *target = entry_find(medium, to);
        if (target != NULL && target != entry) {
            entry_remove(medium, target);
            entry = entry_find(medium, from);
        }
        name_copy(entry->name, to);
    }
    pthread_mutex_unlock(&medium->mutex);
    return error;
}

static int disk_remove(const struct io *io, const char *name)
{
    struct medium *medium = medium_of(io);
    uint64_t observed = enter(medium);
    int error = fault(medium, MEDIUM_REMOVE, name, NULL);
    struct entry *entry = entry_find(medium, name);
    if (error == 0 && entry == NULL)
        error = ERR_NOT_FOUND;
    if (error == 0) {
        name_copy(record(medium, MEDIUM_REMOVE, observed)->name, name);
        entry_remove(medium, entry);
    }
    pthread_mutex_unlock(&medium->mutex);
    return error;
}

static int disk_sync_dir(const struct io *io)
{
    struct medium *medium = medium_of(io);
    uint64_t observed = enter(medium);
    int error = fault(medium, MEDIUM_SYNC_DIR, "", NULL);
    if (error == 0 && !medium->lying)
        record(medium, MEDIUM_SYNC_DIR, observed);
    pthread_mutex_unlock(&medium->mutex);
    return error;
}

static int disk_list(const struct io *io,
                     void (*each)(void *context, const struct io_dir_entry *entry), void *context)
{
    struct medium *medium = medium_of(io);
    pthread_mutex_lock(&medium->mutex);
    int error = fault(medium, MEDIUM_LIST, "", NULL);
    size_t count = error == 0 ? medium->entry_count : 0;
    struct io_dir_entry *copy = must_alloc((count + 1) * sizeof(*copy));
    for (size_t i = 0; i < count; i++) {
        name_copy(copy[i].name, medium->entries[i].name);
        copy[i].size = medium->entries[i].node->size;
    }
    pthread_mutex_unlock(&medium->mutex);
    for (size_t i = 0; i < count; i++)
        each(context, &copy[i]);
    free(copy);
    return error;
}

static int64_t disk_space(const struct io *io)
{
    struct medium *medium = medium_of(io);
    pthread_mutex_lock(&medium->mutex);
    int64_t space = medium->capacity < 0 ? INT64_C(1) << 40 : medium->capacity - used(medium);
    pthread_mutex_unlock(&medium->mutex);
    return space;
}

static int disk_lock(const struct io *io)
{
    (void)io;
    return 0;
}

static const struct io disk_functions = {
    .open = disk_open,
    .close = disk_close,
    .write = disk_write,
    .read = disk_read,
    .push = disk_push,
    .sync = disk_sync,
    .size = disk_size,
    .truncate = disk_truncate,
    .rename = disk_rename,
    .remove = disk_remove,
    .sync_dir = disk_sync_dir,
    .list = disk_list,
    .space = disk_space,
    .lock = disk_lock,
};

/* The medium itself */

struct medium *medium_open(const struct medium_image *image)
{
    struct medium *medium = must_alloc(sizeof(*medium));
    medium->io = disk_functions;
    medium->io.context = medium;
    medium->capacity = -1;
    pthread_mutex_init(&medium->mutex, NULL);
    pthread_cond_init(&medium->released, NULL);
    for (size_t i = 0; image != NULL && i < image->count; i++) {
        const struct medium_file *file = &image->files[i];
        medium_image_add(&medium->initial, file->name, file->data, file->size);
        struct node *node = node_add(medium, file->name);
        node_resize(node, file->size);
        if (file->size > 0)
            memcpy(node->data, file->data, (size_t)file->size);
    }
    return medium;
}

void medium_close(struct medium *medium)
{
    if (medium == NULL)
        return;
    for (size_t i = 0; i < medium->log_size; i++)
        free(medium->log[i].data);
    for (size_t i = 0; i < medium->node_count; i++) {
        free(medium->nodes[i]->data);
        free(medium->nodes[i]);
    }
    while (medium->handles != NULL) {
        struct io_file *next = medium->handles->next;
        free(medium->handles);
        medium->handles = next;
    }
    medium_image_clear(&medium->initial);
    pthread_cond_destroy(&medium->released);
    pthread_mutex_destroy(&medium->mutex);
    free(medium->nodes);
    free(medium->entries);
    free(medium->log);
    free(medium);
}

const struct io *medium_io(struct medium *medium)
{
    return &medium->io;
}

void medium_snapshot(struct medium *medium, struct medium_image *image)
{
    medium_image_clear(image);
    pthread_mutex_lock(&medium->mutex);
    for (size_t i = 0; i < medium->entry_count; i++) {
        const struct entry *entry = &medium->entries[i];
        medium_image_add(image, entry->name, entry->node->data, entry->node->size);
    }
    pthread_mutex_unlock(&medium->mutex);
}

size_t medium_log_size(struct medium *medium)
{
    pthread_mutex_lock(&medium->mutex);
    size_t size = medium->log_size;
    pthread_mutex_unlock(&medium->mutex);
    return size;
}

const struct medium_record *medium_log(struct medium *medium, size_t index)
{
    return &medium->log[index];
}

uint64_t medium_calls(struct medium *medium, enum medium_op op)
{
    pthread_mutex_lock(&medium->mutex);
    uint64_t calls = medium->calls[op];
    pthread_mutex_unlock(&medium->mutex);
    return calls;
}

const struct medium_image *medium_initial(const struct medium *medium)
{
    return &medium->initial;
}

void medium_observe(struct medium *medium, uint64_t (*observe)(void *context), void *context)
{
    medium->observe_context = context;
    medium->observe = observe;
}

void medium_inject(struct medium *medium, const struct medium_fault *rule)
{
    pthread_mutex_lock(&medium->mutex);
    must_hold(medium->fault_count < MEDIUM_FAULTS_MAX, "too many faults injected");
    medium->faults[medium->fault_count++] = *rule;
    pthread_mutex_unlock(&medium->mutex);
}

void medium_heal(struct medium *medium)
{
    pthread_mutex_lock(&medium->mutex);
    medium->fault_count = 0;
    pthread_mutex_unlock(&medium->mutex);
}

void medium_set_capacity(struct medium *medium, int64_t bytes)
{
    pthread_mutex_lock(&medium->mutex);
    medium->capacity = bytes;
    pthread_mutex_unlock(&medium->mutex);
}

void medium_set_read_only(struct medium *medium, bool read_only)
{
    pthread_mutex_lock(&medium->mutex);
    medium->read_only = read_only;
    pthread_mutex_unlock(&medium->mutex);
}

void medium_set_lying(struct medium *medium, bool lying)
{
    pthread_mutex_lock(&medium->mutex);
    medium->lying = lying;
    pthread_mutex_unlock(&medium->mutex);
}

void medium_set_stalled(struct medium *medium, bool stalled)
{
    pthread_mutex_lock(&medium->mutex);
    medium->stalled = stalled;
    pthread_cond_broadcast(&medium->released);
    pthread_mutex_unlock(&medium->mutex);
}

void medium_set_slow_making(struct medium *medium, bool slow)
{
    pthread_mutex_lock(&medium->mutex);
    medium->slow_making = slow;
    pthread_cond_broadcast(&medium->released);
    pthread_mutex_unlock(&medium->mutex);
}

void medium_set_slow_syncs(struct medium *medium, bool slow)
{
    pthread_mutex_lock(&medium->mutex);
    medium->slow_syncs = slow;
    pthread_cond_broadcast(&medium->released);
    pthread_mutex_unlock(&medium->mutex);
}

uint32_t medium_stalled(struct medium *medium)
{
    pthread_mutex_lock(&medium->mutex);
    uint32_t waiting = medium->stalled ? medium->waiting : 0;
    pthread_mutex_unlock(&medium->mutex);
    return waiting;
}

void medium_flip(struct medium *medium, const char *name, int64_t offset, unsigned bit)
{
    pthread_mutex_lock(&medium->mutex);
    struct entry *entry = entry_find(medium, name);
    must_hold(entry != NULL && offset < entry->node->size, "no such byte to flip");
    entry->node->data[offset] ^= (uint8_t)(1U << bit);
    pthread_mutex_unlock(&medium->mutex);
}
