#include "cli/patience.h"

#include <stdio.h>
#include <time.h>

#include "config/quantity.h"
#include "core/clock.h"

bool patience_begin(struct patience *patience, const char *text, const char *command)
{
    char why[160];
    int64_t for_ns = 0;

    *patience = (struct patience){.until_ns = 0};
    if (!text)
        return true;
    if (quantity_duration(text, &for_ns, why, sizeof why) || for_ns < 0) {
        fprintf(stderr, "%s: --wait %s: a time is expected, as 30s or 10m\n", command, text);
        return false;
    }
    patience->until_ns = clock_mono(&clock_system) + for_ns;
    return true;
}

bool patience_go_on(const struct patience *patience)
{
    int64_t left_ns = patience->until_ns - clock_mono(&clock_system);
    int64_t rest_ns = left_ns < NS_PER_S ? left_ns : NS_PER_S;

    if (patience->until_ns == 0 || left_ns <= 0)
        return false;
    nanosleep(&(struct timespec){.tv_sec = (time_t)(rest_ns / NS_PER_S),
                                 .tv_nsec = (long)(rest_ns % NS_PER_S)},
              NULL);
    return true;
}
