/* What a VMM's firmware would be: 64 KiB whose last 16 bytes hold the first instruction (Intel SDM vol. 3, 10.1.4). It goes to
 * 64-bit mode at once, by the page tables and descriptors that are in memory already, and starts the guest's image, which is
 * there as well (engine/kvm/vm.py). Real mode is left with paging on: protection and paging may be switched on together. */
#include "abi.h"

#define ROM 0xffff0000 /* where it is */
#define SIZE 0x10000
#define MSR_EFER 0xc0000080
#define LONG_MODE_ENABLE 0x100
#define PHYSICAL_ADDRESS_EXTENSION 0x20
#define PAGING_AND_PROTECTION 0x80000031
#define CODE 8
#define DATA 16

    .text
    .globl start
rom:
    .org SIZE - 0x100
start:
    .code16
enter_long_mode:
    cli
    lgdtl %cs:(descriptors - rom)
    mov %cr4, %eax
    or $PHYSICAL_ADDRESS_EXTENSION, %eax
    mov %eax, %cr4
    mov $BW_PAGE_TABLES, %eax
    mov %eax, %cr3
    mov $MSR_EFER, %ecx
    rdmsr
    or $LONG_MODE_ENABLE, %eax
    wrmsr
    mov $PAGING_AND_PROTECTION, %eax
    mov %eax, %cr0
    ljmpl $CODE, $ROM + (enter_guest - rom)

    .code64
enter_guest:
    mov $DATA, %eax
    mov %eax, %ds
    mov %eax, %es
    mov %eax, %ss
    mov $BW_IMAGE, %eax
    jmp *%rax

    .balign 8
descriptors:
    .word 3 * 8 - 1
    .long BW_GDT

    .org SIZE - 16
    .code16
    jmp enter_long_mode
    .org SIZE
    .section .note.GNU-stack, "", @progbits
