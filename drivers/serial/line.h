/*
 * Framing: bytes in, lines out. Pure, bounded, no allocation. After noise it is in step again with
 * the next whole line: a line that its reader rejects (a wrong checksum, nobody's text) is searched
 * for the line that may begin inside it.
 */
#ifndef SLUICE_SERIAL_LINE_H
#define SLUICE_SERIAL_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LINE_SIZE_MAX 16384 /* the longest line that can be configured */

/* How a line says how long it is. */
enum line_length_field {
    LINE_LENGTH_NONE,
    LINE_LENGTH_U8,
    LINE_LENGTH_U16,
    LINE_LENGTH_U16_LITTLE,
};

struct line_framing {
    const char
        *start;       /* what each line begins with; "": a line begins where the one before ended */
    const char *end;  /* what each line ends with; "": by length or silence alone */
    size_t trailer;   /* bytes behind the end mark that are part of the line: its checksum */
    size_t length;    /* of a whole line with start and end; 0: by its end */
    int length_field; /* enum line_length_field: the line itself says its length */
    size_t length_at; /* where: bytes from the line's begin */
    int64_t length_plus; /* what is added to the field to get the length of the whole line */
    bool by_silence;     /* a line is what stands between two silences (line_silence) */
    size_t length_max;   /* longer ones are noise; at most LINE_SIZE_MAX */
};

struct line_framer {
    struct line_framing framing;
    size_t start_size, end_size;
    size_t head, used;      /* the bytes not yet dealt with are data[head..used) */
    size_t scanned;         /* no end begins before this place */
    size_t silent_end;      /* the line was silent behind this place */
    size_t line_end;        /* behind the line that was handed out, its end included */
    size_t rejected_end;    /* lines that begin before this place hide inside a rejected one */
    bool skipping;          /* inside a line that is too long: all is dropped up to its end */
    uint64_t dropped_bytes; /* noise: bytes that belonged to no line that was handed out */
    uint8_t data[2 * LINE_SIZE_MAX];
};

struct line {
    const uint8_t *data; /* from the start mark, included; not terminated */
    size_t size;         /* at least 1: up to the end mark, excluded; with its trailer where the
                            framing has one, as the checksum needs it */
    size_t content_size; /* without end mark and trailer in either case */
    bool hidden;         /* begins inside a line that was rejected: its fault has been counted */
};

/* The framing's texts stay the caller's and must outlive the framer. */
void line_init(struct line_framer *framer, const struct line_framing *framing);

/* Goes on with other framing: what was received and not handed out is looked at anew. */
void line_reframe(struct line_framer *framer, const struct line_framing *framing);

/* Forgets what was received, as before a new request. */
void line_reset(struct line_framer *framer);

/* Takes up to `size` bytes and returns how many. After line_next returned false it takes at least
 * one. */
size_t line_feed(struct line_framer *framer, const uint8_t *bytes, size_t size);

/*
 * Hands out the next line; it must be accepted or rejected before the next call. Its bytes are
 * valid until line_feed. Returns false when more bytes are needed.
 */
bool line_next(struct line_framer *framer, struct line *line);

/*
 * Nothing came for so long that no line can go on. By that a line ends where the framing says so;
 * under any other framing what has begun is given up, and line_next finds what it hid.
 */
void line_silence(struct line_framer *framer);

void line_accept(struct line_framer *framer);
void line_reject(struct line_framer *framer);

#endif
