/* A bus with one or two devices whose points are said in a few words: "3@100+2/1000" is function 3,
 * address 100, two registers, each 1000 ms; an 'a' behind it aligns it. A ';' begins the second
 * device. */
#ifndef SLUICE_TESTS_MODBUS_PLAN_KIT_H
#define SLUICE_TESTS_MODBUS_PLAN_KIT_H

#include <stdio.h>
#include <string.h>

#include "core/error.h"
#include "modbus/plan.h"

#define POINTS_MAX 300
#define MOMENT     (100 * NS_PER_S)

struct fixture {
    struct modbus_bus_options bus_options;
    struct modbus_device_options device_options[2];
    struct modbus_point_options options[POINTS_MAX];
    struct site_point points[POINTS_MAX];
    struct site_device devices[2];
    struct site_bus bus;
    struct plan plan;
};

static inline void describe(struct fixture *fixture, const char *text)
{
    struct site_device *device = &fixture->devices[0];
    size_t index = 0;

    device->points = fixture->points;
    for (const char *word = text; *word; index++) {
        unsigned function, address, count, every;
        int length;
        struct modbus_point_options *options = &fixture->options[index];

        while (*word == ' ' || *word == ';') {
            if (*word++ == ';') {
                device = &fixture->devices[1];
                device->points = &fixture->points[index];
            }
        }
        assert_int_equal(
            sscanf(word, "%u@%u+%u/%u%n", &function, &address, &count, &every, &length), 4);
        word += length;
        options->align = *word == 'a';
        word += options->align;
        options->function = (uint8_t)function;
        options->address = (uint16_t)address;
        options->count = (uint16_t)count;
        fixture->points[index].id = "point";
        fixture->points[index].options = options;
        fixture->points[index].every_ns = every * NS_PER_MS;
        device->point_count++;
    }
}

/* A serial line of that rate, whose devices answer within 5 ms; 0: a connection. */
static inline void make_on(struct fixture *fixture, const char *text, int64_t max_block,
                           int64_t gap, int32_t baud)
{
    memset(fixture, 0, sizeof *fixture);
    fixture->bus_options.port = "/dev/ttyS1";
    fixture->bus_options.line =
        (struct port_settings){.baud = baud, .data_bits = 8, .stop_bits = 1, .parity = 'E'};
    fixture->bus_options.turnaround_ns = 5 * NS_PER_MS;
    fixture->bus.id = "bus";
    fixture->bus.options = &fixture->bus_options;
    fixture->bus.devices = fixture->devices;
    fixture->bus.device_count = 2;
    for (size_t i = 0; i < 2; i++) {
        fixture->device_options[i].unit = (int64_t)i + 1;
        fixture->device_options[i].max_block = max_block;
        fixture->device_options[i].gap = gap;
        fixture->devices[i].options = &fixture->device_options[i];
        fixture->devices[i].id = i ? "second" : "first";
    }
    describe(fixture, text);
    assert_int_equal(plan_make(&fixture->plan, &fixture->bus), 0);
}

static inline void make(struct fixture *fixture, const char *text, int64_t max_block, int64_t gap)
{
    make_on(fixture, text, max_block, gap, 9600);
}

/* Writes a block, as "3@100+4". */
static inline size_t name_block(char *out, size_t size, const struct plan_block *block)
{
    return (size_t)snprintf(out, size, "%u@%u+%u", block->function, block->address, block->count);
}

/* What is read until nothing more is due, as "3@100+4 4@7+1". Every read is answered. */
static inline void read_all(struct fixture *fixture, int64_t now_ns, char *found, size_t size)
{
    struct plan_block *block;
    size_t length = 0;
    int64_t wake_ns;

    *found = '\0';
    while ((block = plan_next(&fixture->plan, now_ns, &wake_ns))) {
        if (length)
            found[length++] = ' ';
        length += name_block(found + length, size - length, block);
        assert_true(length < size);
        plan_done(&fixture->plan, block, now_ns);
    }
}

static inline void assert_reads(struct fixture *fixture, int64_t now_ns, const char *wanted)
{
    char found[4096];

    read_all(fixture, now_ns, found, sizeof found);
    assert_string_equal(found, wanted);
}

#endif
