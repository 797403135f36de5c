/* Whatever unpacks as a declaration packs into at most the announced size, and unpacks to the same
 * again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/stream.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stream stream, again;
    uint8_t packed[STREAM_PACKED_SIZE_MAX];
    memset(&stream, 0, sizeof(stream));
    if (stream_unpack(&stream, data, size) != 0)
        return 0;
    size_t written = stream_pack(&stream, packed);
    if (written > sizeof(packed) || stream_unpack(&again, packed, written) != 0)
        abort();
    if (again.number != stream.number || again.version != stream.version ||
        again.type != stream.type || again.decimals != stream.decimals ||
        strcmp(again.device, stream.device) != 0 || strcmp(again.point, stream.point) != 0 ||
        strcmp(again.name, stream.name) != 0 || strcmp(again.unit, stream.unit) != 0)
        abort();
    return 0;
}

size_t fuzz_seed(uint64_t random, uint8_t *out, size_t room)
{
    struct stream stream = {.number = (uint32_t)(random >> (random & 31)),
                            .version = (uint16_t)(random >> 40),
                            .type = VALUE_F64,
                            .decimals = (int8_t)(random % 12) - 2};
    if (room < STREAM_PACKED_SIZE_MAX)
        return 0;
    snprintf(stream.device, sizeof(stream.device), "device-%u", (unsigned)(random >> 8 & 0xffff));
    snprintf(stream.point, sizeof(stream.point), "%s", random & 64 ? "flow" : "");
    snprintf(stream.name, sizeof(stream.name), "%s", random & 128 ? "Durchfluss, Keller" : "");
    snprintf(stream.unit, sizeof(stream.unit), "m³/h");
    return stream_pack(&stream, out);
}
