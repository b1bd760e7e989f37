/* The events that tracefs is asked for, and where a record of each keeps what is taken of it: events/SYSTEM/NAME/format
 * says so of the kernel that runs. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "page.h"
#include "record.h"

/* Kinds of records that are for this program alone. */
enum { BW_T_NEW_THREAD = 1000, BW_T_THREAD_ENDS, BW_T_CALL, BW_T_CALL_RETURNS, BW_T_SWITCH };

#define MOST_TOLD 4 /* a to d of a record */

enum where {
    OF_PROCESSES = 1, /* what is asked for by set_event_pid */
    OF_WORKERS = 2    /* the kernel's own threads that do an irqfd's work */
};

struct event {
    const char *system, *name;
    uint16_t kind;
    uint8_t where;
    const char *told[MOST_TOLD]; /* fields; "args[1]": the second one of 8 bytes in it */
    const char *filter;          /* of those of processes, as events/SYSTEM/NAME/filter has it; NULL: none */
};

struct format {
    uint16_t number;      /* common_type of its records; 0: this kernel does not have it as we know it */
    struct place {
        uint16_t offset, size; /* bytes; size 0: nothing is taken */
    } thread, told[MOST_TOLD];
};

extern const struct event events[];
extern const size_t event_count;

/* Fills it from the text of a `format`. Whether all is there that is to be taken. */
bool format_parse(struct format *format, const struct event *event, const char *text);

/* Makes a record of what a page holds; false: it is too short for its format. Its CPU is the caller's to fill in. */
bool format_take(const struct format *format, const struct event *event, const struct page_event *found,
                 struct bw_kernel_record *record);
