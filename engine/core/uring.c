/* A read of a file whose completion signals an eventfd. Whoever sleeps on that eventfd is told by the kernel; no thread of
 * ours writes it.
 *
 * By the system calls themselves: io_uring_setup(2), io_uring_register(2) with IORING_REGISTER_EVENTFD, io_uring_enter(2).
 * One read is under way at a time, so the kernel posts one completion and signals once for each.
 *
 * Memory model, as io_uring(7) has it: an entry is filled before the tail that publishes it is stored with release; the
 * tail of the completions is loaded with acquire before a completion is read. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/io_uring.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "abi.h"
#include "core.h"

#define ENTRIES 4

struct bw_uring {
    int fd, file;
    uint64_t blocks;
    char *buffer;
    char *rings; /* of submissions and of completions */
    size_t rings_size;
    struct io_uring_sqe *entries;
    size_t entries_size;
    struct io_uring_params layout;
    _Atomic uint64_t completed, wrong;
};

static uint32_t *word(const struct bw_uring *self, uint32_t offset)
{
    return (uint32_t *)(self->rings + offset);
}

static int map(struct bw_uring *self)
{
    const struct io_uring_params *layout = &self->layout;
    if (!(layout->features & IORING_FEAT_SINGLE_MMAP)) /* Linux 5.4; reading into a plain buffer came later */
        return -ENOSYS;
    size_t submissions = layout->sq_off.array + layout->sq_entries * sizeof(uint32_t);
    size_t completions = layout->cq_off.cqes + layout->cq_entries * sizeof(struct io_uring_cqe);
    self->rings_size = submissions > completions ? submissions : completions;
    self->entries_size = layout->sq_entries * sizeof *self->entries;
    const int protection = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_POPULATE;
    self->rings = mmap(NULL, self->rings_size, protection, flags, self->fd, IORING_OFF_SQ_RING);
    if (self->rings == MAP_FAILED)
        return -errno;
    self->entries = mmap(NULL, self->entries_size, protection, flags, self->fd, IORING_OFF_SQES);
    return self->entries == MAP_FAILED ? -errno : 0;
}

static int set_up(struct bw_uring *self, int eventfd)
{
    self->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &self->layout);
    if (self->fd < 0)
        return -errno;
    int result = map(self);
    if (result < 0)
        return result;
    return syscall(SYS_io_uring_register, self->fd, IORING_REGISTER_EVENTFD, &eventfd, 1) < 0 ? -errno : 0;
}

struct bw_uring *bw_uring_new(int file, uint64_t blocks, void *buffer, int eventfd, int *error)
{
    struct bw_uring *self = calloc(1, sizeof *self);
    if (!self) {
        *error = -ENOMEM;
        return NULL;
    }
    self->file = file;
    self->blocks = blocks;
    self->buffer = buffer;
    self->rings = MAP_FAILED;
    self->entries = MAP_FAILED;
    *error = set_up(self, eventfd);
    if (*error < 0) {
        bw_uring_free(self);
        return NULL;
    }
    return self;
}

static void publish(struct bw_uring *self, uint64_t block)
{
    uint32_t tail = *word(self, self->layout.sq_off.tail), index = tail & *word(self, self->layout.sq_off.ring_mask);
    self->entries[index] = (struct io_uring_sqe){.opcode = IORING_OP_READ,
                                                 .fd = self->file,
                                                 .off = block * BW_BLOCK_SIZE,
                                                 .addr = (uint64_t)(uintptr_t)self->buffer,
                                                 .len = BW_BLOCK_SIZE,
                                                 .user_data = block};
    word(self, self->layout.sq_off.array)[index] = index;
    __atomic_store_n(word(self, self->layout.sq_off.tail), tail + 1, __ATOMIC_RELEASE);
}

/* Takes the completion if there is one. -> 1: taken, its result in *result; 0: not yet. */
static int take(struct bw_uring *self, int32_t *result)
{
    uint32_t head = *word(self, self->layout.cq_off.head);
    if (head == __atomic_load_n(word(self, self->layout.cq_off.tail), __ATOMIC_ACQUIRE))
        return 0;
    struct io_uring_cqe *completions = (struct io_uring_cqe *)(self->rings + self->layout.cq_off.cqes);
    *result = completions[head & *word(self, self->layout.cq_off.ring_mask)].res;
    __atomic_store_n(word(self, self->layout.cq_off.head), head + 1, __ATOMIC_RELEASE);
    return 1;
}

/* Each 8 bytes of the file are their own number, so that no block can be taken for another one. */
static int is_block(const char *buffer, uint64_t block)
{
    const volatile uint64_t *words = (const volatile uint64_t *)buffer;
    for (uint64_t i = 0; i < BW_BLOCK_SIZE / 8; i++)
        if (words[i] != block * (BW_BLOCK_SIZE / 8) + i)
            return 0;
    return 1;
}

int bw_uring_read(struct bw_uring *self, uint64_t number)
{
    uint64_t block = number % self->blocks;
    int32_t result = 0;
    uint32_t submit = 1;
    publish(self, block);
    do { /* a signal to the thread may end the wait, not the read */
        int64_t entered = syscall(SYS_io_uring_enter, self->fd, submit, 1, IORING_ENTER_GETEVENTS, NULL, 0);
        if (entered < 0 && errno != EINTR)
            return -errno;
        if (entered > 0)
            submit = 0;
    } while (!take(self, &result));
    if (result != BW_BLOCK_SIZE)
        return result < 0 ? result : -EIO;
    atomic_fetch_add(&self->completed, 1);
    if (!is_block(self->buffer, block))
        atomic_fetch_add(&self->wrong, 1);
    return 1;
}

uint64_t bw_uring_completed(const struct bw_uring *self)
{
    return atomic_load(&self->completed);
}

uint64_t bw_uring_wrong(const struct bw_uring *self)
{
    return atomic_load(&self->wrong);
}

void bw_uring_free(struct bw_uring *self)
{
    if (self->entries != MAP_FAILED)
        munmap(self->entries, self->entries_size);
    if (self->rings != MAP_FAILED)
        munmap(self->rings, self->rings_size);
    if (self->fd >= 0) {
        syscall(SYS_io_uring_register, self->fd, IORING_UNREGISTER_EVENTFD, NULL, 0);
        close(self->fd);
    }
    free(self);
}
