/* PKCS #12 files as openssl writes them, taken apart; and files that are damaged anywhere. */
// links: sluice_tls
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/error.h"
#include "tls/inspect.h"
#include "tls/pfx.h"
#include "tls/tls.h"

#define FILE_MAX (64 * 1024)

static char folder[64];

static int prepare(void **state)
{
    static const char script[] = "cd %s && exec >/dev/null 2>&1; "
                                 "openssl req -x509 -newkey rsa:2048 -nodes -days 30 -keyout "
                                 "ca.key -out ca.pem -subj /CN=Shop && "
                                 "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
                                 "-keyout gw.key -out gw.csr -subj /CN=plant7 && "
                                 "openssl x509 -req -in gw.csr -CA ca.pem -CAkey ca.key "
                                 "-CAcreateserial -days 30 -out gw.pem";
    char command[sizeof script + sizeof folder];

    (void)state;
    strcpy(folder, "/tmp/sluice-pfx-XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(command, sizeof command, script, folder);
    assert_int_equal(tls_init(), 0);
    return system(command);
}

static int clean(void **state)
{
    char command[sizeof folder + 16];

    (void)state;
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

/* What `openssl pkcs12 -export` makes with those arguments. */
static size_t make(const char *arguments, unsigned char *out)
{
    char command[512];
    size_t size;

    snprintf(command, sizeof command,
             "cd %s && openssl pkcs12 -export -inkey gw.key -in gw.pem %s 2>/dev/null", folder,
             arguments);
    FILE *made = popen(command, "r");
    assert_non_null(made);
    size = fread(out, 1, FILE_MAX, made);
    assert_int_equal(pclose(made), 0);
    return size;
}

static const struct inspect *look(const char *pem)
{
    static struct inspect inspect;

    assert_int_equal(inspect_bytes(&inspect, pem, strlen(pem), NULL), 0);
    return &inspect;
}

static void gives_key_and_certificates_however_it_is_locked(void **state)
{
    static const struct {
        const char *arguments, *passphrase;
        size_t certificates;
    } files[] = {
        {"-passout pass:secret", "secret", 1},
        {"-passout pass:secret -certfile ca.pem", "secret", 2},
        {"-passout pass:", "", 1},
        {"-passout pass:", NULL, 1},
        {"-passout 'pass:Gr\xc3\xbc\xc3\x9f\x65 \xe2\x82\xac'",
         "Gr\xc3\xbc\xc3\x9f\x65 \xe2\x82\xac", 1},
        {"-passout pass:secret -keypbe AES-128-CBC -certpbe AES-192-CBC -macalg sha512", "secret",
         1},
        {"-passout pass:secret -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1", "secret",
         1},
        {"-passout pass:secret -keypbe DES-EDE3-CBC -certpbe NONE", "secret", 1},
        {"-passout pass:secret -keypbe NONE -certpbe NONE", "secret", 1},
        {"-passout pass:secret -nomac", "secret", 1},
        {"-passout pass:secret -nokeys", "secret", 1},
        {"-passout pass:secret -iter 1 -maciter", "secret", 1},
    };
    unsigned char *file = malloc(FILE_MAX);

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t size = make(files[i].arguments, file);
        struct pfx pfx;
        int error = pfx_open(&pfx, file, size, files[i].passphrase);
        if (error)
            fail_msg("%s: %s", files[i].arguments, error_name(error));
        uint8_t print[INSPECT_PRINT_SIZE];
        const struct inspect *seen = look(pfx.certificates);
        assert_int_equal(seen->kind, INSPECT_CERTIFICATES);
        assert_int_equal(seen->count, files[i].certificates);
        assert_string_equal(seen->certificates[0].subject, "CN=plant7");
        memcpy(print, seen->certificates[0].print, sizeof print);
        if (strstr(files[i].arguments, "-nokeys")) {
            assert_null(pfx.key);
        } else {
            seen = look(pfx.key);
            assert_int_equal(seen->kind, INSPECT_KEY);
            assert_true(inspect_fits(seen->print, print));
        }
        pfx_close(&pfx);
    }
    free(file);
}

static void says_why_it_cannot_be_opened(void **state)
{
    static const struct {
        const char *arguments, *passphrase;
        int error;
    } files[] = {
        {"-passout pass:secret", "another", ERR_DENIED},
        {"-passout pass:secret", NULL, ERR_DENIED},
        {"-passout pass:secret -nomac", "another", ERR_DENIED},
        /* Seal, certificates and key: each is within the bounds, and all together are not. */
        {"-passout pass:secret -iter 1000001", "secret", ERR_UNSUPPORTED},
        {"-passout pass:secret -legacy", "secret", ERR_UNSUPPORTED}, /* RC2 */
        {"-passout pass:secret", "a passphrase that is longer than the library takes",
         ERR_TOO_LARGE},
    };
    unsigned char *file = malloc(FILE_MAX);
    struct pfx pfx;

    (void)state;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        size_t size = make(files[i].arguments, file);
        int error = pfx_open(&pfx, file, size, files[i].passphrase);
        if (error != files[i].error)
            fail_msg("%s: %s", files[i].arguments, error_name(error));
        assert_null(pfx.key);
        assert_null(pfx.certificates);
    }
    assert_int_equal(pfx_open(&pfx, "", 0, NULL), ERR_CORRUPT);
    free(file);
}

/* With a seal nothing but the file as it was opens, and without one nothing worse happens. */
static void a_damaged_file_is_refused_wherever_the_damage_is(void **state)
{
    unsigned char *file = malloc(FILE_MAX), *damaged = malloc(FILE_MAX);
    size_t size = make("-passout pass:secret -iter 1 -nomac", file);
    struct pfx pfx;

    (void)state;
    for (size_t i = 0; i < size; i++) {
        unsigned char *cut = malloc(i ? i : 1); /* so that reading behind it is noticed */
        memcpy(cut, file, i);
        assert_int_not_equal(pfx_open(&pfx, cut, i, "secret"), 0);
        free(cut);
    }
    for (size_t i = 0; i < size * 8; i += 3) {
        memcpy(damaged, file, size);
        damaged[i / 8] ^= (unsigned char)(1u << i % 8);
        if (pfx_open(&pfx, damaged, size, "secret") == 0)
            pfx_close(&pfx);
    }
    size = make("-passout pass:secret -iter 1 -maciter", file);
    for (size_t i = 0; i < size; i++) {
        memcpy(damaged, file, size);
        damaged[i] ^= 0x20;
        if (pfx_open(&pfx, damaged, size, "secret") == 0) {
            assert_non_null(
                pfx.key); /* what is outside of the seal says nothing: the names of digests */
            pfx_close(&pfx);
        }
    }
    free(damaged);
    free(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_key_and_certificates_however_it_is_locked),
        cmocka_unit_test(says_why_it_cannot_be_opened),
        cmocka_unit_test(a_damaged_file_is_refused_wherever_the_damage_is),
    };

    return cmocka_run_group_tests(tests, prepare, clean);
}
