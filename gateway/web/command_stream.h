/*
 * One command that came over the API, and what its sender is told of it: a line when it is stored,
 * a line when it has ended. Written by the desk's thread, read by the server's.
 */
#ifndef SLUICE_WEB_COMMAND_STREAM_H
#define SLUICE_WEB_COMMAND_STREAM_H

#include "core/command.h"

struct command_stream;

/*
 * `by` is who sends it, for the journal. With `wait` the stream ends
 * behind the last answer, else behind the first. `wake` is called when there is something to read,
 * on any thread. ERR_NOMEM.
 */
int command_stream_open(struct command_stream **stream, struct command_desk *desk, const char *by,
                        bool wait, void (*wake)(void *context), void *context);
void command_stream_close(struct command_stream *stream);

/* Hands the command in, once. */
void command_stream_submit(struct command_stream *stream, const char *json, size_t size);

/* Returns bytes of whole or partial lines, 0 when there is nothing yet, ERR_CLOSED at the end. */
int64_t command_stream_read(struct command_stream *stream, char *out, size_t room);

#endif
