"""Tables of the system call filter: allowed, refused and examined calls. Standard library only.

The filter lists what is allowed: the calls of the C library, Python, TensorFlow, PyTorch, JAX, OpenCV, CUDA, databases
and shell commands. Every call that is in no table, such as one of a later kernel, fails with ENOSYS. Libraries then use
an older call: the C library ``clone`` for ``clone3``, event loops ``epoll`` for ``io_uring``, file watchers a timer for
``inotify``, copying programs ``read`` and ``write`` for ``splice``.

Numbers are those of x86_64 and aarch64 (Linux's asm/unistd_64.h and asm-generic/unistd.h); None where one has no such
call.
"""

from __future__ import annotations

from collections.abc import Mapping

Numbers = tuple[int | None, int | None]

# fmt: off
ALLOWED: Mapping[str, Numbers] = {
    # Files by descriptor.
    "read": (0, 63), "write": (1, 64), "readv": (19, 65), "writev": (20, 66), "pread64": (17, 67),
    "pwrite64": (18, 68), "preadv": (295, 69), "pwritev": (296, 70), "preadv2": (327, 286), "pwritev2": (328, 287),
    "lseek": (8, 62), "close": (3, 57), "close_range": (436, 436), "dup": (32, 23), "dup2": (33, None),
    "dup3": (292, 24), "pipe": (22, None), "pipe2": (293, 59), "fstat": (5, 80), "fsync": (74, 82),
    "fdatasync": (75, 83), "ftruncate": (77, 46), "fchmod": (91, 52), "fchown": (93, 55), "fchdir": (81, 50),
    "fstatfs": (138, 44), "fgetxattr": (193, 10), "fsetxattr": (190, 7), "flistxattr": (196, 13),
    "fremovexattr": (199, 16), "fadvise64": (221, 223), "readahead": (187, 213), "sync_file_range": (277, 84),
    "sendfile": (40, 71), "copy_file_range": (326, 285), "flock": (73, 32), "getdents": (78, None),
    "getdents64": (217, 61),
    # Files by path.
    "open": (2, None), "openat": (257, 56), "openat2": (437, 437), "creat": (85, None), "stat": (4, None),
    "lstat": (6, None), "newfstatat": (262, 79), "statx": (332, 291), "access": (21, None), "faccessat": (269, 48),
    "faccessat2": (439, 439), "truncate": (76, 45), "getcwd": (79, 17), "chdir": (80, 49), "rename": (82, None),
    "renameat": (264, 38), "renameat2": (316, 276), "mkdir": (83, None), "mkdirat": (258, 34), "rmdir": (84, None),
    "link": (86, None), "linkat": (265, 37), "unlink": (87, None), "unlinkat": (263, 35), "symlink": (88, None),
    "symlinkat": (266, 36), "readlink": (89, None), "readlinkat": (267, 78), "mknod": (133, None),
    "mknodat": (259, 33), "chmod": (90, None), "fchmodat": (268, 53), "fchmodat2": (452, 452), "chown": (92, None),
    "lchown": (94, None), "fchownat": (260, 54), "umask": (95, 166), "utime": (132, None), "utimes": (235, None),
    "futimesat": (261, None), "utimensat": (280, 88), "statfs": (137, 43), "getxattr": (191, 8),
    "lgetxattr": (192, 9), "setxattr": (188, 5), "lsetxattr": (189, 6), "listxattr": (194, 11),
    "llistxattr": (195, 12), "removexattr": (197, 14), "lremovexattr": (198, 15),
    # Waiting for descriptors.
    "poll": (7, None), "ppoll": (271, 73), "select": (23, None), "pselect6": (270, 72), "epoll_create": (213, None),
    "epoll_create1": (291, 20), "epoll_ctl": (233, 21), "epoll_wait": (232, None), "epoll_pwait": (281, 22),
    "epoll_pwait2": (441, 441), "eventfd": (284, None), "eventfd2": (290, 19), "signalfd": (282, None),
    "signalfd4": (289, 74), "timerfd_create": (283, 85), "timerfd_settime": (286, 86), "timerfd_gettime": (287, 87),
    # Sockets; for socket and socketpair see EXAMINED.
    "connect": (42, 203), "accept": (43, 202), "accept4": (288, 242), "bind": (49, 200), "listen": (50, 201),
    "sendto": (44, 206), "recvfrom": (45, 207), "sendmsg": (46, 211), "recvmsg": (47, 212), "sendmmsg": (307, 269),
    "recvmmsg": (299, 243), "shutdown": (48, 210), "getsockname": (51, 204), "getpeername": (52, 205),
    "setsockopt": (54, 208), "getsockopt": (55, 209),
    # Memory. mbind and set_mempolicy move only the caller's own memory; CUDA and NumPy's BLAS may use them.
    "mmap": (9, 222), "mprotect": (10, 226), "munmap": (11, 215), "mremap": (25, 216), "brk": (12, 214),
    "msync": (26, 227), "mincore": (27, 232), "madvise": (28, 233), "mlock": (149, 228), "mlock2": (325, 284),
    "munlock": (150, 229), "mlockall": (151, 230), "munlockall": (152, 231), "memfd_create": (319, 279),
    "mbind": (237, 235), "set_mempolicy": (238, 237), "get_mempolicy": (239, 236), "pkey_alloc": (330, 289),
    "pkey_free": (331, 290), "pkey_mprotect": (329, 288), "membarrier": (324, 283), "map_shadow_stack": (453, 453),
    "mseal": (462, 462),
    # Processes and threads; for clone see EXAMINED.
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281), "exit": (60, 93),
    "exit_group": (231, 94), "wait4": (61, 260), "waitid": (247, 95), "getpid": (39, 172), "getppid": (110, 173),
    "gettid": (186, 178), "getpgrp": (111, None), "getpgid": (121, 155), "setpgid": (109, 154),
    "getsid": (124, 156), "setsid": (112, 157), "set_tid_address": (218, 96), "set_robust_list": (273, 99),
    "get_robust_list": (274, 100), "futex": (202, 98), "futex_waitv": (449, 449), "rseq": (334, 293),
    "arch_prctl": (158, None), "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424), "getrusage": (98, 165),
    "getrlimit": (97, 163), "setrlimit": (160, 164), "times": (100, 153), "getpriority": (140, 141),
    "ioprio_get": (252, 31), "sched_yield": (24, 124), "sched_getaffinity": (204, 123),
    "sched_getparam": (143, 121), "sched_setparam": (142, 118), "sched_getscheduler": (145, 120),
    "sched_getattr": (315, 275), "sched_get_priority_max": (146, 125), "sched_get_priority_min": (147, 126),
    "sched_rr_get_interval": (148, 127), "getcpu": (309, 168),
    # Signals.
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139), "rt_sigpending": (127, 136),
    "rt_sigtimedwait": (128, 137), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240),
    "rt_sigsuspend": (130, 133), "sigaltstack": (131, 132), "pause": (34, None), "restart_syscall": (219, 128),
    # Users. Without capabilities the setting calls cannot gain any right.
    "getuid": (102, 174), "geteuid": (107, 175), "getgid": (104, 176), "getegid": (108, 177),
    "getgroups": (115, 158), "getresuid": (118, 148), "getresgid": (120, 150), "setuid": (105, 146),
    "setgid": (106, 144), "setreuid": (113, 145), "setregid": (114, 143), "setresuid": (117, 147),
    "setresgid": (119, 149), "setfsuid": (122, 151), "setfsgid": (123, 152), "setgroups": (116, 159),
    "capget": (125, 90), "capset": (126, 91),
    # Time.
    "time": (201, None), "gettimeofday": (96, 169), "clock_gettime": (228, 113), "clock_getres": (229, 114),
    "nanosleep": (35, 101), "clock_nanosleep": (230, 115), "alarm": (37, None), "getitimer": (36, 102),
    "setitimer": (38, 103), "timer_create": (222, 107), "timer_settime": (223, 110), "timer_gettime": (224, 108),
    "timer_getoverrun": (225, 109), "timer_delete": (226, 111),
    # The machine. The C library needs sysinfo for the number of pages and ignores an error of it.
    "uname": (63, 160), "sysinfo": (99, 179), "getrandom": (318, 278),
}

# These fail with EPERM, as they do for a user without the right. Programs report that better than a missing call.
REFUSED: Mapping[str, Numbers] = {
    # Memory, files and state of other processes.
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "pidfd_getfd": (438, 438), "kcmp": (312, 272), "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # Namespaces and mounts; for clone see EXAMINED.
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "statmount": (457, 457), "listmount": (458, 458), "open_tree_attr": (467, 467),
    # Files outside the mounts, and what others do with files.
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    # Parts of the kernel that it often closes to unprivileged users itself.
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "add_key": (248, 217),
    "request_key": (249, 218), "keyctl": (250, 219), "syslog": (103, 116),
    # Memory that no process holds: the monitor would not count it.
    "shmget": (29, 194), "semget": (64, 190), "msgget": (68, 186), "mq_open": (240, 180),
    "memfd_secret": (447, 447),
    # Advantages over other notebooks on the processors and the disk.
    "sched_setattr": (314, 274), "ioprio_set": (251, 30),
    # The machine itself.
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105), "finit_module": (313, 273),
    "delete_module": (176, 106), "iopl": (172, None), "ioperm": (173, None), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89), "quotactl": (179, 60),
    "quotactl_fd": (443, 443), "vhangup": (153, 58), "sethostname": (170, 161), "setdomainname": (171, 162),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266),
}

# These report success and have no effect. Honest programs call them as a precaution and stop at an error. The cores of
# a notebook are fixed by the grader; flushing every file system would slow down everybody on the machine.
WITHOUT_EFFECT: Mapping[str, Numbers] = {
    "sched_setaffinity": (203, 122), "sync": (162, 81), "syncfs": (306, 267),
}

# Fails with EOPNOTSUPP, as on file systems without it, and the C library writes the file instead. It could occupy the
# whole disk, or with a file in memory the whole memory, between two measurements.
UNSUPPORTED: Mapping[str, Numbers] = {"fallocate": (285, 47)}

# These depend on their arguments; ``seccomp`` has the rules.
EXAMINED: Mapping[str, Numbers] = {
    "clone": (56, 220), "socket": (41, 198), "socketpair": (53, 199), "ioctl": (16, 29), "fcntl": (72, 25),
    "prctl": (157, 167), "prlimit64": (302, 261), "setpriority": (141, 140), "sched_setscheduler": (144, 119),
    "seccomp": (317, 277), "personality": (135, 92),
}
# fmt: on
