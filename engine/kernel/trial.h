/* What trial.bpf.c is told by user space. */
#pragma once

struct trial_settings {
    unsigned pid; /* offset of task_struct's pid */
};
