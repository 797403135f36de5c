#include "web/restore_text.h"

#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/error.h"
#include "web/answer.h"
#include "web/needs.h"
#include "web/proposal.h"
#include "web/reply.h"

#define CONFIRM_NS (300 * NS_PER_S) /* whoever restores may have to log in anew */

/* Reads and checks a whole text in place of the configuration. */
static int propose(const struct export_given *given, const char *text, struct proposal *proposal)
{
    struct json value = {
        .type = JSON_STRING, .key = "text", .text = text, .size = (uint32_t)strlen(text)};
    struct json body = {.type = JSON_OBJECT, .count = 1, .first = &value};

    return proposal_open(proposal, &body, given->place.config_path, given->place.first,
                         given->keeper.parts);
}

/* How many mistakes it has, all of them with their places, and the files that are missing. `text`
 * is what would be in force. */
static void refuse_mistakes(const struct export_given *given, const struct proposal *proposal,
                            const char *text, struct http_reply *reply)
{
    char sentence[640];
    struct answer answer;

    if (!answer_begin(&answer, reply))
        return;
    snprintf(sentence, sizeof sentence, "its configuration has %u mistake%s; %s",
             proposal->mistakes, proposal->mistakes == 1 ? "" : "s", proposal->first);
    json_write_text(&answer.writer, "error", sentence);
    proposal_write_mistakes(proposal, &answer.writer);
    needs_write(&answer.writer, given->place.parts, text, given->place.config_path);
    answer_end(&answer, reply, 400);
}

int restore_text(const struct export_given *given, const struct route_request *request,
                 const char *text, const char *comment, struct config_answer *answer,
                 struct http_reply *reply)
{
    char words[HISTORY_WORDS_SIZE];
    struct proposal proposal;
    int error = propose(given, text, &proposal);

    if (error) {
        reply_error(reply, 500, proposal.why);
    } else if (!proposal.config) {
        refuse_mistakes(given, &proposal, text, reply);
        error = ERR_CONFIG;
    } else {
        proposal_words(&proposal, words, sizeof words);
        struct config_wish wish = {.text = text,
                                   .size = strlen(text),
                                   .base = proposal.revision,
                                   .comment = comment,
                                   .words = words,
                                   .caller = request->caller,
                                   .confirm_ns = CONFIRM_NS};
        given->keeper.apply(given->keeper.context, &wish, answer);
        /* That nothing would change is no failure of a restore. */
        error = answer->error == ERR_INVALID ? 0 : answer->error;
        if (error)
            reply_error(reply, 409, answer->sentence);
    }
    proposal_close(&proposal);
    return error;
}

bool restore_text_mistakes(const struct export_given *given, const char *text, const char *made,
                           struct http_reply *reply)
{
    struct proposal plain, personal = {0};
    bool wrong = propose(given, text, &plain) == 0 && !plain.config;

    if (wrong && made)
        wrong = propose(given, made, &personal) == 0 && !personal.config;
    if (wrong)
        refuse_mistakes(given, &plain, made ? made : text, reply);
    proposal_close(&personal);
    proposal_close(&plain);
    return wrong;
}
