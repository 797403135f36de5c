#include "daemon/gateway.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/config.h"
#include "core/error.h"
#include "core/log.h"
#include "core/zone.h"
#include "core/loop.h"
#include "daemon/front.h"
#include "daemon/guard.h"
#include "daemon/machine.h"
#include "daemon/room.h"
#include "daemon/running.h"

#define DESCRIPTORS_WANTED 65536
#define STOP_GRACE_NS      (3 * NS_PER_S)
#define SETTLED_NS         (5 * NS_PER_S) /* after a configuration was applied */

struct gateway {
    const struct gateway_options *options;
    struct loop *loop;
    struct loop_watch *signals;
    struct loop_timer *settled;
    int signal_fd;
    struct io io;
    struct io refuge; /* the socket's folder; its context is NULL where that cannot be had */
    struct journal *journal;
    struct running running;
    struct gatekeeper *gate;
    struct front *front;
    char boot_id[40], machine_id[40];
    struct config
        *next; /* a changed configuration that needs a new start: journal or identity differ */
    bool stopping;
};

/* What starting, connecting and the first answers took for a moment goes back to the system. */
static void on_settled(void *context)
{
    (void)context;
    malloc_trim(0);
}

static int apply(struct gateway *gateway, struct config *config)
{
    int error = running_apply(&gateway->running, config);

    if (gateway->running.current)
        front_apply(gateway->front);
    loop_timer_set(gateway->loop, gateway->settled, clock_mono(&clock_system) + SETTLED_NS);
    return error;
}

/* Errors of a configuration go to the log, each once: the file is named in them. The first is kept
 * for the status: `context` is a text of RUNNING_REFUSAL_SIZE. */
static void tell_error(void *context, const struct config_error *error)
{
    char sentence[2048], *first = context;
    const char *key = error->key ? error->key : "";
    const char *colon = *key ? ": " : "";

    if (error->line)
        snprintf(sentence, sizeof sentence, "%s:%d:%d: %s%s%s", error->file, error->line,
                 error->column, key, colon, error->sentence);
    else
        snprintf(sentence, sizeof sentence, "%s: %s%s%s", error->file, key, colon, error->sentence);
    log_error("config", "%s", sentence);
    if (!*first)
        snprintf(first, RUNNING_REFUSAL_SIZE, "%.*s", RUNNING_REFUSAL_SIZE - 1, sentence);
}

static int load_config(const struct gateway *gateway, struct config **config,
                       char refusal[RUNNING_REFUSAL_SIZE])
{
    struct config_parts parts;

    refusal[0] = '\0';
    gateway_config_parts(&parts);
    return config_load(config, gateway->options->config_path, &parts, tell_error, refusal);
}

static const char *journal_path(const struct gateway *gateway, const struct config *config)
{
    if (gateway->options->journal_path)
        return gateway->options->journal_path;
    return room_path(&config->journal);
}

/* What cannot change under a running journal. */
static bool needs_new_start(const struct gateway *gateway, const struct config *a,
                            const struct config *b)
{
    return strcmp(a->site.id, b->site.id) != 0 ||
           strcmp(journal_path(gateway, a), journal_path(gateway, b)) != 0 ||
           a->journal.keep_bytes != b->journal.keep_bytes ||
           a->journal.max_age_ns != b->journal.max_age_ns ||
           a->journal.commit_ns != b->journal.commit_ns ||
           a->journal.segment_bytes != b->journal.segment_bytes ||
           a->journal.when_full != b->journal.when_full || a->journal.sector != b->journal.sector;
}

/* Asked before anything is stopped: a gateway whose new journal cannot be had would have ended. */
static bool journal_can_move(const struct gateway *gateway, const struct config *config)
{
    const char *path = journal_path(gateway, config);
    struct io io;
    int error;

    if (strcmp(path, journal_path(gateway, gateway->running.current->config)) == 0)
        return true;
    error = io_posix_open(&io, path);
    if (error)
        log_error("daemon",
                  "the journal's folder %s cannot be used: %s; the configuration that was loaded "
                  "before stays in force",
                  path, error_text(error));
    else
        io_posix_close(&io);
    return error == 0;
}

/* Local midnight is that of the configuration that is about to run. */
static void take_zone(const struct config *config)
{
    if (zone_set(config->site.timezone) != 0)
        log_warn("daemon",
                 "gateway.timezone \"%s\" is not known here: install the database of time zones "
                 "(package tzdata); until then aligned intervals count from midnight UTC",
                 config->site.timezone);
}

static void reload(struct gateway *gateway)
{
    struct config *config = NULL;
    char refusal[RUNNING_REFUSAL_SIZE];

    if (load_config(gateway, &config, refusal)) {
        log_error("daemon",
                  "%s is refused; the configuration that was loaded before stays in force",
                  gateway->options->config_path);
        running_refused(&gateway->running, *refusal ? refusal : "it cannot be read");
        return;
    }
    if (!journal_can_move(gateway, config)) {
        config_free(config);
        running_refused(&gateway->running,
                        "its folder for the journal cannot be used; see the log");
        return;
    }
    running_refused(&gateway->running, NULL);
    const struct config *current = gateway->running.current->config;
    /* A new start that is under way takes the newest file, whatever has changed in it. */
    if (gateway->next || needs_new_start(gateway, current, config)) {
        log_info("daemon", "gateway id or journal settings changed: everything restarts");
        config_free(gateway->next);
        gateway->next = config;
        loop_stop(gateway->loop);
        return;
    }
    if (strcmp(current->site.fingerprint, config->site.fingerprint) == 0)
        log_info("daemon", "%s means the same as before", gateway->options->config_path);
    take_zone(config);
    if (apply(gateway, config) == 0)
        log_info("daemon", "%s is applied", gateway->options->config_path);
    else
        take_zone(gateway->running.current->config);
}

static void on_signal(void *context, uint32_t events)
{
    struct gateway *gateway = context;
    struct signalfd_siginfo info;

    (void)events;
    while (read(gateway->signal_fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            reload(gateway);
            continue;
        }
        log_info("daemon", "stopping on signal %u", info.ssi_signo);
        gateway->stopping = true;
        loop_stop(gateway->loop);
    }
}

static int open_signals(struct gateway *gateway)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (sigprocmask(SIG_BLOCK, &set, NULL))
        return error_from_errno(errno);
    signal(SIGPIPE, SIG_IGN);
    gateway->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (gateway->signal_fd < 0)
        return error_from_errno(errno);
    gateway->signals = loop_watch(gateway->loop, gateway->signal_fd, EPOLLIN, on_signal, gateway);
    return gateway->signals ? 0 : ERR_NOMEM;
}

/* For the socket, and for what the journal has to note while its own medium takes nothing. */
static void open_refuge(struct gateway *gateway)
{
    char folder[PATH_MAX];

    snprintf(folder, sizeof folder, "%s", gateway->options->socket_path);
    const char *path = dirname(folder);
    if (mkdir(path, 0755) && errno != EEXIST)
        log_debug("daemon", "%s: %s", path, strerror(errno));
    int error = io_posix_open(&gateway->refuge, path);
    if (error)
        log_debug("daemon", "%s takes no notes: %s", path, error_text(error));
}

static void close_journal_folders(struct gateway *gateway)
{
    io_posix_close(&gateway->io);
    io_posix_close(&gateway->refuge);
}

static bool is_file(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && !S_ISDIR(status.st_mode);
}

static void tell_of_room(const struct config *config, const char *path)
{
    struct room room;
    char words[ROOM_WORDS_SIZE];

    if (room_look(path, &room) && room_lacks(&config->journal, path, &room, words))
        log_warn("journal", "%s", words);
}

static int open_journal(struct gateway *gateway, const struct config *config)
{
    const char *path = journal_path(gateway, config);
    int error = io_posix_open(&gateway->io, path);

    if (error) {
        log_error("daemon", "the journal's folder %s cannot be used: %s%s", path,
                  is_file(path) ? "it is a file, and a journal is a folder; name a folder that is "
                                : error_text(error),
                  is_file(path) ? "writable for this user"
                                : "; create it and make it writable for this user");
        return error;
    }
    bool sectors = config->journal.sector == CONFIG_SECTOR_ON ||
                   (config->journal.sector == CONFIG_SECTOR_AUTO && machine_medium_is_plain(path));
    tell_of_room(config, path);
    open_refuge(gateway);
    struct journal_options options = {
        .io = &gateway->io,
        .refuge = gateway->refuge.context ? &gateway->refuge : NULL,
        .clock = &clock_system,
        .gateway_id = config->site.id,
        .identity = gateway->machine_id,
        .boot_id = gateway->boot_id,
        .keep_bytes = config->journal.keep_bytes,
        .max_age_ns = config->journal.max_age_ns,
        .when_full = (enum journal_when_full)config->journal.when_full,
        .commit_ns = config->journal.commit_ns,
        .segment_bytes = config->journal.segment_bytes,
        .sector_bytes = sectors ? 4096 : 0,
    };
    error = journal_open(&gateway->journal, &options);
    if (error) {
        log_error("daemon", "the journal in %s cannot be opened: %s%s", path, error_text(error),
                  error == ERR_BUSY ? "; is another sluiced running?" : "");
        close_journal_folders(gateway);
    }
    return error;
}

/* While its disk hangs a journal cannot be closed, and its folders stay open with it. */
static int close_journal(struct gateway *gateway)
{
    int error = journal_close(gateway->journal);

    gateway->journal = NULL;
    if (error == 0)
        close_journal_folders(gateway);
    return error;
}

static void close_front(struct gateway *gateway)
{
    front_close(gateway->front);
    gateway->front = NULL;
}

static void put_lifecycle(struct gateway *gateway, const char *words)
{
    struct event event = {
        .kind = EVENT_LIFECYCLE, .mono_ns = clock_mono(&clock_system), .urgent = true};

    event.value.type = VALUE_TEXT;
    event.value.data = words;
    event.value.size = (uint16_t)strlen(words);
    journal_put(gateway->journal, &event);
}

/* From an opened journal to its end, under one configuration after the other; takes `config` over.
 */
static int run_once(struct gateway *gateway, struct config *config)
{
    int error = open_journal(gateway, config);

    if (error) {
        config_free(config);
        return EXIT_CODE_SYSTEM;
    }
    log_info("daemon", "gateway %s, sluice %s, configuration %s", config->site.id, SLUICE_VERSION,
             config->site.fingerprint);
    put_lifecycle(gateway, "start " SLUICE_VERSION);
    error = running_init(&gateway->running, gateway->journal, &clock_system);
    if (error) {
        log_error("daemon", "the gateway cannot start: %s", error_text(error));
        config_free(config);
        close_journal(gateway);
        return EXIT_CODE_SYSTEM;
    }
    take_zone(config);
    /* Before the buses: where descriptors run out, it is for them. */
    front_open(&gateway->front, gateway->loop, &gateway->running, gateway->options, gateway->gate);
    error = apply(gateway, config);
    if (!gateway->running.current) {
        close_front(gateway);
        running_stop(&gateway->running, 0);
        close_journal(gateway);
        return EXIT_CODE_SYSTEM;
    }
    error = loop_run(gateway->loop);
    if (error)
        log_error("daemon", "the event loop ended: %s", error_text(error));
    close_front(gateway);
    put_lifecycle(gateway, "stop");
    running_stop(&gateway->running, STOP_GRACE_NS);
    int closing_error = close_journal(gateway);
    error = error ? error : closing_error;
    return error ? EXIT_CODE_SYSTEM : EXIT_CODE_OK;
}

/* A core file would hold the brokers' passwords. */
static void forbid_core_files(void)
{
    struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
}

/* Each Modbus TCP connection takes one, and the usual limit is 1,024. */
static void allow_many_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max < DESCRIPTORS_WANTED ? limit.rlim_max : DESCRIPTORS_WANTED;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Where the state is, in `beside` where that is not said. A folder that cannot be made is told by
 * whoever needs it. */
static void find_state(struct gateway_options *options, char beside[PATH_MAX])
{
    if (!options->state_path && options->journal_path) {
        char folder[PATH_MAX];

        snprintf(folder, sizeof folder, "%s", options->journal_path);
        snprintf(beside, PATH_MAX, "%.*s/state", PATH_MAX - 8, dirname(folder));
        options->state_path = beside;
    }
    if (!options->state_path)
        options->state_path = GATEWAY_STATE_PATH;
    if (mkdir(options->state_path, 0700) && errno != EEXIST)
        log_debug("daemon", "%s: %s", options->state_path, strerror(errno));
}

int gateway_run(const struct gateway_options *given)
{
    struct gateway_options options = *given;
    struct gateway gateway = {.options = &options, .signal_fd = -1};
    struct config *config = NULL;
    char refusal[RUNNING_REFUSAL_SIZE], state[PATH_MAX];
    int code = EXIT_CODE_SYSTEM;

    find_state(&options, state);
    if (!options.config_path)
        options.config_path = GATEWAY_CONFIG_PATH;
    if (!options.socket_path)
        options.socket_path = gateway_socket_path();
    forbid_core_files();
    allow_many_descriptors();
    if (load_config(&gateway, &config, refusal))
        return EXIT_CODE_CONFIG;
    machine_boot_id(gateway.boot_id);
    machine_id(gateway.machine_id);
    gateway.gate = guard_open(&options);
    if (loop_open(&gateway.loop) || open_signals(&gateway) ||
        !(gateway.settled = loop_timer(gateway.loop, on_settled, NULL))) {
        log_error("daemon", "the event loop cannot be made: out of memory or file descriptors");
        config_free(config);
        goto out;
    }
    do {
        code = run_once(&gateway, config);
        config = gateway.next;
        gateway.next = NULL;
    } while (config && !gateway.stopping);
    config_free(config);
out:
    if (gateway.signals)
        loop_unwatch(gateway.loop, gateway.signals);
    if (gateway.signal_fd >= 0)
        close(gateway.signal_fd);
    loop_close(gateway.loop);
    guard_close(gateway.gate);
    log_flush();
    return code;
}
