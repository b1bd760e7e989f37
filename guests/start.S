/* Entry and interrupt handlers.
 *
 * The host enters here in 64-bit mode, interrupts off (engine/core/vcpu.c). Interrupts are let in only inside idle()
 * of guest.h, and a handler ends idle(): it drops its frame and goes on behind the HLT with interrupts off. So there is
 * one interrupt to each idle(), and no handler saves a register. Some are kept for good:
 *   r14       the newest interrupt that the host had announced when a handler last began: its lower half, above 32 zeros
 *   r13       where idle() goes: idle_halted or idle_spinning. Whoever changes BW_CTL_IDLE nudges the guest, which looks then
 *   r12       a handler's stamp that is not yet in memory: that, and below it the lower half of its time; 0 if there is none
 * Whatever ends idle() sets r14 and r12, or r12 to 0: so who has written r12 to memory need not clear it.
 * The handler leaves its stamp in registers. The next doorbell writes it along with its own, when it is already on its
 * way, or else idle() does before it waits again: some KVM back ends emulate ring 0 at half a microsecond an
 * instruction and twice that for one that touches memory, and what is measured should not wait for the measuring. */
#include "abi.h"

#define EOI_MSR 0x80b /* x2APIC end of interrupt, Intel SDM vol. 3, 11.12.1.2 */

    .macro begin_handler
#ifndef BARE
    rdtsc /* delivery of an interrupt serializes: no lfence needed */
#endif
    mov announced, %r14
#ifndef BARE
    lea (%r14, %rax), %r12
#endif
    .endm

    .macro end_of_interrupt
    mov $EOI_MSR, %ecx
    xor %eax, %eax
    xor %edx, %edx
    wrmsr
    .endm

    .macro end_of_idle
    mov 24(%rsp), %rsp /* the stack as it was when the interrupt came */
    ret
    .endm

    .globl image_address /* for guest.ld, which can read no header */
    .set image_address, BW_IMAGE
    .globl announced_here /* for it as well */
    .set announced_here, BW_CONTROL + BW_CTL_IRQ_ABOVE

    .section .start, "ax"
    .globl start
start:
    mov $BW_STACK_TOP, %esp
    xor %r12d, %r12d
    xor %r14d, %r14d
    call boot
    call guest_main
    xor %eax, %eax
    .globl leave_guest
leave_guest:
    mov $BW_PORT_EXIT, %edx
    out %eax, %dx
    jmp leave_guest

    .text
    .globl handler_interrupt
handler_interrupt:
    begin_handler
    end_of_interrupt
    end_of_idle

/* The same for another vector, which the stamp tells by its highest bit. */
    .globl handler_other
handler_other:
    begin_handler
    btc $63, %r12
    end_of_interrupt
    end_of_idle

/* The same for a device that holds its line high until it is told that its interrupt was seen. */
    .globl handler_ack
handler_ack:
    begin_handler
    mov %r14, %rax
    shr $32, %rax
    mov $BW_PORT_ACK, %edx
    out %eax, %dx
    end_of_interrupt
    end_of_idle

/* The same, but the local APIC never hears that it is over. */
    .globl handler_no_eoi
handler_no_eoi:
    begin_handler
    end_of_idle

/* Puts the kept stamp into the next slot: the counter's lower 16 bits, of BW_STAMP_SLOTS. The counter publishes it, as x86
 * keeps stores in order. Loses rax. */
    .globl write_kept_stamp
write_kept_stamp:
    movzwl BW_STATUS + BW_ST_HANDLED, %eax
    mov %r12, BW_HANDLER_STAMPS(, %rax, 8)
    incq BW_STATUS + BW_ST_HANDLED
    ret

    .globl handler_nudge /* the host's: how to idle may have changed */
handler_nudge:
    call choose_way_to_idle

    .globl handler_wakeup /* the timer: only to leave HLT */
handler_wakeup:
    xor %r12d, %r12d
    end_of_interrupt
    end_of_idle

    .globl handler_ignore /* the spurious vector takes no EOI */
handler_ignore:
    xor %r12d, %r12d
    end_of_idle

/* Lets interrupts in and waits for one. STI takes effect after the next instruction, so none slips in before HLT. */
    .globl idle_halted
idle_halted:
    sti
    hlt
    jmp idle_halted

/* The same, busy; gives up after a while, so that its caller can look around, and looks itself how to go on. */
    .globl idle_spinning
idle_spinning:
    xor %r12d, %r12d
    mov $64, %eax
    sti
1:  pause
    dec %eax
    jnz 1b
    cli

/* Sets r13. Not done before each wait: who has rung should halt as soon as it can. */
    .globl choose_way_to_idle
choose_way_to_idle:
    mov $idle_halted, %r13d
    cmpl $BW_IDLE_HLT, BW_CONTROL + BW_CTL_IDLE
    je 1f
    mov $idle_spinning, %r13d
1:  ret

/* Faults 0..31: report the vector and end. */
    .globl fault_table
    .altmacro
    .macro fault_entry n
    .balign 32
    movl $(\n + 1), BW_STATUS + BW_ST_FAULT
    mov $(\n + 1), %eax
    jmp leave_guest
    .endm
    .balign 32
fault_table:
    .set n, 0
    .rept 32
    fault_entry %n
    .set n, n + 1
    .endr
    .section .note.GNU-stack, "", @progbits
