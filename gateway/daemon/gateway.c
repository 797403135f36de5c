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
#include "core/heir.h"
#include "core/log.h"
#include "core/loop.h"
#include "daemon/alone.h"
#include "daemon/doubt.h"
#include "daemon/front.h"
#include "daemon/gateway_inside.h"
#include "daemon/guard.h"
#include "daemon/identity.h"
#include "daemon/machine.h"
#include "daemon/network.h"
#include "daemon/proven.h"
#include "daemon/room.h"
#include "daemon/service.h"
#include "daemon/timing.h"
#include "daemon/update.h"

#define DESCRIPTORS_WANTED 65536
#define STOP_GRACE_NS      (3 * NS_PER_S)

/* What starting, connecting and the first answers took for a moment goes back to the system. */
static void on_settled(void *context)
{
    (void)context;
    malloc_trim(0);
}

/* From time to time: whether devices are what they were taken for, and what could not be started
 * can be now. */
static void on_look(void *context)
{
    struct gateway *gateway = context;

    if (!gateway->running.current)
        return;
    doubts_look(&gateway->running);
    timing_look(&gateway->timing, &gateway->running);
    running_retry(&gateway->running);
    loop_timer_set(gateway->loop, gateway->look, clock_mono(&clock_system) + GATEWAY_LOOK_NS);
}

static void on_signal(void *context, uint32_t events)
{
    struct gateway *gateway = context;
    struct signalfd_siginfo info;

    (void)events;
    while (read(gateway->signal_fd, &info, sizeof info) == sizeof info) {
        if (info.ssi_signo == SIGHUP) {
            gateway_hangup(gateway);
            continue;
        }
        log_info("daemon", "stopping on signal %u", info.ssi_signo);
        service_tell("STOPPING=1");
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
    int error = heir_mkdir(path, 0755);
    if (error)
        log_debug("daemon", "%s: %s", path, error_text(error));
    error = io_posix_open(&gateway->refuge, path);
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
    const char *path = gateway_journal(gateway, config);
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
    char identity[IDENTITY_TEXT_SIZE] = "";
    if (gateway->identity) {
        identity_named(gateway->identity, config->site.id);
        identity_text(gateway->identity, identity);
    }
    struct journal_options options = {
        .io = &gateway->io,
        .refuge = gateway->refuge.context ? &gateway->refuge : NULL,
        .clock = timekeeper_clock(gateway->time),
        .gateway_id = config->site.id,
        .identity = identity,
        .boot_id = gateway->boot_id,
        .keep_bytes = config->journal.keep_bytes,
        .max_age_ns = config->journal.max_age_ns,
        .when_full = (enum journal_when_full)config->journal.when_full,
        .commit_ns = config->journal.commit_ns,
        .segment_bytes = config->journal.segment_bytes,
        .sector_bytes = sectors ? 4096 : 0,
        .format_kept = !proven_is(gateway->options->state_path),
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
    error = running_init(&gateway->running, gateway->journal, timekeeper_clock(gateway->time));
    if (error) {
        log_error("daemon", "the gateway cannot start: %s", error_text(error));
        config_free(config);
        close_journal(gateway);
        return EXIT_CODE_SYSTEM;
    }
    gateway->running.identity = gateway->identity;
    gateway->running.timekeeper = gateway->time;
    timing_begin(&gateway->timing, &gateway->running);
    gateway_take_zone(config);
    /* Before the buses: where descriptors run out, it is for them. */
    const struct configure_given given = {gateway->change,
                                          &gateway->parts,
                                          gateway->first,
                                          gateway->options->config_path,
                                          gateway->options->state_path,
                                          gateway->gate,
                                          gateway_restart,
                                          gateway};
    const struct front_lasting lasting = {gateway->gate, gateway->update, gateway->network};
    front_open(&gateway->front, gateway->loop, &gateway->running, gateway->options, &lasting,
               &given);
    error = gateway_apply(gateway, config, change_waits(gateway->change));
    if (!gateway->running.current) {
        close_front(gateway);
        running_stop(&gateway->running, 0);
        close_journal(gateway);
        return EXIT_CODE_SYSTEM;
    }
    change_noticed(gateway->change);
    service_tell("READY=1");
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
    int error = heir_mkdir(options->state_path, 0700);
    if (error)
        log_debug("daemon", "%s: %s", options->state_path, error_text(error));
}

/* Beside the socket: a folder that root's part of the system knows. */
static void find_wishes(struct gateway *gateway)
{
    char folder[PATH_MAX];

    snprintf(folder, sizeof folder, "%s", gateway->options->socket_path);
    snprintf(gateway->wish_path, sizeof gateway->wish_path, "%.*s/wish", PATH_MAX - 8,
             dirname(folder));
}

static void open_identity(struct gateway *gateway)
{
    struct identity_facts facts;

    identity_facts_look(&facts, "", gateway->options->state_path);
    if (identity_open(&gateway->identity, gateway->options->state_path, &facts,
                      clock_wall(&clock_system) / NS_PER_MS))
        log_warn("daemon", "a copied card is not noticed: %s", error_text(ERR_NOMEM));
}

int gateway_run(const struct gateway_options *given)
{
    struct gateway_options options = *given;
    struct gateway gateway = {.options = &options, .signal_fd = -1};
    struct config *config = NULL;
    char refusal[RUNNING_REFUSAL_SIZE], state[PATH_MAX];
    int code = EXIT_CODE_SYSTEM, alone;

    find_state(&options, state);
    if (alone_begin(options.state_path, &alone)) {
        log_error("daemon",
                  "the state in %s is in use by another process: is another sluiced running? "
                  "Nothing was changed",
                  options.state_path);
        log_flush();
        return code;
    }
    if (!options.config_path)
        options.config_path = GATEWAY_CONFIG_PATH;
    if (!options.socket_path)
        options.socket_path = gateway_socket_path();
    find_wishes(&gateway);
    forbid_core_files();
    allow_many_descriptors();
    machine_boot_id(gateway.boot_id);
    open_identity(&gateway);
    if (timing_open(&gateway.time, &gateway.follow, options.state_path, gateway.boot_id,
                    gateway.wish_path)) {
        log_error("daemon", "the gateway cannot start: %s", error_text(ERR_NOMEM));
        goto out;
    }
    gateway_config_parts(&gateway.parts);
    first_text(gateway.first);
    if (loop_open(&gateway.loop) || open_signals(&gateway) ||
        !(gateway.settled = loop_timer(gateway.loop, on_settled, NULL)) ||
        !(gateway.look = loop_timer(gateway.loop, on_look, &gateway)) ||
        gateway_open_change(&gateway)) {
        log_error("daemon", "the event loop cannot be made: out of memory or file descriptors");
        goto out;
    }
    if (gateway_load(&gateway, &config, true, refusal)) {
        code = EXIT_CODE_CONFIG;
        goto out;
    }
    gateway.gate = guard_open(&options, gateway.time);
    if (update_open(&gateway.update, options.state_path, gateway.wish_path))
        log_error("daemon", "the API is without its updates: %s", error_text(ERR_NOMEM));
    if (network_open(&gateway.network, options.state_path, gateway.wish_path))
        log_error("daemon", "the network cannot be set from here: %s", error_text(ERR_NOMEM));
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
    change_close(gateway.change);
    loop_close(gateway.loop);
    update_close(gateway.update);
    network_close(gateway.network);
    identity_close(gateway.identity);
    guard_close(gateway.gate);
    timekeeper_close(gateway.time);
    follow_close(gateway.follow);
    if (alone >= 0)
        close(alone);
    log_flush();
    return code;
}
