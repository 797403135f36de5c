/* Where the page listens: ports that are tried, and tried again. Used by page.c only. */
#ifndef SLUICE_DAEMON_PAGE_PLACES_H
#define SLUICE_DAEMON_PAGE_PLACES_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/text.h"
#include "daemon/page_certificate.h"

struct config_web; /* config/config.h */
struct door;       /* web/door.h */

#define PAGE_ADDRESSES_MAX 14

/* One kind of listener, for HTTPS or for HTTP, at each address. */
struct page_port {
    uint16_t wanted; /* 0: `usual`, else `other` */
    uint16_t usual, other;
    uint16_t port; /* that it has; 0: none */
    bool bound[PAGE_ADDRESSES_MAX];
    bool told; /* why not, in the log */
};

/* All zero: nothing is wanted. Bytes that are not used are zero, so that two can be compared. */
struct page_places {
    char addresses[PAGE_ADDRESSES_MAX][INET6_ADDRSTRLEN]; /* none: all of the machine's */
    size_t count;
    bool redirect;
    uint16_t https, http; /* as configured */
};

struct page_listening {
    struct page_places places;
    struct page_port https, http;
    char error[PAGE_SENTENCE_SIZE]; /* why the page cannot be reached as it should; "" */
};

void page_places_of(struct page_places *places, const struct config_web *web);

/* Begins anew with these places; nothing listens yet. */
void page_places_begin(struct page_listening *listening, const struct page_places *places);

/* Tries what does not listen yet. True when all of it does. */
bool page_places_try(struct page_listening *listening, struct door *door);

/* Writes what people type to reach the page, each with `quote` ("" or "\"") around it, and commas.
 */
void page_places_urls(const struct page_listening *listening, struct text *text, const char *quote);

#endif
