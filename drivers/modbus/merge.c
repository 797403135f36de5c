#include "modbus/merge.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"

int64_t merge_cost_ns(const struct merge_terms *terms, uint32_t count)
{
    uint32_t bytes = terms->bits ? (count + 7) / 8 : 2 * count;

    return terms->fixed_ns + terms->byte_ns * bytes;
}

static uint32_t end_of(const struct merge_span *span)
{
    return (uint32_t)span->address + span->count;
}

/* The best read that ends with span `last`; costs[i] is what the spans before i cost. Returns what
 * all up to it cost. */
static int64_t best_read(const struct merge_terms *terms, const struct merge_span *spans,
                         uint32_t last, const int64_t *costs, struct merge_read *read)
{
    uint32_t end = end_of(&spans[last]);
    int64_t best_ns = INT64_MAX;

    for (uint32_t first = last + 1; first-- > 0;) {
        const struct merge_span *span = &spans[first];
        uint32_t size;

        if (span->barriers != spans[last].barriers)
            break;
        if (end_of(span) > end)
            end = end_of(span);
        size = end - span->address;
        if (first < last && size > terms->limit)
            break;
        int64_t cost_ns = costs[first] + merge_cost_ns(terms, size);
        if (cost_ns > best_ns)
            continue;
        best_ns = cost_ns;
        *read = (struct merge_read){first, last - first + 1, span->address, (uint16_t)size};
    }
    return best_ns;
}

int merge_spans(const struct merge_terms *terms, const struct merge_span *spans, uint32_t count,
                struct merge_read *reads)
{
    struct merge_terms widened = *terms;
    int64_t *costs = malloc((count + 1) * sizeof *costs);
    uint32_t at = count, left = count;

    if (!costs)
        return ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        if (spans[i].count > widened.limit)
            widened.limit = spans[i].count;
    }
    costs[0] = 0;
    for (uint32_t i = 0; i < count; i++)
        costs[i + 1] = best_read(&widened, spans, i, costs, &reads[i]);
    free(costs);
    /* Back from the end, which leaves the reads that are taken at the end of the array. */
    while (left > 0) {
        reads[--at] = reads[left - 1];
        left = reads[at].first;
    }
    memmove(reads, reads + at, (count - at) * sizeof *reads);
    return (int)(count - at);
}
