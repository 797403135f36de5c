/*
 * What people read off the displays of devices, beside what the gateway read at that moment: the
 * proof of a commissioning. One reading is kept for each point, in a file of the state folder that
 * is replaced whole; an earlier one is in the audit trail. Any thread, one at a time.
 */
#ifndef SLUICE_WEB_DISPLAYS_H
#define SLUICE_WEB_DISPLAYS_H

#include <stdbool.h>
#include <stdint.h>

#include "config/json.h"
#include "config/json_write.h"
#include "core/stream.h"
#include "web/route.h"

#define DISPLAYS_MAX       4096 /* points */
#define DISPLAY_SHOWN_SIZE 65
#define DISPLAY_VALUE_SIZE 160

struct display {
    char device[ID_SIZE_MAX], point[ID_SIZE_MAX];
    char shown[DISPLAY_SHOWN_SIZE]; /* as it was typed */
    char by[CALLER_NAME_SIZE], from[CALLER_ORIGIN_SIZE];
    int64_t at_ms;                  /* when it was typed */
    int64_t read_ms;                /* when the value beside it was read; 0: none was */
    char value[DISPLAY_VALUE_SIZE]; /* that value as JSON; "null": there was no good one */
    char unit[STREAM_UNIT_SIZE_MAX];
};

/* The number that a text says, with a point or a comma before its decimals. False: it is none. */
bool display_number(const char *text, double *number);

/* How much more the gateway read than the display showed. False: one of the two is no number. */
bool display_difference(const struct display *display, double *difference);

/* Writes its members into the open object. */
void display_write(struct json_writer *writer, const struct display *display);

/* Keeps one in place of the point's earlier one. 0; ERR_FULL (DISPLAYS_MAX), ERR_CORRUPT (the file
 * cannot be understood, and stays as it is), or the error of the disk. */
int displays_put(const char *path, const struct display *display);

/* ERR_NOT_FOUND: there is none of that point; else as displays_put. */
int displays_remove(const char *path, const char *device, const char *point);

/* Writes all of them as a list. 0, or an error as above: then the list is empty. */
int displays_write(const char *path, struct json_writer *writer, const char *key);

/* Takes those of a list that are newer than what is kept of their points; what is none in it is
 * passed over, as is what there is no room for. NULL is fine. 0, or an error as above. */
int displays_merge(const char *path, const struct json *list);

#endif
