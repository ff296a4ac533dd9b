#ifndef CLINUX_H
#define CLINUX_H
// What Swift cannot import from the kernel's and libc's headers: variadic ioctl, control-message macros, uapi structs.
#include "CLinux/tun.h"
#include "CLinux/datagram.h"
#include "CLinux/netlink.h"
#include "CLinux/process.h"
#endif
