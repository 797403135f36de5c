/*
 * Files that come with the program and may stand in an archive, where a folder of them would take
 * several times the room: FOLDER/NAME is the file of that name, and where there is no such file the
 * one in FOLDER.tar.gz. Any thread.
 */
#ifndef SLUICE_CORE_SHELF_H
#define SLUICE_CORE_SHELF_H

#include <stdbool.h>
#include <stddef.h>

#define SHELF_FILE_SIZE_MAX (4 * 1024 * 1024) /* of a file in an archive */

/* Whether there is such a file, by itself or in an archive. */
bool shelf_has(const char *path);

/* As save_read (core/save.h): *data is the caller's to free. ERR_CORRUPT for an archive that cannot
 * be read. */
int shelf_read(const char *path, size_t size_max, char **data, size_t *size);

/*
 * Calls `each` for the files of FOLDER.tar.gz, in its order, with the name that they have below
 * FOLDER, as long as it returns 0; `text` is valid during the call. Returns 0, what `each`
 * returned, ERR_NOT_FOUND where there is no archive, ERR_CORRUPT, ERR_NOMEM.
 */
int shelf_each(const char *folder,
               int (*each)(void *context, const char *name, const char *text, size_t size),
               void *context);

#endif
