#include <string.h>

#include "page.h"

#define COMMIT_SIZE 0xfffff
#define COMMIT_MISSED (UINT64_C(1) << 31)
#define COMMIT_STORED (UINT64_C(1) << 30) /* their number stands behind the last event */
#define HEADER 4                          /* of an event: 5 bits of type_len, 27 bits of time since the one before */
#define DELTA_BITS 27
#define ABSOLUTE_BITS 59

enum { LENGTH_FOLLOWS = 0, MOST_WORDS = 28, PADDING, TIME_EXTEND, TIME_STAMP };

static uint32_t word_at(const unsigned char *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

static uint64_t quad_at(const unsigned char *at)
{
    uint64_t quad;
    memcpy(&quad, at, sizeof quad);
    return quad;
}

/* What follows cannot be told from rubbish. */
static bool give_up(struct page *page)
{
    page->at = page->end;
    page->missed++;
    return false;
}

void page_open(struct page *page, const unsigned char *bytes, size_t size)
{
    *page = (struct page){.at = bytes, .end = bytes};
    if (size < PAGE_HEADER) {
        give_up(page);
        return;
    }
    uint64_t commit = quad_at(bytes + 8), length = commit & COMMIT_SIZE;
    page->time = quad_at(bytes);
    if (commit & COMMIT_MISSED) {
        bool stored = commit & COMMIT_STORED && PAGE_HEADER + length + 8 <= size;
        uint64_t count = stored ? quad_at(bytes + PAGE_HEADER + length) : 0;
        page->missed = count ? count : 1;
    }
    if (PAGE_HEADER + length > size) {
        give_up(page);
        return;
    }
    page->at = bytes + PAGE_HEADER;
    page->end = page->at + length;
}

bool page_next(struct page *page, struct page_event *event)
{
    while (page->at < page->end) {
        size_t room = (size_t)(page->end - page->at);
        if (room < HEADER)
            return give_up(page);
        uint32_t header = word_at(page->at), type = header & 31;
        uint64_t delta = header >> 5;
        if (type == PADDING && !delta) { /* up to the end of the page */
            page->at = page->end;
            return false;
        }
        bool longer = type == LENGTH_FOLLOWS || type > MOST_WORDS; /* another word follows */
        if (longer && room < 2 * HEADER)
            return give_up(page);
        uint32_t next = longer ? word_at(page->at + HEADER) : 0;
        if (type == TIME_EXTEND || type == TIME_STAMP) {
            uint64_t told = delta | (uint64_t)next << DELTA_BITS, kept = page->time >> ABSOLUTE_BITS << ABSOLUTE_BITS;
            page->time = type == TIME_STAMP ? kept | told : page->time + told;
            page->at += 2 * HEADER;
            continue;
        }
        size_t skip = type == LENGTH_FOLLOWS ? 2 * HEADER : HEADER;
        size_t length = longer ? HEADER + (size_t)next : HEADER + 4 * (size_t)type;
        if (length > room || length < skip)
            return give_up(page);
        page->time += delta;
        *event = (struct page_event){page->time, page->at + skip, length - skip};
        page->at += length;
        if (type != PADDING)
            return true;
    }
    return false;
}
