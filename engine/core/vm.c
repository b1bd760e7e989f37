/* The virtual machine: one function an ioctl, and the memory that a guest starts with.
 * Source of every call: Documentation/virt/kvm/api.rst. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "abi.h"
#include "core.h"

static int answer(int result)
{
    return result < 0 ? -errno : result;
}

int bw_kvm_open(void)
{
    return answer(open("/dev/kvm", O_RDWR | O_CLOEXEC));
}

int bw_kvm_check_extension(int kvm_or_vm, int capability)
{
    return answer(ioctl(kvm_or_vm, KVM_CHECK_EXTENSION, capability));
}

int bw_kvm_api_version(int kvm)
{
    return answer(ioctl(kvm, KVM_GET_API_VERSION, 0));
}

/* The kernel gives up with EINTR if anything asks for this thread's attention meanwhile: a signal, or an io_uring that was
 * closed a moment ago and is still being taken apart. */
int bw_vm_create(int kvm)
{
    int vm;
    do
        vm = ioctl(kvm, KVM_CREATE_VM, 0);
    while (vm < 0 && errno == EINTR);
    return answer(vm);
}

int bw_vm_create_irqchip(int vm)
{
    return answer(ioctl(vm, KVM_CREATE_IRQCHIP, 0));
}

struct kvm_enable_cap bw_split_irqchip_struct(uint32_t pins)
{
    return (struct kvm_enable_cap){.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {pins}};
}

int bw_vm_enable_split_irqchip(int vm, uint32_t pins)
{
    struct kvm_enable_cap cap = bw_split_irqchip_struct(pins);
    return answer(ioctl(vm, KVM_ENABLE_CAP, &cap));
}

struct kvm_userspace_memory_region bw_memory_struct(uint32_t slot, uint64_t address, uint64_t size, void *memory)
{
    return (struct kvm_userspace_memory_region){
        .slot = slot, .guest_phys_addr = address, .memory_size = size, .userspace_addr = (uint64_t)memory};
}

int bw_vm_set_memory(int vm, uint32_t slot, uint64_t address, uint64_t size, void *memory)
{
    struct kvm_userspace_memory_region region = bw_memory_struct(slot, address, size, memory);
    return answer(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region));
}

int bw_vm_stats_fd(int vm_or_vcpu)
{
    return answer(ioctl(vm_or_vcpu, KVM_GET_STATS_FD, 0));
}

/* Sealed: another process may be given it (vhost-user), and one that made it shorter would end us by SIGBUS. */
int bw_memory_new(uint64_t size, void **memory)
{
    int fd = memfd_create("bellwire guest", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    *memory = MAP_FAILED;
    if (ftruncate(fd, (off_t)size) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
        *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (*memory == MAP_FAILED) {
        int error = errno;
        close(fd);
        return -error;
    }
    return fd;
}

int bw_memory_free(void *memory, uint64_t size)
{
    return answer(munmap(memory, size));
}

#define PRESENT_WRITE 0x3
#define LARGE_PAGE 0x80
#define GIGABYTES 4

/* Maps the first 4 GiB one to one by 2 MiB pages (Intel SDM vol. 3, 4.5), but the memory itself from 0; and one code and
 * one data segment. */
int bw_memory_prepare(void *memory, uint64_t base)
{
    uint64_t *level4 = (uint64_t *)((char *)memory + BW_PAGE_TABLES), *level3 = level4 + 512, *level2 = level3 + 512;
    level4[0] = (base + BW_PAGE_TABLES + 0x1000) | PRESENT_WRITE;
    for (uint64_t gigabyte = 0; gigabyte < GIGABYTES; gigabyte++)
        level3[gigabyte] = (base + BW_PAGE_TABLES + 0x2000 + 0x1000 * gigabyte) | PRESENT_WRITE;
    for (uint64_t page = 0; page < GIGABYTES * 512; page++)
        level2[page] = ((page << 21) + (page << 21 < BW_MEMORY_SIZE ? base : 0)) | PRESENT_WRITE | LARGE_PAGE;
    uint64_t *descriptors = (uint64_t *)((char *)memory + BW_GDT);
    descriptors[1] = 0x00af9b000000ffff; /* 64-bit code */
    descriptors[2] = 0x00cf93000000ffff; /* data */
    return 0;
}
