/*
 * What root makes in the folder of another user belongs to that user: so a gateway that somebody
 * runs by hand leaves nothing behind that the service, which is another user, cannot read. For all
 * others, and where giving away is not permitted, a file stays its maker's. Any thread.
 */
#ifndef SLUICE_CORE_HEIR_H
#define SLUICE_CORE_HEIR_H

#include <sys/types.h>

/* Of a file that was just made in the folder `folder_fd`. */
void heir_file(int fd, int folder_fd);

/* The same by the file's path. */
void heir_path(int fd, const char *path);

/* Makes a folder. 0, also where it is there, or an error. */
int heir_mkdir(const char *path, mode_t mode);

#endif
