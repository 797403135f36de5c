#include "web/choices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "web/program.h"
#include "web/reply.h"

#define ANSWER_SIZE_MAX (4 * 1024 * 1024)
#define WORDS_SIZE      512
#define SEARCH_SIZE     256
#define SEARCH_WORDS    8

/* What the program ends with where nothing has the name that it was given (docs/cli.md). */
#define NO_SUCH_NAME 2

struct choice {
    const char *arguments[SEARCH_WORDS + 6];
    char words[SEARCH_SIZE];
    const char *none; /* what is answered when the program finds nothing: status 1 */
};

static void answer(void *context, const struct http_request *request, struct http_reply *reply)
{
    struct choice *choice = context;
    char words[WORDS_SIZE], *body;
    size_t size;
    int code = program_ask(choice->arguments, ANSWER_SIZE_MAX, &body, &size, words, sizeof words);

    (void)request;
    if (code == 0) {
        reply_json(reply, 200, body, size);
    } else if (code < 0) {
        reply_failure(reply, code);
    } else {
        free(body);
        if (code == 1 && choice->none && (body = strdup(choice->none)))
            reply_json(reply, 200, body, strlen(body));
        else
            reply_error(reply, code == NO_SUCH_NAME && !choice->none ? 404 : 400,
                        *words ? words : "nothing was found");
    }
}

/* Has the program asked on a thread that may wait; `arguments` end with NULL. */
static struct choice *ask(const char *const arguments[], struct http_reply *reply)
{
    struct choice *choice = calloc(1, sizeof *choice);

    if (!choice) {
        reply_failure(reply, ERR_NOMEM);
        return NULL;
    }
    for (size_t i = 0; arguments[i]; i++)
        choice->arguments[i] = arguments[i];
    reply->work = answer;
    reply->slow = true;
    reply->work_context = reply->owned = choice;
    return choice;
}

static void get_profiles(void *context, const struct route_request *request,
                         struct http_reply *reply)
{
    static const char *const arguments[] = {"profile", "list", "--json", "--", NULL};
    const char *search = http_query(request->http, "q");
    size_t count = 4;
    char *rest;

    (void)context;
    if (search && strlen(search) >= SEARCH_SIZE) {
        reply_error(reply, 400, "q: a few words are enough");
        return;
    }
    struct choice *choice = ask(arguments, reply);
    if (!choice)
        return;
    choice->none = "[]\n";
    snprintf(choice->words, sizeof choice->words, "%s", search ? search : "");
    for (char *word = strtok_r(choice->words, " \t", &rest); word && count < SEARCH_WORDS + 4;
         word = strtok_r(NULL, " \t", &rest))
        choice->arguments[count++] = word;
}

static void get_profile(void *context, const struct route_request *request,
                        struct http_reply *reply)
{
    static const char *const arguments[] = {"profile", "show", "--json", "--", NULL};
    struct choice *choice;

    (void)context;
    /* The program takes a file's name, too; nobody may ask for files over the network. */
    if (strchr(request->names[0], '.')) {
        reply_error(reply, 404, "there is no such profile");
        return;
    }
    choice = ask(arguments, reply);
    if (!choice)
        return;
    snprintf(choice->words, sizeof choice->words, "%s", request->names[0]);
    choice->arguments[4] = choice->words;
}

static void get_ports(void *context, const struct route_request *request, struct http_reply *reply)
{
    static const char *const arguments[] = {"ports", "--json", NULL};
    struct choice *choice = ask(arguments, reply);

    (void)context;
    (void)request;
    if (choice)
        choice->none = "[]\n";
}

static void get_options(void *context, const struct route_request *request,
                        struct http_reply *reply)
{
    static const char *const arguments[] = {"schema", NULL};

    (void)context;
    (void)request;
    ask(arguments, reply);
}

struct routes choices_routes(void)
{
    static const struct route rows[] = {
        {"GET", "/api/v1/profiles", ROLE_VIEWER, get_profiles, 0},
        {"GET", "/api/v1/profiles/{profile}", ROLE_VIEWER, get_profile, 0},
        {"GET", "/api/v1/ports", ROLE_VIEWER, get_ports, 0},
        {"GET", "/api/v1/options", ROLE_VIEWER, get_options, 0},
    };

    return (struct routes){rows, sizeof rows / sizeof *rows, NULL};
}
