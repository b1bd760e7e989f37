"""What became of a guest: how its vCPU stands, or why it ended, as a kind and as one sentence.

Source of the reasons: Documentation/virt/kvm/api.rst, "The kvm_run structure".
"""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass
from enum import Enum

from bellwire.engine._core import lib
from bellwire.engine.events import exit_name
from bellwire.engine.language import tr, tr_later


class Verdict(Enum):
    """The kinds, each with its short name."""

    RUNNING = "still running"
    STOPPED = "stopped"
    ENDED = "ended by itself"
    FAULT = "took a fault"
    RESET = "triple fault"
    EMULATION = "emulation failure"
    INTERNAL = "internal error"
    ENTRY = "entry failure"
    REFUSED = "KVM_RUN refused"
    UNKNOWN = "unknown exit"
    DRIVER = "broke its virtqueue"


KINDS = {
    lib.BW_VERDICT_NONE: Verdict.RUNNING,
    lib.BW_VERDICT_STOPPED: Verdict.STOPPED,
    lib.BW_VERDICT_GUEST: Verdict.ENDED,
    lib.BW_VERDICT_SHUTDOWN: Verdict.RESET,
    lib.BW_VERDICT_INTERNAL: Verdict.INTERNAL,
    lib.BW_VERDICT_ENTRY: Verdict.ENTRY,
    lib.BW_VERDICT_RUN: Verdict.REFUSED,
    lib.BW_VERDICT_UNKNOWN: Verdict.UNKNOWN,
}
SENTENCES = {
    Verdict.RUNNING: tr_later("{who} is running."),
    Verdict.STOPPED: tr_later("{who} was stopped."),
    Verdict.ENDED: tr_later("{who} ended by itself."),
    Verdict.FAULT: tr_later("{who} took fault {detail} and ended."),
    Verdict.RESET: tr_later(
        "{who} met a triple fault, an exception that it had no way to handle, which resets a machine."
    ),
    Verdict.EMULATION: tr_later("{who} met an instruction that KVM cannot emulate."),
    Verdict.INTERNAL: tr_later("{who} cannot go on after an internal error of KVM: {internal}."),
    Verdict.ENTRY: tr_later("{who} could not be entered, for the hardware's reason {detail:#x}."),
    Verdict.REFUSED: tr_later("{who} could not be run: {error}."),
    Verdict.UNKNOWN: tr_later("{who} left for a reason that is not served here, KVM_EXIT_{reason}."),
}
NOT_EMULATED = tr_later("{who} met an instruction that KVM cannot emulate; it begins with {instruction}.")
SHOWN = 6  # bytes of an instruction that is not understood, so its length is not known
INTERNAL = {  # suberrors but KVM_INTERNAL_ERROR_EMULATION
    lib.KVM_INTERNAL_ERROR_SIMUL_EX: tr_later("two exceptions came at once"),
    lib.KVM_INTERNAL_ERROR_DELIVERY_EV: tr_later("an exit came while an interrupt or exception was being delivered"),
    lib.KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON: tr_later("the hardware left for a reason that KVM does not know"),
}


@dataclass(frozen=True)
class Ending:
    """A verdict and what is known of it.

    detail: a fault's vector, suberror, hardware reason, errno or exit reason. instruction: its first bytes, if known.
    """

    verdict: Verdict
    detail: int = 0
    instruction: bytes = b""

    @classmethod
    def of(cls, kind: int, detail: int, instruction: bytes = b"") -> Ending:
        """What C tells: BW_VERDICT_* and its detail."""
        verdict = KINDS[kind]
        if verdict is Verdict.INTERNAL and detail == lib.KVM_INTERNAL_ERROR_EMULATION:
            return cls(Verdict.EMULATION, detail, instruction)
        return cls(verdict, detail)

    def told(self, who: str) -> str:
        """As a sentence. who: the guest, as it begins a sentence."""
        internal = INTERNAL.get(self.detail)
        sentence = NOT_EMULATED if self.instruction else SENTENCES[self.verdict]
        return tr(
            sentence,
            who=who,
            detail=self.detail,
            instruction=self.instruction[:SHOWN].hex(" "),
            internal=tr(internal) if internal else tr("suberror {number}", number=self.detail),
            error=error_name(self.detail),
            reason=exit_name(self.detail),
        )


def error_name(number: int) -> str:
    """An errno in words, as in "Bad address (EFAULT)"."""
    if number in errno.errorcode:
        return f"{os.strerror(number)} ({errno.errorcode[number]})"
    return tr("error {number}", number=number)
