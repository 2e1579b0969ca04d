/* play.c - the parent: the reader is the scheduler */
#include "explore/parent.h"
int play(void) {
    return 2;
}
