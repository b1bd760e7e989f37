// listens
/* Rings nothing: waits for interrupts, which start.S handles. */
#include "guest.h"

void guest_main(void);
void guest_main(void)
{
    for (;;)
        idle();
}
