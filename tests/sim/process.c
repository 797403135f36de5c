#include "process.h"

#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

static const char *process_name = "sim";

static void log_line(const char *format, va_list args)
{
    char text[512];

    vsnprintf(text, sizeof text, format, args);
    fprintf(stderr, "%s: %s\n", process_name, text);
}

void process_log(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_line(format, args);
    va_end(args);
}

void process_die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    log_line(format, args);
    va_end(args);
    exit(1);
}

int process_start(const char *name, bool stay)
{
    pid_t parent = getppid();
    sigset_t stop;
    int fd;

    process_name = name;
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    sigprocmask(SIG_BLOCK, &stop, NULL);
    fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        process_die("signalfd: %m");
    if (!stay) {
        prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (getppid() != parent)
            process_die("the starting process is gone already");
    }
    return fd;
}

void process_realtime(void)
{
    struct sched_param param = {.sched_priority = 10};

    if (sched_setscheduler(0, SCHED_FIFO, &param) < 0)
        process_log("no real-time scheduling (%m), going on without it");
}

void process_ready(const char *path, const char *content)
{
    char temporary[4096];
    FILE *file;

    if (!path)
        return;
    if (snprintf(temporary, sizeof temporary, "%s.new", path) >= (int)sizeof temporary)
        process_die("the name of the ready file is too long");
    file = fopen(temporary, "we");
    if (!file)
        process_die("%s: %m", temporary);
    fprintf(file, "%s\n", content);
    /* By rename: a script that sees the file also sees its content. */
    if (fclose(file) != 0 || rename(temporary, path) < 0)
        process_die("%s: %m", path);
}
