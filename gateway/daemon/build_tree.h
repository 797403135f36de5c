/* Where a program finds its data that lies elsewhere than it was built for: run where it was built,
 * before it is installed, or installed below another folder. */
#ifndef SLUICE_DAEMON_BUILD_TREE_H
#define SLUICE_DAEMON_BUILD_TREE_H

#include <limits.h>
#include <stdbool.h>

/*
 * Whether this program lies in a build folder of CMake (a folder above it has a CMakeCache.txt
 * whose source has that folder): then `path` is the folder `name` of the source tree
 * ("drivers/profiles"), else "". Any thread.
 */
bool build_tree_folder(const char *name, char path[PATH_MAX]);

/* Whether this program lies in PREFIX/bin or PREFIX/sbin and there is PREFIX/share/sluice/NAME:
 * then `path` is that, else "". Any thread. */
bool installed_folder(const char *name, char path[PATH_MAX]);

#endif
