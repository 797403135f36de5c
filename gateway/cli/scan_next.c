#include "cli/scan_next.h"

#include <stdio.h>
#include <string.h>

#include "cli/bench.h"

void scan_next_take(struct scan_next *next, const struct scan_found *found, const char *profile)
{
    struct scan_next_device *device = &next->devices[next->count];
    char line[24];

    if (found->verdict == SCAN_UNCLEAR)
        return; /* nobody knows what to write */
    next->polled += next->taken[found->unit];
    if (next->taken[found->unit])
        return;
    bench_line(&found->line, line);
    if (next->count > 0 && strcmp(line, next->devices[0].line) != 0) {
        next->apart++;
        return;
    }
    if (next->count == SCAN_NEXT_MAX)
        return;
    next->count++;
    device->unit = found->unit;
    memcpy(device->line, line, sizeof line);
    snprintf(device->profile, sizeof device->profile, "%s", profile ? profile : "");
}

static void print_bus(const struct scan_next_device *device, const char *place, const char *driver)
{
    printf("  in \"buses\":    { \"id\": \"line-1\", \"driver\": \"%s\", \"%s\": \"%s\"", driver,
           device->line[0] ? "port" : "host", place);
    if (device->line[0])
        printf(", \"line\": \"%s\"", device->line);
    printf(" }\n");
}

/* As a line of a shell. */
static void print_read(const struct scan_next_device *device, const char *place, const char *driver)
{
    printf("  sluice read %s --unit %u", place, device->unit);
    if (device->line[0])
        printf(" --line \"%s\"", device->line);
    if (strcmp(driver, "modbus-ascii") == 0)
        printf(" --frames ascii");
    else if (!device->line[0] && strcmp(driver, "modbus-rtu") == 0)
        printf(" --frames rtu");
    printf(" --reg 40001 --count 60 --explain\n");
}

/* Each as it stands in the list "devices". Returns how many have no profile, and the first of them.
 */
static unsigned print_devices(const struct scan_next *next, const char *bus,
                              const struct scan_next_device **strange)
{
    unsigned count = 0;

    for (unsigned i = 0; i < next->count; i++) {
        const struct scan_next_device *device = &next->devices[i];

        printf("%s{ \"id\": \"device-%u\", \"bus\": \"%s\", \"unit\": %u, ",
               i == 0 ? "  in \"devices\":  " : "                 ", device->unit,
               *bus ? bus : "line-1", device->unit);
        printf(device->profile[0] ? "\"profile\": \"%s\" }"
                                  : "\"numbering\": \"40001\", \"points\": [] }",
               device->profile);
        printf("%s\n", i + 1 < next->count ? "," : "");
        if (!device->profile[0] && count++ == 0)
            *strange = device;
    }
    return count;
}

void scan_next_print(const struct scan_next *next, const char *place, const char *driver,
                     const char *bus)
{
    const struct scan_next_device *strange = NULL;
    unsigned count;

    if (next->count == 0 && next->polled)
        printf("\nThe gateway polls all of them already, as bus %s.\n", bus);
    if (next->count == 0)
        return;
    printf("\nNext, in the configuration:\n");
    if (!*bus)
        print_bus(&next->devices[0], place, driver);
    count = print_devices(next, bus, &strange);
    if (next->apart)
        printf("%u more answer%s at another setting, and a line has one: give them that of the "
               "others, at the device or by sluice assign.\n",
               next->apart, next->apart == 1 ? "s" : "");
    if (count == 0)
        return;
    printf("%s points are in %s manual, or show themselves beside %s display:\n",
           count == 1 ? "Its" : "Their", count == 1 ? "its" : "their", count == 1 ? "its" : "the");
    print_read(strange, place, driver);
}
