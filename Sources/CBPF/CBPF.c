#include "CBPF.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static _Thread_local char *log_text;
static _Thread_local size_t log_room;

static int remember(enum libbpf_print_level level, const char *format, va_list arguments) {
    if (!log_text || log_room < 2 || level == LIBBPF_DEBUG) return 0;
    int count = vsnprintf(log_text, log_room, format, arguments);
    if (count < 0) return 0;
    size_t written = (size_t)count < log_room ? (size_t)count : log_room - 1;
    log_text += written;
    log_room -= written;
    return count;
}

int cbpf_load(const void *bytes, size_t count, const char *pins, struct bpf_object **object, char *log, size_t size) {
    log[0] = 0;
    log_text = log;
    log_room = size;
    libbpf_set_print(remember);
    LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "fastpath", .pin_root_path = pins);
    int result = 0;
    *object = bpf_object__open_mem(bytes, count, &options);
    if (!*object) result = -errno;
    if (!result) result = bpf_object__load(*object);
    if (result && *object) {
        bpf_object__close(*object);
        *object = NULL;
    }
    log_text = NULL;
    return result;
}

int cbpf_attach(int interface, int ingress, int program, uint32_t handle, uint32_t priority) {
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = interface, .attach_point = ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS);
    LIBBPF_OPTS(
        bpf_tc_opts, options, .prog_fd = program, .handle = handle, .priority = priority, .flags = BPF_TC_F_REPLACE);
    log_text = NULL;
    libbpf_set_print(remember);
    int result = bpf_tc_hook_create(&hook);
    if (result && result != -EEXIST) return result;
    return bpf_tc_attach(&hook, &options);
}

int cbpf_detach(int interface, int ingress, uint32_t handle, uint32_t priority) {
    LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = interface, .attach_point = ingress ? BPF_TC_INGRESS : BPF_TC_EGRESS);
    LIBBPF_OPTS(bpf_tc_opts, options, .handle = handle, .priority = priority);
    log_text = NULL;
    libbpf_set_print(remember);
    int result = bpf_tc_detach(&hook, &options);
    return result == -ENOENT || result == -EINVAL || result == -ENODEV ? 0 : result;
}

int cbpf_run(int program, const void *packet, uint32_t count, void *context, uint32_t context_size, void *output,
    uint32_t *output_size) {
    LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet, .data_size_in = count, .data_out = output,
        .data_size_out = output_size ? *output_size : 0, .ctx_in = context, .ctx_size_in = context_size);
    int result = bpf_prog_test_run_opts(program, &options);
    if (output_size) *output_size = options.data_size_out;
    return result ? -errno : (int)options.retval;
}

uint32_t cbpf_value_size(struct bpf_object *object, const char *name) {
    struct bpf_map *map = bpf_object__find_map_by_name(object, name);
    return map ? bpf_map__value_size(map) : 0;
}

int cbpf_open_pinned(const char *path, uint32_t key_size, uint32_t value_size) {
    int descriptor = bpf_obj_get(path);
    if (descriptor < 0) return -errno;
    struct bpf_map_info info = {0};
    uint32_t size = sizeof info;
    if (bpf_obj_get_info_by_fd(descriptor, &info, &size) == 0 && info.key_size == key_size
        && info.value_size == value_size)
        return descriptor;
    close(descriptor);
    return -EPROTO;
}
