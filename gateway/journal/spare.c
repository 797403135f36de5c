#include "journal/spare.h"

#include "core/clock.h"
#include "core/error.h"

#include <stdlib.h>
#include <string.h>

#define ZEROS_SIZE (32 * 1024)

/* Never written to; not const, so that it takes no room in the program's file. */
static uint8_t zeros[ZEROS_SIZE];

void spare_init(struct spare *spare, const struct io *io, const char *gateway_id)
{
    pthread_condattr_t monotonic;

    memset(spare, 0, sizeof(*spare));
    spare->io = io;
    spare->next_id = 1;
    memcpy(spare->gateway_id, gateway_id, strnlen(gateway_id, ID_SIZE_MAX - 1));
    pthread_mutex_init(&spare->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&spare->work, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void spare_clear(struct spare *spare)
{
    if (spare->file)
        spare->io->close(spare->io, spare->file);
    free(spare->free_files);
    pthread_mutex_destroy(&spare->mutex);
    pthread_cond_destroy(&spare->work);
}

static void busy(struct spare *spare)
{
    spare->busy_since_ns = clock_mono(&clock_system);
}

/* A slow medium takes long for this: nobody who stops the journal waits for it. */
static int fill(struct spare *spare, struct io_file *file, int64_t from, int64_t to)
{
    int error = 0;
    while (from < to && error == 0) {
        int64_t size = to - from < ZEROS_SIZE ? to - from : ZEROS_SIZE;
        busy(spare);
        error = spare->io->write(spare->io, file, zeros, (size_t)size, from);
        from += size;
        if (error == 0 && from < to && spare->stop)
            error = ERR_CLOSED;
    }
    busy(spare);
    return error;
}

static int create(struct spare *spare, struct spare_file *made, struct io_file **file)
{
    const struct io *io = spare->io;
    char name[SEGMENT_NAME_SIZE_MAX];

    segment_name(made->id, name);
    int error = io->open(io, name, 1, file);
    if (error < 0)
        return error;
    error = fill(spare, *file, 0, made->size);
    if (error == 0)
        error = io->sync(io, *file);
    if (error == 0)
        error = io->sync_dir(io);
    if (error < 0) {
        io->close(io, *file);
        io->remove(io, name);
        return error;
    }
    spare->total_bytes += made->size;
    return 0;
}

/* The next smaller size that is worth a try on a disk that has no room for `size` bytes. */
static int64_t smaller(int64_t size, const struct spare_want *want)
{
    int64_t half = segment_align(size / 2, SEGMENT_HEADER_SIZE);

    return half > want->least ? half : want->least;
}

/* As large as it is wanted, or as the disk has room for. */
static int create_fitting(struct spare *spare, struct spare_file *made, struct io_file **file,
                          const struct spare_want *want)
{
    int error;

    made->size = want->bytes;
    while ((error = create(spare, made, file)) == ERR_NO_SPACE && want->small &&
           made->size > want->least)
        made->size = smaller(made->size, want);
    return error;
}

/* Where the disk is full a file stays as long as it was, if that does; one whose making was cut off
 * becomes as long as a new one would. */
static int lengthen(struct spare *spare, struct io_file *file, const struct spare_file *used,
                    const struct spare_want *want)
{
    int64_t size = want->bytes;
    int error = fill(spare, file, used->size, size);

    if (error == ERR_NO_SPACE && used->size >= want->least)
        return spare->io->truncate(spare->io, file, used->size);
    while (error == ERR_NO_SPACE && want->small && size > want->least) {
        size = smaller(size, want);
        error = spare->io->truncate(spare->io, file, used->size);
        if (error == 0)
            error = fill(spare, file, used->size, size);
    }
    return error;
}

/* Nothing is synced. */
static int mark_free(struct spare *spare, struct io_file *file)
{
    uint8_t header[SEGMENT_HEADER_SIZE];

    segment_pack(NULL, spare->gateway_id, header);
    return spare->io->write(spare->io, file, header, sizeof(header), 0);
}

int spare_free(struct spare *spare, uint32_t id, int64_t size)
{
    const struct io *io = spare->io;
    struct io_file *file;
    char name[SEGMENT_NAME_SIZE_MAX];

    segment_name(id, name);
    int error = io->open(io, name, 0, &file);
    if (error < 0)
        return error;
    error = mark_free(spare, file);
    if (error == 0)
        error = io->sync(io, file);
    io->close(io, file);
    return error < 0 ? error : spare_add(spare, id, size, false);
}

/* Marks a used file as free, and lengthens it where that is wanted. */
static int reuse(struct spare *spare, struct spare_file *used, struct io_file **file,
                 const struct spare_want *want)
{
    const struct io *io = spare->io;
    char name[SEGMENT_NAME_SIZE_MAX];

    segment_name(used->id, name);
    int error = io->open(io, name, 0, file);
    if (error < 0)
        return error;
    error = mark_free(spare, *file);
    if (error == 0 && used->raw)
        error = fill(spare, *file, SEGMENT_HEADER_SIZE, used->size);
    if (error == 0)
        error = lengthen(spare, *file, used, want);
    if (error == 0)
        error = io->sync(io, *file);
    if (error == 0 && used->raw)
        error = io->sync_dir(io); /* who made it may have been killed before this */
    int64_t size = error == 0 ? io->size(io, *file) : error;
    if (size < 0) {
        io->close(io, *file);
        io->remove(io, name); /* a file whose sync has failed is not written again */
        spare->total_bytes -= used->size;
        return (int)size;
    }
    spare->total_bytes += size - used->size;
    used->size = size;
    return 0;
}

/* A free file, or where there is none, a new one. Called and returns with the mutex held. */
static int prepare_one(struct spare *spare, bool used, const struct spare_want *want)
{
    struct spare_file ready = {.size = want->bytes};
    struct io_file *file = NULL;

    if (used)
        ready = spare->free_files[--spare->free_count];
    else
        ready.id = spare->next_id++;
    spare->ready = ready;
    pthread_mutex_unlock(&spare->mutex);
    busy(spare);
    int error =
        used ? reuse(spare, &ready, &file, want) : create_fitting(spare, &ready, &file, want);
    spare->busy_since_ns = 0;
    pthread_mutex_lock(&spare->mutex);
    spare->ready = ready;
    spare->file = error == 0 ? file : NULL;
    return error;
}

/* Called and returns with the mutex held. */
static void prepare(struct spare *spare)
{
    struct spare_want want = spare->wanted;
    bool used;
    int error;

    /* Where the disk is full a file whose making was cut off is of no use, and another may be. */
    do {
        used = spare->free_count > 0;
        error = prepare_one(spare, used, &want);
    } while (error == ERR_NO_SPACE && used && spare->free_count > 0);
    spare->error = error;
    spare->state = error == 0 ? SPARE_READY : SPARE_FAILED;
    pthread_mutex_unlock(&spare->mutex);
    spare->on_change(spare->context);
    pthread_mutex_lock(&spare->mutex);
}

/* Called and returns with the mutex held. What is under way is among those to be made until it is
 * done. */
static void make_reserve(struct spare *spare)
{
    struct spare_want want = spare->wanted;
    struct spare_file made = {.id = spare->next_id++};
    struct io_file *file;

    pthread_mutex_unlock(&spare->mutex);
    busy(spare);
    int error = create_fitting(spare, &made, &file, &want);
    spare->busy_since_ns = 0;
    if (error == 0) {
        spare->io->close(spare->io, file);
        error = spare_add(spare, made.id, made.size, false);
    }
    pthread_mutex_lock(&spare->mutex);
    spare->reserve = error == 0 && spare->reserve > 0 ? spare->reserve - 1 : 0;
}

static void remove_excess(struct spare *spare)
{
    char name[SEGMENT_NAME_SIZE_MAX];
    const struct spare_file *file = &spare->free_files[--spare->free_count];
    segment_name(file->id, name);
    spare->total_bytes -= file->size;
    spare->excess--;
    pthread_mutex_unlock(&spare->mutex);
    spare->io->remove(spare->io, name);
    pthread_mutex_lock(&spare->mutex);
}

static void *spare_main(void *context)
{
    struct spare *spare = context;

    pthread_mutex_lock(&spare->mutex);
    while (!spare->stop) {
        if (spare->state == SPARE_WANTED)
            prepare(spare);
        else if (spare->reserve > 0)
            make_reserve(spare);
        else if (spare->excess > 0 && spare->free_count > 0)
            remove_excess(spare);
        else
            pthread_cond_wait(&spare->work, &spare->mutex);
    }
    spare->ended = true;
    pthread_cond_broadcast(&spare->work);
    pthread_mutex_unlock(&spare->mutex);
    return NULL;
}

int spare_start(struct spare *spare)
{
    if (pthread_create(&spare->thread, NULL, spare_main, spare) != 0)
        return ERR_NOMEM;
    spare->started = true;
    return 0;
}

void spare_stop(struct spare *spare)
{
    pthread_mutex_lock(&spare->mutex);
    spare->stop = true;
    pthread_cond_signal(&spare->work);
    pthread_mutex_unlock(&spare->mutex);
}

int spare_add(struct spare *spare, uint32_t id, int64_t size, bool raw)
{
    int error = 0;
    pthread_mutex_lock(&spare->mutex);
    if (spare->free_count == spare->free_room) {
        size_t room = spare->free_room ? 2 * spare->free_room : 16;
        struct spare_file *grown = realloc(spare->free_files, room * sizeof(*grown));
        if (grown) {
            spare->free_files = grown;
            spare->free_room = room;
        } else {
            error = ERR_NOMEM;
        }
    }
    if (error == 0)
        spare->free_files[spare->free_count++] =
            (struct spare_file){.size = size, .id = id, .raw = raw};
    pthread_mutex_unlock(&spare->mutex);
    return error;
}

void spare_request(struct spare *spare, const struct spare_want *want)
{
    pthread_mutex_lock(&spare->mutex);
    if (spare->state == SPARE_NONE || spare->state == SPARE_FAILED) {
        spare->state = SPARE_WANTED;
        spare->wanted = *want;
        pthread_cond_signal(&spare->work);
    }
    pthread_mutex_unlock(&spare->mutex);
}

void spare_reserve(struct spare *spare, size_t files)
{
    pthread_mutex_lock(&spare->mutex);
    spare->reserve = files;
    pthread_cond_signal(&spare->work);
    pthread_mutex_unlock(&spare->mutex);
}

int spare_take(struct spare *spare, struct io_file **file, struct spare_file *taken)
{
    int result;
    pthread_mutex_lock(&spare->mutex);
    switch (spare->state) {
    case SPARE_READY:
        *file = spare->file;
        *taken = spare->ready;
        spare->file = NULL;
        spare->state = SPARE_NONE;
        result = 0;
        break;
    case SPARE_FAILED:
        spare->state = SPARE_NONE;
        result = spare->error;
        break;
    case SPARE_WANTED:
        result = ERR_AGAIN;
        break;
    default:
        result = ERR_NOT_FOUND;
        break;
    }
    pthread_mutex_unlock(&spare->mutex);
    return result;
}

bool spare_has_file(struct spare *spare)
{
    pthread_mutex_lock(&spare->mutex);
    bool has = spare->free_count > 0 || spare->state == SPARE_READY;
    pthread_mutex_unlock(&spare->mutex);
    return has;
}

int64_t spare_bytes(struct spare *spare, size_t *files)
{
    int64_t bytes = 0;
    pthread_mutex_lock(&spare->mutex);
    *files = spare->free_count;
    for (size_t i = 0; i < spare->free_count; i++)
        bytes += spare->free_files[i].size;
    if (spare->state == SPARE_READY || spare->state == SPARE_WANTED) {
        bytes += spare->state == SPARE_READY ? spare->ready.size : spare->wanted.bytes;
        ++*files;
    }
    pthread_mutex_unlock(&spare->mutex);
    return bytes;
}

void spare_trim(struct spare *spare, size_t files)
{
    pthread_mutex_lock(&spare->mutex);
    spare->excess = files;
    pthread_cond_signal(&spare->work);
    pthread_mutex_unlock(&spare->mutex);
}
