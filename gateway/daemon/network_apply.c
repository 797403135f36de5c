#include "daemon/network_apply.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "core/save.h"

/* Secrets of a radio are root's alone; networkd, which runs as nobody in particular, has none. */
#define MODE_NETWORKD 0644
#define MODE_SECRET   0600

static int run(void *context, const char *const arguments[])
{
    char *vector[16] = {NULL},
         *environment[] = {(char[]){"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, NULL};
    pid_t pid;
    int status = 0;

    (void)context;
    for (size_t i = 0; arguments[i] && i + 1 < sizeof vector / sizeof *vector; i++)
        vector[i] = (char *)(uintptr_t)arguments[i]; /* spawn does not write to it */
    int error = posix_spawnp(&pid, vector[0], NULL, NULL, vector, environment);
    if (error)
        return error_from_errno(error);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

const struct network_machine network_this_machine = {.root = "", .run = run};

static int fail(char why[NETWORK_WHY_SIZE], int error, const char *what)
{
    snprintf(why, NETWORK_WHY_SIZE, "%.160s: %s", what, error_text(error));
    return error;
}

/* The folder is the daemon's: what lies there may be a link to a file that is not. */
static int read_plan(const char *state, const char *name, struct network_plan *plan,
                     char why[NETWORK_WHY_SIZE])
{
    char path[PATH_MAX], *text = malloc(NETWORK_PLAN_SIZE_MAX);
    struct stat status;
    ssize_t size = -1;

    memset(plan, 0, sizeof *plan);
    snprintf(path, sizeof path, "%s/%s", state, name);
    int fd = text ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK) : -1;
    int error = text ? error_from_errno(errno) : ERR_NOMEM;
    if (fd >= 0 && fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
        size = read(fd, text, NETWORK_PLAN_SIZE_MAX);
    if (fd >= 0) {
        error = size < 0 || size == NETWORK_PLAN_SIZE_MAX ? ERR_INVALID : 0;
        close(fd);
    }
    if (error == ERR_NOT_FOUND)
        error = 0; /* nothing was set: everything is as the system has it */
    else if (error)
        fail(why, error, path);
    else
        error = network_read(plan, text, (size_t)size, why);
    if (text)
        explicit_bzero(text, NETWORK_PLAN_SIZE_MAX);
    free(text);
    return error;
}

static void folder_of(const struct network_machine *machine, enum network_manager manager,
                      char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%.2000s%s", machine->root, network_folder(manager));
}

/* The interface that a file of ours is of; false for everybody else's. */
static bool interface_of(const char *name, enum network_manager manager,
                         char out[NETWORK_NAME_SIZE])
{
    const char *prefix = network_file_prefix(manager), *ending = network_file_ending(manager);
    size_t size = strlen(name), before = strlen(prefix), after = strlen(ending);

    if (size <= before + after || size - before - after >= NETWORK_NAME_SIZE ||
        strncmp(name, prefix, before) != 0 || strcmp(name + size - after, ending) != 0)
        return false;
    snprintf(out, NETWORK_NAME_SIZE, "%.*s", (int)(size - before - after), name + before);
    return true;
}

static int remove_others(const char *folder, enum network_manager manager,
                         struct network_plan *plan)
{
    DIR *directory = opendir(folder);
    struct dirent *entry;
    int error = 0;

    while (directory && (entry = readdir(directory))) {
        char interface[NETWORK_NAME_SIZE];
        const struct network_interface *wanted;

        if (!interface_of(entry->d_name, manager, interface))
            continue;
        wanted = network_find(plan, interface);
        if ((!wanted || !network_manages(manager, wanted->kind)) &&
            unlinkat(dirfd(directory), entry->d_name, 0))
            error = error_from_errno(errno);
    }
    if (directory)
        closedir(directory);
    return error;
}

static bool is_there(const char *path, const char *text, size_t size)
{
    char *old;
    size_t old_size;

    if (save_read(path, NETWORK_PLAN_SIZE_MAX, &old, &old_size))
        return false;
    bool same = old_size == size && memcmp(old, text, size) == 0;
    explicit_bzero(old, old_size);
    free(old);
    return same;
}

static int write_file(const char *folder, enum network_manager manager,
                      const struct network_interface *interface, bool *changed)
{
    char path[PATH_MAX];
    size_t size;
    char *text = network_file_text(manager, interface, &size);

    if (!text)
        return ERR_NOMEM;
    snprintf(path, sizeof path, "%.2000s/%s%s%s", folder, network_file_prefix(manager),
             interface->name, network_file_ending(manager));
    *changed = !is_there(path, text, size);
    int error =
        save_file(path, text, size, manager == NETWORK_BY_NETWORKD ? MODE_NETWORKD : MODE_SECRET);
    explicit_bzero(text, size);
    free(text);
    return error;
}

/* `changed`: whether the file of each interface is another than before. */
static int write_files(const struct network_machine *machine, enum network_manager manager,
                       struct network_plan *plan, bool changed[NETWORK_INTERFACES_MAX],
                       char why[NETWORK_WHY_SIZE])
{
    char folder[PATH_MAX], parent[PATH_MAX];

    folder_of(machine, manager, folder);
    snprintf(parent, sizeof parent, "%s", folder);
    *strrchr(parent, '/') = '\0';
    if ((mkdir(parent, 0755) && errno != EEXIST) ||
        (mkdir(folder, manager == NETWORK_BY_NETWORKD ? 0755 : 0700) && errno != EEXIST))
        return fail(why, error_from_errno(errno), folder);
    int error = remove_others(folder, manager, plan);
    for (size_t i = 0; i < plan->count && !error; i++)
        if (network_manages(manager, plan->list[i].kind))
            error = write_file(folder, manager, &plan->list[i], &changed[i]);
    return error ? fail(why, error, folder) : 0;
}

static int tell(const struct network_machine *machine, const char *const arguments[],
                char why[NETWORK_WHY_SIZE])
{
    int code = machine->run(machine->context, arguments);

    if (code == 0)
        return 0;
    snprintf(why, NETWORK_WHY_SIZE, "%s %s %s: %s", arguments[0], arguments[1],
             arguments[2] ? arguments[2] : "",
             code < 0 ? error_text(code) : "it failed; its own words are in the system's log");
    return ERR_IO;
}

/* networkd sets up anew what the files that changed are of; NetworkManager waits to be asked. What
 * did not change is left alone: it may be in use, or be of a stick that is not plugged in. */
static int tell_manager(const struct network_machine *machine, enum network_manager manager,
                        const struct network_plan *plan, const bool changed[NETWORK_INTERFACES_MAX],
                        char why[NETWORK_WHY_SIZE])
{
    static const char *const networkd[] = {"networkctl", "reload", NULL},
                             *const network_manager[] = {"nmcli", "connection", "reload", NULL};

    if (manager == NETWORK_BY_NETWORKD)
        return tell(machine, networkd, why);
    int error = tell(machine, network_manager, why);
    for (size_t i = 0; i < plan->count && !error; i++) {
        char id[NETWORK_NAME_SIZE + 8];
        const char *const up[] = {"nmcli", "--wait", "0", "connection", "up", id, NULL};

        snprintf(id, sizeof id, "sluice-%s", plan->list[i].name);
        if (changed[i])
            error = tell(machine, up, why);
    }
    return error;
}

int network_apply(const struct network_machine *machine, const char *state, bool starting,
                  char why[NETWORK_WHY_SIZE])
{
    struct network_plan plan;
    bool changed[NETWORK_INTERFACES_MAX] = {false};
    char pending[PATH_MAX];
    enum network_manager manager = network_manager(machine->root);
    int error;

    snprintf(pending, sizeof pending, "%s/" NETWORK_PENDING_FILE, state);
    bool before = starting && access(pending, F_OK) == 0;
    error = read_plan(state, before ? NETWORK_BEFORE_FILE : NETWORK_PLAN_FILE, &plan, why);
    if (!error && starting) {
        error = write_files(machine, NETWORK_BY_NETWORKD, &plan, changed, why);
        error =
            error ? error : write_files(machine, NETWORK_BY_NETWORK_MANAGER, &plan, changed, why);
    } else if (!error && manager == NETWORK_BY_NOBODY) {
        error = fail(why, ERR_UNSUPPORTED,
                     "neither systemd-networkd nor NetworkManager manages the network here");
    } else if (!error) {
        error = write_files(machine, manager, &plan, changed, why);
        error = error ? error : tell_manager(machine, manager, &plan, changed, why);
    }
    explicit_bzero(&plan, sizeof plan);
    return error;
}
