/* What a command line of `sluice scan` asks for. */
#ifndef SLUICE_CLI_SCAN_ARGS_H
#define SLUICE_CLI_SCAN_ARGS_H

#include "modbus/scan.h"

struct scan_texts {
    const char *line, *bauds, *formats, *units, *timeout_ms, *ask, *listen_s;
};

/*
 * Fills in lines, units, the question and the time-out of options whose bus is set; and in texts
 * the units where none are named. False after telling on standard error what is wrong.
 */
bool scan_args(struct scan_options *options, struct scan_texts *texts);

/* The settings that ports usually have, the commonest first. Returns how many. */
size_t scan_usual_lines(bool ascii, struct port_settings lines[SCAN_LINES_MAX]);

#endif
