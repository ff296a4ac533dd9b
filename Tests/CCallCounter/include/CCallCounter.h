#ifndef CCALLCOUNTER_H
#define CCALLCOUNTER_H
// Counts what a thread asks of the allocator, for tests of code that must not. The definitions of malloc and its kin
// here take the place of the C library's, to which they pass everything on.

void ccallcounter_begin(void);

/// How often the calling thread asked for memory since ccallcounter_begin: malloc, calloc, realloc, memalign and kin.
long ccallcounter_end(void);
#endif
