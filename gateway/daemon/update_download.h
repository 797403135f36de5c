/* Gets a bundle from an https address, by the program curl, so that a hostile server meets a
 * process of its own. */
#ifndef SLUICE_DAEMON_UPDATE_DOWNLOAD_H
#define SLUICE_DAEMON_UPDATE_DOWNLOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/update_rauc.h"

struct update_download {
    const char *url;
    int (*store)(void *context, const char *data, size_t size); /* 0, or an error that ends it; with
                                                                    a size of 0 each second */
    void (*size)(void *context, int64_t size);                  /* the whole, once it is known */
    void *context;
};

/* Whether it is an address that may be asked: https, and nothing that does not belong into one. */
bool update_download_valid(const char *url);

/* Waits for its end. 0; ERR_REFUSED with a sentence in `words`; or the error of `store`. */
int update_download(const struct update_download *download, char words[UPDATE_WORDS_SIZE]);

#endif
