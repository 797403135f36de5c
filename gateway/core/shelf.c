#include "core/shelf.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "core/error.h"
#include "core/save.h"

#define SUFFIX ".tar.gz"

/* POSIX.1-2017, pax, "ustar Interchange Format": what of a header counts here. */
#define BLOCK     512
#define NAME_SIZE 100
enum place { AT_NAME = 0, AT_SIZE = 124, AT_TYPE = 156, AT_MAGIC = 257 };
#define SIZE_DIGITS 11

/* An archive that is read from its beginning to its end, and the file that it is at. */
struct shelf {
    gzFile file;
    char name[NAME_SIZE + 1];
    size_t size, left; /* of it; with what fills its last block up */
};

static int shelf_open(struct shelf *shelf, const char *archive)
{
    memset(shelf, 0, sizeof *shelf);
    if (access(archive, R_OK) != 0)
        return ERR_NOT_FOUND;
    shelf->file = gzopen(archive, "rbe");
    return shelf->file ? 0 : ERR_NOMEM;
}

static bool take(struct shelf *shelf, void *data, size_t size)
{
    return gzread(shelf->file, data, (unsigned)size) == (int)size;
}

static bool parse_size(const char *digits, size_t *size)
{
    *size = 0;
    for (int i = 0; i < SIZE_DIGITS; i++) {
        if (digits[i] < '0' || digits[i] > '7')
            return false;
        *size = *size * 8 + (size_t)(digits[i] - '0');
    }
    return *size <= SHELF_FILE_SIZE_MAX;
}

/* What is left behind the last file, up to the checksum of the whole. */
static int shelf_end(struct shelf *shelf)
{
    char rest[BLOCK];
    int got;

    while ((got = gzread(shelf->file, rest, sizeof rest)) > 0)
        ;
    return got < 0 ? ERR_CORRUPT : 0;
}

/* Goes to the next file. 1, 0 at the end, ERR_CORRUPT. */
static int shelf_next(struct shelf *shelf)
{
    char header[BLOCK];

    do {
        if (shelf->left && gzseek(shelf->file, (z_off_t)shelf->left, SEEK_CUR) < 0)
            return ERR_CORRUPT;
        if (!take(shelf, header, sizeof header))
            return ERR_CORRUPT;
        if (header[AT_NAME] == '\0') /* a block of zeros ends it */
            return shelf_end(shelf);
        if (memcmp(header + AT_MAGIC, "ustar", 5) != 0 ||
            !parse_size(header + AT_SIZE, &shelf->size))
            return ERR_CORRUPT;
        memcpy(shelf->name, header + AT_NAME, NAME_SIZE);
        shelf->left = (shelf->size + BLOCK - 1) / BLOCK * BLOCK;
    } while (header[AT_TYPE] != '0'); /* a folder, for one */
    return 1;
}

/* Reads the file that it is at. 0, ERR_CORRUPT, ERR_NOMEM, ERR_TOO_LARGE. */
static int shelf_take(struct shelf *shelf, size_t size_max, char **data, size_t *size)
{
    if (shelf->size > size_max)
        return ERR_TOO_LARGE;
    char *text = malloc(shelf->size + 1);
    if (!text)
        return ERR_NOMEM;
    if (!take(shelf, text, shelf->size)) {
        free(text);
        return ERR_CORRUPT;
    }
    text[shelf->size] = '\0';
    shelf->left -= shelf->size;
    *data = text;
    *size = shelf->size;
    return 0;
}

/* Opens the nearest archive that stands for a folder above `path`, at the file that `path` names.
 * 0, ERR_NOT_FOUND, or an error as above. */
static int shelf_find(struct shelf *shelf, const char *path)
{
    char archive[PATH_MAX];
    int error = ERR_NOT_FOUND;
    size_t cut = strlen(path);

    while (error == ERR_NOT_FOUND && cut > 0) {
        while (cut > 0 && path[--cut] != '/')
            ;
        if (cut > 0 && cut + sizeof SUFFIX <= sizeof archive) {
            snprintf(archive, sizeof archive, "%.*s" SUFFIX, (int)cut, path);
            error = shelf_open(shelf, archive);
        }
    }
    if (error)
        return error;
    int got;
    while ((got = shelf_next(shelf)) > 0 && strcmp(shelf->name, path + cut + 1) != 0)
        ;
    if (got > 0)
        return 0;
    gzclose(shelf->file);
    return got < 0 ? got : ERR_NOT_FOUND;
}

bool shelf_has(const char *path)
{
    struct shelf shelf;

    if (access(path, F_OK) == 0)
        return true;
    if (shelf_find(&shelf, path) != 0)
        return false;
    gzclose(shelf.file);
    return true;
}

int shelf_read(const char *path, size_t size_max, char **data, size_t *size)
{
    struct shelf shelf;
    int error = save_read(path, size_max, data, size);

    if (error != ERR_NOT_FOUND || shelf_find(&shelf, path) != 0)
        return error;
    error = shelf_take(&shelf, size_max, data, size);
    gzclose(shelf.file);
    return error;
}

int shelf_each(const char *folder,
               int (*each)(void *context, const char *name, const char *text, size_t size),
               void *context)
{
    char archive[PATH_MAX], *text = NULL;
    struct shelf shelf;
    size_t size = 0;
    int got;

    if (snprintf(archive, sizeof archive, "%s" SUFFIX, folder) >= PATH_MAX)
        return ERR_NOT_FOUND;
    int error = shelf_open(&shelf, archive);
    if (error)
        return error;
    while (!error && (got = shelf_next(&shelf)) != 0) {
        error = got < 0 ? got : shelf_take(&shelf, SHELF_FILE_SIZE_MAX, &text, &size);
        if (!error) {
            error = each(context, shelf.name, text, size);
            free(text);
        }
    }
    int closing = gzclose(shelf.file); /* tells of one that breaks off */
    return !error && closing != Z_OK ? ERR_CORRUPT : error;
}
