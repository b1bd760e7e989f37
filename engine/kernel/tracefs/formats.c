#include <stdio.h>
#include <string.h>

#include "formats.h"

#define LONGEST_NAME 64
#define CALLS "id == 1 || id == 16 || id == 20 || id == 426" /* write, ioctl, writev, io_uring_enter: what can signal */

const struct event events[] = {
    {"kvm", "kvm_pio", BW_K_PIO, OF_PROCESSES, {"port", "val", "size", "rw"}, NULL},
    {"kvm", "kvm_mmio", BW_K_MMIO, OF_PROCESSES, {"gpa", "val", "len", "type"}, NULL},
    {"kvm", "kvm_fast_mmio", BW_K_FAST_MMIO, OF_PROCESSES, {"gpa"}, NULL},
    {"kvm", "kvm_userspace_exit", BW_K_USER_EXIT, OF_PROCESSES, {"reason", "errno"}, NULL},
    {"kvm", "kvm_msi_set_irq", BW_K_MSI, OF_PROCESSES | OF_WORKERS, {"address", "data"}, NULL},
    {"kvm", "kvm_set_irq", BW_K_SET_IRQ, OF_PROCESSES | OF_WORKERS, {"gsi", "level"}, NULL},
    {"kvm", "kvm_apic_accept_irq", BW_K_ACCEPTED, OF_PROCESSES | OF_WORKERS, {"vec", "apicid"}, NULL},
    {"kvm", "kvm_eoi", BW_K_EOI, OF_PROCESSES, {"vector", "apicid"}, NULL},
    {"kvm", "kvm_inj_virq", BW_K_INJECTED, OF_PROCESSES, {"vector"}, NULL},
    {"kvm", "kvm_vcpu_wakeup", BW_K_WOKEN, OF_PROCESSES, {"ns", "waited"}, NULL},
    {"sched", "sched_waking", BW_K_WAKING, OF_PROCESSES, {"pid"}, NULL},
    {"sched", "sched_switch", BW_T_SWITCH, OF_PROCESSES, {"next_pid"}, NULL},
    {"sched", "sched_process_exit", BW_T_THREAD_ENDS, OF_PROCESSES, {"pid"}, NULL},
    {"task", "task_newtask", BW_T_NEW_THREAD, OF_PROCESSES, {"pid", "clone_flags"}, NULL},
    {"workqueue", "workqueue_queue_work", BW_K_WORK_QUEUED, OF_WORKERS, {"work"}, NULL},
    {"workqueue", "workqueue_execute_start", BW_K_WORK_STARTED, OF_WORKERS, {"work"}, NULL},
    {"workqueue", "workqueue_execute_end", BW_K_WORK_ENDED, OF_WORKERS, {"work"}, NULL},
    {"raw_syscalls", "sys_enter", BW_T_CALL, OF_PROCESSES, {"id", "args[1]"}, CALLS},
    {"raw_syscalls", "sys_exit", BW_T_CALL_RETURNS, OF_PROCESSES, {"id"}, CALLS},
};
const size_t event_count = sizeof events / sizeof *events;

/* Finds "\tfield:TYPE NAME;\toffset:N;\tsize:N;", and in it the element that the name ends with. */
static bool find(const char *text, const char *wanted, struct place *place)
{
    char name[LONGEST_NAME];
    unsigned element = 0, offset, size;
    bool within = sscanf(wanted, "%60[^[][%u]", name, &element) == 2;
    size_t length = strlen(name);
    for (const char *line = text; (line = strstr(line, "\tfield:")); line++) {
        const char *end = strchr(line, ';'), *is_array = end ? memchr(line, '[', (size_t)(end - line)) : NULL;
        const char *behind = is_array ? is_array : end;
        if (!end || (size_t)(behind - line) <= length || strncmp(behind - length, name, length) ||
            behind[-(ptrdiff_t)length - 1] != ' ' || sscanf(end, ";\toffset:%u;\tsize:%u;", &offset, &size) != 2)
            continue;
        if (within && size < 8 * (element + 1))
            return false;
        *place = (struct place){(uint16_t)(offset + 8 * element), (uint16_t)(within ? 8 : size)};
        return offset < 4096 && (place->size == 1 || place->size == 2 || place->size == 4 || place->size == 8);
    }
    return false;
}

bool format_parse(struct format *format, const struct event *event, const char *text)
{
    unsigned number = 0;
    const char *line = strstr(text, "ID: ");
    bool whole = line && sscanf(line, "ID: %u", &number) == 1 && number <= UINT16_MAX;
    *format = (struct format){0};
    whole = whole && find(text, "common_pid", &format->thread);
    for (int at = 0; at < MOST_TOLD && event->told[at]; at++)
        whole = whole && find(text, event->told[at], &format->told[at]);
    format->number = whole ? (uint16_t)number : 0;
    return whole;
}

/* A field's value without its sign; false: the record is too short for it. */
static bool value_of(struct place place, const struct page_event *found, uint64_t *value)
{
    *value = 0;
    if ((size_t)place.offset + place.size > found->size)
        return false;
    memcpy(value, found->data + place.offset, place.size);
    return true;
}

bool format_take(const struct format *format, const struct event *event, const struct page_event *found,
                 struct bw_kernel_record *record)
{
    uint64_t thread, told[MOST_TOLD];
    bool whole = value_of(format->thread, found, &thread);
    for (int at = 0; at < MOST_TOLD; at++)
        whole = value_of(format->told[at], found, &told[at]) && whole;
    *record = (struct bw_kernel_record){.time = found->time, .kind = event->kind, .thread = (uint32_t)thread};
    record->a = told[0], record->b = told[1], record->c = told[2], record->d = told[3];
    return whole;
}
