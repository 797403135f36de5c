/* A program that is run where it was built, before it is installed: it finds the data of the source
 * tree. */
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

#endif
