#include "cli/node_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/gateway.h"
#include "tls/digest.h"

#define HEAD_SIZE 8

static int wrong(const char *command, const char *path, const char *sentence)
{
    fprintf(stderr, "%s: %s: %s\n", command, path, sentence);
    return EXIT_CODE_SYSTEM;
}

static int read_all(struct node_file *file, const char *path, const char *command)
{
    FILE *in = fopen(path, "rb");

    if (!in)
        return wrong(command, path, strerror(errno));
    file->bytes = malloc(NODE_FILE_SIZE_MAX + 1);
    file->size = file->bytes ? fread(file->bytes, 1, NODE_FILE_SIZE_MAX + 1, in) : 0;
    int error = !file->bytes ? ENOMEM : ferror(in) ? EIO : 0;
    fclose(in);
    if (error)
        return wrong(command, path, strerror(error));
    return file->size <= NODE_FILE_SIZE_MAX
               ? EXIT_CODE_OK
               : wrong(command, path, "it is larger than any update of a node");
}

/* As boards are called: small letters, digits, - and _, filled with zeros. */
static bool names_board(const uint8_t *header)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789-_";
    char name[IMAGE_BOARD_SIZE + 1] = "";

    memcpy(name, header + IMAGE_BOARD_AT, IMAGE_BOARD_SIZE);
    return *name && strlen(name) < IMAGE_BOARD_SIZE && !name[strspn(name, allowed)];
}

/* Finds the part at `at`, for the slot that is its turn. NULL: it is not one. */
static const char *take_part(struct node_file *file, size_t *at, unsigned slot)
{
    const uint8_t *header = file->bytes + *at;
    uint8_t hash[DIGEST_SIZE];
    uint32_t length;

    if (file->size - *at < IMAGE_HEADER_SIZE)
        return "it is cut off: fetch it again";
    if (!image_is_header(header) || image_slot(header) != slot || !names_board(header))
        return "it is damaged, or of a kind that this program does not know: fetch it again";
    length = image_length(header);
    if (file->size - *at - IMAGE_HEADER_SIZE < length)
        return "it is cut off: fetch it again";
    if (!digest_make(header + IMAGE_HEADER_SIZE, length, hash))
        return "out of memory";
    if (memcmp(hash, header + IMAGE_HASH_AT, sizeof hash) != 0)
        return "it is damaged: its bytes are not those that were signed. Fetch it again";
    file->part[slot] = header;
    *at += IMAGE_HEADER_SIZE + length;
    return NULL;
}

int node_file_open(struct node_file *file, const char *path, const char *command)
{
    static const uint8_t head[HEAD_SIZE] = {'S', 'L', 'N', 'U', 2};
    size_t at = HEAD_SIZE;
    const char *why = NULL;
    int code;

    *file = (struct node_file){0};
    code = read_all(file, path, command);
    if (code)
        return code;
    if (file->size < HEAD_SIZE || memcmp(file->bytes, head, sizeof head) != 0)
        return wrong(command, path, "it is no update for a node (sluice-node-BOARD-VERSION.snu)");
    for (unsigned slot = 0; slot < 2 && !why; slot++)
        why = take_part(file, &at, slot);
    if (!why && (at != file->size || image_version(file->part[0]) != image_version(file->part[1]) ||
                 memcmp(file->part[0] + IMAGE_BOARD_AT, file->part[1] + IMAGE_BOARD_AT,
                        IMAGE_BOARD_SIZE) != 0))
        why = "its two versions do not belong together: fetch it again";
    return why ? wrong(command, path, why) : EXIT_CODE_OK;
}

void node_file_close(struct node_file *file)
{
    free(file->bytes);
    file->bytes = NULL;
}

void node_file_print(const struct node_file *file, bool json)
{
    const uint8_t *header = file->part[0];
    uint32_t lengths[] = {image_length(file->part[0]), image_length(file->part[1])};
    char version[16];

    printf(json ? "{\"board\":\"%.*s\",\"version\":\"%s\",\"bytes\":%" PRIu32 "}\n"
                : "board    %.*s\nversion  %s\nbytes    %" PRIu32 "\n",
           IMAGE_BOARD_SIZE, (const char *)header + IMAGE_BOARD_AT,
           node_file_version(image_version(header), version),
           lengths[0] > lengths[1] ? lengths[0] : lengths[1]);
}

const char *node_file_version(uint32_t version, char text[16])
{
    snprintf(text, 16, "%u.%u.%u", (unsigned)(version >> 24), (unsigned)(version >> 16 & 0xFF),
             (unsigned)(version & 0xFFFF));
    return text;
}
