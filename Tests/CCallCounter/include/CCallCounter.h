#ifndef CCALLCOUNTER_H
#define CCALLCOUNTER_H
// Counts what a thread asks of the allocator and of Swift's reference counting, for tests of code that must not. The
// definitions of malloc and its kin here take the place of the C library's, to which they pass everything on.

/// What the calling thread did between ccallcounter_begin and ccallcounter_end.
struct ccallcounter_counts {
    long allocations;  // malloc, calloc, realloc, memalign and their kin
    long retains;      // swift_retain
};

void ccallcounter_begin(void);
struct ccallcounter_counts ccallcounter_end(void);
#endif
