/* The command line of the three simulators, one table for all. */
#ifndef SIM_OPTIONS_H
#define SIM_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "units.h"

enum options_simulator { OPTIONS_RTU = 1, OPTIONS_TCP = 2, OPTIONS_LINE = 4 };

struct options {
    struct units units;
    const char *control;
    const char *truth;
    const char *ready_file;
    const char *link;
    const char *format;
    const char *listen;
    const char *name;
    const char *point;
    const char *kind; /* sim_line: the argument that is not an option */
    int baud;
    uint32_t registers;
    uint64_t seed;
    int64_t late_after_ns; /* 0: any reply that was delayed on purpose is late */
    int64_t every_ns;
    bool realtime;
    bool stay;
    bool strict;
    bool check_baud;
};

/* Fills in the defaults and what the command line says. Exits on --help, --tell and mistakes. */
void options_parse(struct options *options, enum options_simulator simulator, int argc,
                   char *argv[]);

#endif
