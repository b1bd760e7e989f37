/* ioeventfd: the kernel signals an eventfd when the guest writes an address (api.rst, 4.59 KVM_IOEVENTFD). */
#include <errno.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include "core.h"

int bw_eventfd_new(uint32_t count, int flags)
{
    int fd = eventfd(count, EFD_CLOEXEC | flags);
    return fd < 0 ? -errno : fd;
}

struct kvm_ioeventfd bw_ioeventfd_struct(int fd, uint64_t address, uint32_t length, uint64_t datamatch, uint32_t flags)
{
    return (struct kvm_ioeventfd){.datamatch = datamatch, .addr = address, .len = length, .fd = fd, .flags = flags};
}

int bw_ioeventfd(int vm, int fd, uint64_t address, uint32_t length, uint64_t datamatch, uint32_t flags)
{
    struct kvm_ioeventfd ioeventfd = bw_ioeventfd_struct(fd, address, length, datamatch, flags);
    return ioctl(vm, KVM_IOEVENTFD, &ioeventfd) < 0 ? -errno : 0;
}
