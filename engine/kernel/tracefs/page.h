/* A page of one CPU's ring buffer, as `trace_pipe_raw` gives it (Linux: kernel/trace/ring_buffer.c, events/header_page
 * and events/header_event): a time, how many bytes follow, and whether events before it are missing; then events, each
 * with the time since the one before.
 *
 * A page may say anything: nothing outside of it is read; what does not fit together ends it, and counts as missing. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_HEADER 16
/* In events/header_page: timestamp, commit and data. */
#define PAGE_FIELDS "offset:0;\tsize:8", "offset:8;\tsize:8", "offset:16;"

struct page {
    const unsigned char *at, *end;
    uint64_t time;
    uint64_t missed; /* events before this page, or of it */
};

struct page_event {
    uint64_t time; /* by the instance's clock */
    const unsigned char *data;
    size_t size;
};

void page_open(struct page *page, const unsigned char *bytes, size_t size);
/* The next event; false: there is none. */
bool page_next(struct page *page, struct page_event *event);
