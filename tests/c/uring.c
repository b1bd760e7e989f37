/* A file is read by io_uring: each completion signals the eventfd once, and what was read is compared with the file. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi.h"
#include "check.h"
#include "core.h"

#define BLOCKS 8
#define READS 5000

/* A file whose 8 bytes are each their own number, up to the one that is not. */
static int numbered_file(uint64_t wrong)
{
    int file = memfd_create("numbered", MFD_CLOEXEC);
    for (uint64_t i = 0; i < BLOCKS * BW_BLOCK_SIZE / 8; i++) {
        uint64_t content = i == wrong ? 0 : i;
        CHECK_EQUAL(write(file, &content, sizeof content), sizeof content);
    }
    return file;
}

static uint64_t take(int fd)
{
    uint64_t count = 0;
    return read(fd, &count, sizeof count) == sizeof count ? count : 0;
}

static void reading(struct bw_uring *uring, int signalled)
{
    for (uint64_t number = 0; number < READS; number++) {
        CHECK_EQUAL(bw_uring_read(uring, number), 1);
        if (number % 7 == 0)
            CHECK_EQUAL(take(signalled) > 0, 1); /* by nobody here */
    }
    CHECK_EQUAL(bw_uring_completed(uring), READS);
    CHECK_EQUAL(bw_uring_wrong(uring), 0);
}

static void wrong_block(char *buffer, int signalled)
{
    int error = 0, file = numbered_file(3 * BW_BLOCK_SIZE / 8 + 1);
    struct bw_uring *uring = bw_uring_new(file, BLOCKS, buffer, signalled, &error);
    for (uint64_t number = 0; number < 2 * BLOCKS; number++)
        CHECK_EQUAL(bw_uring_read(uring, number), 1);
    CHECK_EQUAL(bw_uring_wrong(uring), 2);
    CHECK_EQUAL(ftruncate(file, BW_BLOCK_SIZE + 100), 0);
    CHECK_EQUAL(bw_uring_read(uring, 0), 1);
    CHECK_EQUAL(bw_uring_read(uring, 1), -EIO); /* a short read */
    close(file);
    CHECK_EQUAL(bw_uring_read(uring, 0), -EBADF);
    CHECK_EQUAL(bw_uring_completed(uring), 2 * BLOCKS + 1);
    bw_uring_free(uring);
}

static void refusals(char *buffer)
{
    int error = 0, file = numbered_file(~0ull);
    CHECK_EQUAL(bw_uring_new(file, BLOCKS, buffer, -1, &error) == NULL, 1);
    CHECK_EQUAL(error, -EBADF);
    CHECK_EQUAL(bw_uring_new(file, BLOCKS, buffer, file, &error) == NULL, 1);
    CHECK_EQUAL(error, -EINVAL); /* no eventfd */
    close(file);
}

int main(void)
{
    char *buffer = calloc(1, BW_BLOCK_SIZE);
    int error = 0, signalled = eventfd(0, EFD_NONBLOCK), file = numbered_file(~0ull);
    struct bw_uring *uring = bw_uring_new(file, BLOCKS, buffer, signalled, &error);
    if (!uring) {
        printf("SKIPPED: io_uring cannot be used here: %s\n", strerror(-error));
        return 0;
    }
    reading(uring, signalled);
    bw_uring_free(uring);
    close(file);
    wrong_block(buffer, signalled);
    refusals(buffer);
    close(signalled);
    free(buffer);
    return failures != 0;
}
