"""The last steps of confinement, by the kernel's own means and for good: a hedge, and a lock inside it.

It does: by Landlock, keep a process and all that it starts from changing files, from TCP and from signalling others; by
seccomp, leave a process the few system calls that parsing takes. Both by the C library, without a package for it. It
does not: bound time or memory (api.documents.confinement does), nor hold elsewhere than on Linux on x86-64 or ARM64:
there it says that it did not. The rule it keeps: once locked, a process can compute, read and write what is open
already, and end. It cannot open a file, a socket or a process, nor signal one (fcntl is not on the list: it can make
the kernel send any signal).
"""

import ctypes
import os
import platform
import struct
import sys

# Numbers of the kernel's own headers: asm/unistd_64.h, and asm-generic/unistd.h for ARM64.
_X86_64 = {
    "read": 0, "write": 1, "close": 3, "fstat": 5, "poll": 7, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11,
    "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "pread64": 17, "readv": 19, "writev": 20,
    "sched_yield": 24, "mremap": 25, "madvise": 28, "nanosleep": 35, "getpid": 39, "exit": 60,
    "gettimeofday": 96, "getrusage": 98, "sysinfo": 99, "sigaltstack": 131, "gettid": 186, "futex": 202,
    "sched_getaffinity": 204, "restart_syscall": 219, "clock_gettime": 228, "clock_getres": 229,
    "clock_nanosleep": 230, "exit_group": 231, "set_robust_list": 273, "getrandom": 318, "rseq": 334,
}  # fmt: skip
_ARM64 = {
    "read": 63, "write": 64, "close": 57, "fstat": 80, "ppoll": 73, "lseek": 62, "mmap": 222, "mprotect": 226,
    "munmap": 215, "brk": 214, "rt_sigaction": 134, "rt_sigprocmask": 135, "rt_sigreturn": 139, "pread64": 67,
    "readv": 65, "writev": 66, "sched_yield": 124, "mremap": 216, "madvise": 233, "nanosleep": 101, "getpid": 172,
    "exit": 93, "gettimeofday": 169, "getrusage": 165, "sysinfo": 179, "sigaltstack": 132, "gettid": 178,
    "futex": 98, "sched_getaffinity": 123, "restart_syscall": 128, "clock_gettime": 113, "clock_getres": 114,
    "clock_nanosleep": 115, "exit_group": 94, "set_robust_list": 99, "getrandom": 278, "rseq": 293,
}  # fmt: skip
_ALLOWED = {"x86_64": (0xC000003E, _X86_64), "aarch64": (0xC00000B7, _ARM64)}  # the kernel's name of each, and the list
_PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS, _MODE_FILTER = 22, 38, 2
_LOAD, _JUMP_EQUAL, _RETURN = 0x20, 0x15, 0x06  # instructions of the classic packet filter
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050001, 0x80000000  # REFUSE answers EPERM
_CALL_AT, _MACHINE_AT = 0, 4  # in struct seccomp_data
_CREATE_RULESET, _RESTRICT_SELF, _ASK_VERSION = 444, 446, 1
# Rights to remove and to make files of any kind, to move them elsewhere (version 2), and to cut them (version 3). The
# right to open one for writing is not among them: programs open /dev/null, and no file may have a size anyway.
_FILES, _MOVE, _CUT = 0b1_1111_1111_0000, 1 << 13, 1 << 14
_TCP = 0b11  # to listen and to connect (version 4)
_OTHERS = 0b11  # abstract sockets and signals beyond the hedge (version 6)


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def hedge() -> int:
    """Hedge this process in; the version of Landlock that does, 0 where the kernel has none."""
    if sys.platform != "linux" or platform.machine() not in _ALLOWED:
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    version = max(int(libc.syscall(_CREATE_RULESET, None, ctypes.c_size_t(0), _ASK_VERSION)), 0)
    if not version:
        return 0
    rights = [_FILES | (_MOVE if version > 1 else 0) | (_CUT if version > 2 else 0)]  # noqa: PLR2004 - versions
    rights += [_TCP] if version > 3 else []  # noqa: PLR2004
    rights += [_OTHERS] if version > 5 else []  # noqa: PLR2004
    told = struct.pack(f"={len(rights)}Q", *rights)
    ruleset = int(libc.syscall(_CREATE_RULESET, told, ctypes.c_size_t(len(told)), 0))
    if ruleset < 0 or libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return 0
    hedged = libc.syscall(_RESTRICT_SELF, ruleset, 0) == 0  # without a rule: nothing of it is allowed anywhere
    os.close(ruleset)
    return version if hedged else 0


def lock() -> bool:
    """Lock this process, which has loaded all it needs; False where this system cannot."""
    machine = platform.machine()
    if sys.platform != "linux" or machine not in _ALLOWED:
        return False
    code = _filter(*_ALLOWED[machine])
    program = _Program(len(code) // 8, code)
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
        and libc.prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == 0
    )


def _filter(architecture: int, allowed: dict[str, int]) -> bytes:
    """Another architecture's call ends the process; a call on the list passes; any other is refused."""
    calls = sorted(allowed.values())
    lines = [
        (_LOAD, 0, 0, _MACHINE_AT),
        (_JUMP_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _CALL_AT),
        # A jump counts the lines it leaps over: from each call to the last line.
        *((_JUMP_EQUAL, len(calls) - at, 0, call) for at, call in enumerate(calls)),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
