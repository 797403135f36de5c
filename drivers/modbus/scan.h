/*
 * Who is on a line, or behind a connection: every unit is asked at every setting of the line that
 * comes into question, and those that answer are asked who they are. On the thread of its host.
 */
#ifndef SLUICE_MODBUS_SCAN_H
#define SLUICE_MODBUS_SCAN_H

#include "field/driver.h"
#include "modbus/ident.h"
#include "modbus/link.h"
#include "modbus/scan_judge.h"

#define SCAN_LINES_MAX     64
#define SCAN_NAME_SIZE     33
#define SCAN_NO_SUNSPEC    (-1)
#define SCAN_EVERY_UNIT_OF 3 /* units that are asked to see whether all are one device */

struct scan_options {
    struct modbus_bus_options bus; /* where, and how; its line is set by the scan */
    bool tcp;                      /* Modbus TCP */
    struct port_settings lines[SCAN_LINES_MAX];
    size_t line_count; /* 1 and unused where the bus has no port */
    uint8_t units[256];
    size_t unit_count;
    size_t head_count; /* the first units, which are asked at all settings before the others are */
    uint8_t function;  /* that reads, of the question that every unit is asked */
    uint16_t address, count;
    int64_t timeout_ns; /* from the question to the whole answer, without its time on the wire */
    bool all;           /* do not stop at the first setting that anybody answers at */
    bool identify;
};

/* A unit that answered, or seems to. */
struct scan_found {
    struct port_settings line; /* baud 0: unknown */
    uint8_t unit;
    enum scan_verdict verdict;
    struct scan_tally tally;
    int64_t turnaround_ns; /* until its answer was there; 0: unknown */
    struct ident ident;
    int32_t sunspec; /* register of its marker; SCAN_NO_SUNSPEC */
    char sunspec_vendor[SCAN_NAME_SIZE], sunspec_model[SCAN_NAME_SIZE];
    bool every_unit; /* over TCP: it answers whatever the unit is */
    bool numbered;   /* over TCP: for scan_advice */
};

struct scan_progress {
    const struct port_settings *line; /* NULL: there is none to be set */
    uint8_t unit;
    size_t asked, total; /* questions, as far as they are known to come */
    int64_t left_ns;     /* at most, as far as anybody can tell */
    size_t found;
};

struct scan_visitor {
    /* Before each question; not 0 ends the scan with that result. */
    int (*progress)(void *context, const struct scan_progress *progress);
    /* Once for each: at once when there is no doubt, else when the setting is done. */
    void (*found)(void *context, const struct scan_found *found);
    void *context;
};

/* How long it takes at most if nobody answers. Pure. */
int64_t scan_most_ns(const struct scan_options *options);

/*
 * Scans. Returns how many units were found (also in doubt), or an error with a sentence in `why`:
 * the port or connection cannot be opened or breaks, ERR_CLOSED when the host stops, or what
 * `progress` returned. What was found before was told.
 */
int scan(const struct scan_options *options, struct driver_host *host,
         const struct scan_visitor *visitor, char *why, size_t why_size);

#endif
