#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "shared.h"

_Static_assert(sizeof(struct bw_kernel_record) == 48, "a record is 48 bytes");
_Static_assert(offsetof(struct shared, records) == BW_SHARED_PAGE, "records begin at the second page");

struct shared *shared_open(int fd, struct failure *why)
{
    struct stat file;
    int seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fd, &file) < 0 || file.st_size != sizeof(struct shared)) {
        fail(why, "usage", 0, "");
        return NULL;
    }
    void *memory = mmap(NULL, sizeof(struct shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        fail(why, "refused", errno, "mmap");
        return NULL;
    }
    return memory;
}

uint64_t shared_room(const struct shared *shared)
{
    uint64_t head = atomic_load_explicit(&shared->head, memory_order_relaxed);
    uint64_t taken = atomic_load_explicit(&shared->tail, memory_order_acquire);
    return head - taken < BW_SHARED_RECORDS ? BW_SHARED_RECORDS - (head - taken) : 0;
}

void shared_put(struct shared *shared, const struct bw_kernel_record *record)
{
    uint64_t head = atomic_load_explicit(&shared->head, memory_order_relaxed);
    shared->records[head % BW_SHARED_RECORDS] = *record;
    atomic_store_explicit(&shared->head, head + 1, memory_order_release);
}
