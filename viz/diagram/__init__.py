"""The picture of host, QEMU and guest, and what each of its parts says."""
