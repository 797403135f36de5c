#include "serial/port_holder.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* False where there is no such process (any more). */
static bool name_process(const struct port_roots *roots, long pid, char out[PORT_HOLDER_MAX])
{
    char path[PATH_MAX], name[32] = "";
    FILE *file;

    snprintf(path, sizeof path, "%.1000s/%ld/comm", roots->proc, pid);
    file = pid > 0 ? fopen(path, "re") : NULL;
    if (!file)
        return false;
    if (!fgets(name, sizeof name, file))
        name[0] = '\0';
    fclose(file);
    name[strcspn(name, "\n")] = '\0';
    if (pid == (long)getpid())
        snprintf(out, PORT_HOLDER_MAX, "another bus of this gateway");
    else
        snprintf(out, PORT_HOLDER_MAX, "%s (process %ld)", name, pid);
    return true;
}

/* /proc/locks: "12: FLOCK  ADVISORY  WRITE 4711 00:05:1234 0 EOF" */
static bool holder_by_lock(const struct port_roots *roots, const struct stat *port,
                           char out[PORT_HOLDER_MAX])
{
    char path[PATH_MAX], line[256];
    unsigned device_major, device_minor;
    unsigned long long inode;
    bool found = false;
    long pid;
    FILE *file;

    snprintf(path, sizeof path, "%.1000s/locks", roots->proc);
    file = fopen(path, "re");
    while (file && !found && fgets(line, sizeof line, file)) {
        if (sscanf(line, "%*d: %*s %*s %*s %ld %x:%x:%llu", &pid, &device_major, &device_minor,
                   &inode) != 4)
            continue;
        found = inode == port->st_ino && device_major == major(port->st_dev) &&
                device_minor == minor(port->st_dev) && name_process(roots, pid, out);
    }
    if (file)
        fclose(file);
    return found;
}

bool port_holder_by_file(const struct port_roots *roots, const char *path,
                         char out[PORT_HOLDER_MAX])
{
    char lock[PATH_MAX], tty[32], text[32] = "";
    FILE *file;

    if (port_tty(roots, path, tty) != 0)
        return false;
    snprintf(lock, sizeof lock, "%.1000s/LCK..%s", roots->locks, tty);
    file = fopen(lock, "re");
    if (!file)
        return false;
    if (!fgets(text, sizeof text, file))
        text[0] = '\0';
    fclose(file);
    return name_process(roots, strtol(text, NULL, 10), out);
}

static bool has_open(const struct port_roots *roots, const char *pid, const struct stat *port)
{
    char folder[PATH_MAX], path[PATH_MAX + 300];
    struct dirent *entry;
    struct stat file;
    bool found = false;
    DIR *fds;

    snprintf(folder, sizeof folder, "%.1000s/%.20s/fd", roots->proc, pid);
    fds = opendir(folder);
    while (fds && !found && (entry = readdir(fds))) {
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        found = stat(path, &file) == 0 && S_ISCHR(file.st_mode) && file.st_rdev == port->st_rdev &&
                file.st_ino == port->st_ino;
    }
    if (fds)
        closedir(fds);
    return found;
}

static bool holder_by_descriptor(const struct port_roots *roots, const struct stat *port,
                                 char out[PORT_HOLDER_MAX])
{
    struct dirent *entry;
    bool found = false;
    DIR *processes = opendir(roots->proc);

    while (processes && !found && (entry = readdir(processes)))
        found = isdigit((unsigned char)entry->d_name[0]) && has_open(roots, entry->d_name, port) &&
                name_process(roots, strtol(entry->d_name, NULL, 10), out);
    if (processes)
        closedir(processes);
    return found;
}

bool port_holder(const struct port_roots *roots, const char *path, char out[PORT_HOLDER_MAX])
{
    struct stat port;

    if (stat(path, &port) < 0)
        return false;
    return holder_by_lock(roots, &port, out) || port_holder_by_file(roots, path, out) ||
           holder_by_descriptor(roots, &port, out);
}
