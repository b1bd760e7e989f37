/* What bw-tracefs makes of pages, of formats and of records: of those that the kernel writes, and of those that nobody
 * would. A page lies in memory of exactly its size, so that AddressSanitizer sees whoever looks beyond it. */
#include <linux/sched.h>
#include <stdlib.h>
#include <string.h>

#include "../../engine/kernel/tracefs/formats.c"
#include "../../engine/kernel/tracefs/page.c"
#include "../../engine/kernel/tracefs/told.c"
#include "check.h"

#define SIZE 4096
#define RANDOM_PAGES 20000
#define START 1000000

static unsigned char made[SIZE];
static size_t length;

static void put(uint32_t word)
{
    memcpy(made + PAGE_HEADER + length, &word, sizeof word);
    length += sizeof word;
}

static void put_header(uint32_t type, uint32_t delta)
{
    put(type | delta << 5);
}

static void begin_page(void)
{
    memset(made, 0, sizeof made);
    length = 0;
}

static void end_page(uint64_t flags)
{
    uint64_t head[] = {START, length | flags};
    memcpy(made, head, sizeof head);
}

/* Reads a page in a place of its own. -> how many events; the newest one's time and size, and what is missing. */
static unsigned read_page(const unsigned char *bytes, size_t size, struct page_event *newest, uint64_t *missed)
{
    unsigned char *copy = malloc(size ? size : 1), *sum = malloc(SIZE);
    struct page page;
    unsigned count = 0;
    memcpy(copy, bytes, size);
    page_open(&page, copy, size);
    while (page_next(&page, newest)) {
        count++;
        CHECK_EQUAL(newest->data >= copy + PAGE_HEADER && newest->data + newest->size <= copy + size, 1);
        memcpy(sum, newest->data, newest->size);
    }
    *missed = page.missed;
    free(copy);
    free(sum);
    return count;
}

static void check_page(size_t size, unsigned count, uint64_t time, uint64_t missed)
{
    struct page_event newest = {0};
    uint64_t found = 0;
    CHECK_EQUAL(read_page(made, size, &newest, &found), count);
    CHECK_EQUAL(newest.time, time);
    CHECK_EQUAL(found, missed);
}

static void each_sort_of_event_has_its_time_and_size(void)
{
    begin_page();
    put_header(2, 100); /* 8 bytes */
    put(1), put(2);
    put_header(TIME_EXTEND, 5);
    put(1); /* 1 << 27 more */
    put_header(LENGTH_FOLLOWS, 7);
    put(4 + 8); /* itself and 8 bytes */
    put(3), put(4);
    end_page(0);
    check_page(SIZE, 2, START + 100 + 5 + (1 << 27) + 7, 0);
    put_header(PADDING, 1);
    put(4); /* an event that was taken back */
    put_header(TIME_STAMP, 9);
    put(1);
    put_header(1, 2);
    put(5);
    end_page(0);
    check_page(SIZE, 3, (1 << 27) + 9 + 2, 0);
    put_header(PADDING, 0); /* the rest of the page */
    put_header(1, 2);
    put(5);
    end_page(0);
    check_page(SIZE, 3, (1 << 27) + 9 + 2, 0);
}

static void what_is_missing_is_counted(void)
{
    begin_page();
    put_header(1, 1);
    put(5);
    end_page(COMMIT_MISSED);
    check_page(SIZE, 1, START + 1, 1); /* nobody knows how many */
    end_page(COMMIT_MISSED | COMMIT_STORED);
    uint64_t number = 42;
    memcpy(made + PAGE_HEADER + length, &number, sizeof number);
    check_page(SIZE, 1, START + 1, 42);
    check_page(PAGE_HEADER + length + 7, 1, START + 1, 1); /* its number is cut off */
}

static void a_page_that_is_cut_short_ends_there(void)
{
    struct page_event newest;
    uint64_t missed;
    each_sort_of_event_has_its_time_and_size();
    for (size_t size = 0; size < PAGE_HEADER + length; size++) {
        CHECK_EQUAL(read_page(made, size, &newest, &missed), 0);
        CHECK_EQUAL(missed, 1);
    }
    for (size_t bytes = 1; bytes < length; bytes++) { /* the page is whole, and says that it is shorter */
        uint64_t head[] = {START, bytes};
        memcpy(made, head, sizeof head);
        CHECK_EQUAL(read_page(made, SIZE, &newest, &missed) <= 3, 1);
    }
}

static void an_event_that_says_it_is_longer_than_its_page_ends_it(void)
{
    static const uint32_t lengths[] = {0, 1, 3, SIZE, 1u << 31, UINT32_MAX - 3, UINT32_MAX};
    for (size_t at = 0; at < sizeof lengths / sizeof *lengths; at++) {
        begin_page();
        put_header(LENGTH_FOLLOWS, 0);
        put(lengths[at]);
        end_page(0);
        check_page(PAGE_HEADER + length, 0, 0, 1);
    }
    static const uint32_t longer[] = {LENGTH_FOLLOWS, TIME_EXTEND, TIME_STAMP, PADDING};
    for (size_t at = 0; at < sizeof longer / sizeof *longer; at++) {
        begin_page();
        put_header(longer[at], 1); /* the word that follows it is not there */
        end_page(0);
        check_page(PAGE_HEADER + length, 0, 0, 1);
    }
}

static void pages_that_nobody_wrote_are_read_to_their_end(void)
{
    struct page_event newest;
    uint64_t missed, state = 88172645463325252;
    for (unsigned number = 0; number < RANDOM_PAGES; number++) {
        for (size_t at = 0; at < SIZE; at += 8) {
            state ^= state << 13, state ^= state >> 7, state ^= state << 17;
            memcpy(made + at, &state, 8);
        }
        if (number % 2) { /* a length that may be true */
            uint64_t commit = state % (SIZE - PAGE_HEADER + 1);
            memcpy(made + 8, &commit, sizeof commit);
        }
        CHECK_EQUAL(read_page(made, number % 3 ? SIZE : state % SIZE, &newest, &missed) <= (SIZE - PAGE_HEADER) / 4, 1);
    }
}

static const char PIO[] = "name: kvm_pio\nID: 110\nformat:\n"
                          "\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n"
                          "\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n"
                          "\tfield:unsigned int rw;\toffset:8;\tsize:4;\tsigned:0;\n"
                          "\tfield:unsigned int not_port;\toffset:48;\tsize:4;\tsigned:0;\n"
                          "\tfield:unsigned int port;\toffset:12;\tsize:4;\tsigned:0;\n"
                          "\tfield:unsigned int size;\toffset:16;\tsize:2;\tsigned:0;\n"
                          "\tfield:unsigned long val;\toffset:24;\tsize:8;\tsigned:0;\n";
static const char CALL[] = "ID: 9\n\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n"
                           "\tfield:long id;\toffset:8;\tsize:8;\tsigned:1;\n"
                           "\tfield:unsigned long args[6];\toffset:16;\tsize:48;\tsigned:0;\n";

static const struct event *event_of(uint16_t kind)
{
    for (size_t at = 0; at < event_count; at++)
        if (events[at].kind == kind)
            return &events[at];
    abort();
}

static void a_format_says_where_the_fields_are(void)
{
    struct format format;
    CHECK_EQUAL(format_parse(&format, event_of(BW_K_PIO), PIO), 1);
    CHECK_EQUAL(format.number, 110);
    static const struct place expected[] = {{12, 4}, {24, 8}, {16, 2}, {8, 4}};
    CHECK_EQUAL(memcmp(format.told, expected, sizeof expected), 0);
    CHECK_EQUAL(format_parse(&format, event_of(BW_T_CALL), CALL), 1);
    CHECK_EQUAL(format.told[1].offset, 24);
    CHECK_EQUAL(format.told[1].size, 8);
}

static void a_format_that_lacks_a_field_is_not_taken(void)
{
    static const char *const strange[] = {
        "",
        "ID: 70000\n",
        "ID: 1\n\tfield:int common_pid",
        "ID: 1\n\tfield:int common_pid;\toffset:4;\tsize:3;\n\tfield:u64 gpa;\toffset:8;\tsize:8;\n",
        "ID: 1\n\tfield:int common_pid;\toffset:4;\tsize:4;\n\tfield:u64 gpa;\toffset:99999;\tsize:8;\n",
        "ID: 1\n\tfield:int common_pid;\toffset:4;\tsize:4;\n\tfield:u64 gpa[4];\toffset:8;\tsize:32;\n",
        "ID: 1\n\tfield:int common_pid;\toffset:4;\tsize:4;\n\tfield:gpa;\toffset:8;\tsize:8;\n",
    };
    struct format format;
    for (size_t at = 0; at < sizeof strange / sizeof *strange; at++) {
        CHECK_EQUAL(format_parse(&format, event_of(BW_K_FAST_MMIO), strange[at]), 0);
        CHECK_EQUAL(format.number, 0);
    }
    CHECK_EQUAL(format_parse(&format, event_of(BW_K_PIO), CALL), 0);
}

static void a_record_that_is_too_short_for_its_format_is_not_taken(void)
{
    struct format format;
    struct bw_kernel_record record;
    unsigned char bytes[32] = {110, 0, 0, 0, 7, 0, 0, 0, 1, 0, 0, 0, 0x10, 5, 0, 0, 2, 0, 9, 9, 0, 0, 0, 0, 0xef};
    format_parse(&format, event_of(BW_K_PIO), PIO);
    for (size_t size = 0; size < sizeof bytes; size++) {
        unsigned char *exact = malloc(size + 1);
        memcpy(exact, bytes, size);
        CHECK_EQUAL(format_take(&format, event_of(BW_K_PIO), &(struct page_event){5, exact, size}, &record), 0);
        free(exact);
    }
    CHECK_EQUAL(format_take(&format, event_of(BW_K_PIO), &(struct page_event){5, bytes, sizeof bytes}, &record), 1);
    CHECK_EQUAL(record.thread, 7);
    CHECK_EQUAL(record.a, 0x510);
    CHECK_EQUAL(record.b, 0xef);
    CHECK_EQUAL(record.c, 2);
    CHECK_EQUAL(record.d, 1);
}

/* -- whose it is --------------------------------------------------------------------------------------------------- */

static struct bw_kernel_record told, begun;
static uint64_t now;

static bool tell(uint16_t kind, uint32_t thread, uint64_t a, uint64_t b)
{
    told = (struct bw_kernel_record){.time = ++now, .kind = kind, .thread = thread, .a = a, .b = b};
    return told_record(&told, &begun);
}

static void threads_are_those_of_their_process(void)
{
    told_thread(10, true, true);
    told_thread(20, false, false);
    CHECK_EQUAL(tell(BW_K_PIO, 10, 0x510, 0), 1);
    CHECK_EQUAL(tell(BW_K_PIO, 11, 0x510, 0), 0);
    tell(BW_T_NEW_THREAD, 10, 11, CLONE_THREAD);
    tell(BW_T_NEW_THREAD, 10, 12, 0); /* another process */
    tell(BW_T_NEW_THREAD, 20, 21, CLONE_THREAD);
    tell(BW_T_NEW_THREAD, 30, 31, CLONE_THREAD); /* of nobody */
    for (uint32_t thread = 11; thread < 32; thread++)
        CHECK_EQUAL(tell(BW_K_PIO, thread, 0x510, 0), thread == 11 || thread == 20 || thread == 21);
    CHECK_EQUAL(tell(BW_K_WAKING, 99, 11, 0), 1);
    CHECK_EQUAL(tell(BW_K_WAKING, 10, 21, 0), 0); /* of its process only those that are named */
    CHECK_EQUAL(tell(BW_T_SWITCH, 99, 11, 0), 1);
    CHECK_EQUAL(told.kind, BW_K_RUNS);
    CHECK_EQUAL(told.thread, 11);
    tell(BW_T_THREAD_ENDS, 11, 11, 0);
    CHECK_EQUAL(tell(BW_K_PIO, 11, 0x510, 0) || tell(BW_K_WAKING, 10, 11, 0), 0);
    CHECK_EQUAL(tell(BW_K_PIO, UINT32_MAX, 0x510, 0) || tell(BW_K_WAKING, 10, UINT64_MAX, 0), 0);
}

static void a_system_call_is_told_once_it_has_signalled(void)
{
    tell(BW_T_CALL, 10, CALL_WRITE, 3);
    uint64_t entered = now;
    CHECK_EQUAL(tell(BW_K_MSI, 10, 0xfee00000, 0x40), 1);
    CHECK_EQUAL(begun.kind, BW_K_WRITE);
    CHECK_EQUAL(begun.time, entered);
    CHECK_EQUAL(begun.a, CALL_WRITE);
    CHECK_EQUAL(tell(BW_K_MSI, 10, 0xfee00000, 0x40), 1);
    CHECK_EQUAL(begun.kind, 0);
    CHECK_EQUAL(tell(BW_T_CALL_RETURNS, 10, CALL_WRITE, 0), 1);
    CHECK_EQUAL(told.kind, BW_K_WRITTEN);
    CHECK_EQUAL(told.a, CALL_WRITE);
    tell(BW_T_CALL, 10, CALL_WRITE, 3);
    CHECK_EQUAL(tell(BW_T_CALL_RETURNS, 10, CALL_WRITE, 0), 0);
    tell(BW_T_CALL, 10, CALL_IOCTL, KVM_RUN);
    CHECK_EQUAL(tell(BW_K_MSI, 10, 0xfee00000, 0x40), 1);
    CHECK_EQUAL(begun.kind, 0);
}

static void work_is_of_who_has_queued_it(void)
{
    CHECK_EQUAL(tell(BW_K_WORK_STARTED, 500, 0xabc0, 0), 0);
    CHECK_EQUAL(tell(BW_K_WORK_QUEUED, 99, 0xabc0, 0), 0);
    CHECK_EQUAL(tell(BW_K_SET_IRQ, 500, 5, 1), 0);
    CHECK_EQUAL(tell(BW_K_WORK_QUEUED, 10, 0xabc0, 5), 1);
    CHECK_EQUAL(told.a, 5);
    CHECK_EQUAL(told.b, 0xabc0);
    CHECK_EQUAL(tell(BW_K_WORK_QUEUED, 99, 0xabc0, 5), 1); /* the same irqfd, signalled by somebody else */
    CHECK_EQUAL(tell(BW_K_WORK_STARTED, 500, 0xabc0, 5), 1);
    CHECK_EQUAL(tell(BW_K_SET_IRQ, 500, 5, 1) && tell(BW_K_ACCEPTED, 500, 0x41, 0), 1);
    CHECK_EQUAL(tell(BW_K_SET_IRQ, 501, 5, 1), 0);
    CHECK_EQUAL(tell(BW_K_WORK_ENDED, 500, 0xabc0, 0), 1);
    CHECK_EQUAL(tell(BW_K_WORK_ENDED, 500, 0xabc0, 0) || tell(BW_K_SET_IRQ, 500, 5, 1), 0);
    for (uint64_t work = 1; work <= 2 * MOST_WORKS; work++)
        CHECK_EQUAL(tell(BW_K_WORK_QUEUED, 10, work << 8, 5), 1);
    CHECK_EQUAL(tell(BW_K_WORK_STARTED, 500, 2 * MOST_WORKS << 8, 5), 1);
}

int main(void)
{
    each_sort_of_event_has_its_time_and_size();
    what_is_missing_is_counted();
    a_page_that_is_cut_short_ends_there();
    an_event_that_says_it_is_longer_than_its_page_ends_it();
    pages_that_nobody_wrote_are_read_to_their_end();
    a_format_says_where_the_fields_are();
    a_format_that_lacks_a_field_is_not_taken();
    a_record_that_is_too_short_for_its_format_is_not_taken();
    threads_are_those_of_their_process();
    a_system_call_is_told_once_it_has_signalled();
    work_is_of_who_has_queued_it();
    return failures;
}
