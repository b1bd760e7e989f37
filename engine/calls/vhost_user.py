"""What is handed to the back end of vhost-user: the guest's memory, its queue, and the two eventfds."""

from __future__ import annotations

from dataclasses import dataclass

from bellwire.engine._core import lib
from bellwire.engine.calls.arguments import Arguments, Field
from bellwire.engine.calls.call import WIRES, Call
from bellwire.engine.calls.set_up import MAP, NewEventfd
from bellwire.engine.kvm.partners.vhost_user import HEADER, NEED_REPLY, VERSION, Request, message, vring
from bellwire.engine.language import tr, tr_later

QUEUE = 0
KICK, CALL = Request.SET_VRING_KICK, Request.SET_VRING_CALL


@dataclass(frozen=True, kw_only=True)
class HandOver(Call):
    """The connection, and all messages before those with the eventfds."""

    title = tr_later("vhost-user, the queue")
    group = WIRES

    @property
    def says(self) -> str:
        return tr(
            "Connects to the back end and hands over the guest's memory, as a memfd, and where the virtqueue is in it."
        )

    @property
    def helpers(self) -> tuple[str, ...]:
        return (MAP, SEND)

    def c(self) -> str:
        return C_HAND_OVER

    def python(self) -> str:
        return PYTHON_HAND_OVER

    def rust(self) -> str:
        return RUST_HAND_OVER


@dataclass(frozen=True, kw_only=True)
class SetVring(Call):
    """SET_VRING_KICK or SET_VRING_CALL"""

    queue: HandOver
    eventfd: NewEventfd
    what: Request  # KICK or CALL

    group = WIRES

    @property
    def title(self) -> str:
        return f"VHOST_USER_{self.what.name}"

    @property
    def says(self) -> str:
        if self.what == CALL:
            return tr(
                "Sends the eventfd {eventfd} along with the message (SCM_RIGHTS): the back end signals it when it has "
                "used buffers.",
                eventfd=self.eventfd.variable,
            )
        return tr(
            "Sends the eventfd {eventfd} along with the message (SCM_RIGHTS): the back end waits for it, and so starts "
            "the queue.",
            eventfd=self.eventfd.variable,
        )

    @property
    def arguments(self) -> Arguments:
        payload = vring(QUEUE)
        fields = (
            Field("request", 0, 4, int(self.what), self.title),
            Field("flags", 4, 4, VERSION | NEED_REPLY, "VERSION | NEED_REPLY"),
            Field("size", 8, 4, len(payload), str(len(payload))),
            Field("payload.u64", HEADER.size, 8, QUEUE, tr("queue {number}", number=QUEUE)),
        )
        return Arguments("struct vhost_user_msg", fields, message(self.what, payload, NEED_REPLY))

    def c(self) -> str:
        return f"""    uint64_t queue_number = {QUEUE};
    ask(back_end, {asked(self.what)}, &queue_number, 8, {self.eventfd.variable});"""

    def python(self) -> str:
        return f"front_end.{self.what.name.lower()}({QUEUE}, {self.eventfd.variable})"

    def rust(self) -> str:
        return f"    back_end.{self.what.name.lower()}({QUEUE}, &{self.eventfd.variable})?;"


def asked(request: Request) -> str:
    """A message's number, as the programs in C have it."""
    return f"{request.value} /* {request.name} */"


SEND = """struct vhost_user_msg {
    uint32_t request, flags, size;
    char payload[64];
} __attribute__((packed));

/* Sends one message and, if it is answered, takes the answer: 0 means done. */
static void ask(int fd, uint32_t request, const void *payload, uint32_t size, int passed)
{
    int asks = request == 1 || request == 15; /* GET_FEATURES, GET_PROTOCOL_FEATURES */
    int told = request == 16;                 /* SET_PROTOCOL_FEATURES: answers begin after it */
    struct vhost_user_msg msg = {.request = request, .flags = asks || told ? 0x1 : 0x9, .size = size};
    if (size)
        memcpy(msg.payload, payload, size);
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof passed)];
    } rights = {.header = {CMSG_LEN(sizeof passed), SOL_SOCKET, SCM_RIGHTS}};
    memcpy(CMSG_DATA(&rights.header), &passed, sizeof passed);
    struct iovec part = {&msg, 12 + size};
    struct msghdr header = {.msg_iov = &part, .msg_iovlen = 1};
    if (passed >= 0) {
        header.msg_control = &rights;
        header.msg_controllen = sizeof rights;
    }
    check(sendmsg(fd, &header, 0), "sendmsg");
    uint64_t answer;
    if (told)
        return;
    if (recv(fd, &msg, 20, MSG_WAITALL) != 20)
        exit(1);
    memcpy(&answer, msg.payload, sizeof answer);
    if (answer && !asks)
        exit(1);
}"""

FEATURES = "1ull << 32 | 1 << 30"  # VIRTIO_F_VERSION_1, VHOST_USER_F_PROTOCOL_FEATURES
PARTS = (lib.BW_VIRTQUEUE_DESCRIPTORS, lib.BW_VIRTQUEUE_USED, lib.BW_VIRTQUEUE_AVAILABLE)
SIZE, DESCRIPTORS = lib.BW_MEMORY_SIZE, lib.BW_VIRTQUEUE_SIZE

C_HAND_OVER = f"""    if (argc < 2)
        return 2; /* the socket of a back end, as qemu-storage-daemon makes it */
    struct sockaddr_un address = {{.sun_family = AF_UNIX}};
    strncpy(address.sun_path, argv[1], sizeof address.sun_path - 1);
    int back_end = check(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
    check(connect(back_end, (struct sockaddr *)&address, sizeof address), "connect");
    int memfd = check(memfd_create("guest", MFD_CLOEXEC), "memfd_create");
    check(ftruncate(memfd, {SIZE:#x}), "ftruncate");
    uint64_t here = (uintptr_t)map({SIZE:#x}, 0, memfd);

    uint64_t reply_ack = 1 << 3, features = {FEATURES};
    struct {{
        uint32_t regions, zero;
        uint64_t guest, size, user, offset;
    }} memory = {{1, 0, 0, {SIZE:#x}, here, 0}};
    struct {{
        uint32_t queue, number;
    }} size = {{0, {DESCRIPTORS}}}, base = {{0, 0}};
    struct {{
        uint32_t queue, flags;
        uint64_t descriptors, used, available, log;
    }} vring = {{0, 0, here + {PARTS[0]:#x}, here + {PARTS[1]:#x}, here + {PARTS[2]:#x}, 0}};
    ask(back_end, {asked(Request.GET_FEATURES)}, NULL, 0, -1);
    ask(back_end, {asked(Request.GET_PROTOCOL_FEATURES)}, NULL, 0, -1);
    ask(back_end, {asked(Request.SET_PROTOCOL_FEATURES)}, &reply_ack, sizeof reply_ack, -1);
    ask(back_end, {asked(Request.SET_OWNER)}, NULL, 0, -1);
    ask(back_end, {asked(Request.SET_FEATURES)}, &features, sizeof features, -1);
    ask(back_end, {asked(Request.SET_MEM_TABLE)}, &memory, sizeof memory, memfd);
    ask(back_end, {asked(Request.SET_VRING_NUM)}, &size, sizeof size, -1);
    ask(back_end, {asked(Request.SET_VRING_BASE)}, &base, sizeof base, -1);
    ask(back_end, {asked(Request.SET_VRING_ADDR)}, &vring, sizeof vring, -1);"""
PYTHON_HAND_OVER = f"""daemon = enter(StorageDaemon({lib.BW_SECTORS * lib.BW_SECTOR_SIZE:#x}))
memory = enter(Memory())
front_end = enter(FrontEnd(daemon.connect(), str(daemon)))
front_end.negotiate(VIRTIO_F_VERSION_1)
front_end.set_mem_table(memory)
front_end.set_vring_num(0, {DESCRIPTORS})
front_end.set_vring_base(0, 0)
front_end.set_vring_addr(0, memory, {PARTS[0]:#x}, {PARTS[1]:#x}, {PARTS[2]:#x})"""
RUST_HAND_OVER = f"""    // The crate vhost, with the feature vhost-user-frontend.
    let path = std::env::args().nth(1).ok_or("the socket of a back end")?;
    let mut back_end = Frontend::connect(path, 1)?;
    // SAFETY: a new memfd, owned here.
    let memfd = unsafe {{ std::fs::File::from_raw_fd(libc::memfd_create(c"guest".as_ptr(), 0)) }};
    memfd.set_len({SIZE:#x})?;
    // SAFETY: a new mapping, which stays as long as the program.
    let here = unsafe {{
        libc::mmap(
            std::ptr::null_mut(),
            {SIZE:#x},
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED,
            memfd.as_raw_fd(),
            0,
        )
    }} as u64;
    let features = back_end.get_features()?;
    back_end.set_owner()?;
    back_end.set_features(features & ({FEATURES.replace("ull", "")}))?;
    back_end.set_mem_table(&[VhostUserMemoryRegionInfo {{
        guest_phys_addr: 0,
        memory_size: {SIZE:#x},
        userspace_addr: here,
        mmap_offset: 0,
        mmap_handle: memfd.as_raw_fd(),
    }}])?;
    back_end.set_vring_num(0, {DESCRIPTORS})?;
    back_end.set_vring_base(0, 0)?;
    let vring = VringConfigData {{
        queue_max_size: {DESCRIPTORS},
        queue_size: {DESCRIPTORS},
        flags: 0,
        desc_table_addr: here + {PARTS[0]:#x},
        used_ring_addr: here + {PARTS[1]:#x},
        avail_ring_addr: here + {PARTS[2]:#x},
        log_addr: None,
    }};
    back_end.set_vring_addr(0, &vring)?;"""
