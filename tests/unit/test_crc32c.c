/* CRC-32C by the CPU's instruction and by table: the vectors of RFC 3720 (B.4), and each against
 * the definition. */
// links: sluice_core
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/crc32c.h"
#include "unit/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static uint32_t by_definition(uint32_t crc, const uint8_t *data, size_t size)
{
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0x82F63B78 : 0);
    }
    return ~crc;
}

static void gives_the_checksums_of_the_standard(void **state)
{
    (void)state;
    uint8_t zeros[32] = {0}, ones[32], rising[32], falling[32];
    memset(ones, 0xff, sizeof(ones));
    for (uint8_t i = 0; i < 32; i++) {
        rising[i] = i;
        falling[i] = (uint8_t)(31 - i);
    }
    const struct {
        const void *data;
        size_t size;
        uint32_t crc;
    } cases[] = {
        {zeros, 32, 0x8A9136AA},   {ones, 32, 0x62A8AB43},       {rising, 32, 0x46DD794E},
        {falling, 32, 0x113FDB5C}, {"123456789", 9, 0xE3069283}, {"", 0, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_int_equal(crc32c(0, cases[i].data, cases[i].size), cases[i].crc);
        assert_int_equal(crc32c_table(0, cases[i].data, cases[i].size), cases[i].crc);
    }
}

static void agrees_with_the_definition_at_any_size_and_alignment(void **state)
{
    (void)state;
    uint64_t seed = 1;
    uint8_t data[300];
    random_fill(&seed, data, sizeof(data));
    for (size_t offset = 0; offset < 9; offset++) {
        for (size_t size = 0; size < 280; size++) {
            uint32_t crc = (uint32_t)random_next(&seed);
            uint32_t expected = by_definition(crc, data + offset, size);
            assert_int_equal(crc32c(crc, data + offset, size), expected);
            assert_int_equal(crc32c_table(crc, data + offset, size), expected);
        }
    }
}

static void continues_where_it_stopped(void **state)
{
    (void)state;
    uint64_t seed = 2;
    uint8_t data[100];
    random_fill(&seed, data, sizeof(data));
    for (size_t cut = 0; cut <= sizeof(data); cut++) {
        uint32_t crc = crc32c(0, data, cut);
        assert_int_equal(crc32c_table(crc, data + cut, sizeof(data) - cut),
                         crc32c(0, data, sizeof(data)));
    }
}

/* As the kernel says: its list of what the processor can. */
static bool processor_has(const char *feature)
{
    FILE *file = fopen("/proc/cpuinfo", "re");
    char *line = NULL;
    size_t room = 0;
    bool found = false;

    assert_non_null(file);
    while (!found && getline(&line, &room, file) > 0) {
        if (strncmp(line, "flags", 5) != 0 && strncmp(line, "Features", 8) != 0)
            continue;
        strtok(line, ":");
        for (const char *word; !found && (word = strtok(NULL, " \t\n"));)
            found = strcmp(word, feature) == 0;
    }
    free(line);
    fclose(file);
    return found;
}

static void uses_the_instruction_where_the_processor_has_it(void **state)
{
    (void)state;
#if defined(__x86_64__)
    assert_int_equal(crc32c_by_instruction(), processor_has("sse4_2"));
#elif defined(__aarch64__) && defined(__AARCH64EL__)
    assert_int_equal(crc32c_by_instruction(), processor_has("crc32"));
#else
    assert_false(crc32c_by_instruction());
    (void)processor_has;
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_checksums_of_the_standard),
        cmocka_unit_test(agrees_with_the_definition_at_any_size_and_alignment),
        cmocka_unit_test(continues_where_it_stopped),
        cmocka_unit_test(uses_the_instruction_where_the_processor_has_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
