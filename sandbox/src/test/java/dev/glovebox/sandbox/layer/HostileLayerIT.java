package dev.glovebox.sandbox.layer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.linux.ConfinedTree;
import dev.glovebox.sandbox.image.ImageException;
import dev.glovebox.sandbox.image.ImageLimits;
import dev.glovebox.sandbox.layer.CraftedTar.Header;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// Archives made to write outside of their layer, to mislead, or to fill the disk. Needs root, for
/// owners: as any other user most of these attacks would fail by themselves.
class HostileLayerIT {
    private static final ImageLimits LIMITS =
            new ImageLimits(4096, 8, 1 << 20, 1 << 20, 500, 20, 200, Duration.ofSeconds(60));

    @TempDir private Path directory;
    private Path layer;

    @BeforeEach
    void plant() throws IOException {
        layer = Files.createDirectories(directory.resolve("store/layer"));
        Path outside = Files.createDirectory(directory.resolve("outside"));
        Files.writeString(outside.resolve("canary"), "untouched");
        Files.writeString(directory.resolve("store/canary"), "untouched");
    }

    /// The control: what a layer is for arrives as it was packed.
    @Test
    void anHonestLayer_arrivesAsItWasPacked() throws IOException {
        extract(
                new CraftedTar()
                        .directory("./")
                        .directory("./usr/")
                        .file(new Header("usr/su", '0').mode(04755).owner(0, 42), "#!")
                        .symbolicLink("bin", "usr")
                        .symbolicLink("absolute", "/etc/passwd")
                        .hardLink("su2", "./usr/su")
                        .pax("path", "usr/" + "long/".repeat(10) + "name", "mtime", "5.5")
                        .file("short", "by PAX")
                        .extended('L', "usr/gnu-long\0".getBytes(StandardCharsets.UTF_8))
                        .file("cut", "by GNU")
                        .header(new Header("usr/.wh.gone", '0'))
                        .header(new Header("dev/null", '3').device(1, 3))
                        .file(new Header("tmp/sticky", '0').mode(01777).owner(1000, 65_535), "")
                        .end());

        Map<String, Object> su = facts("usr/su");
        assertThat((int) su.get("mode") & 07777).as("without set-user-ID").isEqualTo(0755);
        assertThat(su).containsEntry("uid", 0).containsEntry("gid", 42);
        assertThat(Files.readSymbolicLink(layer.resolve("bin"))).hasToString("usr");
        assertThat(Files.readSymbolicLink(layer.resolve("absolute"))).hasToString("/etc/passwd");
        assertThat(Files.isSameFile(layer.resolve("su2"), layer.resolve("usr/su"))).isTrue();
        assertThat(layer.resolve("usr/" + "long/".repeat(10) + "name")).hasContent("by PAX");
        assertThat(layer.resolve("usr/gnu-long")).hasContent("by GNU");
        assertThat(facts("usr/gone")).containsEntry("rdev", 0L);
        assertThat(layer.resolve("dev/null")).as("/dev is the sandbox's own").doesNotExist();
        assertThat(facts("tmp/sticky")).containsEntry("gid", 65_535);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("hostile")
    void aHostileArchive_isRefusedAndNothingOutsideChanges(String attack, byte[] archive)
            throws IOException {
        Map<String, String> before = world();

        assertThatThrownBy(() -> extract(archive)).as(attack).isInstanceOf(ImageException.class);

        assertThat(world()).as(attack).isEqualTo(before);
    }

    /// Attributes that an archive may carry but nobody gets.
    @ParameterizedTest(name = "{0}")
    @MethodSource("stripped")
    void whatAnArchiveCarriesBesides_isNotKept(String attack, byte[] archive) throws Exception {
        Map<String, String> before = world();

        extract(archive);

        assertThat(world()).as(attack).isEqualTo(before);
        assertThat(layer.resolve("f")).exists();
        assertThat(xattrs(layer.resolve("f"))).as(attack).isEmpty();
        assertThat((int) facts("f").get("mode") & 06000).as(attack).isZero();
    }

    static Stream<Arguments> hostile() {
        return Stream.of(ways(), links(), kinds(), doubles(), forged(), bombs()).flatMap(s -> s);
    }

    private static Stream<Arguments> ways() {
        return Stream.of(
                a("zip-slip", tar().file("../outside/canary", "evil")),
                a("zip-slip in the middle", tar().file("a/../../outside/canary", "evil")),
                a("zip-slip behind ./", tar().file("./../outside/canary", "evil")),
                a("only ..", tar().directory("..")),
                a("ends in ..", tar().directory("a/..")),
                a("absolute", tar().file("/outside/canary", "evil")),
                a("twice absolute", tar().file("//etc/passwd", "evil")),
                a("empty name", tar().file("", "evil")),
                a("double slash", tar().file("a//b", "evil")),
                a("dot inside", tar().file("a/./b", "evil")),
                a("ustar prefix", tar().file(new Header("canary", '0').prefix("../outside"), "e")),
                a("PAX path out", tar().pax("path", "../outside/canary").file("fine", "evil")),
                a("PAX path with NUL", tar().pax("path", "a\0/../../x").file("fine", "evil")),
                a(
                        "GNU long name out",
                        tar().extended('L', bytes("../outside/canary\0")).file("f", "e")),
                a(
                        "not UTF-8",
                        tar().header(new Header("x", '0').bytes(0, new byte[] {(byte) 0xff, 'x'}))),
                a("name of 256", tar().pax("path", "n".repeat(256)).file("f", "")),
                a("path of 5000", tar().pax("path", "abcd/".repeat(1000) + "f").file("f", "")),
                a("21 directories deep", tar().pax("path", "d/".repeat(21) + "f").file("f", "")),
                a("whiteout of ..", tar().header(new Header(".wh...", '0'))),
                a("whiteout of .", tar().header(new Header(".wh..", '0'))),
                a("whiteout of nothing", tar().header(new Header(".wh.", '0'))),
                a("whiteout of a whiteout", tar().header(new Header(".wh..wh.x", '0'))),
                a("whiteout outside", tar().header(new Header("../.wh.canary", '0'))),
                a("below a whiteout", tar().file(".wh.a/b", "")),
                a("whiteout that is a link", tar().symbolicLink(".wh.a", "/etc")));
    }

    private static Stream<Arguments> links() {
        return Stream.of(
                a(
                        "through an absolute link",
                        tar().symbolicLink("l", "/etc").file("l/planted", "e")),
                a(
                        "through a relative link",
                        tar().symbolicLink("l", "../../outside").file("l/canary", "e")),
                a(
                        "through two links",
                        tar().symbolicLink("a", "..").symbolicLink("b", "a/..").file("b/x", "e")),
                a("over a link", tar().symbolicLink("l", "../../outside/canary").file("l", "evil")),
                a(
                        "directory over a link",
                        tar().symbolicLink("l", "..").directory("l/").file("l/canary", "e")),
                a(
                        "link over a directory",
                        tar().directory("d/").symbolicLink("d", "..").file("d/canary", "e")),
                a(
                        "opaque through a link",
                        tar().symbolicLink("l", "../../outside")
                                .header(new Header("l/.wh..wh..opq", '0'))),
                a(
                        "whiteout through a link",
                        tar().symbolicLink("l", "../../outside")
                                .header(new Header("l/.wh.canary", '0'))),
                a("hard link out", tar().hardLink("h", "../../outside/canary").file("h", "evil")),
                a("absolute hard link", tar().hardLink("h", "/etc/passwd")),
                a(
                        "hard link through a link",
                        tar().symbolicLink("l", "../../outside").hardLink("h", "l/canary")),
                a("hard link to a link", tar().symbolicLink("l", "/etc/shadow").hardLink("h", "l")),
                a("hard link to a directory", tar().directory("d").hardLink("h", "d")),
                a("hard link to what comes later", tar().hardLink("h", "f").file("f", "")),
                a("hard link to itself", tar().hardLink("h", "h")),
                a(
                        "PAX linkpath out",
                        tar().pax("linkpath", "../../outside/canary").hardLink("h", "f")),
                a(
                        "GNU long link out",
                        tar().extended('K', bytes("../../outside/canary\0")).hardLink("h", "f")),
                a("link to nothing", tar().symbolicLink("l", "")),
                a("link with NUL", tar().pax("linkpath", "a\0b").symbolicLink("l", "x")));
    }

    private static Stream<Arguments> kinds() {
        return Stream.of(
                a("block device", tar().header(new Header("disk", '4').device(8, 0))),
                a("character device", tar().header(new Header("mem", '3').device(1, 1))),
                a(
                        "device 0:0, a whiteout in disguise",
                        tar().header(new Header("etc", '3').device(0, 0))),
                a("FIFO", tar().header(new Header("pipe", '6'))),
                a(
                        "device named as in dev",
                        tar().header(new Header("devil/mem", '3').device(1, 1))),
                a("unknown type", tar().header(new Header("f", 'Z'))),
                a("contiguous file", tar().file(new Header("f", '7'), "x")),
                a("multi-volume", tar().header(new Header("f", 'M'))),
                a("volume label", tar().header(new Header("f", 'V'))),
                a("GNU sparse", tar().header(new Header("f", 'S'))),
                a(
                        "PAX sparse 1.0",
                        tar().pax(
                                        "GNU.sparse.major",
                                        "1",
                                        "GNU.sparse.minor",
                                        "0",
                                        "GNU.sparse.name",
                                        "../x",
                                        "GNU.sparse.realsize",
                                        "1000000000")
                                .file("f", "1\n0\n0\n")),
                a(
                        "PAX sparse 0.1",
                        tar().pax("GNU.sparse.map", "0,1", "GNU.sparse.size", "1000000000")
                                .file("f", "x")),
                a(
                        "global PAX header",
                        tar().extended('g', CraftedTar.pairs("path", "../outside/canary"))
                                .file("f", "evil")),
                a(
                        "directory with content",
                        tar().header(new Header("d/", '5').size(3)).content(bytes("abc"))),
                a(
                        "symbolic link with content",
                        tar().header(new Header("l", '2').link("x").size(3)).content(bytes("abc"))),
                a("file named as a directory", tar().file("f/", "evil")),
                a("root that is a file", tar().file("./", "evil")),
                a("root that is a link", tar().symbolicLink("./", "../outside")));
    }

    private static Stream<Arguments> doubles() {
        return Stream.of(
                a("file twice", tar().file("f", "1").file("f", "2")),
                a("a and a/", tar().file("a", "1").directory("a/")),
                a("a/ and a", tar().directory("a/").file("a", "1")),
                a("directory twice", tar().directory("d").directory("d/")),
                a("root twice", tar().directory("./").directory("/")),
                a("./a and a", tar().file("./a", "1").file("a", "2")),
                a("file and its whiteout", tar().file("f", "1").header(new Header(".wh.f", '0'))),
                a("whiteout and its file", tar().header(new Header(".wh.f", '0')).file("f", "1")),
                a("through a file", tar().file("f", "1").file("f/g", "2")),
                a("through a whiteout", tar().header(new Header(".wh.f", '0')).file("f/g", "2")));
    }

    private static Stream<Arguments> forged() {
        return Stream.of(
                a("wrong checksum", tar().header(new Header("f", '0').withoutChecksum())),
                a("uid of the host", tar().file(new Header("f", '0').owner(65_536, 0), "")),
                a("gid of the host", tar().file(new Header("f", '0').owner(0, 0x70000), "")),
                a("PAX uid", tar().pax("uid", "4294967295").file("f", "")),
                a("PAX uid that wraps", tar().pax("uid", "4294967296").file("f", "")),
                a("negative PAX uid", tar().pax("uid", "-1").file("f", "")),
                a(
                        "negative size",
                        tar().header(
                                        new Header("f", '0')
                                                .bytes(
                                                        124,
                                                        new byte[] {
                                                            -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
                                                            -1, -1
                                                        }))),
                a("no size", tar().header(new Header("f", '0').bytes(124, bytes("zzzzzzzzzzz")))),
                a("negative PAX size", tar().pax("size", "-512").file("f", "abc")),
                a(
                        "PAX that is none",
                        tar().extended('x', bytes("99999999 path=x\n")).file("f", "")),
                a("PAX without length", tar().extended('x', bytes("path=../x\n")).file("f", "")),
                Arguments.of(
                        "truncated file",
                        tar().header(new Header("f", '0').size(4096))
                                .content(bytes("x"))
                                .withoutEnd()),
                Arguments.of("truncated header", bytes("not a header at all")),
                Arguments.of(
                        "data behind the end",
                        concat(
                                tar().file("f", "1").end(),
                                new byte[10_240],
                                tar().file("../x", "e").end())),
                Arguments.of("no tar at all", bytes("x".repeat(2048))));
    }

    private static Stream<Arguments> bombs() {
        CraftedTar many = tar();
        for (int i = 0; i < 501; i++) {
            many.file("f" + i, "");
        }
        CraftedTar implied = tar();
        for (int i = 0; i < 251; i++) {
            implied.file("d" + i + "/f", "");
        }
        CraftedTar chain = tar();
        for (int i = 0; i < 20_000; i++) {
            chain.extended('L', bytes("n\0"));
        }
        return Stream.of(
                a("501 entries", many),
                a("251 files in implied directories", implied),
                a("more than a MiB", tar().file("f", "x".repeat((1 << 20) + 1))),
                a("long name of 8 GiB", tar().header(new Header("n", 'L').size(0_77777777777L))),
                a("PAX header of a GiB", tar().header(new Header("n", 'x').size(1L << 30))),
                a("chain of long names, which is recursion", chain.file("f", "")));
    }

    static Stream<Arguments> stripped() {
        return Stream.of(
                a(
                        "file capability",
                        tar().pax("SCHILY.xattr.security.capability", "\u0001\0\0\u0002")
                                .file("f", "x")),
                a(
                        "overlay redirect",
                        tar().pax("SCHILY.xattr.user.overlay.redirect", "/etc").file("f", "x")),
                a(
                        "overlay metacopy",
                        tar().pax("SCHILY.xattr.trusted.overlay.metacopy", "y").file("f", "x")),
                a(
                        "libarchive attribute",
                        tar().pax("LIBARCHIVE.xattr.user.a", "eA==").file("f", "x")),
                a("ACL", tar().pax("SCHILY.acl.access", "user::rwx,user:0:rwx").file("f", "x")),
                a(
                        "set-user-ID and set-group-ID",
                        tar().file(new Header("f", '0').mode(06777), "x")),
                a("a year beyond", tar().pax("mtime", "99999999999999").file("f", "x")));
    }

    private void extract(byte[] archive) throws IOException {
        try (ConfinedTree tree = ConfinedTree.open(layer)) {
            new LayerExtractor(tree, new Quota(LIMITS), LIMITS.depth())
                    .extract(new ByteArrayInputStream(archive));
        }
    }

    /// Everything of the test's directory that is not of the layer, with owner, mode and content.
    private Map<String, String> world() throws IOException {
        Map<String, String> seen = new TreeMap<>();
        Files.walkFileTree(
                directory,
                new SimpleFileVisitor<>() {
                    @Override
                    public FileVisitResult preVisitDirectory(Path dir, BasicFileAttributes a)
                            throws IOException {
                        seen.put(dir.toString(), facts(dir).toString());
                        return dir.equals(layer)
                                ? FileVisitResult.SKIP_SUBTREE
                                : FileVisitResult.CONTINUE;
                    }

                    @Override
                    public FileVisitResult visitFile(Path file, BasicFileAttributes a)
                            throws IOException {
                        seen.put(file.toString(), facts(file) + Files.readString(file));
                        return FileVisitResult.CONTINUE;
                    }
                });
        seen.remove(layer.toString());
        seen.put("/etc/passwd", facts(Path.of("/etc/passwd")).toString());
        seen.put("/etc/planted", Boolean.toString(Files.exists(Path.of("/etc/planted"))));
        return seen;
    }

    private static Map<String, Object> facts(Path path) throws IOException {
        return new TreeMap<>(
                Files.readAttributes(path, "unix:uid,gid,mode,nlink", LinkOption.NOFOLLOW_LINKS));
    }

    private Map<String, Object> facts(String path) throws IOException {
        return Files.readAttributes(layer.resolve(path), "unix:*", LinkOption.NOFOLLOW_LINKS);
    }

    private static String xattrs(Path file) throws Exception {
        Process getfattr =
                new ProcessBuilder(
                                "python3",
                                "-c",
                                "import os,sys;print(' '.join(os.listxattr(sys.argv[1])))",
                                file.toString())
                        .start();
        return new String(getfattr.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    }

    private static Arguments a(String attack, CraftedTar archive) {
        return Arguments.of(attack, archive.end());
    }

    private static CraftedTar tar() {
        return new CraftedTar();
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static byte[] concat(byte[]... parts) {
        var out = new java.io.ByteArrayOutputStream();
        for (byte[] part : parts) {
            out.writeBytes(part);
        }
        return out.toByteArray();
    }
}
