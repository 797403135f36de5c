/* Reading a whole configuration that is made to break the reader, with little memory, too. */
// links: sluice_daemon
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/gateway.h"
#include "fuzz/fuzz.h"
#include "unit/config/complaints.h"

struct token {
    size_t begin, size; /* between its quotes */
};

/* Replaces one quoted text by another one of the same file, so that what comes out is often still
 * JSON. */
static void swap_tokens(char *text, uint64_t *seed)
{
    struct token tokens[512];
    char copy[64];
    size_t count = 0;
    for (const char *at = text; count < 512 && (at = strchr(at, '"')); at++) {
        size_t size = strcspn(++at, "\"\n");
        if (at[size] == '\0')
            break;
        if (size < sizeof(copy))
            tokens[count++] = (struct token){(size_t)(at - text), size};
        at += size;
    }
    if (count == 0)
        return;
    struct token to = tokens[fuzz_next(seed) % count], from = tokens[fuzz_next(seed) % count];
    memcpy(copy, text + from.begin, from.size);
    char *rest = text + to.begin + to.size;
    memmove(text + to.begin + from.size, rest, strlen(rest) + 1);
    memcpy(text + to.begin, copy, from.size);
}

static void count_error(void *context, const struct config_error *error)
{
    assert_true(*error->sentence != '\0');
    ++*(unsigned *)context;
}

/* How many of that many mutations of a text are good configurations; each that is not is told. */
static unsigned mutate(const struct config_parts *parts, const char *original, unsigned rounds)
{
    struct folder folder = folder_make();
    uint64_t seed = 0xc0ff1965;
    unsigned good = 0;
    for (unsigned round = 0; round < rounds; round++) {
        static char text[16 * 1024];
        struct config *config;
        unsigned told = 0;
        snprintf(text, sizeof(text), "%s", original);
        for (uint64_t times = fuzz_next(&seed) % 3 + 1; times > 0; times--) {
            size_t at = fuzz_next(&seed) % strlen(text);
            if (fuzz_next(&seed) % 4 == 0)
                text[at] = "{}[]\",:0x"[fuzz_next(&seed) % 9];
            else
                swap_tokens(text, &seed);
        }
        write_file(folder.file, text);
        int error = config_load(&config, folder.file, parts, count_error, &told);
        assert_int_equal(error == 0, told == 0);
        good += error == 0;
        config_free(config);
    }
    folder_remove(&folder);
    return good;
}

static void survives_mutated_configurations(void **state)
{
    (void)state;
    struct config_parts parts = test_parts(profiles);
    char *plant = file_text("plant.json");
    unsigned good = mutate(&parts, plant, 2000);
    assert_true(good > 50 && good < 1500);
    free(plant);
}

/* What the shipped examples leave out. */
static const char lines[] =
    HEAD "\"buses\":[{\"id\":\"scales\",\"driver\":\"serial\",\"port\":\"/dev/ttyUSB1\","
         "\"end\":\"\\r\\n\",\"checksum\":\"none\",\"length\":0,\"silence\":\"20ms\"},"
         "{\"id\":\"line\",\"driver\":\"modbus-ascii\",\"port\":\"/dev/ttyUSB2\","
         "\"line\":\"9600 7E1\",\"rs485\":\"rts\"}],\"devices\":[{\"id\":\"scale\","
         "\"bus\":\"scales\",\"address\":\"3\",\"request\":\"SI\\r\\n\","
         "\"when_busy\":\"^S I$\",\"points\":[{\"id\":\"weight\",\"match\":\"^S S +(.*) kg\","
         "\"group\":1,\"type\":\"number\",\"format\":\"decimal\"},{\"id\":\"raw\",\"at\":2,"
         "\"format\":\"u16\",\"order\":\"little\"},{\"id\":\"key\",\"key\":\"1.8.0\","
         "\"unit_text\":\"kWh\"}]},{\"id\":\"drive\",\"bus\":\"line\",\"unit\":7,"
         "\"numbering\":\"0-based\",\"points\":[{\"id\":\"speed\",\"reg\":1,\"bit\":3,\"bits\":4},"
         "{\"id\":\"name\",\"reg\":9,\"type\":\"string\",\"length\":8,\"order\":\"BA\"},"
         "{\"id\":\"power\",\"reg\":20,\"type\":\"u32\",\"order\":\"CDAB\",\"scale_reg\":22,"
         "\"scale_by\":\"power\",\"na\":[1,2]}]}]}";

/* Drivers check what is wrong elsewhere as well: whatever an option lost, they get its default. */
static void drivers_survive_mutated_configurations(void **state)
{
    struct config_parts parts;
    char *plant = file_text("../../../docs/examples/plant.json");
    (void)state;
    gateway_config_parts(&parts);
    mutate(&parts, plant, 1500);
    assert_true(mutate(&parts, lines, 1500) > 20);
    free(plant);
}

static void ignore_error(void *context, const struct config_error *error)
{
    (void)context;
    (void)error;
}

/* In a process that may take `pages` more: 0 when loading worked, 1 when memory was said to be out,
 * else 2. */
static int load_with_little_memory(size_t pages)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        long used = 0;
        char path[PATH_MAX];
        struct config *config;
        struct config_parts parts = test_parts(profiles);
        FILE *file = fopen("/proc/self/statm", "r");
        if (!file || fscanf(file, "%ld", &used) != 1)
            _exit(2);
        fclose(file);
        rlim_t limit = ((rlim_t)used + pages) * (rlim_t)sysconf(_SC_PAGESIZE);
        setrlimit(RLIMIT_AS, &(struct rlimit){limit, limit});
        int error =
            config_load(&config, corpus_path("plant.json", path), &parts, ignore_error, NULL);
        config_free(config);
        _exit(error == 0 ? 0 : error == ERR_NOMEM && !config ? 1 : 2);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}

static void says_when_memory_is_out(void **state)
{
    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    skip(); /* sanitizers cannot live with a limit */
#endif
    unsigned seen[3] = {0};
    for (size_t pages = 0; pages < 400; pages += 8)
        seen[load_with_little_memory(pages)]++;
    assert_true(seen[0] > 0 && seen[1] > 1);
    assert_int_equal(seen[2], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survives_mutated_configurations),
        cmocka_unit_test(drivers_survive_mutated_configurations),
        cmocka_unit_test(says_when_memory_is_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
