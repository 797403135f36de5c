/* A folder of a test's own, with all that is in it. */
#ifndef SLUICE_TEST_TREE_H
#define SLUICE_TEST_TREE_H

#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

static int tree_entry(const char *path, const struct stat *stat, int type, struct FTW *walk)
{
    (void)stat;
    (void)type;
    (void)walk;
    return remove(path);
}

/* Removes it; links are not followed. 0, or -1 with errno. */
static inline int tree_remove(const char *folder)
{
    return nftw(folder, tree_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
