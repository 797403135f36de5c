#include "node/core/image.h"

#include <string.h>

#define AT_SIZE    4
#define AT_SLOT    6
#define AT_VERSION 32
#define AT_OLDEST  36
#define AT_LENGTH  40
#define AT_TRIAL   44

static const uint8_t magic[4] = {'S', 'L', 'N', '1'};

static uint16_t get_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static uint32_t get_u32(const uint8_t *bytes)
{
    return get_u16(bytes) | (uint32_t)get_u16(bytes + 2) << 16;
}

uint16_t image_slot(const uint8_t header[IMAGE_HEADER_SIZE])
{
    return get_u16(header + AT_SLOT);
}

uint32_t image_version(const uint8_t header[IMAGE_HEADER_SIZE])
{
    return get_u32(header + AT_VERSION);
}

uint32_t image_oldest(const uint8_t header[IMAGE_HEADER_SIZE])
{
    return get_u32(header + AT_OLDEST);
}

uint32_t image_length(const uint8_t header[IMAGE_HEADER_SIZE])
{
    return get_u32(header + AT_LENGTH);
}

uint16_t image_trial_s(const uint8_t header[IMAGE_HEADER_SIZE])
{
    return get_u16(header + AT_TRIAL);
}

bool image_is_header(const uint8_t header[IMAGE_HEADER_SIZE])
{
    return memcmp(header, magic, sizeof magic) == 0 &&
           get_u16(header + AT_SIZE) == IMAGE_HEADER_SIZE && image_slot(header) < 2 &&
           image_length(header) > 0 && image_length(header) % IMAGE_ALIGN == 0 &&
           image_trial_s(header) > 0;
}

enum image_fault image_fits(const uint8_t header[IMAGE_HEADER_SIZE], const char *board,
                            uint32_t slot_size)
{
    size_t name = strlen(board);

    if (!image_is_header(header))
        return IMAGE_NOT_ONE;
    if (name >= IMAGE_BOARD_SIZE || memcmp(header + IMAGE_BOARD_AT, board, name + 1) != 0)
        return IMAGE_OTHER_BOARD;
    if (slot_size < IMAGE_ROOM || image_length(header) > slot_size - IMAGE_ROOM)
        return IMAGE_TOO_LONG;
    return IMAGE_FINE;
}
