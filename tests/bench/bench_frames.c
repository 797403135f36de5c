/*
 * How many wrong values come of a million replies of a line that does all it may do wrong. Prints
 * one JSON object. bench_frames [REPLIES [SEED]]; what is wrong is told with its seed.
 */
#include <inttypes.h>

#include "unit/adversary.h"

static const char *const names[] = {
    [ADVERSARY_RTU_SERIAL] = "rtu",     [ADVERSARY_RTU_NETWORK] = "rtu_over_tcp",
    [ADVERSARY_ASCII_SERIAL] = "ascii", [ADVERSARY_ASCII_NETWORK] = "ascii_over_tcp",
    [ADVERSARY_MBAP] = "tcp",
};

/* Returns how many were wrong. */
static uint64_t survive(enum adversary_line line, uint64_t replies, uint64_t seed, uint64_t *good,
                        uint64_t *by_chance)
{
    static struct adversary adversary;

    adversary_start(&adversary, line, seed);
    while (adversary.replies < replies)
        adversary_ask(&adversary);
    if (adversary.wrong)
        fprintf(stderr, "%s: %" PRIu64 " wrong of %" PRIu64 " replies, seed %" PRIu64 "\n",
                names[line], adversary.wrong, adversary.replies, seed);
    *good += adversary.good;
    *by_chance += adversary.by_chance;
    adversary_stop(&adversary);
    return adversary.wrong;
}

int main(int argc, char **argv)
{
    uint64_t replies = argc > 1 ? strtoull(argv[1], NULL, 0) : 1000000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 20261126;
    uint64_t good = 0, wrong = 0, by_chance = 0;

    for (int line = 0; line < ADVERSARY_LINES; line++)
        wrong +=
            survive((enum adversary_line)line, replies / ADVERSARY_LINES, seed, &good, &by_chance);
    printf("{\"bench\":\"field\",\"figure\":\"wrong_values\",\"value\":%" PRIu64
           ",\"unit\":\"values\",\"settings\":{\"replies\":%" PRIu64 ",\"right\":%" PRIu64
           ",\"seed\":%" PRIu64 ",\"crc_right_by_chance\":%" PRIu64 "}}\n",
           wrong, replies, good, seed, by_chance);
    return wrong ? 1 : 0;
}
