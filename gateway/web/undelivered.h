/* What a configuration leaves undelivered: events that wait for an uplink which it has not any
 * more. */
#ifndef SLUICE_WEB_UNDELIVERED_H
#define SLUICE_WEB_UNDELIVERED_H

struct journal;     /* journal/journal.h */
struct json;        /* config/json.h */
struct json_writer; /* config/json_write.h */

/*
 * Writes a list of {"uplink","events"} under the key "undelivered": of each uplink with a place in
 * the journal that the configuration neither has nor renames (`was`), where events wait for it.
 * They stay in the journal, but nobody goes on with them once such a configuration is for good. Any
 * thread.
 */
void undelivered_write(struct json_writer *writer, const struct journal *journal,
                       const struct json *config);

#endif
