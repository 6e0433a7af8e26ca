package dev.glovebox.sandbox.oci;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class SeccompRulesTest {
    private static final List<String> NEVER =
            List.of(
                    "acct",
                    "add_key",
                    "adjtimex",
                    "bpf",
                    "chroot",
                    "clock_adjtime",
                    "clock_settime",
                    "clone",
                    "clone3",
                    "delete_module",
                    "fanotify_init",
                    "finit_module",
                    "fsconfig",
                    "fsmount",
                    "fsopen",
                    "fspick",
                    "init_module",
                    "io_uring_enter",
                    "io_uring_register",
                    "io_uring_setup",
                    "ioctl",
                    "ioperm",
                    "iopl",
                    "kcmp",
                    "kexec_file_load",
                    "kexec_load",
                    "keyctl",
                    "lookup_dcookie",
                    "mbind",
                    "memfd_secret",
                    "migrate_pages",
                    "modify_ldt",
                    "mount",
                    "mount_setattr",
                    "move_mount",
                    "move_pages",
                    "mq_open",
                    "mq_unlink",
                    "name_to_handle_at",
                    "nfsservctl",
                    "open_by_handle_at",
                    "open_tree",
                    "perf_event_open",
                    "personality",
                    "pidfd_getfd",
                    "pivot_root",
                    "prlimit64",
                    "process_madvise",
                    "process_vm_readv",
                    "process_vm_writev",
                    "ptrace",
                    "quotactl",
                    "quotactl_fd",
                    "reboot",
                    "request_key",
                    "set_mempolicy",
                    "setdomainname",
                    "sethostname",
                    "setns",
                    "settimeofday",
                    "socket",
                    "socketpair",
                    "swapoff",
                    "swapon",
                    "syslog",
                    "umount2",
                    "unshare",
                    "uselib",
                    "userfaultfd",
                    "ustat",
                    "vhangup",
                    "vmsplice");

    @Test
    void dangerousCallsAreNotAllowedUnconditionally() {
        assertThat(SeccompRules.ALLOWED).doesNotContainAnyElementsOf(NEVER).hasSizeGreaterThan(250);
    }

    @Test
    void noCallIsInTwoLists() {
        assertThat(SeccompRules.ALLOWED).doesNotHaveDuplicates();
        assertThat(SeccompRules.UNKNOWN)
                .doesNotHaveDuplicates()
                .doesNotContainAnyElementsOf(SeccompRules.ALLOWED);
    }

    @Test
    void whatIsNotListedIsRefusedAndOnlyTheMachinesOwnEntryIsOpen() {
        Map<String, Object> amd64 = SeccompRules.forArchitecture("amd64");

        assertThat(amd64)
                .containsEntry("defaultAction", "SCMP_ACT_ERRNO")
                .containsEntry("defaultErrnoRet", 1)
                .containsEntry("architectures", List.of("SCMP_ARCH_X86_64"));
        assertThat(SeccompRules.forArchitecture("aarch64"))
                .containsEntry("architectures", List.of("SCMP_ARCH_AARCH64"));
    }

    @Test
    void aMachineWithoutAListIsRefused() {
        assertThatThrownBy(() -> SeccompRules.forArchitecture("riscv64"))
                .hasMessageContaining("riscv64");
    }

    @Test
    void everyIoctlButTheForbiddenOnesMatchesOneRule() {
        List<long[]> pairs = SeccompRules.allBut(SeccompRules.FORBIDDEN_IOCTLS);

        for (long number : SeccompRules.FORBIDDEN_IOCTLS) {
            assertThat(matches(pairs, number)).isZero();
            assertThat(matches(pairs, number | 1L << 32)).as("upper bits").isZero();
        }
        LongStream.range(0, 0x1_0000)
                .filter(n -> !SeccompRules.FORBIDDEN_IOCTLS.contains(n))
                .forEach(n -> assertThat(matches(pairs, n)).isEqualTo(1));
        assertThat(matches(pairs, 0xFFFF_FFFFL)).isEqualTo(1);
    }

    private static long matches(List<long[]> pairs, long number) {
        return pairs.stream().filter(pair -> (number & pair[0]) == pair[1]).count();
    }
}
