"""KVM's own counters of a vCPU, from its statistics file descriptor: binary, no privilege needed.

Layout: Documentation/virt/kvm/api.rst, 4.133 KVM_GET_STATS_FD.
"""

from __future__ import annotations

import os
import struct

from bellwire.engine._core import ffi, lib
from bellwire.engine.errors import KvmError, check
from bellwire.engine.kvm.owner import Fd


class VcpuStats(Fd):
    """Reads counters by name. Take it before the vCPU runs: the ioctl blocks while it does; reading never blocks."""

    def __init__(self, vcpu_fd: int) -> None:
        super().__init__(check(lib.bw_vm_stats_fd(vcpu_fd), "KVM_GET_STATS_FD"))
        try:
            self._offsets = self._read_descriptors()
        except BaseException:
            self.close()
            raise
        self._end = max(self._offsets.values(), default=0) + 8

    @classmethod
    def of(cls, vcpu_fd: int) -> VcpuStats | None:
        """Those of a vCPU; None where there are none, for whatever reason: a guest runs without."""
        try:
            return cls(vcpu_fd)
        except KvmError:
            return None

    def _read_descriptors(self) -> dict[str, int]:
        """Name -> offset of the value in the file, of single values only."""
        header = ffi.from_buffer("struct kvm_stats_header *", self._pread(ffi.sizeof("struct kvm_stats_header"), 0))
        fixed = ffi.sizeof("struct kvm_stats_desc")
        size = fixed + header.name_size
        table = self._pread(size * header.num_desc, header.desc_offset)
        offsets = {}
        for start in range(0, len(table), size):
            described = ffi.from_buffer("struct kvm_stats_desc *", table[start : start + fixed])
            name = table[start + fixed : start + size].split(b"\0")[0].decode()
            if described.size == 1:
                offsets[name] = header.data_offset + described.offset
        return offsets

    def _pread(self, size: int, offset: int) -> bytes:
        return os.pread(self.fd, size, offset)

    def read(self, names: tuple[str, ...]) -> dict[str, int]:
        """The present values of those of `names` that this kernel has."""
        data = self._pread(self._end, 0)
        return {
            name: int(struct.unpack_from("<Q", data, self._offsets[name])[0]) for name in names if name in self._offsets
        }
