/* The file of an update for sensor nodes: docs/node-update.md. */
#ifndef SLUICE_CLI_NODE_FILE_H
#define SLUICE_CLI_NODE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/core/image.h"

#define NODE_FILE_SIZE_MAX (2 << 20)

struct node_file {
    uint8_t *bytes;
    size_t size;
    const uint8_t *part[2]; /* for slots A and B: a header, and the version behind it */
};

/*
 * Reads a file, and makes sure that both versions in it are what was signed; who signed them is the
 * node's to judge. Returns an exit code (daemon/gateway.h) after telling what is wrong in the name
 * of `command`.
 */
int node_file_open(struct node_file *file, const char *path, const char *command);
void node_file_close(struct node_file *file);

/* Shows what is in it on standard output: board, version, bytes of the longer version. */
void node_file_print(const struct node_file *file, bool json);

/* "1.4.0" */
const char *node_file_version(uint32_t version, char text[16]);

#endif
