#include "config/assign.h"

#include <stdio.h>
#include <string.h>

bool config_assign_baud(const char *text, int32_t *baud, uint16_t *code)
{
    int read_baud, read_code, end = 0;

    if (strspn(text, "0123456789=") != strlen(text) ||
        sscanf(text, "%7d=%5d%n", &read_baud, &read_code, &end) != 2 || text[end] ||
        read_baud < 300 || read_baud > 921600 || read_code > 65535)
        return false;
    *baud = read_baud;
    *code = (uint16_t)read_code;
    return true;
}

bool config_assign_format(const char *text, struct assign_format *format)
{
    int code, stop_code = -1, end = 0;
    size_t size = strlen(text);
    bool two = strchr(text, '/') != NULL;

    if (size < 5 || !strchr("78", text[0]) || !strchr("NEO", text[1]) || !strchr("12", text[2]) ||
        text[3] != '=' || strspn(text + 4, "0123456789/") != size - 4)
        return false;
    if (two ? sscanf(text + 4, "%5d/%5d%n", &code, &stop_code, &end) != 2
            : sscanf(text + 4, "%5d%n", &code, &end) != 1)
        return false;
    if (text[4 + end] || code > 65535 || stop_code > 65535)
        return false;
    *format = (struct assign_format){.data_bits = (uint8_t)(text[0] - '0'),
                                     .parity = text[1],
                                     .stop_bits = (uint8_t)(text[2] - '0'),
                                     .code = (uint16_t)code,
                                     .stop_code = stop_code};
    return true;
}
