/* The list of the files beside a configuration, which everybody may ask for. */
// links: sluice_web
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/save.h"
#include "tls/inspect.h"
#include "tls/tls.h"
#include "web/files_api.h"
#include "web/reply.h"

#define KEYS 8

static unsigned opened; /* how often a key was read */

/* In the place of the C library's. */
int open(const char *path, int flags, ...)
{
    va_list more;

    va_start(more, flags);
    mode_t mode = flags & O_CREAT ? va_arg(more, mode_t) : 0;
    va_end(more);
    opened += strstr(path, ".key") != NULL;
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static void ask_for_the_list(const char *config, struct http_reply *reply)
{
    static const struct caller caller = {.role = ROLE_VIEWER, .account = "eve"};
    const struct http_request http = {.method = "GET", .path = "/api/v1/files"};
    struct files_api *api;

    assert_int_equal(files_api_open(&api, config, NULL), 0);
    struct routes routes = files_api_routes(api);
    assert_string_equal(routes.rows[0].path, http.path);
    routes.rows[0].handle(routes.context, &(struct route_request){.http = &http, .caller = &caller},
                          reply);
    reply->work(reply->work_context, &http, reply);
    files_api_close(api);
}

/* To look at a key takes long, and there may be hundreds. */
static void each_file_is_looked_at_twice_at_the_most(void **state)
{
    char folder[] = "/tmp/sluice-files-XXXXXX", path[80], config[64];
    char key[INSPECT_PEM_SIZE], request[INSPECT_PEM_SIZE];
    struct http_reply reply = {.status = 200};

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(config, sizeof config, "%s/sluice.json", folder);
    for (int i = 0; i < KEYS; i++) {
        snprintf(path, sizeof path, "%s/k%d.key", folder, i);
        assert_int_equal(inspect_request("CN=plant7", key, request), 0);
        assert_int_equal(save_file(path, key, strlen(key), 0600), 0);
    }
    opened = 0;
    ask_for_the_list(config, &reply);
    assert_int_equal(reply.status, 200);
    for (int i = 0; i < KEYS; i++) {
        snprintf(path, sizeof path, "\"name\": \"k%d.key\"", i);
        assert_non_null(strstr(reply.body, path));
    }
    assert_in_range(opened, KEYS, 2 * KEYS);
    free(reply.body);
    free(reply.owned);
    for (int i = 0; i < KEYS; i++) {
        snprintf(path, sizeof path, "%s/k%d.key", folder, i);
        unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
}

static int begin(void **state)
{
    (void)state;
    return tls_init();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_is_looked_at_twice_at_the_most),
    };

    return cmocka_run_group_tests(tests, begin, NULL);
}
