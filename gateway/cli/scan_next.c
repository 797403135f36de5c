#include "cli/scan_next.h"

#include <stdio.h>
#include <string.h>

#include "cli/bench.h"

void scan_next_take(struct scan_next *next, const struct scan_found *found, const char *profile)
{
    struct scan_next_device *device = profile ? &next->fitting : &next->other;

    next->polled += next->taken[found->unit];
    if (device->known || next->taken[found->unit])
        return;
    device->known = true;
    device->unit = found->unit;
    bench_line(&found->line, device->line);
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

void scan_next_print(const struct scan_next *next, const char *place, const char *driver,
                     const char *bus)
{
    const struct scan_next_device *first = next->fitting.known ? &next->fitting : &next->other;

    if (!first->known && next->polled)
        printf("\nThe gateway polls all of them already, as bus %s.\n", bus);
    if (!first->known)
        return;
    printf("\nNext, in the configuration:\n");
    if (!*bus)
        print_bus(first, place, driver);
    printf("  in \"devices\":  { \"id\": \"device-%u\", \"bus\": \"%s\", \"unit\": %u, ",
           first->unit, *bus ? bus : "line-1", first->unit);
    printf(first->profile[0] ? "\"profile\": \"%s\" }\n"
                             : "\"numbering\": \"40001\", \"points\": [] }\n",
           first->profile);
    if (!next->other.known)
        return;
    printf("Its points are in its manual, or show themselves beside its display:\n");
    print_read(&next->other, place, driver);
}
