/* A pseudo terminal posing as a serial adapter: can be pulled and comes back under another name. */
#ifndef SIM_PTY_H
#define SIM_PTY_H

#include <stdbool.h>

struct pty {
    int line_fd;  /* the simulator's end, non-blocking; -1 while unplugged */
    int held_fd;  /* the gateway's end, kept open so that the pty outlives each opener */
    int watch_fd; /* readable when the gateway's end has been opened or closed */
    int open_count;
    char name[64];
    const char *link; /* NULL: no symbolic link */
};

/* Creates the pty in raw mode and puts the link in place. Returns 0 or -errno. */
int pty_plug(struct pty *pty);

/* Hangs up on whoever has the line open and removes the link. Harmless when unplugged. */
void pty_unplug(struct pty *pty);

/* To be called when watch_fd is readable. A line that nobody has open forgets what is on it: the
 * next to open it gets neither stale bytes nor the settings of the one before. */
void pty_notice(struct pty *pty);

/*
 * Whether somebody has the line open and has set it: what is written from then on is not thrown
 * away any more, neither by pty_notice nor by whoever opened it.
 */
bool pty_is_heard(const struct pty *pty);

/* The rate the gateway has set, in baud; 0 when it cannot be told. */
int pty_baud(const struct pty *pty);

#endif
