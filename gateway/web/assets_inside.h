/* The files of the page as the build embeds them. */
#ifndef SLUICE_WEB_ASSETS_INSIDE_H
#define SLUICE_WEB_ASSETS_INSIDE_H

#include <stdbool.h>
#include <stddef.h>

struct asset {
    const char *path; /* "/assets/app-LSG3PMFO.js"; NULL ends the list */
    const char *type, *tag;
    bool compressed; /* by gzip */
    const unsigned char *bytes;
    size_t size;
};

extern const struct asset assets_list[];

#endif
