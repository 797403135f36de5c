/* sluice wishes: root's part of what the daemon may not do itself. Started by sluice-wish.path. */
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "cli/command.h"
#include "core/error.h"
#include "daemon/machine.h"
#include "daemon/network_apply.h"
#include "daemon/wish.h"
#include "web/program.h"

static int restart(int64_t number)
{
    static const char *const arguments[] = {"systemctl", "--no-block", "reboot", NULL};
    struct program program;
    int error = program_start_other(&program, arguments);

    (void)number;
    if (error)
        return error;
    return program_wait(&program) == 0 ? 0 : ERR_REFUSED;
}

static int say_whether_followed(int64_t number)
{
    (void)number;
    return machine_clock_is_followed();
}

static const char *state_folder = GATEWAY_STATE_PATH; /* the daemon's */

static int put_network_in_force(int64_t number)
{
    char why[NETWORK_WHY_SIZE] = "";
    int error = network_apply(&network_this_machine, state_folder, false, why);

    (void)number;
    if (*why)
        fprintf(stderr, "sluice wishes: %s\n", why);
    return error;
}

static int do_nothing(int64_t number)
{
    (void)number;
    return 0;
}

static const struct wish_kind kinds[] = {
    {WISH_CLOCK, machine_set_clock, false},
    {WISH_FOLLOWED, say_whether_followed, true},
    {WISH_RESTART, restart, false},
    {WISH_NETWORK, put_network_in_force, false},
    {0},
};

static void tell(const char *what, int64_t number, int error)
{
    printf("%s %lld: %s\n", what, (long long)number, error ? error_text(error) : "done");
}

/* The same wishes, of which none is carried out. */
static void make_dry(struct wish_kind dry[])
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        dry[i] = kinds[i];
        dry[i].carry_out = do_nothing;
    }
}

int command_wishes(int argc, char **argv)
{
    bool dry = false;
    const struct args_flag flags[] = {
        {"state", 0, "FOLDER", "the daemon's state folder; " GATEWAY_STATE_PATH " unless given",
         &state_folder, NULL},
        {"dry", 0, NULL, "do nothing, and take it as done", NULL, &dry},
        {0},
    };
    const struct args_command command = {
        .name = "sluice wishes",
        .operands = " FOLDER",
        .operands_min = 1,
        .operands_max = 1,
        .about =
            "Carries out what the daemon asks root for, by files in FOLDER: setting the clock\n"
            "or the network, restarting the machine, and saying whether a time server is\n"
            "followed. The unit sluice-wish.path of the system starts it.\n",
        .after = "Exit status: 1 something could not be done; 5 the folder cannot be read.\n",
        .flags = flags,
    };
    int first = args_parse(argc, argv, &command);

    if (first < 0)
        return first == ARGS_DONE ? EXIT_CODE_OK : EXIT_CODE_USAGE;
    struct wish_kind nothing[sizeof kinds / sizeof *kinds];
    make_dry(nothing);
    int done = wish_carry_out(argv[first], dry ? nothing : kinds, tell);
    if (done < 0)
        fprintf(stderr, "sluice wishes: %s: %s\n", argv[first], error_text(done));
    return done < 0 ? EXIT_CODE_SYSTEM : done > 0 ? EXIT_CODE_OK : EXIT_CODE_FAILED;
}
