/*
 * Cuts the power at every point of a journal's life, and looks at what is left.
 *
 * A workload runs once on a recording disk. Then, for each point of its log, the disks that could
 * be found after a cut there are built, the journal is opened on each, and the oracle holds it to
 * its promises. Recoveries are themselves cut in the same way, and disks that lied about their
 * syncs are tried too. The exit code is 0 when no promise was broken.
 */
#include <getopt.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "core/log.h"
#include "faults/cut.h"
#include "faults/must.h"
#include "faults/oracle.h"
#include "faults/totals.h"

#define CHOICES_MAX 64
#define TEARS_MAX   6
#define MAKING_MAX  24 /* kills while files are made: each of these points is a case of its own */

struct setting {
    const char *name;
    struct workload_options workload;
    uint32_t sectors[2]; /* the disk's sector sizes that are tried */
    bool garbage;        /* the second sector model */
};

static const struct setting settings[] = {
    {.name = "packed",
     .workload = {.segment_bytes = 64 << 10, .keep_bytes = 256 << 10, .busy = true},
     .sectors = {512, 4096}},
    {.name = "fresh-sectors",
     .workload =
         {.segment_bytes = 128 << 10, .keep_bytes = 512 << 10, .sector_bytes = 4096, .busy = true},
     .sectors = {4096, 512},
     .garbage = true},
};
#define SETTINGS (sizeof(settings) / sizeof(settings[0]))

struct arguments {
    uint64_t seed;
    uint32_t steps;
    uint32_t rounds;       /* workloads, each with a seed of its own */
    uint32_t nested_every; /* one image in so many has its recovery cut as well */
    uint32_t kills;        /* the process is killed at one point in so many */
    uint32_t lies;         /* lying disks for each cut in so many */
    const char *keep;      /* a folder for the first disk that broke a promise; may be NULL */
    bool stop;             /* at the first broken promise */
};

struct totals {
    uint64_t events, records, cuts, images, nested, lies, kills, states, broken;
};

struct enumeration {
    const struct arguments *arguments;
    const struct setting *setting;
    struct workload_options workload;
    struct totals *totals;
    struct medium *medium;
    struct history history;
    uint64_t *hashes; /* of the images of the current cut, so that none is tried twice */
    size_t hash_count;
    uint64_t counter;
    uint32_t making; /* kills while a file was made */
    bool ended;
};

static uint32_t add(struct cut_choice *choices, uint32_t count, struct cut_choice choice)
{
    if (count < CHOICES_MAX)
        choices[count++] = choice;
    return count;
}

/* The ways in which the power can fail at this point: all of them where they are few, a sample
 * otherwise. */
static uint32_t choose(const struct cut *cut, const struct setting *setting, uint64_t seed,
                       struct cut_choice choices[CHOICES_MAX])
{
    uint32_t pending = cut_pending(cut), count = 0;
    for (int s = 0; s < 2; s++) {
        struct cut_choice choice = {.sector_bytes = setting->sectors[s], .style = CUT_ALL};
        count = add(choices, count, choice);
        choice.style = CUT_NONE;
        count = add(choices, count, choice);
        uint32_t sectors = cut_last_sectors(cut, choice.sector_bytes);
        uint32_t stride = sectors / TEARS_MAX + 1;
        choice.style = CUT_UNTIL;
        choice.count = pending - 1;
        for (choice.sectors = 1; choice.sectors < sectors; choice.sectors += stride)
            count = add(choices, count, choice);
        choice.style = CUT_RANDOM;
        for (choice.seed = seed; choice.seed < seed + 2; choice.seed++)
            count = add(choices, count, choice);
        choice.style = CUT_ALL;
        choice.garbage = setting->garbage && choice.sector_bytes <= setting->workload.sector_bytes;
        for (choice.seed = seed; choice.garbage && choice.seed < seed + 3; choice.seed++)
            count = add(choices, count, choice);
    }
    struct cut_choice choice = {.sector_bytes = setting->sectors[0], .style = CUT_MASK};
    for (; pending > 1 && pending <= 4 && choice.seed < 1U << pending; choice.seed++)
        count = add(choices, count, choice);
    for (; pending > 4 && choice.count < pending && choice.count < 8; choice.count++) {
        choice.style = CUT_WITHOUT;
        count = add(choices, count, choice);
        choice.style = CUT_ONLY;
        count = add(choices, count, choice);
    }
    return count;
}

static bool seen(struct enumeration *all, uint64_t hash)
{
    for (size_t i = 0; i < all->hash_count; i++)
        if (all->hashes[i] == hash)
            return true;
    all->hashes = must_grow(all->hashes, all->hash_count + 1, sizeof(*all->hashes));
    all->hashes[all->hash_count++] = hash;
    return false;
}

/* Writes the files of a disk that broke a promise into a folder, to be looked at. */
static void keep(const char *folder, const struct medium_image *image)
{
    char path[4096];
    mkdir(folder, 0755);
    for (size_t i = 0; i < image->count; i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, image->files[i].name);
        FILE *file = fopen(path, "wb");
        if (file == NULL) {
            perror(path);
            return;
        }
        fwrite(image->files[i].data, 1, (size_t)image->files[i].size, file);
        fclose(file);
    }
}

static void tell(struct enumeration *all, const char *what, size_t position,
                 const struct cut_choice *choice, const struct medium_image *image, const char *why)
{
    const char *folder = all->arguments->keep;
    all->totals->broken++;
    if (all->totals->broken <= 20)
        fprintf(stderr,
                "%s, seed %" PRIu64 ", %s after %zu of %zu changes (style %d, count %u, sectors %u "
                "of %u, seed %" PRIu64 "%s): %s\n",
                all->setting->name, all->workload.seed, what, position,
                medium_log_size(all->medium), choice->style, choice->count, choice->sectors,
                choice->sector_bytes, choice->seed, choice->garbage ? ", garbage" : "", why);
    if (folder != NULL && all->totals->broken == 1)
        keep(folder, image);
    all->ended = all->arguments->stop;
}

/* Cuts the power during the recovery that `disk` has logged. */
static void enumerate_nested(struct enumeration *all, struct medium *disk,
                             const struct oracle_report *outer, size_t position, bool clean)
{
    struct cut *cut = cut_open(disk);
    struct medium_image image = {0};
    while (cut_advance(cut) && !all->ended) {
        size_t at = cut_position(cut);
        struct cut_choice choices[] = {
            {.style = CUT_ALL, .sector_bytes = 512},
            {.style = CUT_NONE, .sector_bytes = 512},
            {.style = CUT_RANDOM, .sector_bytes = all->setting->sectors[0], .seed = at},
        };
        for (size_t i = 0; i < 3 && !all->ended; i++) {
            cut_image(cut, &choices[i], &image);
            struct medium *again = medium_open(&image);
            struct oracle_report report = {0};
            struct oracle_case given = {
                .options = &all->workload,
                .history = &outer->branch,
                .position = at,
                .durable = history_durable(&outer->branch, disk, at),
                .oldest = history_oldest(&outer->branch, at),
                .clean = clean || history_clean(&outer->branch, at),
                .counter = all->counter += 1000,
            };
            if (!oracle_check(&given, again, &report))
                tell(all, "a cut within the recovery", position, &choices[i], &image, report.why);
            all->totals->nested++;
            all->totals->states += report.states;
            history_close(&report.branch);
            medium_close(again);
        }
    }
    medium_image_clear(&image);
    cut_close(cut);
}

/* What is promised after a cut at this point. */
static struct oracle_case expect(struct enumeration *all, size_t position)
{
    return (struct oracle_case){
        .options = &all->workload,
        .history = &all->history,
        .position = position,
        .durable = history_durable(&all->history, all->medium, position),
        .oldest = history_oldest(&all->history, position),
        .clean = history_clean(&all->history, position),
        .counter = all->counter += 1000,
    };
}

static void try_image(struct enumeration *all, const struct medium_image *image, size_t position,
                      const struct cut_choice *choice)
{
    if (seen(all, medium_image_hash(image)))
        return;
    struct medium *disk = medium_open(image);
    struct oracle_report report = {0};
    struct oracle_case given = expect(all, position);
    given.whole = true;
    bool good = oracle_check(&given, disk, &report);
    if (!good)
        tell(all, "a cut", position, choice, image, report.why);
    all->totals->images++;
    all->totals->states += report.states;
    if (good && all->totals->images % all->arguments->nested_every == 0)
        enumerate_nested(all, disk, &report, position, given.clean);
    history_close(&report.branch);
    medium_close(disk);
}

/* The process is killed, starts again, and then the power fails: what it found in the kernel's
 * memory may be gone. */
static void try_kill(struct enumeration *all, const struct cut *cut)
{
    size_t position = cut_position(cut);
    struct medium *disk = cut_resume(cut);
    struct medium_image image = {0};
    struct cut_choice choice = {.style = CUT_ALL, .sector_bytes = 512};
    struct oracle_report report = {0};
    struct oracle_case given = expect(all, position);
    given.slow = medium_initial(disk)->count > 0;
    bool good = oracle_check(&given, disk, &report);
    cut_image(cut, &choice, &image);
    if (!good)
        tell(all, "a kill", position, &choice, &image, report.why);
    all->totals->kills++;
    all->totals->states += report.states;
    if (good)
        enumerate_nested(all, disk, &report, position, given.clean);
    medium_image_clear(&image);
    history_close(&report.branch);
    medium_close(disk);
}

/* A disk that stopped to store anything a while ago, and did not say so. */
static void try_lie(struct enumeration *all, const struct cut *cut)
{
    size_t position = cut_position(cut);
    if (history_clean(&all->history, position))
        return; /* what comes back is an orderly end: nothing on that disk can tell that there was
                   more */
    uint64_t random = all->workload.seed + position;
    size_t later = position + 1 + (size_t)(workload_next(&random) % 40);
    if (later > medium_log_size(all->medium))
        later = medium_log_size(all->medium);
    struct cut_choice choice = {.style = CUT_NONE, .sector_bytes = 512};
    struct medium_image image = {0};
    cut_image(cut, &choice, &image);
    struct medium *disk = medium_open(&image);
    struct oracle_report report = {0};
    struct oracle_case given = {
        .options = &all->workload,
        .history = &all->history,
        .position = later,
        .durable = history_durable(&all->history, all->medium, later),
        .oldest = history_oldest(&all->history, later),
        .lied = true,
        .counter = all->counter += 1000,
    };
    if (!oracle_check(&given, disk, &report))
        tell(all, "a disk that lied", position, &choice, &image, report.why);
    all->totals->lies++;
    history_close(&report.branch);
    medium_close(disk);
    medium_image_clear(&image);
}

/* Threads make files whenever they come to it: which points these are differs from run to run. */
static bool is_killed(struct enumeration *all, const struct cut *cut)
{
    if (cut_pending(cut) == 0)
        return false;
    if (cut_makes_file(cut) && all->making < MAKING_MAX) {
        all->making++;
        return true;
    }
    return cut_position(cut) % all->arguments->kills == 0;
}

static void enumerate(struct enumeration *all)
{
    const struct arguments *arguments = all->arguments;
    struct cut *cut = cut_open(all->medium);
    struct medium_image image = {0};
    struct cut_choice choices[CHOICES_MAX];
    do {
        size_t position = cut_position(cut);
        all->totals->cuts++;
        all->hash_count = 0;
        uint32_t count = choose(cut, all->setting, all->workload.seed + position * 8, choices);
        for (uint32_t i = 0; i < count && !all->ended; i++) {
            cut_image(cut, &choices[i], &image);
            try_image(all, &image, position, &choices[i]);
        }
        if (!all->ended && position % arguments->lies == 0)
            try_lie(all, cut);
        if (!all->ended && is_killed(all, cut))
            try_kill(all, cut);
    } while (!all->ended && cut_advance(cut));
    medium_image_clear(&image);
    cut_close(cut);
}

static bool run(const struct arguments *arguments, const struct setting *setting, uint64_t seed,
                struct totals *totals)
{
    struct fake_clock clock;
    struct enumeration all = {.arguments = arguments,
                              .setting = setting,
                              .workload = setting->workload,
                              .totals = totals,
                              .medium = medium_open(NULL),
                              .counter = 1000000};
    all.workload.seed = seed;
    all.workload.steps = arguments->steps;
    fake_clock_init(&clock);
    workload_record(&all.workload, all.medium, &clock, &all.history);
    totals->events += all.history.last;
    totals->records += medium_log_size(all.medium);
    enumerate(&all);
    free(all.hashes);
    history_close(&all.history);
    medium_close(all.medium);
    return !all.ended;
}

static int usage(void)
{
    fputs(
        "usage: crash_enumerator [--long] [--seed N] [--steps N] [--rounds N] [--nested-every N]\n"
        "                        [--lies-every N] [--kills-every N] [--keep FOLDER] [--stop]\n",
        stderr);
    return 2;
}

static void explore(struct arguments *arguments)
{
    arguments->steps = 600;
    arguments->rounds = 8;
    arguments->nested_every = 50;
    arguments->lies = 2;
    arguments->kills = 3;
}

static bool parse(int argc, char **argv, struct arguments *arguments)
{
    static const struct option options[] = {
        {"long", no_argument, NULL, 'l'},
        {"seed", required_argument, NULL, 's'},
        {"steps", required_argument, NULL, 'n'},
        {"rounds", required_argument, NULL, 'r'},
        {"nested-every", required_argument, NULL, 'e'},
        {"lies-every", required_argument, NULL, 'i'},
        {"kills-every", required_argument, NULL, 'p'},
        {"keep", required_argument, NULL, 'k'},
        {"stop", no_argument, NULL, 'x'},
        {NULL, 0, NULL, 0},
    };
    *arguments = (struct arguments){
        .seed = 1, .steps = 320, .rounds = 1, .nested_every = 400, .lies = 16, .kills = 16};
    if (totals_long())
        explore(arguments);
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        unsigned long long number = optarg != NULL ? strtoull(optarg, NULL, 10) : 0;
        if (option == 'l')
            explore(arguments);
        else if (option == 's')
            arguments->seed = number;
        else if (option == 'n')
            arguments->steps = (uint32_t)number;
        else if (option == 'r')
            arguments->rounds = (uint32_t)number;
        else if (option == 'e' && number > 0)
            arguments->nested_every = (uint32_t)number;
        else if (option == 'i' && number > 0)
            arguments->lies = (uint32_t)number;
        else if (option == 'p' && number > 0)
            arguments->kills = (uint32_t)number;
        else if (option == 'k')
            arguments->keep = optarg;
        else if (option == 'x')
            arguments->stop = true;
        else
            return false;
    }
    return optind == argc;
}

int main(int argc, char **argv)
{
    struct arguments arguments;
    if (!parse(argc, argv, &arguments))
        return usage();
    setenv("SLUICE_LOG", "error", 0);
    log_init();
    struct totals totals = {0};
    struct timespec begin, end;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    bool going = true;
    for (uint32_t round = 0; going && round < arguments.rounds; round++)
        for (size_t i = 0; going && i < SETTINGS; i++)
            going = run(&arguments, &settings[i], arguments.seed + round, &totals);
    clock_gettime(CLOCK_MONOTONIC, &end);
    char line[512];
    snprintf(line, sizeof(line),
             "{\"what\":\"power cuts in memory\",\"count\":%" PRIu64 ",\"lost\":%" PRIu64
             ",\"seed\":%" PRIu64 ",\"events\":%" PRIu64 ",\"changes\":%" PRIu64
             ",\"points\":%" PRIu64 ",\"nested\":%" PRIu64 ",\"lies\":%" PRIu64
             ",\"kills\":%" PRIu64 ",\"states\":%" PRIu64 ",\"seconds\":%ld}",
             totals.images + totals.nested + totals.lies + totals.kills, totals.broken,
             arguments.seed, totals.events, totals.records, totals.cuts, totals.nested, totals.lies,
             totals.kills, totals.states, (long)(end.tv_sec - begin.tv_sec));
    totals_tell("crash_enumerator", line);
    return totals.broken == 0 ? 0 : 1;
}
