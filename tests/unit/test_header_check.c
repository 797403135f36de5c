/* Which headers leave no doubt about a request's end and addressee. */
// links: sluice_web
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "web/header_check.h"

#define HEADERS_MAX 3

struct header_case {
    struct {
        const char *name, *value;
    } headers[HEADERS_MAX];
    bool ambiguous;
};

static void one_length_and_one_host_leave_no_doubt(void **state)
{
    static const struct header_case cases[] = {
        {{{"Host", "a"}, {"Accept", "b"}, {"Accept", "c"}}, false},
        {{{"Host", "a"}, {"Content-Length", "0"}}, false},
        {{{"transfer-encoding", "Chunked"}, {"HOST", "a"}}, false},
        {{{NULL, NULL}}, false},
        {{{"Host", "a"}, {"host", "a"}}, true},
        {{{"Content-Length", "5"}, {"content-length", "5"}}, true},
        {{{"Content-Length", "5"}, {"Transfer-Encoding", "chunked"}}, true},
        {{{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}}, true},
        {{{"Transfer-Encoding", "gzip, chunked"}}, true},
        {{{"Transfer-Encoding", "xchunked"}}, true},
        {{{"Transfer-Encoding", NULL}}, true},
        {{{"Content-Length", "+5"}}, true},
        {{{"Content-Length", "5, 5"}}, true},
        {{{"Content-Length", "0x5"}}, true},
        {{{"Content-Length", ""}}, true},
        {{{"Content-Length", NULL}}, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct header_check check = {0};

        for (size_t h = 0; h < HEADERS_MAX && cases[i].headers[h].name; h++)
            header_check_see(&check, cases[i].headers[h].name, cases[i].headers[h].value);
        if (header_check_is_ambiguous(&check) != cases[i].ambiguous)
            fail_msg("case %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_length_and_one_host_leave_no_doubt),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
