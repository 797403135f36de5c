/* The lines of the daemon's trace (docs/api.md), taken apart and fed to a sniff. No I/O. */
#ifndef SLUICE_CLI_TRACE_FEED_H
#define SLUICE_CLI_TRACE_FEED_H

#include "field/tap.h"
#include "modbus/sniff.h"

enum trace_way { TRACE_SENT, TRACE_RECEIVED, TRACE_OPENED, TRACE_CLOSED };

struct trace_record {
    int64_t wall_ns, mono_ns;
    enum trace_way way;
    uint64_t lost; /* records before it */
};

#define TRACE_LINE_MAX 4096

struct trace_feed {
    struct sniff *sniff;
    sniff_fn *frame;
    void (*note)(void *context, const struct trace_record *record); /* of each, before its bytes */
    void *context;
    bool begun; /* the first line, which says what is spoken, was read */
    int64_t last_ns;
    bool echo; /* what is sent comes back: so far as it is the same it is left out */
    uint8_t sent[TAP_BYTES_MAX];
    size_t sent_size, echoed;
    size_t size;
    char line[TRACE_LINE_MAX];
};

void trace_feed_init(struct trace_feed *feed, struct sniff *sniff, sniff_fn *frame,
                     void (*note)(void *context, const struct trace_record *record), void *context);

/* Takes what came, in whatever pieces. False: it is no trace of the daemon's. */
bool trace_feed(struct trace_feed *feed, const char *bytes, size_t size);

#endif
