/* Preloaded into a process (LD_PRELOAD), writes down what it hands to KVM, to vhost and to a back end: one line a call, "number
 * bytes", to the file descriptor that CALL_LOG names. Arguments that are no struct are 8 bytes. */
#define _GNU_SOURCE
#include <linux/kvm.h>
#include <linux/vhost.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int log_fd;

/* The processes that this one starts are not looked at. */
__attribute__((constructor)) static void begin(void)
{
    log_fd = atoi(getenv("CALL_LOG"));
    unsetenv("LD_PRELOAD");
}

static void note(const char *call, const void *data, size_t size)
{
    char line[8192]; /* of this call alone: several threads make calls */
    int length = snprintf(line, sizeof line, "%s ", call);
    for (size_t i = 0; i < size && length < (int)sizeof line - 4; i++)
        length += snprintf(line + length, 4, "%02x", ((const unsigned char *)data)[i]);
    line[length++] = '\n';
    if (write(log_fd, line, (size_t)length) != length)
        abort();
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (_IOC_TYPE(request) == KVMIO || _IOC_TYPE(request) == VHOST_VIRTIO) {
        char number[24];
        size_t size = _IOC_SIZE(request);
        snprintf(number, sizeof number, "%#lx", request);
        if (request == VHOST_SET_MEM_TABLE)
            size += ((struct vhost_memory *)argument)->nregions * sizeof(struct vhost_memory_region);
        if (request == KVM_SET_GSI_ROUTING)
            size += ((struct kvm_irq_routing *)argument)->nr * sizeof(struct kvm_irq_routing_entry);
        if (request == KVM_SET_IRQCHIP || (size && _IOC_DIR(request) & _IOC_WRITE)) /* whose number says "read" */
            note(number, argument, size);
        else
            note(number, &argument, sizeof argument);
    }
    return (int)syscall(SYS_ioctl, fd, request, argument);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    note("sendmsg", message->msg_iov[0].iov_base, message->msg_iov[0].iov_len);
    return syscall(SYS_sendmsg, fd, message, flags);
}
