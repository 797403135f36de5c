#include "cli/ports.h"

#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "config/json_write.h"
#include "serial/port_board.h"
#include "serial/port_holder.h"
#include "serial/port_rs485.h"

#define PORTS_MAX 1024

struct row {
    struct port_info info;
    char name[PORT_PATH_MAX];
    const struct board_port *labelled; /* on the housing; NULL: it is not */
    char holder[PORT_HOLDER_MAX];      /* "": nobody that can be seen */
    const char *rs485;                 /* "yes", "no", "?" */
};

struct table {
    const struct port_roots *roots;
    const struct board *board; /* NULL: nobody says which it is */
    struct row *rows;
    size_t count;
    bool out_of_memory;
};

static bool add_row(void *context, const struct port_info *info)
{
    struct table *table = context;
    struct row *rows = realloc(table->rows, (table->count + 1) * sizeof *rows);

    if (!rows) {
        table->out_of_memory = true;
        return false;
    }
    table->rows = rows;
    struct row *row = &rows[table->count++];

    *row = (struct row){
        .info = *info, .rs485 = "?", .labelled = port_board_of(table->roots, table->board, info)};
    port_stable_name(table->roots, table->board, info, row->name);
    port_holder(table->roots, info->path, row->holder);
    return table->count < PORTS_MAX;
}

static int by_path(const void *a, const void *b)
{
    return strverscmp(((const struct row *)a)->info.path, ((const struct row *)b)->info.path);
}

static bool is_console(const struct row *row)
{
    return row->labelled && row->labelled->console;
}

/* Asking opens the port, so one that somebody uses is not asked. */
static void ask(struct row *row)
{
    if (!row->holder[0] && !is_console(row))
        row->rs485 = port_rs485_by_kernel(row->info.path) ? "yes" : "no";
}

/* What is printed on the housing, also where nothing is plugged in yet. */
static void print_labels(const struct board *board, FILE *out)
{
    fprintf(out, "\nOn the housing of this %s:\n", board->name);
    for (size_t i = 0; i < board->port_count; i++) {
        const struct board_port *port = &board->ports[i];

        fprintf(out, "  board:%-10s %-12s %s\n", port->label,
                port->console                    ? "console"
                : strcmp(port->port, "usb") == 0 ? "USB adapter"
                                                 : port->port,
                port->terminals);
    }
}

static void print_text(const struct table *table, FILE *out)
{
    int path = 4, name = 12, adapter = 7;

    if (table->count == 0) {
        fputs("There is no serial port. An adapter that is plugged in appears here at once.\n",
              out);
        return;
    }
    for (size_t i = 0; i < table->count; i++) {
        const struct row *row = &table->rows[i];
        int sizes[] = {(int)strlen(row->info.path), (int)strlen(row->name),
                       (int)strlen(row->info.adapter)};

        path = sizes[0] > path ? sizes[0] : path;
        name = sizes[1] > name ? sizes[1] : name;
        adapter = sizes[2] > adapter ? sizes[2] : adapter;
    }
    fprintf(out, "%-*s  %-*s  %-*s  %-10s  %-6s  USED BY\n", path, "PORT", name, "CONFIGURE AS",
            adapter, "ADAPTER", "DRIVER", "RS-485");
    for (size_t i = 0; i < table->count; i++) {
        const struct row *row = &table->rows[i];

        fprintf(out, "%-*s  %-*s  %-*s  %-10s  %-6s  %s\n", path, row->info.path, name, row->name,
                adapter, row->info.adapter, row->info.driver, row->rs485,
                row->holder[0] || !is_console(row) ? row->holder : "the console of Linux");
    }
}

static void print_json(const struct table *table, FILE *out)
{
    struct json_writer writer = {.out = out};

    json_write_open(&writer, NULL, '[');
    for (size_t i = 0; i < table->count; i++) {
        const struct row *row = &table->rows[i];
        const struct port_identity *identity = &row->info.identity;

        json_write_open(&writer, NULL, '{');
        json_write_text(&writer, "path", row->info.path);
        json_write_text(&writer, "port", row->name);
        if (row->labelled) {
            json_write_text(&writer, "label", row->labelled->label);
            json_write_text(&writer, "terminals", row->labelled->terminals);
            json_write_raw(&writer, "console", is_console(row) ? "true" : "false");
        }
        json_write_text(&writer, "adapter", row->info.adapter);
        json_write_text(&writer, "driver", row->info.driver);
        json_write_text(&writer, "vendor", identity->vendor);
        json_write_text(&writer, "product", identity->product);
        json_write_text(&writer, "serial", identity->serial);
        json_write_text(&writer, "socket", identity->socket);
        if (row->info.latency_ms >= 0)
            json_write_number(&writer, "latency_ms", row->info.latency_ms);
        json_write_raw(&writer, "rs485",
                       row->rs485[0] == '?'   ? "null"
                       : row->rs485[0] == 'y' ? "true"
                                              : "false");
        json_write_text(&writer, "used_by", row->holder);
        json_write_close(&writer, '}');
    }
    json_write_close(&writer, ']');
}

int ports_print(const struct port_roots *roots, bool json, bool rs485, FILE *out)
{
    struct board board;
    struct table table = {.roots = roots,
                          .board = board_find(roots->boards, &board) == 0 ? &board : NULL};

    port_each(roots, add_row, &table);
    if (table.count > 0)
        qsort(table.rows, table.count, sizeof *table.rows, by_path);
    for (size_t i = 0; rs485 && i < table.count; i++)
        ask(&table.rows[i]);
    if (json)
        print_json(&table, out);
    else
        print_text(&table, out);
    if (!json && table.board)
        print_labels(table.board, out);
    free(table.rows);
    return table.out_of_memory || ferror(out) ? EXIT_CODE_SYSTEM : EXIT_CODE_OK;
}

int command_ports(int argc, char **argv)
{
    bool json = false, rs485 = false;
    const struct args_flag flags[] = {
        {"json", 'J', NULL, "as one JSON list", NULL, &json},
        {"rs485", 0, NULL, "ask each port that nobody uses whether it switches RS-485", NULL,
         &rs485},
        {0},
    };
    const struct args_command command = {
        .name = "sluice ports",
        .operands = "",
        .about =
            "Lists the serial ports, what to write into the configuration as \"port\", and who\n"
            "uses them. Run it as root to see what other users' programs have open.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    return ports_print(&port_roots_system, json, rs485, stdout);
}
