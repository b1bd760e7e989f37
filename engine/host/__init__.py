"""What this host is and can do: access to KVM, which KVM it is, its clock."""
