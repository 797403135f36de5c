/* sluice update: the whole system, where it came as an image. */
#include <cjson/cJSON.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/answer.h"
#include "cli/client.h"
#include "cli/command.h"

#define API     "/api/v1/update"
#define LOOK_MS 300
#define MB      1e6

struct asked {
    const char *socket_path;
    bool json, older, restart;
};

/* The state; NULL with an exit code, told. */
static cJSON *look(const char *socket_path, int *code)
{
    char *body = NULL;

    *code = client_get_body(socket_path, API, &body);
    if (*code)
        return NULL;
    cJSON *root = cJSON_Parse(body);
    free(body);
    if (root)
        return root;
    fprintf(stderr, "sluice update: the daemon's answer cannot be read\n");
    *code = EXIT_CODE_SYSTEM;
    return NULL;
}

static void print_slots(const cJSON *root)
{
    const cJSON *slot;

    cJSON_ArrayForEach(slot, cJSON_GetObjectItemCaseSensitive(root, "slots"))
    {
        const char *version = answer_text(slot, "version");

        printf("  %-8s %-16s %s%s\n", answer_text(slot, "name"), *version ? version : "-",
               answer_text(slot, "state"), answer_truth(slot, "next") ? ", starts next" : "");
    }
}

static void print_refusal(const cJSON *job)
{
    fprintf(stderr, "sluice update: refused: %s; %s\n", answer_text(job, "error"),
            answer_text(job, "next"));
}

static int print_state(const cJSON *root)
{
    const cJSON *job = cJSON_GetObjectItemCaseSensitive(root, "job");
    const char *phase = answer_text(job, "phase");

    if (strcmp(answer_text(root, "by"), "bundles") != 0) {
        printf("version %s; %s\n  %s\n", answer_text(root, "version"),
               answer_text(root, "sentence"), answer_text(root, "next"));
        return EXIT_CODE_OK;
    }
    printf("version %s", answer_text(root, "version"));
    printf(*answer_text(root, "board") ? " on %s\n" : "%s\n", answer_text(root, "board"));
    print_slots(root);
    if (*answer_text(root, "sentence"))
        printf("  %s; %s\n", answer_text(root, "sentence"), answer_text(root, "next"));
    if (*answer_text(root, "minimum"))
        printf("  nothing older than %s is installed\n", answer_text(root, "minimum"));
    if (answer_truth(root, "restart_due"))
        printf("  the other system runs after a restart: sluice update restart\n");
    if (strcmp(phase, "refused") == 0)
        printf("  the last update was refused: %s; %s\n", answer_text(job, "error"),
               answer_text(job, "next"));
    else if (strcmp(phase, "none") != 0 && strcmp(phase, "installed") != 0)
        printf("  an update goes on: %s, %.1f MB, %.0f %%\n", phase,
               answer_number(job, "received") / MB, answer_number(job, "percent"));
    return EXIT_CODE_OK;
}

static int state(const struct asked *asked)
{
    int code;

    if (asked->json)
        return client_get(asked->socket_path, API, stdout);
    cJSON *root = look(asked->socket_path, &code);
    if (root)
        code = print_state(root);
    cJSON_Delete(root);
    return code;
}

/* Asks for something that answers with an object, which is printed with --json. */
static int send(const struct asked *asked, const char *method, const char *path, const char *body,
                cJSON **answer)
{
    char *text = NULL;
    int code = client_send_body(asked->socket_path, method, path, body, &text);

    if (code == EXIT_CODE_OK && asked->json && !answer)
        fputs(text, stdout);
    if (code == EXIT_CODE_OK && answer)
        *answer = cJSON_Parse(text);
    free(text);
    return code;
}

/* --- installing --- */

static bool is_terminal(void)
{
    return isatty(STDERR_FILENO) == 1;
}

static void on_sent(void *context, int64_t size)
{
    double whole = *(double *)context;

    if (is_terminal())
        fprintf(stderr, "\r%5.1f of %.1f MB", (double)size / MB, whole / MB);
}

static int upload(const struct asked *asked, const char *name)
{
    const char *path = asked->older ? API "/bundle?older=true" : API "/bundle";
    FILE *file = fopen(name, "re");
    struct stat status;
    char *answer = NULL;
    size_t size;

    if (!file || fstat(fileno(file), &status) || !S_ISREG(status.st_mode)) {
        fprintf(stderr, "sluice update: %s: %s\n", name, file ? "is no file" : strerror(errno));
        if (file)
            fclose(file);
        return EXIT_CODE_SYSTEM;
    }
    double whole = (double)status.st_size;
    FILE *memory = open_memstream(&answer, &size);
    int code = memory ? client_put_file(asked->socket_path, path, file, (int64_t)status.st_size,
                                        on_sent, &whole, memory, stderr)
                      : EXIT_CODE_SYSTEM;
    if (memory)
        fclose(memory);
    if (is_terminal())
        fprintf(stderr, "\n");
    free(answer);
    fclose(file);
    /* What is refused while it comes in is no wrong command line. */
    return code == EXIT_CODE_USAGE ? EXIT_CODE_FAILED : code;
}

static int fetch(const struct asked *asked, const char *url)
{
    cJSON *body = cJSON_CreateObject(), *answer = NULL;

    cJSON_AddStringToObject(body, "url", url);
    cJSON_AddBoolToObject(body, "older", asked->older);
    char *text = cJSON_PrintUnformatted(body);
    int code = text ? send(asked, "POST", API, text, &answer) : EXIT_CODE_SYSTEM;
    free(text);
    cJSON_Delete(body);
    cJSON_Delete(answer);
    return code;
}

/* Tells each step once. */
static void tell_step(const cJSON *job, char last[128])
{
    char line[128];
    const char *phase = answer_text(job, "phase");

    if (strcmp(phase, "installing") == 0)
        snprintf(line, sizeof line, "%3.0f %% %s", answer_number(job, "percent"),
                 answer_text(job, "step"));
    else
        snprintf(line, sizeof line, "%s", phase);
    if (strcmp(line, last) != 0)
        fprintf(stderr, "%s\n", line);
    memcpy(last, line, sizeof line);
}

/* How it came out. */
static void tell_outcome(const struct asked *asked, const cJSON *job, bool installed)
{
    if (asked->json) {
        char *text = cJSON_Print(job);

        printf("%s\n", text ? text : "{}");
        free(text);
    } else if (installed) {
        printf("version %s is installed; it runs after a restart: sluice update restart\n",
               answer_text(job, "version"));
    }
    if (!installed)
        print_refusal(job);
}

/* Watches the update to its end. */
static int follow(const struct asked *asked)
{
    char last[128] = "";

    for (;;) {
        int code;
        cJSON *root = look(asked->socket_path, &code);
        const cJSON *job = cJSON_GetObjectItemCaseSensitive(root, "job");
        const char *phase = answer_text(job, "phase");
        bool installed = strcmp(phase, "installed") == 0, refused = strcmp(phase, "refused") == 0,
             forgotten = strcmp(phase, "none") == 0;

        if (!root)
            return code;
        if (installed || refused)
            tell_outcome(asked, job, installed);
        else if (forgotten)
            fprintf(stderr, "sluice update: the gateway has begun anew meanwhile, and knows of no "
                            "update: \"sluice update\" says which version starts next\n");
        else
            tell_step(job, last);
        cJSON_Delete(root);
        if (installed || refused || forgotten)
            return installed ? EXIT_CODE_OK : EXIT_CODE_FAILED;
        poll(NULL, 0, LOOK_MS);
    }
}

/* Before a large file is sent to where it cannot be used, or not now. */
static int refuse_elsewhere(const struct asked *asked)
{
    int code;
    cJSON *root = look(asked->socket_path, &code);

    if (root && *answer_text(root, "sentence")) {
        fprintf(stderr, "sluice update: %s; %s\n", answer_text(root, "sentence"),
                answer_text(root, "next"));
        code = EXIT_CODE_FAILED;
    }
    cJSON_Delete(root);
    return code;
}

static int restart(const struct asked *asked)
{
    int code = send(asked, "POST", API "/restart", "{}", NULL);

    if (code == EXIT_CODE_OK && !asked->json)
        printf("the machine restarts\n");
    return code == EXIT_CODE_USAGE ? EXIT_CODE_FAILED : code;
}

static int install(const struct asked *asked, const char *what)
{
    int code = refuse_elsewhere(asked);

    if (code)
        return code;
    code = strncasecmp(what, "https:", 6) == 0 || strncasecmp(what, "http:", 5) == 0
               ? fetch(asked, what)
               : upload(asked, what);
    code = code ? code : follow(asked);
    return code || !asked->restart ? code : restart(asked);
}

static int rollback(const struct asked *asked)
{
    cJSON *answer = NULL;
    int code = send(asked, "POST", API "/rollback", "{}", asked->json ? NULL : &answer);

    if (code == EXIT_CODE_OK && answer) {
        const char *version = answer_text(answer, "version");

        printf("the system that starts next is %s%s%s\n", *version ? "version " : "the other one",
               version,
               answer_truth(answer, "restart_due") ? "; restart: sluice update restart" : "");
    }
    cJSON_Delete(answer);
    code = code == EXIT_CODE_USAGE ? EXIT_CODE_FAILED : code;
    return code || !asked->restart ? code : restart(asked);
}

static int cancel(const struct asked *asked)
{
    int code = send(asked, "DELETE", API, "", NULL);

    if (code == EXIT_CODE_OK && !asked->json)
        printf("the update is cancelled\n");
    return code == EXIT_CODE_USAGE ? EXIT_CODE_FAILED : code;
}

static int act(const struct asked *asked, int count, char **words)
{
    const char *what = count > 0 ? words[0] : "status";

    if (count == 2 && strcmp(what, "install") == 0)
        return install(asked, words[1]);
    if (count <= 1 && strcmp(what, "status") == 0)
        return state(asked);
    if (count == 1 && strcmp(what, "rollback") == 0)
        return rollback(asked);
    if (count == 1 && strcmp(what, "restart") == 0)
        return restart(asked);
    if (count == 1 && strcmp(what, "cancel") == 0)
        return cancel(asked);
    fprintf(stderr, "sluice update: expected are status, install FILE or install URL, rollback, "
                    "restart or cancel; see --help\n");
    return EXIT_CODE_USAGE;
}

int command_update(int argc, char **argv)
{
    struct asked asked = {.socket_path = gateway_socket_path()};
    const struct args_flag flags[] = {
        {"older", 0, NULL, "also a version that is older than the one that runs", NULL,
         &asked.older},
        {"restart", 0, NULL, "restart the machine at once when it is done", NULL, &asked.restart},
        {"json", 'J', NULL, "the state, or how it ended, as JSON", NULL, &asked.json},
        COMMAND_SOCKET_FLAG(&asked.socket_path),
        {0},
    };
    const struct args_command command = {
        .name = "sluice update",
        .operands = " [status | install FILE | install URL | rollback | restart | cancel]",
        .operands_max = 2,
        .about =
            "Shows which versions of the system there are, installs another one from a signed\n"
            "bundle (FILE.raucb, or its https address), and goes back to the one before. The new\n"
            "one runs after a restart; when it does not work, the one before comes back by\n"
            "itself.\n",
        .after =
            "Exit status: 1 refused; 4 the daemon does not answer; 5 the file cannot be read.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    return act(&asked, argc - first, argv + first);
}
