// What Swift cannot import of libbpf: structs that end in bit fields, and a log callback with a va_list.
#ifndef CBPF_H
#define CBPF_H
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <stdint.h>

// Opens an object from memory and loads it. Maps that ask to be pinned are pinned in the directory, which is on a
// bpffs, or taken from there. Returns 0, or -errno with what libbpf said in the log (never longer than its size, with
// a zero byte at its end).
int cbpf_load(const void *bytes, size_t count, const char *pins, struct bpf_object **object, char *log, size_t size);

// Attaches a program at an interface's tc ingress (or egress), in the place of one with the same handle and priority.
// Makes the clsact qdisc if there is none. Returns 0 or -errno.
int cbpf_attach(int interface, int ingress, int program, uint32_t handle, uint32_t priority);

// Detaches what cbpf_attach attached. Returns 0, also when there is nothing, or -errno.
int cbpf_detach(int interface, int ingress, uint32_t handle, uint32_t priority);

// Runs a program over a packet. Returns -errno, or the program's own result; `output` gets the packet after it.
int cbpf_run(int program, const void *packet, uint32_t count, void *context, uint32_t context_size, void *output,
    uint32_t *output_size);

// Opens a pinned map. Returns a descriptor, -EPROTO when its keys or values have another size, or -errno.
int cbpf_open_pinned(const char *path, uint32_t key_size, uint32_t value_size);

// The size of an object's map values, 0 when there is no such map.
uint32_t cbpf_value_size(struct bpf_object *object, const char *map);
#endif
