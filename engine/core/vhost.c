/* The workers that the kernel itself has for virtqueues, /dev/vhost-net and /dev/vhost-vsock: one function an ioctl.
 * Source of every call: include/uapi/linux/vhost.h of the kernel. Addresses are this process's own, as vhost has it. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core.h"

/* The table of one region is what the kernel reads as a head and an array. */
_Static_assert(sizeof(struct bw_vhost_memory) == sizeof(struct vhost_memory) + sizeof(struct vhost_memory_region), "table");

static int answer(int result)
{
    return result < 0 ? -errno : result;
}

int bw_vhost_open(const char *path)
{
    return answer(open(path, O_RDWR | O_CLOEXEC));
}

int bw_vhost_set_owner(int vhost)
{
    return answer(ioctl(vhost, VHOST_SET_OWNER, 0));
}

int bw_vhost_get_features(int vhost, uint64_t *features)
{
    return answer(ioctl(vhost, VHOST_GET_FEATURES, features));
}

int bw_vhost_set_features(int vhost, uint64_t features)
{
    return answer(ioctl(vhost, VHOST_SET_FEATURES, &features));
}

struct bw_vhost_memory bw_vhost_memory_struct(uint64_t size, void *memory)
{
    return (struct bw_vhost_memory){.nregions = 1, .memory_size = size, .userspace_addr = (uint64_t)memory};
}

int bw_vhost_set_mem_table(int vhost, uint64_t size, void *memory)
{
    struct bw_vhost_memory table = bw_vhost_memory_struct(size, memory);
    return answer(ioctl(vhost, VHOST_SET_MEM_TABLE, &table));
}

struct vhost_vring_state bw_vhost_state_struct(uint32_t queue, uint32_t number)
{
    return (struct vhost_vring_state){.index = queue, .num = number};
}

int bw_vhost_set_vring_num(int vhost, uint32_t queue, uint32_t size)
{
    struct vhost_vring_state state = bw_vhost_state_struct(queue, size);
    return answer(ioctl(vhost, VHOST_SET_VRING_NUM, &state));
}

int bw_vhost_set_vring_base(int vhost, uint32_t queue, uint32_t index)
{
    struct vhost_vring_state state = bw_vhost_state_struct(queue, index);
    return answer(ioctl(vhost, VHOST_SET_VRING_BASE, &state));
}

int bw_vhost_get_vring_base(int vhost, uint32_t queue)
{
    struct vhost_vring_state state = bw_vhost_state_struct(queue, 0);
    return ioctl(vhost, VHOST_GET_VRING_BASE, &state) < 0 ? -errno : (int)(state.num & 0xffff);
}

struct vhost_vring_addr bw_vhost_addr_struct(uint32_t queue, const struct bw_vring *vring, void *memory)
{
    uint64_t here = (uint64_t)memory;
    return (struct vhost_vring_addr){.index = queue,
                                     .desc_user_addr = here + vring->descriptors,
                                     .used_user_addr = here + vring->used,
                                     .avail_user_addr = here + vring->available};
}

int bw_vhost_set_vring_addr(int vhost, uint32_t queue, const struct bw_vring *vring, void *memory)
{
    struct vhost_vring_addr places = bw_vhost_addr_struct(queue, vring, memory);
    return answer(ioctl(vhost, VHOST_SET_VRING_ADDR, &places));
}

struct vhost_vring_file bw_vhost_file_struct(uint32_t queue, int fd)
{
    return (struct vhost_vring_file){.index = queue, .fd = fd};
}

int bw_vhost_set_vring_kick(int vhost, uint32_t queue, int eventfd)
{
    struct vhost_vring_file file = bw_vhost_file_struct(queue, eventfd);
    return answer(ioctl(vhost, VHOST_SET_VRING_KICK, &file));
}

int bw_vhost_set_vring_call(int vhost, uint32_t queue, int eventfd)
{
    struct vhost_vring_file file = bw_vhost_file_struct(queue, eventfd);
    return answer(ioctl(vhost, VHOST_SET_VRING_CALL, &file));
}

int bw_vhost_set_vring_err(int vhost, uint32_t queue, int eventfd)
{
    struct vhost_vring_file file = bw_vhost_file_struct(queue, eventfd);
    return answer(ioctl(vhost, VHOST_SET_VRING_ERR, &file));
}

int bw_vhost_net_set_backend(int vhost, uint32_t queue, int tap)
{
    struct vhost_vring_file file = bw_vhost_file_struct(queue, tap);
    return answer(ioctl(vhost, VHOST_NET_SET_BACKEND, &file));
}

int bw_vhost_vsock_set_guest_cid(int vhost, uint64_t cid)
{
    return answer(ioctl(vhost, VHOST_VSOCK_SET_GUEST_CID, &cid));
}

int bw_vhost_vsock_set_running(int vhost, int on)
{
    return answer(ioctl(vhost, VHOST_VSOCK_SET_RUNNING, &on));
}
