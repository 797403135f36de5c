/* The certificate that the gateway makes, read by our own library and by openssl. */
// links: sluice_tls
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/error.h"
#include "tls/certificate.h"
#include "tls/server.h"
#include "tls/tls.h"

#define FROM_S  INT64_C(1767225600) /* 2026-01-01 */
#define UNTIL_S INT64_C(2524608000) /* 2050-01-01: behind it dates are written in another form */

static char folder[64], cert_path[96], key_path[96];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/sluice-cert-XXXXXX");
    if (!mkdtemp(folder) || tls_init())
        return -1;
    snprintf(cert_path, sizeof cert_path, "%s/tls.crt", folder);
    snprintf(key_path, sizeof key_path, "%s/tls.key", folder);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(cert_path);
    unlink(key_path);
    return rmdir(folder);
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void make(const char *const *names, size_t count, char key[CERTIFICATE_PEM_SIZE])
{
    const struct certificate_subject subject = {"plant7", names, count, FROM_S, UNTIL_S};
    char certificate[CERTIFICATE_PEM_SIZE];

    assert_int_equal(certificate_make(&subject, key, certificate), 0);
    write_text(cert_path, certificate);
    write_text(key_path, key);
}

/* What openssl prints of the certificate. */
static void read_by_openssl(char *out, size_t size)
{
    char command[192];

    snprintf(command, sizeof command, "openssl x509 -noout -text -in %s", cert_path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    out[fread(out, 1, size - 1, pipe)] = '\0';
    assert_int_equal(pclose(pipe), 0);
}

static void is_one_for_servers_with_all_its_names(void **state)
{
    static const char *const names[] = {"plant7", "plant7.local", "192.168.1.5", "fd00::5"};
    static const char *const wanted[] = {
        "Signature Algorithm: ecdsa-with-SHA256",
        "CA:FALSE",
        "TLS Web Server Authentication",
        "Digital Signature",
        "DNS:plant7, DNS:plant7.local, IP Address:192.168.1.5, IP Address:FD00:",
        "Not Before: Jan  1 00:00:00 2026",
        "Not After : Jan  1 00:00:00 2050",
        "NIST CURVE: P-256",
    };
    char key[CERTIFICATE_PEM_SIZE] = "", text[16384], sentence[256];
    struct tls_identity *identity;
    struct tls_identity_facts facts;

    (void)state;
    make(names, 4, key);
    read_by_openssl(text, sizeof text);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        if (!strstr(text, wanted[i]))
            fail_msg("%s is not in\n%s", wanted[i], text);
    }
    assert_int_equal(tls_identity_open(&identity, cert_path, key_path, sentence, sizeof sentence),
                     0);
    tls_identity_facts(identity, &facts);
    assert_int_equal(strlen(facts.fingerprint), 95);
    assert_true(facts.self_signed);
    assert_int_equal(facts.from_wall_s, FROM_S);
    assert_int_equal(facts.until_wall_s, UNTIL_S);
    tls_identity_close(identity);
}

static void a_given_key_is_used_again_and_the_certificate_is_another(void **state)
{
    char first[CERTIFICATE_PEM_SIZE] = "", second[CERTIFICATE_PEM_SIZE];
    char before[16384], after[16384];

    (void)state;
    make(NULL, 0, first);
    read_by_openssl(before, sizeof before);
    memcpy(second, first, sizeof second);
    make(NULL, 0, second);
    read_by_openssl(after, sizeof after);
    assert_string_equal(first, second);
    assert_string_not_equal(before, after); /* its number */
    memcpy(second, "no key", 7);
    const struct certificate_subject subject = {"plant7", NULL, 0, FROM_S, UNTIL_S};
    assert_int_equal(certificate_make(&subject, second, first), ERR_CERTIFICATE);
}

static void many_and_long_names_are_taken_as_far_as_they_fit(void **state)
{
    static char texts[CERTIFICATE_NAMES_MAX + 8][128];
    const char *names[CERTIFICATE_NAMES_MAX + 8];
    char key[CERTIFICATE_PEM_SIZE] = "", text[16384];

    (void)state;
    for (size_t size = 10; size <= 127; size += 39) {
        for (size_t i = 0; i < CERTIFICATE_NAMES_MAX + 8; i++) {
            memset(texts[i], 'a' + (int)(i % 26), size);
            texts[i][size] = '\0';
            names[i] = texts[i];
        }
        key[0] = '\0';
        make(names, CERTIFICATE_NAMES_MAX + 8, key);
        read_by_openssl(text, sizeof text);
        assert_non_null(strstr(text, "DNS:aaaaaaaaaa"));
        for (size_t count = 1; count < 12; count += 3) {
            make(names, count, key);
            read_by_openssl(text, sizeof text);
        }
    }
}

static void files_that_do_not_fit_are_told(void **state)
{
    char key[CERTIFICATE_PEM_SIZE] = "", other[CERTIFICATE_PEM_SIZE] = "", sentence[256];
    struct tls_identity *identity = NULL;

    (void)state;
    make(NULL, 0, key);
    unlink(key_path);
    assert_int_equal(tls_identity_open(&identity, cert_path, key_path, sentence, sizeof sentence),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(sentence, "web.key"));
    make(NULL, 0, other);
    write_text(key_path, key);
    assert_int_equal(tls_identity_open(&identity, cert_path, key_path, sentence, sizeof sentence),
                     ERR_CERTIFICATE);
    assert_non_null(strstr(sentence, "does not belong"));
    write_text(cert_path, "no certificate");
    assert_int_equal(tls_identity_open(&identity, cert_path, key_path, sentence, sizeof sentence),
                     ERR_CERTIFICATE);
    assert_null(identity);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_one_for_servers_with_all_its_names),
        cmocka_unit_test(a_given_key_is_used_again_and_the_certificate_is_another),
        cmocka_unit_test(many_and_long_names_are_taken_as_far_as_they_fit),
        cmocka_unit_test(files_that_do_not_fit_are_told),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
