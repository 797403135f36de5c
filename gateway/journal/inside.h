/* What the parts of the journal share. Nobody outside of this folder includes it. */
#ifndef SLUICE_JOURNAL_INSIDE_H
#define SLUICE_JOURNAL_INSIDE_H

#include "journal/commit.h"
#include "journal/index.h"
#include "journal/lane.h"
#include "journal/outage.h"
#include "journal/ring.h"
#include "journal/spare.h"
#include "journal/state.h"

#include <time.h>

#define LANES_MAX    8192
#define WATCHES_MAX  64
#define NOTES_MAX    16
#define RETIRING_MAX 16

/* A segment is read when the journal is opened: more events than this would take too long. */
#define SEGMENT_EVENTS_MAX (1024 * 1024)

/* Records need this much of a frame, and a frame is not begun where less than FRAME_ROOM_MIN is
 * left. */
#define RECORDS_ROOM   4096
#define FRAME_ROOM_MIN (FRAME_HEADER_SIZE + CODEC_EVENT_SIZE_MAX + RECORDS_ROOM)

/* Why somebody need not, or must, wake the writer: see writer_rest. */
enum rest {
    REST_AWAKE,
    REST_TIMED, /* until the commit is due: only what makes it due earlier wakes it */
    REST_IDLE,  /* nothing is waiting: anything wakes it */
};

struct lane {
    struct ring ring;
    struct journal *journal;
    size_t wake_bytes; /* so many waiting bytes wake a writer that waits for the commit to be due */
    _Atomic uint64_t put;              /* events, with those refused */
    _Atomic uint64_t refused_overload; /* by the producer */
    _Atomic uint64_t refused_storage;
    uint64_t round_overload, round_storage; /* refused before the round began; the writer's */
    uint64_t told_overload, told_storage;   /* as gap events; the writer's */
};

/* A segment on its way out: its file is used again when what its going changed is durable. */
struct retiring {
    int64_t size;
    uint64_t commit; /* that has to be durable */
    uint32_t id;
    bool waits; /* for a commit that is not sealed yet */
};

/* How long what a process knows of an outage waits to be noted: what is killed meanwhile was not
 * counted. */
#define STALL_NOTE_NS (1 * NS_PER_S)

/* Why nothing could be stored (error 0: that was told, or never so), and from when on. */
struct outage {
    int error;
    int64_t since_ns;      /* monotonic, by the clock that dates events */
    int64_t since_real_ns; /* monotonic, in real time; 0: there was no such time */
};

/* The writer thread's own. */
struct writer {
    pthread_t thread;
    bool started, ended; /* commit.durable tells of the end, under commit.mutex */
    struct buffer *open; /* the frame that is being filled; NULL for none */
    struct segment segment;
    bool has_segment;
    int64_t position; /* of the next frame in it */
    int64_t reserve;  /* bytes at its end that are left for another file: see roll_look_around */
    bool alone;       /* there may be no other file */
    uint64_t next_n;
    uint64_t sequence; /* of the newest segment */
    struct boot boot;  /* this run of the machine, and the wall clock's offset in force */
    bool boot_known;   /* the offset is one that was in force before */
    int64_t step_ns;   /* a step of the wall clock that is to be told, */
    bool stepped;
    /* Records to be written. */
    bool boot_changed, epoch_changed, refused_changed, told_changed, retired_changed;
    char opening[64]; /* the lifecycle event that begins an epoch; "" when it is stored */
    struct gap notes[NOTES_MAX];
    size_t note_count;
    struct retiring retiring[RETIRING_MAX];
    size_t retiring_count;
    bool in_round;
    uint64_t round_flush; /* the flush that the round under way will satisfy */
    uint64_t taken_flush; /* that the rounds until now satisfy */
    size_t round_lane;
    int64_t cursors_due_ns;    /* when moves are committed by themselves; 0: none wait */
    struct outage outage;      /* to be told as soon as it is over */
    struct outage_note before; /* of the process before, to be told; number 0: there is none */
    bool before_told;          /* in words */
    struct outage_note noted;  /* the last one; number 0: none was written */
    int64_t note_due_ns;
    bool stalled;     /* there is no segment to write to */
    int64_t retry_ns; /* when it is tried again */
    int64_t retry_wait_ns;
    uint8_t *checkpoint; /* a buffer for checkpoint frames */
    _Atomic int64_t
        busy_since_ns;      /* when it began to write a segment's beginning; 0: it does not */
    _Atomic int64_t due_ns; /* when the thread is back from its rest at the latest */
};

struct journal {
    const struct io *io;
    const struct clock *clock;
    char gateway_id[ID_SIZE_MAX];
    int64_t keep_bytes, max_age_ns, commit_ns, commit_bytes, segment_bytes, hang_ns;
    uint32_t alignment;
    enum journal_when_full when_full;
    uint32_t (*random)(void);
    bool read_only;
    unsigned format_newest;  /* the last version that is known */
    _Atomic unsigned format; /* that segments are begun in */

    struct state state;
    struct index index;
    struct commit commit;
    struct spare spare;
    struct outage_file outage;
    struct writer writer;

    pthread_mutex_t lanes_mutex;
    struct lane *own;    /* of what the gateway itself has to tell */
    struct lane **lanes; /* that one, and the buses' */
    size_t lane_count, lane_room;
    uint64_t put_before; /* by lanes that are closed */
    uint64_t taken;      /* events that the writer took from lanes */
    pthread_mutex_t own_mutex;
    pthread_cond_t own_room;
    unsigned own_waiting;

    pthread_mutex_t watches_mutex;
    int watches[WATCHES_MAX];
    size_t watch_count;

    _Atomic uint64_t durable_n;
    _Atomic uint32_t durable_epoch;
    _Atomic int storage_error;
    _Atomic int rest; /* enum rest */
    _Atomic bool urgent, cursors_changed, clock_changed, closing;
    _Atomic uint64_t flush_wanted;
    uint64_t flush_ready, flush_commit; /* with commit.mutex: that flush is done with that commit */
    bool flush_stalled;                 /* with commit.mutex: nothing can be stored at present */
    /* As they were when the journal was opened. */
    uint64_t stored_base, refused_base, last_n_base;
};

/* So long from now by the monotonic clock: what conditions are waited for until. */
struct timespec journal_until(int64_t wait_ns);

/* Whether one of the threads has waited too long for the disk. Any thread. */
bool journal_hangs(const struct journal *journal);

/* Wakes the writer when it rests at least so deeply. Any thread. */
void journal_wake(struct journal *journal, enum rest rest);

/* ledger.c: the wall clock when the segment was begun, by the newest boot table. */
int64_t begun_wall(const struct journal *journal, const struct segment *segment);

/* lane.c */
int lane_init(struct lane *lane, struct journal *journal, size_t size_bytes);
int lane_enter(struct journal *journal, struct lane *lane); /* 0, ERR_NOMEM, ERR_FULL */
void lane_refuse(struct lane *lane, const struct event *event);

/* folder.c: reads all headers, and fills index and spare. Returns how many files were set aside, or
 * an error. */
int folder_read(struct journal *journal);

/* recovery.c: reads the folder and fills state, index, spare and writer. */
int recover(struct journal *journal, const struct journal_options *options);

/* writer.c */
void *writer_main(void *context);

/*
 * store.c: makes frames of events. Nothing here waits for the disk, as some of it is called with
 * the lanes' mutex held. What returns bool returns false when it has to be tried again later: when
 * the disk has made room, or when the writer has begun a segment.
 */
bool store_event(struct journal *journal, struct event *event);
bool store_seal(struct journal *journal, bool clean_end);
/* Whether the next frame cannot be begun before a segment is. */
bool store_needs_segment(const struct writer *writer);
void store_look_at_clock(struct journal *journal);
/* What must be told as a gap event as soon as there is room. */
void store_note(struct writer *writer, const struct gap *gap);
bool store_notes(struct journal *journal);

/* stall.c: when nothing can be stored. */
/* From now on nothing can be stored: an alarm tells of it when that is over. */
void stall_outage(struct journal *journal, int error);
/* Events wait, and are counted when they no longer fit, until a segment can be begun. */
void stall_begin(struct journal *journal, int error);
void stall_end(struct journal *journal);
/* Notes what is lost by now, for the next start. 0, or why nothing takes a note. */
int stall_note(struct journal *journal, bool ended);
/* The journal ends while nothing can be stored. */
void stall_close(struct journal *journal);
/* The process ends without the journal, as its disk hangs. Any thread. */
void stall_hang(struct journal *journal);
/* Tells of the outage of the process before, and of this one's. False: to be tried again. */
bool stall_tell_before(struct journal *journal);
bool stall_tell(struct journal *journal);
/* All that was lost in an outage, or waited for its end, is in frames. */
void stall_told(struct journal *journal);
/* How long ago the last outage began. */
uint32_t stall_extent_ms(const struct journal *journal);

/* roll.c: begins segments and lets old ones go. */
bool roll(struct journal *journal);
/* The next segment's file, which must have room for four checkpoints and what waits for the disk,
 * besides ordinary frames. */
struct spare_want roll_want(struct journal *journal, int64_t extra);
/*
 * A single segment that is full cannot be followed by another one where the disk has no room: its
 * state could go nowhere else before it is overwritten. So as long as there is no other file, the
 * end of the segment is not written to, and can be given back to the disk.
 */
void roll_look_around(struct journal *journal);
void roll_settle(struct journal *journal);

/* retention.c */
/* Asks for the next file, and retires segments where that is needed. False when nothing is on its
 * way. */
bool retention_plan(struct journal *journal);
/* Hands the files of retired segments on whose going is durable (at once: all). */
void retention_release(struct journal *journal, bool at_once);
/* A frame has just been sealed, with number commit.submitted. */
void retention_sealed(struct journal *journal);
/* The disk is full: takes the oldest segment, where the policy allows. */
bool retention_make_room(struct journal *journal);
/* How long until a segment becomes too old; INT64_MAX for never. */
int64_t retention_wait_ns(const struct journal *journal);

/* load.c: a state from a checkpoint and what follows it. Zero it to begin. */
struct load {
    uint64_t last_n;            /* the last event found, whatever was applied */
    uint64_t tail_first_n;      /* first n of the last readable frame behind the checkpoint, */
    int64_t tail_at;            /* where it is, */
    int64_t tail_size;          /* and its size; 0 where there is none */
    uint32_t tail_epoch;        /* of the newest frame with events; 0: no frame was found */
    uint32_t tail_boot;         /* the run of the machine that wrote the last frame, */
    uint8_t tail_trust;         /* how good its wall clock was, */
    int64_t tail_wall_ns;       /* and what that said when the frame was begun */
    int64_t end;                /* where the next frame belongs */
    uint64_t faults;            /* places where something that is no frame was passed over */
    struct gap gaps[NOTES_MAX]; /* the events that were lost there */
    size_t gap_count;
};

/*
 * Applies the checkpoint of a segment (with `base`; otherwise it is passed over) and its frames,
 * without those from `limit_n` on, which the next segment holds. Returns 0, 1 when an event behind
 * the moment was met, or an error.
 */
int load_segment(const struct journal *journal, struct state *state, const struct segment *segment,
                 bool base, uint64_t limit_n, const struct moment *moment, struct load *load);

/* The state at the end of the segments, from the newest checkpoint that is whole. 0 or an error. */
int load_newest(struct journal *journal, struct load *load);

#endif
