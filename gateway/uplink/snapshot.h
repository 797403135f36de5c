/*
 * The retained messages, which are snapshots and no events: status, meta, ledger; and those of the
 * layout "values". See docs/mqtt.md. Pure; each writes one payload, and `cut` of the text tells
 * that it did not fit.
 */
#ifndef SLUICE_UPLINK_SNAPSHOT_H
#define SLUICE_UPLINK_SNAPSHOT_H

#include "core/site.h"
#include "core/text.h"
#include "journal/cursor.h"
#include "journal/journal.h"

/* `why` NULL: online. `since_ns` only where it is online. */
void snapshot_status(struct text *text, uint64_t session, int64_t since_ns, const char *why);

void snapshot_meta(struct text *text, const struct site *site, uint32_t epoch,
                   const struct journal_previous *previous, int64_t cert_until_s);

void snapshot_device(struct text *text, const struct site_device *device);

/* A device of another program, by what the journal has declared of it. */
void snapshot_produced(struct text *text, const struct journal *journal, const char *device);

/* Reads the journal's figures itself. */
void snapshot_ledger(struct text *text, const struct journal *journal);

/* {"schema":1,"t":...,"v":...,"q":"good","unit":"kW","key":"9f2c61d0-48226"} */
void snapshot_value(struct text *text, const struct event *event, const struct stream *stream,
                    bool uncertain);

void snapshot_mark(struct text *text, uint32_t epoch, const char *uplink, uint64_t first,
                   uint64_t last, uint32_t count);

#endif
