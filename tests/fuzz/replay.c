/*
 * Runs a fuzz target without libFuzzer: on the files that are named, or on mutated seeds.
 *
 *     fuzz_NAME [--runs N] [--seed S] [FILE...]
 *
 * Run i uses the seed S + i, so a run that ends badly is repeated by --seed (S + i) --runs 1.
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/log.h"
#include "faults/totals.h"
#include "fuzz/fuzz.h"

#define INPUT_SIZE_MAX 65536
#define LONG_RUNS      20

static uint64_t current;

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void say_which(void)
{
    fprintf(stderr, "this was --seed %" PRIu64 " --runs 1\n", current);
}

static void on_abort(int number)
{
    (void)number;
    say_which();
}

static size_t erase(uint8_t *data, size_t size, size_t at, size_t count)
{
    count = count > size - at ? size - at : count;
    memmove(data + at, data + at + count, size - at - count);
    return size - count;
}

static size_t repeat(uint8_t *data, size_t size, size_t at, size_t count)
{
    count = count > size - at ? size - at : count;
    count = count > INPUT_SIZE_MAX - size ? INPUT_SIZE_MAX - size : count;
    memmove(data + at + count, data + at, size - at);
    return size + count;
}

/* One small change of the kinds that break parsers. Returns the new size. */
static size_t mutate(uint8_t *data, size_t size, uint64_t *random)
{
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x10, '"', '\\', '{'};
    uint64_t choice = fuzz_next(random);
    if (size == 0) {
        data[0] = (uint8_t)choice;
        return 1;
    }
    size_t at = (size_t)(fuzz_next(random) % size);
    size_t count = 1 + (size_t)(choice >> 32) % 16;
    switch (choice % 7) {
    case 0:
        data[at] ^= (uint8_t)(1U << (choice >> 8 & 7));
        return size;
    case 1:
        data[at] = (uint8_t)(choice >> 8);
        return size;
    case 2:
        data[at] = edges[(choice >> 8) % sizeof(edges)];
        return size;
    case 3:
        return erase(data, size, at, count);
    case 4:
        return repeat(data, size, at, count);
    case 5:
        return at; /* cut off */
    default:
        data[at] = data[(size_t)(choice >> 16) % size];
        return size;
    }
}

static void run_seed(uint64_t seed)
{
    static uint8_t input[INPUT_SIZE_MAX];
    uint64_t random = seed;
    current = seed;
    size_t size = fuzz_seed(fuzz_next(&random), input, sizeof(input));
    for (uint64_t i = fuzz_next(&random) % 8; i > 0; i--)
        size = mutate(input, size, &random);
    /* A block of exactly this size, so that a sanitizer sees a read behind its end. */
    uint8_t *exact = malloc(size + (size == 0));
    if (exact == NULL)
        abort();
    memcpy(exact, input, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

static int run_file(const char *path)
{
    static uint8_t input[INPUT_SIZE_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    size_t size = fread(input, 1, sizeof(input), file);
    fclose(file);
    LLVMFuzzerTestOneInput(input, size);
    return 0;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {{"runs", required_argument, NULL, 'r'},
                                            {"seed", required_argument, NULL, 's'},
                                            {NULL, 0, NULL, 0}};
    uint64_t runs = 10000, seed = 1;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?')
            return 2;
        *(option == 'r' ? &runs : &seed) = strtoull(optarg, NULL, 10);
    }
    setenv("SLUICE_LOG", "error", 0);
    log_init();
    int failed = 0;
    for (int i = optind; i < argc; i++)
        failed |= run_file(argv[i]);
    if (optind < argc)
        return failed;
    if (totals_long())
        runs *= LONG_RUNS;
    if (__sanitizer_set_death_callback != NULL)
        __sanitizer_set_death_callback(say_which);
    signal(SIGABRT, on_abort);
    for (uint64_t i = 0; i < runs; i++)
        run_seed(seed + i);
    const char *name = strrchr(argv[0], '/') != NULL ? strrchr(argv[0], '/') + 1 : argv[0];
    char line[256];
    snprintf(line, sizeof(line),
             "{\"what\":\"%s\",\"count\":%" PRIu64 ",\"lost\":0,\"seed\":%" PRIu64 "}", name, runs,
             seed);
    totals_tell(name, line);
    return 0;
}
