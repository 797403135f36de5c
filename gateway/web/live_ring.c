#include "web/live_ring.h"

#include <stdlib.h>
#include <string.h>

#include "core/error.h"
#include "web/feed.h"

int live_ring_open(struct live_ring *ring, uint64_t n)
{
    memset(ring, 0, sizeof *ring);
    ring->bytes = malloc(LIVE_RING_SIZE);
    ring->from_n = n + 1;
    return ring->bytes ? 0 : ERR_NOMEM;
}

void live_ring_close(struct live_ring *ring)
{
    free(ring->bytes);
    ring->bytes = NULL;
    ring->first = ring->next = 0;
}

bool live_ring_tells(const struct event *event)
{
    return event->kind != EVENT_READING && event->kind != EVENT_DECLARE && event->n != 0;
}

static void drop_oldest(struct live_ring *ring)
{
    ring->from_n = ring->lines[ring->first % LIVE_RING_LINES].n + 1;
    ring->first++;
    ring->begin =
        ring->first == ring->next ? ring->end : ring->lines[ring->first % LIVE_RING_LINES].at;
}

void live_ring_put(struct live_ring *ring, const struct journal *journal, const struct event *event)
{
    char line[FEED_LINE_SIZE_MAX];
    struct stream stream;
    struct text text;

    text_init(&text, line, sizeof line);
    feed_event_json(&text, event, journal_stream(journal, event->stream, &stream));
    while (ring->next - ring->first == LIVE_RING_LINES ||
           (ring->first != ring->next && ring->end - ring->begin + text.size > LIVE_RING_SIZE))
        drop_oldest(ring);

    size_t at = ring->end % LIVE_RING_SIZE, head = LIVE_RING_SIZE - at;
    if (head > text.size)
        head = text.size;
    memcpy(ring->bytes + at, line, head);
    memcpy(ring->bytes, line + head, text.size - head);
    size_t slot = ring->next++ % LIVE_RING_LINES;
    ring->lines[slot].n = event->n;
    ring->lines[slot].epoch = event->epoch;
    ring->lines[slot].at = ring->end;
    ring->lines[slot].size = (uint32_t)text.size;
    ring->end += text.size;
}

bool live_ring_get(const struct live_ring *ring, uint64_t n, struct live_line *line)
{
    uint64_t number = ring->next;

    /* From the newest on: viewers are seldom far behind. */
    while (number > ring->first && ring->lines[(number - 1) % LIVE_RING_LINES].n >= n)
        number--;
    if (number == ring->next)
        return false;
    size_t slot = number % LIVE_RING_LINES, at = ring->lines[slot].at % LIVE_RING_SIZE;
    size_t size = ring->lines[slot].size, head = LIVE_RING_SIZE - at;
    if (head > size)
        head = size;
    *line = (struct live_line){.n = ring->lines[slot].n,
                               .epoch = ring->lines[slot].epoch,
                               .parts = {ring->bytes + at, ring->bytes},
                               .sizes = {head, size - head}};
    return true;
}
