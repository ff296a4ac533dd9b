#include "CCallCounter.h"
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

static __thread bool counting;
static __thread struct ccallcounter_counts counts;

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static inline void count(void) {
    if (counting) counts.allocations++;
}

void *malloc(size_t size) {
    count();
    return __libc_malloc(size);
}

void *calloc(size_t number, size_t size) {
    count();
    return __libc_calloc(number, size);
}

void *realloc(void *old, size_t size) {
    count();
    return __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
    count();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
    *result = memalign(alignment, size);
    return *result ? 0 : ENOMEM;
}

// Of libswiftCore: swift_retain goes through the pointer while the flag is set.
extern void *(*_swift_retain)(void *);
extern atomic_bool _swift_enableSwizzlingOfAllocationAndRefCountingFunctions_forInstrumentsOnly;

static void *(*retain)(void *);

static void *counted_retain(void *object) {
    if (counting) counts.retains++;
    return retain(object);
}

void ccallcounter_begin(void) {
    if (!retain) {
        retain = _swift_retain;
        _swift_retain = counted_retain;
        atomic_store(&_swift_enableSwizzlingOfAllocationAndRefCountingFunctions_forInstrumentsOnly, true);
    }
    counts = (struct ccallcounter_counts){0, 0};
    counting = true;
}

struct ccallcounter_counts ccallcounter_end(void) {
    counting = false;
    return counts;
}
