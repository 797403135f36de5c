/*
 * The page over the network: its certificate, the ports it listens on, and the door behind them, as
 * "web" of the configuration says. What cannot be had is told and tried again; nothing of it keeps
 * the gateway from its work.
 */
#ifndef SLUICE_DAEMON_PAGE_H
#define SLUICE_DAEMON_PAGE_H

#include "config/config.h"
#include "core/clock.h"
#include "core/text.h"

struct api;  /* web/api.h */
struct loop; /* core/loop.h */
struct page;

struct page_options {
    struct api *api;
    struct loop *loop;
    const struct clock *clock;
    const char *state_path;
};

/* Before anybody can connect to the API, and on the loop's thread, as all that follows. What the
 * options point to outlives it. ERR_NOMEM. */
int page_open(struct page **page, const struct page_options *options);

/* Makes the page as the configuration says, which may go afterwards. What is the same goes on. */
void page_apply(struct page *page, const struct config *config);

/* Reads the certificate's files again, as after they were replaced. */
void page_reload_certificate(struct page *page);

/* How long the page's thread has owed a sign of life, as door_silent_ns; 0 where there is no page.
 * On the loop's thread. NULL is fine. */
int64_t page_silent_ns(struct page *page);

/* Writes the object "web" of the status. Any thread. */
void page_status(struct page *page, struct text *text);

/* Ends all connections: before the API ends. NULL is fine. */
void page_stop(struct page *page);

/* After the API has ended. NULL is fine. */
void page_close(struct page *page);

#endif
