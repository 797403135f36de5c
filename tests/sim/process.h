/* What all simulators do as processes: log, stop on request, leave when their starter is gone. */
#ifndef SIM_PROCESS_H
#define SIM_PROCESS_H

#include <stdbool.h>

/* Blocks SIGTERM and SIGINT and returns a descriptor that becomes readable when one arrives.
 * Unless stay is set the process gets SIGTERM when its parent ends. Does not return on failure. */
int process_start(const char *name, bool stay);

/* Asks for SCHED_FIFO and says so when it is refused; pacing is then as good as the load allows. */
void process_realtime(void);

/* Writes path (NULL: nothing) for scripts that wait until the simulator can be used. */
void process_ready(const char *path, const char *content);

void process_log(const char *format, ...) __attribute__((format(printf, 1, 2)));
void process_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
