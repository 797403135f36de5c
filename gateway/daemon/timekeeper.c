#include "daemon/timekeeper.h"

#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "core/log.h"
#include "core/save.h"
#include "core/words.h"

#define SAVE_NS (10 * 60 * NS_PER_S)
#define STEP_SEEN_NS                                                                               \
    (2 * NS_PER_S)                /* what a clock that is only steered does not move in a step     \
                                   */
#define APART_NS  (2 * NS_PER_S)  /* from a receiver: its sentence takes a while */
#define TRY_NS    (60 * NS_PER_S) /* between two attempts to set it by a receiver */
#define BEHIND_NS (2 * NS_PER_S)
#define AHEAD_NS  NS_PER_S /* a restored clock goes on behind the last that was seen */
#define FILE_SIZE 256

struct timekeeper {
    struct timekeeper_options options;
    struct clock clock;
    char path[PATH_MAX];
    _Atomic int source; /* enum time_source */
    _Atomic int64_t floor_ns;
    bool behind;
    pthread_mutex_t setting; /* held while the clock is set, and while a step is looked for */
    int64_t offset_ns;       /* wall - mono, as it was last seen */
    int64_t saved_mono_ns, tried_mono_ns; /* of timekeeper_step's thread */
    pthread_t thread;                     /* sets the clock, where nobody can wait for that */
    bool threaded;
    struct {
        int (*set)(void *context, int64_t wall_ns);
        int64_t wall_ns, mono_ns;
        enum time_source source; /* TIME_NOBODY: it is restored */
    } wanted;
};

static const char *const names[] = {"nobody", "machine", "server", "person", "receiver"};

const char *time_source_name(enum time_source source)
{
    return names[source];
}

static int64_t keeper_wall(void *context)
{
    return clock_wall(((struct timekeeper *)context)->options.system);
}

static int64_t keeper_mono(void *context)
{
    return clock_mono(((struct timekeeper *)context)->options.system);
}

static enum clock_trust keeper_trust(void *context)
{
    struct timekeeper *keeper = context;
    enum clock_trust trust = clock_trust(keeper->options.system);

    if (trust == CLOCK_SYNCHRONISED)
        atomic_store(&keeper->source, TIME_SERVER);
    if (trust != CLOCK_FREE_RUNNING)
        return trust;
    return atomic_load(&keeper->source) == TIME_NOBODY ? CLOCK_UNSET : CLOCK_FREE_RUNNING;
}

const struct clock *timekeeper_clock(struct timekeeper *keeper)
{
    return &keeper->clock;
}

static int64_t offset_now(const struct timekeeper *keeper)
{
    return clock_wall(keeper->options.system) - clock_mono(keeper->options.system);
}

/* --- what is kept --- */

static enum time_source source_by_name(const char *name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return (enum time_source)i;
    return TIME_NOBODY;
}

static void load(struct timekeeper *keeper, char boot[64], enum time_source *source)
{
    char *text = NULL, word[64];
    size_t size;

    boot[0] = '\0';
    *source = TIME_NOBODY;
    if (save_read(keeper->path, FILE_SIZE, &text, &size))
        return;
    text[strcspn(text, "\n")] = '\0';
    if (words_take(text, "wall", word, sizeof word))
        atomic_store(&keeper->floor_ns, strtoll(word, NULL, 10));
    words_take(text, "boot", boot, 64);
    words_take(text, "by", word, sizeof word);
    *source = source_by_name(word);
    free(text);
}

/* A time that is not trusted is not kept in the place of a better one. */
static void save(struct timekeeper *keeper)
{
    char line[FILE_SIZE], wall[24];
    struct text text;

    keeper->saved_mono_ns = clock_mono(keeper->options.system);
    if (clock_trust(&keeper->clock) == CLOCK_UNSET)
        return;
    snprintf(wall, sizeof wall, "%" PRId64, clock_wall(keeper->options.system));
    text_init(&text, line, sizeof line);
    words_put(&text, "wall", wall);
    words_put(&text, "boot", keeper->options.boot_id);
    words_put(&text, "by", names[atomic_load(&keeper->source)]);
    text_string(&text, "\n");
    int error = save_file(keeper->path, line, text.size, 0600);
    if (error)
        log_debug("daemon", "%s is not kept: %s", keeper->path, error_text(error));
}

/* --- setting it --- */

static void *set_wanted(void *context)
{
    struct timekeeper *keeper = context;
    int64_t since_ns = clock_mono(keeper->options.system) - keeper->wanted.mono_ns;
    char at[32];

    pthread_mutex_lock(&keeper->setting);
    int error = keeper->wanted.set(keeper->options.context, keeper->wanted.wall_ns + since_ns);
    keeper->offset_ns = offset_now(keeper);
    if (!error && keeper->wanted.source != TIME_NOBODY)
        atomic_store(&keeper->source, (int)keeper->wanted.source);
    pthread_mutex_unlock(&keeper->setting);
    clock_format(keeper->wanted.wall_ns, at);
    if (error)
        log_debug("daemon", "the clock is not set to %s: %s", at, error_text(error));
    else
        log_info("daemon", "the clock is set to %s%s", at,
                 keeper->wanted.source == TIME_RECEIVER
                     ? ", as the receiver says"
                     : ", the latest time that was seen: it is not known how long it stood still");
    return NULL;
}

static void join(struct timekeeper *keeper)
{
    if (keeper->threaded)
        pthread_join(keeper->thread, NULL);
    keeper->threaded = false;
}

static void set_beside(struct timekeeper *keeper, int64_t wall_ns, enum time_source source,
                       int (*set)(void *context, int64_t wall_ns))
{
    join(keeper);
    keeper->wanted.set = set;
    keeper->wanted.wall_ns = wall_ns;
    keeper->wanted.mono_ns = clock_mono(keeper->options.system);
    keeper->wanted.source = source;
    keeper->threaded = pthread_create(&keeper->thread, NULL, set_wanted, keeper) == 0;
}

int timekeeper_set(struct timekeeper *keeper, int64_t wall_ns, enum time_source source)
{
    if (clock_trust(keeper->options.system) == CLOCK_SYNCHRONISED)
        return ERR_BUSY;
    pthread_mutex_lock(&keeper->setting);
    int error = keeper->options.set(keeper->options.context, wall_ns);
    keeper->offset_ns = offset_now(keeper);
    if (!error)
        atomic_store(&keeper->source, (int)source);
    pthread_mutex_unlock(&keeper->setting);
    return error;
}

void timekeeper_receive(struct timekeeper *keeper, int64_t wall_ns, int64_t mono_ns)
{
    int64_t now_mono_ns = clock_mono(keeper->options.system);
    int64_t now_ns = wall_ns + (now_mono_ns - mono_ns);
    int64_t apart_ns = now_ns - clock_wall(keeper->options.system);

    if (clock_trust(keeper->options.system) == CLOCK_SYNCHRONISED || now_ns < CLOCK_RELEASED_NS)
        return;
    if (apart_ns >= -APART_NS && apart_ns <= APART_NS) {
        atomic_store(&keeper->source, TIME_RECEIVER);
        return;
    }
    if (keeper->tried_mono_ns && now_mono_ns - keeper->tried_mono_ns < TRY_NS)
        return;
    keeper->tried_mono_ns = now_mono_ns;
    set_beside(keeper, now_ns, TIME_RECEIVER, keeper->options.set);
}

/* --- its life --- */

/* A time server may have set it back a little. */
static bool is_behind(const struct timekeeper *keeper, int64_t floor_ns)
{
    return clock_wall(keeper->options.system) < floor_ns - BEHIND_NS;
}

/* Whether it is right at a start, as far as that can be known. */
static enum time_source judge(const struct timekeeper *keeper, bool same_boot,
                              enum time_source source)
{
    const struct timekeeper_options *options = &keeper->options;
    if (keeper->behind || clock_wall(options->system) < CLOCK_RELEASED_NS)
        return TIME_NOBODY;
    if (same_boot && source != TIME_NOBODY)
        return source;
    return options->keeps_time ? TIME_MACHINE : TIME_NOBODY;
}

int timekeeper_open(struct timekeeper **out, const struct timekeeper_options *options)
{
    struct timekeeper *keeper = calloc(1, sizeof *keeper);
    char boot[64];
    enum time_source source;

    if (!keeper)
        return ERR_NOMEM;
    keeper->options = *options;
    keeper->clock = (struct clock){keeper_wall, keeper_mono, keeper_trust, keeper};
    pthread_mutex_init(&keeper->setting, NULL);
    snprintf(keeper->path, sizeof keeper->path, "%.*s/clock", PATH_MAX - 16, options->state_path);
    load(keeper, boot, &source);
    int64_t floor_ns = atomic_load(&keeper->floor_ns);
    bool same_boot = *options->boot_id && strcmp(options->boot_id, boot) == 0;
    /* Within a boot somebody may have set it back; only over a restart it gets lost. */
    keeper->behind = !same_boot && is_behind(keeper, floor_ns);
    atomic_store(&keeper->source, (int)judge(keeper, same_boot, source));
    keeper->offset_ns = offset_now(keeper);
    if (keeper->behind && options->restore && clock_trust(options->system) != CLOCK_SYNCHRONISED) {
        set_beside(keeper, floor_ns + AHEAD_NS, TIME_NOBODY, options->restore);
        join(keeper);
    }
    save(keeper);
    *out = keeper;
    return 0;
}

void timekeeper_close(struct timekeeper *keeper)
{
    if (!keeper)
        return;
    join(keeper);
    save(keeper);
    pthread_mutex_destroy(&keeper->setting);
    free(keeper);
}

void timekeeper_stored(struct timekeeper *keeper, int64_t wall_ns)
{
    if (wall_ns <= atomic_load(&keeper->floor_ns))
        return;
    atomic_store(&keeper->floor_ns, wall_ns);
    if (!is_behind(keeper, wall_ns) || atomic_load(&keeper->source) != TIME_MACHINE)
        return;
    keeper->behind = true;
    atomic_store(&keeper->source, TIME_NOBODY);
}

/* Somebody else has moved it: forwards, behind all that was seen, it is taken for right. */
static void look_for_step(struct timekeeper *keeper)
{
    if (pthread_mutex_trylock(&keeper->setting))
        return;
    int64_t offset_ns = offset_now(keeper), step_ns = offset_ns - keeper->offset_ns;
    int64_t wall_ns = clock_wall(keeper->options.system);
    if (step_ns > STEP_SEEN_NS && wall_ns >= CLOCK_RELEASED_NS &&
        wall_ns >= atomic_load(&keeper->floor_ns) && atomic_load(&keeper->source) == TIME_NOBODY) {
        atomic_store(&keeper->source, TIME_PERSON);
        log_info("daemon", "somebody has set the clock: it is trusted from now on");
    }
    keeper->offset_ns = offset_ns;
    pthread_mutex_unlock(&keeper->setting);
}

void timekeeper_step(struct timekeeper *keeper)
{
    look_for_step(keeper);
    if (clock_mono(keeper->options.system) - keeper->saved_mono_ns >= SAVE_NS)
        save(keeper);
}

static void put_why(const struct timekeeper *keeper, struct timekeeper_look *look)
{
    static const char next[] = "set it from the page, or let the machine follow a time server";
    char at[32];

    if (look->behind) {
        clock_format(look->floor_ns, at);
        snprintf(look->why, sizeof look->why,
                 "the clock was behind at the start: it has been %.19s UTC already; %s", at, next);
    } else if (clock_wall(keeper->options.system) < CLOCK_RELEASED_NS) {
        snprintf(look->why, sizeof look->why, "the clock was never set; %s", next);
    } else {
        snprintf(
            look->why, sizeof look->why,
            "this machine has no clock that runs on without power, and nobody has set it since "
            "the start; %s",
            next);
    }
}

void timekeeper_look(struct timekeeper *keeper, struct timekeeper_look *look)
{
    enum clock_trust trust = clock_trust(&keeper->clock);

    *look = (struct timekeeper_look){.source = (enum time_source)atomic_load(&keeper->source),
                                     .behind = keeper->behind,
                                     .floor_ns = atomic_load(&keeper->floor_ns)};
    if (trust == CLOCK_UNSET)
        put_why(keeper, look);
}
