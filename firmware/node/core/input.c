#include "node/core/input.h"

void input_sample(struct input *input, bool closed)
{
    if (!input->known) {
        input->known = true;
        input->closed = closed;
    }
    if (closed == input->closed) {
        input->differs_ms = 0;
        return;
    }
    if (++input->differs_ms < INPUT_STEADY_MS)
        return;
    input->differs_ms = 0;
    input->closed = closed;
    input->count += closed;
}
