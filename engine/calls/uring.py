"""io_uring as the signaller: io_uring_setup(2), io_uring_register(2), io_uring_enter(2)."""

from __future__ import annotations

from dataclasses import dataclass

from bellwire.engine._core import lib
from bellwire.engine.calls.arguments import Arguments, Field
from bellwire.engine.calls.call import SIGNALS, WIRES, Call
from bellwire.engine.calls.set_up import MAP, NewEventfd, SetMemory
from bellwire.engine.language import tr, tr_later

FD = 4  # bytes of a file descriptor


@dataclass(frozen=True, kw_only=True)
class RegisterEventfd(Call):
    """IORING_REGISTER_EVENTFD"""

    eventfd: NewEventfd
    memory: SetMemory

    title = "io_uring_register"
    group = WIRES

    @property
    def says(self) -> str:
        return tr(
            "The kernel signals the eventfd {eventfd} at each completion (IORING_REGISTER_EVENTFD).",
            eventfd=self.eventfd.variable,
        )

    @property
    def arguments(self) -> Arguments:
        fd = self.eventfd.number
        field = Field("fd", 0, FD, fd, self.eventfd.variable)
        return Arguments("int", (field,), (-1 if fd is None else fd).to_bytes(FD, "little", signed=True))

    def c(self) -> str:
        return f"""    struct io_uring_params layout = {{0}};
    int uring = check(syscall(SYS_io_uring_setup, 4, &layout), "io_uring_setup");
    check(syscall(SYS_io_uring_register, uring, IORING_REGISTER_EVENTFD, &{self.eventfd.variable}, 1),
          "io_uring_register");"""

    def python(self) -> str:
        return f"uring = enter(Uring({self.memory.memory}, {self.eventfd.variable}))"

    def rust(self) -> str:
        return f"""    // The crate io-uring.
    let mut uring = io_uring::IoUring::new(4)?;
    uring.submitter().register_eventfd({self.eventfd.variable}.as_raw_fd())?;"""


@dataclass(frozen=True, kw_only=True)
class SubmitRead(Call):
    """io_uring_enter(2) with one read."""

    uring: RegisterEventfd

    title = "io_uring_enter"
    group = SIGNALS
    by = tr_later("I/O thread")

    @property
    def says(self) -> str:
        return tr(
            "Submits the read of one block into the guest's memory; its completion signals the eventfd, and so the "
            "irqfd."
        )

    @property
    def helpers(self) -> tuple[str, ...]:
        return (MAP,)

    def c(self) -> str:
        memory = self.uring.memory.memory
        return f"""    int file = check(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "open");
    size_t size = layout.sq_off.array + layout.sq_entries * sizeof(uint32_t);
    char *ring = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, uring, IORING_OFF_SQ_RING);
    struct io_uring_sqe *entries =
        mmap(NULL, sizeof *entries, PROT_READ | PROT_WRITE, MAP_SHARED, uring, IORING_OFF_SQES);
    entries[0] = (struct io_uring_sqe){{
        .opcode = IORING_OP_READ,
        .fd = file,
        .addr = (uintptr_t){memory} + {lib.BW_BLOCK:#x},
        .len = {lib.BW_BLOCK_SIZE},
    }};
    *(uint32_t *)(ring + layout.sq_off.array) = 0;
    __atomic_store_n((uint32_t *)(ring + layout.sq_off.tail), 1, __ATOMIC_RELEASE);
    check(syscall(SYS_io_uring_enter, uring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0), "io_uring_enter");"""

    def python(self) -> str:
        return "uring.read(0)"

    def rust(self) -> str:
        memory = self.uring.memory.memory
        return f"""    let file = std::fs::File::open("/proc/self/exe")?;
    // SAFETY: inside of the mapping.
    let block = unsafe {{ {memory}.cast::<u8>().add({lib.BW_BLOCK:#x}) }};
    let fd = io_uring::types::Fd(file.as_raw_fd());
    let read = io_uring::opcode::Read::new(fd, block, {lib.BW_BLOCK_SIZE}).build();
    // SAFETY: file and block outlive the read, which is waited for.
    unsafe {{ uring.submission().push(&read)? }};
    uring.submit_and_wait(1)?;"""
