/* The checksums of line-oriented sensors. Pure. */
#ifndef SLUICE_SERIAL_CHECKSUM_H
#define SLUICE_SERIAL_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

enum checksum_kind {
    CHECKSUM_UNSAID, /* as CHECKSUM_NONE; where a device is configured: as its bus says */
    CHECKSUM_NONE,
    CHECKSUM_XOR,  /* exclusive or of the bytes */
    CHECKSUM_SUM8, /* their sum modulo 256 */
    CHECKSUM_LRC,  /* the two's complement of that sum */
    CHECKSUM_SUM7, /* the two's complement of the sum of their seven low bits, in seven bits */
    CHECKSUM_CRC16_MODBUS, /* polynomial 0x8005 reflected, from 0xFFFF */
    CHECKSUM_CRC16_CCITT,  /* polynomial 0x1021, from 0xFFFF (CRC-16/IBM-3740) */
    CHECKSUM_CRC16_XMODEM, /* polynomial 0x1021, from 0 */
    CHECKSUM_CRC16_X25, /* polynomial 0x1021 reflected, from 0xFFFF, inverted (CRC-16/IBM-SDLC) */
    /* These say form, place and mark themselves. */
    CHECKSUM_NMEA,  /* NMEA 0183: exclusive or behind the "$", a "*", two hexadecimal digits */
    CHECKSUM_BCC,   /* ISO 1155: exclusive or behind the start mark, end mark included; one byte */
    CHECKSUM_SDI12, /* SDI-12, 4.4.12: CRC-16 from 0 in three characters */
};

enum checksum_form {
    CHECKSUM_HEX,           /* hexadecimal digits in either case, the most significant first */
    CHECKSUM_HEX_LOW_FIRST, /* the low byte's two digits first */
    CHECKSUM_BINARY,        /* bytes, the most significant first */
    CHECKSUM_BINARY_LOW_FIRST,
};

struct checksum {
    int kind;    /* enum checksum_kind */
    int form;    /* enum checksum_form */
    size_t from; /* index of the first byte that it covers */
    const char
        *mark; /* stands before it and is not covered; "": it follows the last byte covered */
};

#define CHECKSUM_TEXT_MAX 4 /* the longest as it is written */

/* How many bytes the checksum has as it is written, its mark left out; 0 for none. */
size_t checksum_text_size(const struct checksum *checksum);

/*
 * Checks the checksum at the line's very end. Returns 0 and in *content_size how many bytes of the
 * line stand before the mark and checksum (all of it for CHECKSUM_NONE); ERR_CHECKSUM when it is
 * wrong, incomplete, or absent.
 */
int checksum_check(const struct checksum *checksum, const uint8_t *line, size_t size,
                   size_t *content_size);

/*
 * Writes the checksum of `line` as the kind and form say (mark left out, hexadecimal digits in
 * upper case) and returns how many bytes that are: checksum_text_size's.
 */
size_t checksum_write(const struct checksum *checksum, const uint8_t *line, size_t size,
                      uint8_t out[CHECKSUM_TEXT_MAX]);

#endif
