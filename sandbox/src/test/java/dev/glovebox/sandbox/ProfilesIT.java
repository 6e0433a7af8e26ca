package dev.glovebox.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What the profiles beyond `strict` give, and what they do not. Needs root.
class ProfilesIT {
    @RegisterExtension static final Grounds GROUNDS = new Grounds();
    private static final Limits LIMITS = Limits.DEFAULT.withPids(1024);

    /// Makes a package and a repository of it in the workspace, and installs from there.
    private static final String INSTALL =
            """
            set -e
            mkdir -p /tmp/p/DEBIAN /tmp/p/usr/bin /tmp/p/etc /workspace/repo
            printf 'Package: hello-box\\nVersion: 1.0\\nArchitecture: all\\nMaintainer: a <a@b.example>\\nDescription: x\\n' \
                > /tmp/p/DEBIAN/control
            printf '#!/bin/sh\\necho hello from the package\\n' > /tmp/p/usr/bin/hello-box
            printf 'setting\\n' > /tmp/p/etc/hello-box.conf
            printf '#!/bin/sh\\nset -e\\nchown daemon:daemon /etc/hello-box.conf\\n' > /tmp/p/DEBIAN/postinst
            chmod 755 /tmp/p/usr/bin/hello-box /tmp/p/DEBIAN/postinst
            dpkg-deb -b /tmp/p /workspace/repo/hello-box_1.0_all.deb
            cd /workspace/repo
            size=$(stat -c %s hello-box_1.0_all.deb); sum=$(sha256sum hello-box_1.0_all.deb | cut -d' ' -f1)
            (dpkg-deb -f hello-box_1.0_all.deb; printf 'Filename: ./hello-box_1.0_all.deb\\nSize: %s\\nSHA256: %s\\n' $size $sum) > Packages
            echo 'deb [trusted=yes] file:/workspace/repo ./' > /etc/apt/sources.list
            rm -f /etc/apt/sources.list.d/*
            apt-get -q update && apt-get -q -y install hello-box
            hello-box; stat -c %U /etc/hello-box.conf; dpkg -s hello-box | grep Status
            """;

    private static Ground ground(RuntimeName runtime) throws Exception {
        return GROUNDS.under(runtime);
    }

    @ParameterizedTest
    @EnumSource(names = {"CRUN", "RUNC"})
    void aPackageIsInstalledInsideAndNowhereElse(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        try (Sandbox sandbox = ground.sandbox("apt", Template.DEV, LIMITS)) {
            Ground.Result result = Ground.shell(sandbox, INSTALL);

            assertThat(result.output())
                    .contains("hello from the package", "daemon", "install ok installed");
            assertThat(Path.of("/usr/bin/hello-box")).doesNotExist();
            assertThat(Files.readString(Path.of("/var/lib/dpkg/status")))
                    .doesNotContain("hello-box");
            try (Sandbox other = ground.sandbox("other", Template.DEV, LIMITS)) {
                assertThat(Ground.shell(other, "hello-box").exit().code()).isEqualTo(127);
            }
        }
    }

    /// Root inside is nobody outside, and on disk it is the agent.
    @ParameterizedTest
    @EnumSource
    void rootOfADevSandboxIsRootOfItsFilesOnly(RuntimeName runtime) throws Exception {
        Ground ground = ground(runtime);
        try (Sandbox sandbox = ground.sandbox("root", Template.DEV, LIMITS)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            id -u
                            echo x > /usr/bin/new && cat /usr/bin/new
                            rm /usr/bin/true && test ! -e /usr/bin/true && echo removed
                            mv /usr/share/doc/bash /usr/share/doc/moved && echo moved
                            mkdir /srv/d && rm -r /usr/share/doc/tar && mkdir /usr/share/doc/tar && echo /usr/share/doc/tar/*
                            echo y > /workspace/by-root
                            chown 1:2 /srv/d && python3 -c 'import os; s = os.stat("/srv/d"); print(s.st_uid, s.st_gid)'
                            mount -t tmpfs none /srv 2>/dev/null || echo no-mount
                            mknod /srv/disk b 8 0 2>/dev/null || echo no-device
                            (echo z > /proc/sys/kernel/hostname) 2>/dev/null || echo no-sysctl
                            (cat /etc/shadow /etc/ssl/private/* /etc/machine-id /root/[.]* > /dev/null) 2>/dev/null || echo no-secret
                            """);

            assertThat(result.output().lines())
                    .containsExactly(
                            "0",
                            "x",
                            "removed",
                            "moved",
                            "/usr/share/doc/tar/*",
                            "1 2",
                            "no-mount",
                            "no-device",
                            "no-sysctl",
                            "no-secret");
            Path written = ground.directory().resolve("workspaces/root/by-root");
            assertThat(Files.getAttribute(written, "unix:uid")).isEqualTo(1000);
            assertThat(Path.of("/usr/bin/true")).exists();
            for (int pid : sandbox.processes()) {
                assertThat(Files.readString(Path.of("/proc/" + pid + "/status")))
                        .containsPattern("(?m)^Uid:(\\t1[89]\\d{8}){4}$");
            }
        }
    }

    /// What the host lets not everybody read is not there for a root inside either.
    @ParameterizedTest
    @EnumSource
    void aSecretOfTheHostsProgramsStaysHidden(RuntimeName runtime) throws Exception {
        Path secret = Path.of("/usr/local/glovebox-it-secret-" + runtime.program());
        Files.deleteIfExists(secret);
        Files.writeString(secret, "secret");
        Files.setPosixFilePermissions(secret, PosixFilePermissions.fromString("rw-------"));
        try (Ground ground = Ground.open(runtime);
                Sandbox sandbox = ground.sandbox("secret", Template.DEV, LIMITS)) {
            Ground.Result result =
                    Ground.shell(
                            sandbox, "cat " + secret + "; test -r /usr/bin/env && echo control");

            assertThat(result.output()).contains("control").doesNotContain("secret\n");
            assertThat(result.output()).contains("No such file");
        } finally {
            Files.delete(secret);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"CRUN", "RUNC"})
    void aDebuggerWorksInDevAndNotInStrict(RuntimeName runtime) throws Exception {
        try (Sandbox dev = ground(runtime).sandbox("debug", Template.DEV, LIMITS);
                Sandbox strict = ground(runtime).sandbox("strict", LIMITS)) {
            String strace = "strace -c /bin/true 2>&1 | grep -c total";
            String attach =
                    "python3 -c 'import ctypes, os; print(ctypes.CDLL(None).ptrace(16, 1, 0, 0))'";
            assertThat(Ground.shell(dev, strace).output()).isEqualTo("1\n");
            assertThat(Ground.shell(strict, strace).output()).isEqualTo("0\n");
            assertThat(Ground.shell(dev, attach).output()).as("pid 1").isEqualTo("-1\n");
        }
    }

    @Test
    void whatIsWrittenToTheRootHasALimitAndIsGoneAtTheEnd() throws Exception {
        Ground ground = ground(RuntimeName.CRUN);
        try (Sandbox sandbox = ground.sandbox("full", Template.DEV, LIMITS.withMemory("256m"))) {
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            "head -c 200m /dev/zero > /opt/a; stat -c %s /opt/a; i=0;"
                                    + " rm /opt/a; while [ $i -lt 20000 ] && : > /opt/$i; do i=$((i+1)); done"
                                    + " 2>/dev/null; echo $((i < 20000))");

            assertThat(result.output()).contains("No space left").contains("\n1\n");
            long written = Long.parseLong(result.output().lines().toList().get(1));
            assertThat(written).isBetween(48L << 20, 64L << 20);
        }
        try (Sandbox sandbox = ground.sandbox("full", Template.DEV, LIMITS)) {
            assertThat(Ground.shell(sandbox, "ls /opt").output()).isEmpty();
        }
    }

    /// Namespaces, mounts and another root inside gVisor, all of them of its own kernel.
    @Test
    void rootOfANestedSandboxMountsInItsOwnKernelOnly() throws Exception {
        Template nested = Template.host("nested", Profile.NESTED);
        try (Ground ground = Ground.open(RuntimeName.RUNSC);
                Sandbox sandbox = ground.sandbox("nested", nested, LIMITS)) {
            String mounts = Files.readString(Path.of("/proc/self/mountinfo"));
            Ground.Result result =
                    Ground.shell(
                            sandbox,
                            """
                            unshare --propagation unchanged -Urm /bin/sh -c 'id -u'
                            mount -t tmpfs none /srv && echo inside > /srv/f && cat /srv/f
                            mkdir /tmp/root && cp /.glovebox/init /tmp/root/init
                            chroot /tmp/root /init --nothing 2>&1 | head -1
                            """);

            assertThat(result.output().lines())
                    .containsExactly("0", "inside", "usage: glovebox-init [--serve]");
            assertThat(Files.readString(Path.of("/proc/self/mountinfo"))).isEqualTo(mounts);
            for (int pid : sandbox.processes()) {
                String status = Files.readString(Path.of("/proc/" + pid + "/status"));
                assertThat(status)
                        .containsPattern("(?m)^Uid:(\\t1[89]\\d{8}){4}$")
                        .contains("Seccomp:\t2", "NoNewPrivs:\t1");
                assertThat(Files.readSymbolicLink(Path.of("/proc/" + pid + "/ns/user")))
                        .isNotEqualTo(Files.readSymbolicLink(Path.of("/proc/self/ns/user")));
            }
        }
    }
}
