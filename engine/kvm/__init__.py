"""KVM, a module a noun: owners of C handles, one method an ioctl, closed by `with`."""
