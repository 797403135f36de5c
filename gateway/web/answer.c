#include "web/answer.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "web/reply.h"

bool answer_begin(struct answer *answer, struct http_reply *reply)
{
    memset(answer, 0, sizeof *answer);
    answer->writer.out = open_memstream(&answer->text, &answer->size);
    if (!answer->writer.out) {
        reply_failure(reply, ERR_NOMEM);
        return false;
    }
    json_write_open(&answer->writer, NULL, '{');
    return true;
}

void answer_end(struct answer *answer, struct http_reply *reply, int status)
{
    json_write_close(&answer->writer, '}');
    if (fclose(answer->writer.out) == 0) {
        reply_json(reply, status, answer->text, answer->size);
        return;
    }
    free(answer->text);
    reply_failure(reply, ERR_NOMEM);
}
