/* Reads durable events in order of n. Any number of readers; each is used by one thread at a time.
 */
#ifndef SLUICE_JOURNAL_READER_H
#define SLUICE_JOURNAL_READER_H

#include "journal/journal.h"

struct reader;

/* Begins at event n (0: at the oldest). ERR_NOMEM. Close it before the journal; NULL is fine. */
int reader_open(struct reader **reader, struct journal *journal, uint64_t n);
void reader_close(struct reader *reader);

/*
 * The next event. Returns 1 with *event filled (its data is valid until the next call), 0 when
 * there is none that is durable yet, or an error. Where stored events are missing (retired, or
 * damaged) it returns one EVENT_GAP with n == 0 whose value says which are missing, then goes on
 * behind them.
 */
int reader_next(struct reader *reader, struct event *event);

/* Where it stands: the n that it looks for next. reader_seek moves there. */
uint64_t reader_position(const struct reader *reader);
void reader_seek(struct reader *reader, uint64_t n);

/*
 * Goes to the first event at or after the wall time, to the end where there is none. Where the
 * clock was set back behind it, events of before that time may follow. 0 or an error.
 */
int reader_seek_time(struct reader *reader, int64_t wall_ns);

/* Goes behind the last event of before the wall time, however often the clock was set back: to the
 * first at or after it of those that no earlier one follows. 0 or an error. */
int reader_seek_behind(struct reader *reader, int64_t wall_ns);

/*
 * Goes to about event n without reading what is before it: to the first event of a commit that is
 * found near the place where n would be if all events were of one size. For whoever looks at a part
 * of many events. reader_position tells where that is; at most one past the newest. 0 or an error.
 */
int reader_sample(struct reader *reader, uint64_t n);

/*
 * Opens a journal's folder without a writer and without changing it: for `sluice journal`, `replay`
 * and `state` beside a running daemon or after its end. It shows what there was at the time of the
 * call. Only readers, journal_state_at, stats and look-ups work on it. Errors as of journal_open.
 */
int journal_open_read_only(struct journal **journal, const struct io *io);

/* Reads every frame of every segment and tells what is wrong. Returns the number of faults, or an
 * error. */
int journal_verify(const struct io *io,
                   void (*tell)(void *context, const char *segment, int64_t offset,
                                const char *sentence),
                   void *context);

#endif
