#include "cli/told_json.h"

#include <stdio.h>

void told_json_begin(struct told_json *told)
{
    *told = (struct told_json){.writer = {.out = stdout}};
    json_write_open(&told->writer, NULL, '{');
    json_write_open(&told->writer, "errors", '[');
}

void told_json_tell(void *context, const struct config_error *error)
{
    struct json_writer *writer = &((struct told_json *)context)->writer;

    json_write_open(writer, NULL, '{');
    json_write_text(writer, "file", error->file);
    json_write_integer(writer, "line", error->line);
    json_write_integer(writer, "column", error->column);
    json_write_text(writer, "key", error->key);
    json_write_text(writer, "sentence", error->sentence);
    json_write_close(writer, '}');
}

void told_json_end(struct told_json *told)
{
    json_write_close(&told->writer, ']');
    json_write_close(&told->writer, '}');
}
