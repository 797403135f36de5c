#include "daemon/guard.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>

#include "core/error.h"
#include "core/log.h"
#include "core/words.h"
#include "web/audit.h"

static int set_clock(void *context, int64_t wall_ns)
{
    return timekeeper_set(context, wall_ns, TIME_PERSON);
}

struct gatekeeper *guard_open(const struct gateway_options *options, struct timekeeper *keeper)
{
    char folder[PATH_MAX], preset[PATH_MAX];
    struct gatekeeper *gate;

    snprintf(folder, sizeof folder, "%s", options->config_path);
    snprintf(preset, sizeof preset, "%.*s/setup-code", PATH_MAX - 16, dirname(folder));
    int error = gate_open(&gate, &(struct gate_options){.state_path = options->state_path,
                                                        .preset_path = preset,
                                                        .clock = timekeeper_clock(keeper),
                                                        .set_clock = set_clock,
                                                        .clock_context = keeper});
    if (!error)
        return gate;
    log_error("daemon", "nobody can come in over the network: the accounts in %s cannot be had: %s",
              options->state_path, error_text(error));
    return NULL;
}

void guard_close(struct gatekeeper *gate)
{
    gate_close(gate);
}

static void about(void *context, struct gate_about *about)
{
    struct running *running = ((struct guard_site *)context)->running;

    pthread_mutex_lock(&running->lock);
    if (running->current) {
        const struct site *site = &running->current->config->site;

        snprintf(about->id, sizeof about->id, "%s", site->id);
        snprintf(about->name, sizeof about->name, "%s", site->name ? site->name : "");
    }
    pthread_mutex_unlock(&running->lock);
}

static int give_name(void *context, const struct caller *caller, const char *id, const char *name,
                     char *sentence, size_t size)
{
    const struct guard_site *site = context;
    int error = configure_name(site->configure, caller, id, name, sentence, size);

    if (!error) {
        char line[GATE_NAME_SIZE * 3 + ID_SIZE_MAX];
        struct text words;

        text_init(&words, line, sizeof line);
        words_put(&words, "id", id ? id : "");
        words_put(&words, "name", name ? name : "");
        audit_note(site->running->journal, caller, "gateway-named", line);
    }
    return error;
}

int guard_mount(struct gatekeeper *gate, struct api *api, struct guard_site *guarded)
{
    struct gate_site site = {
        .about = about, .name = guarded->configure ? give_name : NULL, .context = guarded};

    return gate ? gate_mount(gate, api, guarded->running->journal, &site) : 0;
}

void guard_apply(struct gatekeeper *gate, const struct config_web *web)
{
    if (!gate)
        return;
    if (gate_set_names(gate, web->names.items, web->names.count))
        log_warn("daemon", "the page's names in web.names are not taken: %s",
                 error_text(ERR_NOMEM));
    if (web->enabled)
        gate_announce(gate);
}
