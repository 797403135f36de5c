#include "node/core/filter.h"

#include <string.h>

void filter_clear(struct filter *filter)
{
    memset(filter, 0, sizeof *filter);
}

/* Of the last `width` readings, an odd number that are held. */
static int32_t median_of(const struct filter *filter, unsigned width)
{
    int32_t sorted[FILTER_WINDOW];

    for (unsigned i = 0; i < width; i++) {
        int32_t reading = filter->window[(filter->next + FILTER_WINDOW - 1u - i) % FILTER_WINDOW];
        unsigned at = i;

        for (; at > 0 && sorted[at - 1] > reading; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = reading;
    }
    return sorted[width / 2];
}

int32_t filter_add(struct filter *filter, unsigned median, unsigned low_pass, int32_t reading)
{
    unsigned width = 1 + 2 * median;
    int32_t calm;

    filter->window[filter->next] = reading;
    filter->next = (uint8_t)((filter->next + 1) % FILTER_WINDOW);
    filter->held = (uint8_t)(filter->held + (filter->held < FILTER_WINDOW));
    while (width > filter->held)
        width -= 2;
    calm = median_of(filter, width);
    if (filter->held == 1)
        filter->mean = calm * 256;
    filter->mean += (calm * 256 - filter->mean) / (1 << low_pass);
    return (filter->mean + (filter->mean < 0 ? -128 : 128)) / 256;
}
