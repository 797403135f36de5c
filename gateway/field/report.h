/*
 * Report by exception: which readings of a point are stored. What is remembered of a point takes 16
 * bytes, as there may be a hundred thousand of them. Pure: no clock, nothing allocated.
 */
#ifndef SLUICE_FIELD_REPORT_H
#define SLUICE_FIELD_REPORT_H

#include "core/event.h"
#include "core/site.h"

#define REPORT_TEXT_MAX 256 /* bytes; a longer text counts as changed, and is never held back */

struct report_text {
    uint16_t size;
    uint8_t bytes[REPORT_TEXT_MAX];
};

union report_content {
    bool b;
    int64_t i;
    uint64_t u;
    double f;
    struct report_text *text; /* of points whose values are text or bytes, for the point's life */
};

/* What was last stored of a point. All zero: nothing yet. */
struct report_memory {
    union report_content content;
    uint64_t
        stored_ms : 42; /* monotonic, rounded up: enough for 139 years since the machine's start */
    uint64_t status : 16;
    uint64_t type : 3; /* enum value_type of what `content` holds */
    uint64_t known : 1;
    uint64_t held : 1;    /* the sink's: a newer reading waits for the end of at_most */
    uint64_t pending : 1; /* the sink's, not known: a bad reading of `status`, taken at stored_ms,
                             waits for room in the journal's ring */
};

enum report_verdict {
    REPORT_STORE,
    REPORT_DROP, /* as good as the one stored before: what was held back is out of date, too */
    REPORT_HOLD, /* to be stored when the point's at_most has passed, unless a newer one comes */
};

/* Whether a status stands for a reading without a value. */
bool report_is_bad(uint16_t status);

/* Whether values of the type are kept in a struct report_text. */
bool report_is_text(uint8_t type);

/* The status of a reading once its point's plausible range, and the numbers that it has texts for,
 * are looked at; `status` unless that is good. */
uint16_t report_status(const struct site_point *point, const struct value *value, uint16_t status);

/*
 * Whether a device hardly has the points that it is read for, so that it may be another model:
 * `fits` of them are there with a value that can be; `misfits` are not there, or are implausible;
 * `left` is how many there are besides these, whatever is known of them.
 */
bool report_hardly_fits(size_t fits, size_t misfits, size_t left);

/*
 * Judges a reading against what was last stored (not last read: so that a value that creeps cannot
 * stay within its dead band for ever). In this order: the first reading, and one of another status
 * than the stored one, is stored. With on_change a reading that does not differ is dropped, until
 * at_least has passed. What is left is held within at_most.
 *
 * Numbers differ when they are further apart than the dead band; NaN is like NaN and unlike any
 * number. Booleans and texts differ when they are not equal.
 */
enum report_verdict report_judge(const struct report_memory *memory, const struct site_point *point,
                                 int64_t mono_ns, const struct value *value, uint16_t status);

/*
 * The reading was stored at the monotonic time given. A value that is text where the point's type
 * is not, or the other way round, is not remembered: the next one differs.
 */
void report_remember(struct report_memory *memory, const struct site_point *point, int64_t mono_ns,
                     const struct value *value, uint16_t status);

/* When a reading that is held back is due. */
int64_t report_due_ns(const struct report_memory *memory, const struct site_point *point);

#endif
