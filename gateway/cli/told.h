/*
 * What a program does by itself is told to the daemon, so that who looks at the page sees it as any
 * other job, and can stop it. Where there is no daemon, or it does the job itself by this very
 * program, nothing is told.
 */
#ifndef SLUICE_CLI_TOLD_H
#define SLUICE_CLI_TOLD_H

#include <stdbool.h>
#include <stdint.h>

#define TOLD_LINE_SIZE 120

struct told {
    const char *socket;
    const char *kind, *of;     /* as of a job; one of them NULL: nobody is told */
    const char *by;            /* the command */
    char job[24];              /* its number; "": it has not begun */
    char line[TOLD_LINE_SIZE]; /* the newest that has not been told; "": none */
    int64_t next_ns;
    bool refused;
};

/* Tells an object of JSON: now where it `counts`, else by the next told_keep, if no newer one comes
 * before that. */
void told_line(struct told *told, const char *line, bool counts);

/* To be called again and again, where it may wait for the daemon: how it goes on. False: somebody
 * wants it to stop. */
bool told_keep(struct told *told);

/* How it ended, as an exit code. */
void told_end(struct told *told, int code);

#endif
