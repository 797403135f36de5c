#include "field/report.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "core/clock.h"
#include "core/status.h"

/* The widths of the fields, for the compiler's peace. */
#define STORED_MS_MASK ((UINT64_C(1) << 42) - 1)
#define TYPE_MASK      0x7u

#define MISFITS_MIN   3 /* that few are no other model yet */
#define MISFITS_SHARE 4 /* a quarter that fits may fit by accident */

_Static_assert(sizeof(struct report_memory) == 16, "a point's memory grew");

bool report_is_bad(uint16_t status)
{
    return (status & 0x8000) != 0;
}

bool report_is_text(uint8_t type)
{
    return type == VALUE_TEXT || type == VALUE_BYTES;
}

/* Whether a whole number is among those that the point has texts for; any is where it has none. */
static bool is_listed(const struct site_point *point, const struct value *value)
{
    int64_t number = value->type == VALUE_U64 ? (int64_t)value->u : value->i;

    if (point->enum_count == 0 || (value->type != VALUE_I64 && value->type != VALUE_U64))
        return true;
    for (size_t i = 0; i < point->enum_count; i++) {
        if (point->enums[i].value == number)
            return value->type == VALUE_I64 || value->u <= INT64_MAX;
    }
    return false;
}

/* Integers beyond 2^53 are rounded, which makes no difference to what is plausible. */
uint16_t report_status(const struct site_point *point, const struct value *value, uint16_t status)
{
    double number;

    if (status == STATUS_GOOD && !is_listed(point, value))
        return STATUS_IMPLAUSIBLE;
    if (status != STATUS_GOOD || !(point->minimum < point->maximum))
        return status;
    if (value->type == VALUE_F64)
        number = value->f;
    else if (value->type == VALUE_I64)
        number = (double)value->i;
    else if (value->type == VALUE_U64)
        number = (double)value->u;
    else
        return status;
    return number < point->minimum || number > point->maximum ? STATUS_IMPLAUSIBLE : status;
}

bool report_hardly_fits(size_t fits, size_t misfits, size_t left)
{
    return misfits > 0 &&
           (fits + left == 0 || (misfits >= MISFITS_MIN && fits * MISFITS_SHARE <= fits + misfits));
}

static double magnitude(double number)
{
    return number < 0 ? -number : number;
}

static double band_at(const struct option_band *band, double stored)
{
    return band->percent ? magnitude(stored) * band->width / 100 : band->width;
}

/* A scaled register is no exact binary fraction: 20.3 - 19.8 must count as 0.5. */
static bool same_double(const struct option_band *band, double stored, const struct value *value)
{
    double read = value->f;
    double epsilon = value->decimals == DECIMALS_SHORTEST_F32 ? FLT_EPSILON : DBL_EPSILON;
    double larger = magnitude(stored) > magnitude(read) ? magnitude(stored) : magnitude(read);

    if (stored == read || (isnan(stored) && isnan(read)))
        return true;
    if (band->width <= 0 || !isfinite(stored) || !isfinite(read))
        return false;
    return magnitude(read - stored) <= band_at(band, stored) + 2 * epsilon * larger;
}

static bool same_text(const struct report_text *stored, const struct value *value)
{
    return stored && value->size == stored->size &&
           (value->size == 0 || memcmp(stored->bytes, value->data, value->size) == 0);
}

static bool same(const struct report_memory *memory, const struct option_band *band,
                 const struct value *value)
{
    uint64_t apart;

    if (memory->type != value->type)
        return false;
    switch ((enum value_type)value->type) {
    case VALUE_NONE:
        return true;
    case VALUE_BOOL:
        return memory->content.b == value->b;
    case VALUE_I64:
        apart = value->i > memory->content.i ? (uint64_t)value->i - (uint64_t)memory->content.i
                                             : (uint64_t)memory->content.i - (uint64_t)value->i;
        return apart == 0 || (double)apart <= band_at(band, (double)memory->content.i);
    case VALUE_U64:
        apart = value->u > memory->content.u ? value->u - memory->content.u
                                             : memory->content.u - value->u;
        return apart == 0 || (double)apart <= band_at(band, (double)memory->content.u);
    case VALUE_F64:
        return same_double(band, memory->content.f, value);
    case VALUE_TEXT:
    case VALUE_BYTES:
        return same_text(memory->content.text, value);
    case VALUE_GAP:
        break;
    }
    return false;
}

static int64_t stored_ns(const struct report_memory *memory)
{
    return (int64_t)memory->stored_ms * NS_PER_MS;
}

enum report_verdict report_judge(const struct report_memory *memory, const struct site_point *point,
                                 int64_t mono_ns, const struct value *value, uint16_t status)
{
    bool at_least = point->at_least_ns > 0 && mono_ns - stored_ns(memory) >= point->at_least_ns;

    if (!memory->known || memory->status != status)
        return REPORT_STORE;
    if (point->on_change && (report_is_bad(status) || same(memory, &point->dead_band, value)))
        return at_least ? REPORT_STORE : REPORT_DROP;
    if (point->at_most_ns == 0 || mono_ns >= report_due_ns(memory, point))
        return REPORT_STORE;
    return report_is_text(value->type) && value->size > REPORT_TEXT_MAX ? REPORT_STORE
                                                                        : REPORT_HOLD;
}

/* A text's room belongs to the point and outlives what is in it. */
static void keep_text(struct report_memory *memory, const struct value *value)
{
    struct report_text *text = memory->content.text;

    if (!text || value->size > REPORT_TEXT_MAX) {
        memory->type = VALUE_NONE;
        return;
    }
    text->size = value->size;
    if (value->size > 0)
        memcpy(text->bytes, value->data, value->size);
}

void report_remember(struct report_memory *memory, const struct site_point *point, int64_t mono_ns,
                     const struct value *value, uint16_t status)
{
    bool alike = report_is_text(point->type) == report_is_text(value->type);

    memory->known = true;
    memory->status = status;
    memory->stored_ms = (uint64_t)((mono_ns + NS_PER_MS - 1) / NS_PER_MS) & STORED_MS_MASK;
    memory->type = (alike ? value->type : VALUE_NONE) & TYPE_MASK;
    switch ((enum value_type)memory->type) {
    case VALUE_BOOL:
        memory->content.b = value->b;
        break;
    case VALUE_I64:
        memory->content.i = value->i;
        break;
    case VALUE_U64:
        memory->content.u = value->u;
        break;
    case VALUE_F64:
        memory->content.f = value->f;
        break;
    case VALUE_TEXT:
    case VALUE_BYTES:
        keep_text(memory, value);
        break;
    case VALUE_NONE:
    case VALUE_GAP:
        break;
    }
}

int64_t report_due_ns(const struct report_memory *memory, const struct site_point *point)
{
    return stored_ns(memory) + point->at_most_ns;
}
