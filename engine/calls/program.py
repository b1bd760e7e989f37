"""Whole programs out of calls: complete, compiled or run as they are, and doing what the call does."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bellwire.engine._core import lib
from bellwire.engine.calls.call import Call, in_order
from bellwire.engine.errors import KvmError
from bellwire.engine.kvm.coalesced import CoalescedRing, CoalescedZone
from bellwire.engine.kvm.gsi import GsiRoute
from bellwire.engine.kvm.ioeventfd import Ioeventfd
from bellwire.engine.kvm.irqchip import IoapicPin
from bellwire.engine.kvm.irqfd import Irqfd
from bellwire.engine.kvm.owner import Eventfd
from bellwire.engine.kvm.partners.storage_daemon import StorageDaemon
from bellwire.engine.kvm.partners.tap import TapNetwork
from bellwire.engine.kvm.partners.vhost_kernel import VhostNet, VhostVsock
from bellwire.engine.kvm.partners.vhost_user import FrontEnd
from bellwire.engine.kvm.uring import Uring
from bellwire.engine.kvm.vcpu import Vcpu
from bellwire.engine.kvm.vm import Kvm, Memory, Vm

WIDTH = 76

# What each name needs to be known, by language.
HEADERS = {
    r"\berrno\b": "errno.h",
    r"\bO_RD": "fcntl.h",
    r"\bIORING_": "linux/io_uring.h",
    r"\bKVM_": "linux/kvm.h",
    r"\bIFF_TAP\b": "linux/if_tun.h",
    r"\bVHOST_[A-Z]+_[A-Z_]+,": "linux/vhost.h",
    r"\bVIRTIO_F_": "linux/virtio_config.h",
    r"\bifreq\b": "net/if.h",
    r"\bunshare\(": "sched.h",
    r"\bu?int\d+_t\b|\buintptr_t\b": "stdint.h",
    r"\bprintf\b|\bperror\b": "stdio.h",
    r"\bexit\(|\bcalloc\b": "stdlib.h",
    r"\bmemcpy\b|\bstrncpy\b": "string.h",
    r"\bEFD_": "sys/eventfd.h",
    r"\bioctl\(": "sys/ioctl.h",
    r"\bmmap\(|\bmemfd_create\(": "sys/mman.h",
    r"\bsendmsg\(": "sys/socket.h",
    r"\biovec\b": "sys/uio.h",
    r"\bpoll\(": "poll.h",
    r"\bsyscall\(": "sys/syscall.h",
    r"\bsockaddr_un\b": "sys/un.h",
    r"\bread\(|\bwrite\(|\bsyscall\(|\bftruncate\(|\bclose\(": "unistd.h",
}
OURS = (  # what a Python program can need of the engine, each imported from where it lives
    *(
        CoalescedRing,
        CoalescedZone,
        Eventfd,
        FrontEnd,
        GsiRoute,
        IoapicPin,
        Ioeventfd,
        Irqfd,
        Kvm,
        Memory,
        StorageDaemon,
    ),
    *(TapNetwork, Uring, Vcpu, VhostNet, VhostVsock, Vm),
)
MODULES = {ours.__name__: ours.__module__ for ours in OURS} | {
    "VIRTIO_F_VERSION_1": FrontEnd.__module__,
    "KvmError": KvmError.__module__,
}
CRATES = {
    "IoEventAddress": "kvm_ioctls",
    "Kvm": "kvm_ioctls",
    "NoDatamatch": "kvm_ioctls",
    "VcpuExit": "kvm_ioctls",
    "EventFd": "vmm_sys_util::eventfd",
    "EFD_CLOEXEC": "vmm_sys_util::eventfd",
    "ioctl_with_ref": "vmm_sys_util::ioctl",
    "AsRawFd": "std::os::fd",
    "FromRawFd": "std::os::fd",
    "Frontend": "vhost::vhost_user",
    "GuestAddress": "vm_memory",
    "GuestMemoryMmap": "vm_memory",
    "Net": "vhost::vhost_kern::net",
    "VhostBackend": "vhost",
    "VhostNet": "vhost::net",
    "VhostVsock": "vhost::vsock",
    "Vsock": "vhost::vhost_kern::vsock",
    "VhostUserMemoryRegionInfo": "vhost",
    "VringConfigData": "vhost",
}
TRAITS = {
    "AsRawFd": r"\bas_raw_fd\(",
    "FromRawFd": r"\bfrom_raw_fd\(",
    "VhostBackend": r"\bback_end\.",
    "VhostNet": r"\bback_end\.set_backend\(",
    "VhostVsock": r"\bback_end\.(set_guest_cid|start)\(",
}
IOCTL_IN_RUST = f"ioctl_iow_nr!(KVM_IOEVENTFD, KVMIO, {lib.KVM_IOEVENTFD & 0xFF:#x}, kvm_ioeventfd);"


@dataclass(frozen=True)
class Program:
    """lines of the call itself are `first` (from 0) to `last`."""

    language: str
    text: str
    first: int
    last: int


def program_of(call: Call, language: str) -> Program:
    """The program of a call. language: one of LANGUAGES."""
    return PROGRAMS[language](call)


def c_program(call: Call) -> Program:
    """gcc -Wall -Werror compiles it."""
    before = in_order(call.needs)
    result = f'    printf("{call.variable}: file descriptor %d\\n", {call.variable});\n' if call.variable else ""
    helpers = dict.fromkeys(helper for one in (*before, call) for helper in one.helpers)
    main = "\n".join([*(one.c() for one in before), ""])
    arguments = "int argc, char **argv" if "argv" in main + call.c() else "void"
    rest = "\n\n".join([CHECK, *helpers, f"int main({arguments})\n{{\n{main}"])
    whole = rest + call.c() + "\n" + result
    includes = "\n".join(f"#include <{header}>" for header in headers(whole))
    source = "#define _GNU_SOURCE\n" if re.search(r"\b(memfd_create|unshare)\(", whole) else ""
    head = f"{comment(call)}\n{source}{includes}\n\n{rest}"
    return made("c", head, call.c(), f"{result}    return 0;\n}}\n")


CHECK = """static int check(int result, const char *call)
{
    if (result < 0) {
        perror(call);
        exit(1);
    }
    return result;
}"""


def comment(call: Call) -> str:
    """What it does, at the top of a C program."""
    first, *more = textwrap.wrap(f"{call.title}: {call.says}", WIDTH - 6)
    return "\n".join([f"/* {first}", *(f" * {line}" for line in more)]) + " */"


def headers(text: str) -> list[str]:
    """What a C program includes, in the order of the alphabet."""
    return sorted({header for pattern, header in HEADERS.items() if re.search(pattern, text)})


def python_program(call: Call) -> Program:
    """The running interpreter runs it, with this engine on its path."""
    before = in_order(call.needs)
    lines = "\n".join([*(one.python() for one in before), ""])
    body = indent(lines) + indent(call.python())
    head = f'"""{wrapped(call)}"""\n\n{imports(body)}\n\nwith ExitStack() as stack:\n    enter = stack.enter_context\n'
    return made("python", head + indent(lines), indent(call.python()), "")


def wrapped(call: Call) -> str:
    """What it does, as a docstring has it."""
    return "\n".join(textwrap.wrap(f"{call.title}: {call.says}", WIDTH - 3))


def imports(body: str) -> str:
    """What a Python program imports."""
    standard = ["import time"] if "time." in body else []
    modules: dict[str, list[str]] = {}
    for name, module in MODULES.items():
        if re.search(rf"\b{name}\b", body):
            modules.setdefault(module, []).append(name)
    ours = [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(modules.items())]
    return "\n".join([*standard, "from contextlib import ExitStack", "", *ours])


def indent(lines: str) -> str:
    """As inside of a with."""
    return textwrap.indent(lines, "    ")


def rust_program(call: Call) -> Program:
    """src/main.rs of a crate with kvm-ioctls, kvm-bindings, vmm-sys-util and libc."""
    before = in_order(call.needs)
    lines = "\n".join([*(one.rust() for one in before), ""])
    body = lines + call.rust()
    says = "\n".join(f"// {line}" for line in textwrap.wrap(f"{call.title}: {call.says}", WIDTH - 3))
    head = f"{says}\n{uses(body)}\n\nfn main() -> Result<(), Box<dyn std::error::Error>> {{\n{lines}"
    return made("rust", head, call.rust(), "    Ok(())\n}\n")


def uses(body: str) -> str:
    """What a Rust program uses."""
    crates: dict[str, list[str]] = {}
    for name, crate in CRATES.items():
        if re.search(TRAITS.get(name, rf"\b{name}\b"), body):
            crates.setdefault(crate, []).append(name)
    lines = [use(crate, names) for crate, names in sorted(crates.items())]
    if re.search(r"\bkvm_\w+\b|\bKvmIrqRouting\b|\bKVM_", body.replace("kvm_ioctls", "")):
        lines.insert(0, "use kvm_bindings::*;")
    if "ioctl_with_ref" in body:
        lines += ["use vmm_sys_util::ioctl_iow_nr;", "", IOCTL_IN_RUST]
    return "\n".join(lines)


def use(crate: str, names: Iterable[str]) -> str:
    """One line of it."""
    many = sorted(names)
    return f"use {crate}::{many[0]};" if len(many) == 1 else f"use {crate}::{{{', '.join(many)}}};"


def made(language: str, head: str, lines: str, tail: str) -> Program:
    """A program of what comes before a call, its lines, and what comes after."""
    first = head.count("\n")
    return Program(language, f"{head}{lines}\n{tail}", first, first + lines.count("\n"))


PROGRAMS: dict[str, Callable[[Call], Program]] = {"c": c_program, "python": python_program, "rust": rust_program}
LANGUAGES = tuple(PROGRAMS)
