/*
 * Stored events as lines of text, by time and filter: what `sluice tail` and `sluice replay` print,
 * and what the API streams. Works on the daemon's journal and on one opened read-only.
 */
#ifndef SLUICE_WEB_FEED_H
#define SLUICE_WEB_FEED_H

#include "core/text.h"
#include "journal/journal.h"

struct feed;

#define FEED_REFUSAL_SIZE 160
#define FEED_NAMES_SIZE   448

enum feed_format { FEED_JSON, FEED_CSV };

struct feed_query {
    int64_t from_ns,
        to_ns;       /* wall time, from inclusive to exclusive; INT64_MIN / INT64_MAX: unbounded */
    uint64_t from_n; /* 0: by from_ns */
    const char *device; /* NULL: all; copied */
    const char *point;  /* NULL: all; copied */
    uint32_t kinds;     /* bit per enum event_kind; 0: all but declarations */
    uint64_t limit;     /* lines; 0: no limit */
    bool follow;        /* go on with what comes; else end at what is durable at the start */
    bool newest;        /* begin behind the newest event */
    enum feed_format format;
    struct feed_names *names; /* that the asked device and point had before; NULL: none is known */
};

/* Earlier names of a device and a point, found once for a question that a hundred thousand streams
 * are held against. NULL without memory; feed_names_close(NULL) is fine. */
struct feed_names *feed_names_open(void);
void feed_names_close(struct feed_names *names);

/* Adds one, which is copied; `point` NULL: any, and then so in all. Without memory some are
 * missing.
 */
void feed_names_add(struct feed_names *names, const char *device, const char *point);

/* Adds that a device had that name, where only some of its points are asked for. */
void feed_names_add_device(struct feed_names *names, const char *device);

/* Sorts what was added: before it is looked into. */
void feed_names_finish(struct feed_names *names);

/* Adds the names that a device and a point (either may be NULL, not both) had before. */
typedef void feed_was_fn(void *context, const char *device, const char *point,
                         struct feed_names *names);

/* Has `was` tell the earlier names of what the query asks for; nothing where it is NULL. */
void feed_names_ask(struct feed_query *query, feed_was_fn *was, void *context);

/* Whether the stream has one of the names. `names` may be NULL. */
bool feed_names_has(const struct feed_names *names, const struct stream *stream);

/* ERR_NOMEM, or the reader's error. The names of the query are the feed's then, also where that
 * fails. */
int feed_open(struct feed **feed, struct journal *journal, const struct feed_query *query);
void feed_close(struct feed *feed);

/* The number of the event that is looked at next: all before it, from where the feed began, were. */
uint64_t feed_position(const struct feed *feed);

/*
 * Writes whole lines to `out`, as many as fit, and returns the bytes; 0 when there is nothing at
 * present (only when following); negative: ERR_CLOSED at the end, or the reader's error. `room`
 * must hold a line: FEED_LINE_SIZE_MAX.
 */
#define FEED_LINE_SIZE_MAX (6 * EVENT_VALUE_SIZE_MAX + 512)
int64_t feed_read(struct feed *feed, char *out, size_t room);

/* Whether a stream is of the device and point (NULL: any) that the query means by these ids, now or
 * before. */
bool feed_asks(const struct feed_query *query, const struct stream *stream, const char *device,
               const char *point);

/*
 * Whether the journal has the device and the point that the query names (earlier names count), so
 * that a mistyped one is told from one that has nothing to say. Returns 0; ERR_NOT_FOUND with a
 * sentence that names the nearest, or those that there are.
 */
int feed_find(const struct journal *journal, const struct feed_query *query,
              char sentence[FEED_NAMES_SIZE]);

/* "reading,gap" to the bits of feed_query.kinds; NULL and "" add none. 0, or ERR_INVALID for a kind
 * that is none. */
int feed_parse_kinds(const char *text, uint32_t *kinds);

/* One event as a JSON object without line end, as in the published "events", with the epoch.
 * `stream` may be NULL. */
void feed_event_json(struct text *text, const struct event *event, const struct stream *stream);

/* The same for a person: with "unit", and with what the number stands for in "text" (NULL: none).
 */
void feed_event_words(struct text *text, const struct event *event, const struct stream *stream,
                      const char *stands_for);

/* Says in words what kept journal_state_at from an answer; ERR_NOT_FOUND with the time from which
 * on there is one. Any thread. */
void feed_state_refusal(const struct journal *journal, int error, char sentence[FEED_REFUSAL_SIZE]);

#endif
