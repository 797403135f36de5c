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
