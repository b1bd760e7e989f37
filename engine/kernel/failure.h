/* Why something could not be done. One line of it goes to stderr; engine/kernel/program.py makes a sentence of the code. */
#pragma once

struct failure {
    const char *code;  /* one word, a key of REASONS in engine/kernel/program.py */
    int error;         /* errno; 0: the code says it all */
    const char *about; /* which process, tracepoint or step; "" */
};

/* Notes why, and returns -1. */
static inline int fail(struct failure *why, const char *code, int error, const char *about)
{
    *why = (struct failure){code, error, about};
    return -1;
}
