package dev.glovebox.sandbox.root;

import dev.glovebox.linux.mount.Mounts;
import dev.glovebox.linux.mount.Overlay;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/// A root directory made of layers: an image's, what a template has prepared, and, where the
/// programs are the host's, those.
///
/// The topmost read-only layer is ours and made anew each time. It holds, as real directories and
/// files, every place something will be mounted at. So whatever a layer has there, such as a link
/// from `/dev` to elsewhere, is hidden before anybody follows it; runtimes did follow it
/// (CVE-2026-41579, CVE-2026-47766). What is written lies above it and is empty at the start.
///
/// A layer of overlayfs ends where another file system is mounted in it, so the host's directories
/// are laid over one by one: `/usr`, and what a package manager must know, each with its own part
/// of every layer above. They are shown through [HostTree], which hides what not everybody may
/// read.
final class LayeredRoot {
    private static final List<String> PLACES =
            List.of("proc", "dev", "sys", "tmp", "run", "etc", "workspace", ".glovebox");

    private final Stage stage;
    private final RootPlan plan;
    private final BaseRoot base;
    private final Path points;
    private final List<Path> layers = new ArrayList<>();
    private Optional<Upper> upper = Optional.empty();
    private int shifted;

    LayeredRoot(Stage stage, RootPlan plan, BaseRoot base) throws IOException {
        this.stage = stage;
        this.plan = plan;
        this.base = base;
        this.points = stage.beside("points");
    }

    /// @param data what is written
    /// @param work where overlayfs keeps what is not finished, in the same mount
    private record Upper(Path data, Path work) {}

    /// Mounts it at the stage's root.
    void mount(List<Stage.Entry> entries) throws IOException {
        stage.beside("layers");
        for (Path layer : plan.layers().topFirst()) {
            layers.add(shifted(layer));
        }
        if (plan.writable().isPresent()) {
            upper = Optional.of(upper(plan.writable().get()));
        }
        points(entries);
        if (plan.host()) {
            HostTree host = base.host();
            overlay("", List.of(shifted(host.skeleton())));
            for (HostTree.Part part : host.parts()) {
                List<Path> lowers = new ArrayList<>();
                for (Path lower : part.lowers()) {
                    lowers.add(shifted(lower));
                }
                overlay(part.path(), lowers);
            }
        } else {
            accounts();
            overlay("", List.of());
        }
    }

    /// What of the host it is made of.
    ///
    /// @throws IOException if a layer is no directory
    static List<Path> sources(RootPlan plan, BaseRoot base) throws IOException {
        List<Path> sources = new ArrayList<>(plan.layers().topFirst());
        if (plan.host()) {
            sources.add(base.host().skeleton());
            base.host().parts().forEach(part -> sources.addAll(part.lowers()));
        }
        for (Path layer : sources) {
            if (!Files.isDirectory(layer, LinkOption.NOFOLLOW_LINKS)) {
                throw new IOException("a layer must be a directory: " + layer);
            }
        }
        plan.writable()
                .flatMap(RootPlan.Writable::kept)
                .ifPresent(kept -> sources.add(kept.resolveSibling("")));
        return sources;
    }

    private Path shifted(Path directory) throws IOException {
        Path target = stage.beside("layers/" + shifted++);
        stage.sources().bindMapped(directory, target, true, stage.ids().layers());
        return target;
    }

    private Upper upper(RootPlan.Writable writable) throws IOException {
        Path mount = stage.beside("upper");
        if (writable.kept().isPresent()) {
            Path kept = writable.kept().get();
            Path parent = kept.resolveSibling("");
            stage.sources().bindMapped(parent, mount, false, stage.ids().layers());
            String name = kept.getFileName().toString();
            return new Upper(mount.resolve(name), mount.resolve(name + BaseRoot.WORK));
        }
        long bytes = writable.bytes();
        Mounts.tmpfs(
                mount,
                "size=" + bytes + ",nr_inodes=" + bytes / 4096 + ",mode=755," + stage.owner(0));
        Path data = Files.createDirectory(mount.resolve("data"));
        Path work = Files.createDirectory(mount.resolve("work"));
        stage.own(data);
        stage.own(work);
        return new Upper(data, work);
    }

    /// Lays one directory over its likes in the layers above `bottom`.
    private void overlay(String path, List<Path> bottom) throws IOException {
        List<Path> lowers = new ArrayList<>();
        lowers.add(points.resolve(path));
        for (Path layer : layers) {
            below(layer, path).ifPresent(lowers::add);
        }
        lowers.addAll(bottom);
        Optional<Overlay.Writable> writable = Optional.empty();
        if (upper.isPresent()) {
            Path data = upper.get().data().resolve(path);
            Path work = upper.get().work().resolve("w" + path.replace('/', '-'));
            if (plan.writable().flatMap(RootPlan.Writable::kept).isEmpty()) {
                ownDirectories(upper.get().data(), path);
                Files.createDirectory(work);
                stage.own(work);
            }
            writable = Optional.of(new Overlay.Writable(data, work));
        }
        Path target = stage.root().resolve(path);
        Overlay.mount(target, lowers, writable, stage.ids().first());
        if (writable.isEmpty() && !path.isEmpty()) {
            Mounts.makeReadOnly(target, Stage.IN_USE_DEADLINE);
        }
    }

    /// The directory of a layer at this path, if no component of it is anything else.
    private static Optional<Path> below(Path layer, String path) {
        Path directory = layer;
        for (Path name : Path.of(path)) {
            directory = directory.resolve(name);
            if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
                return Optional.empty();
            }
        }
        return Optional.of(directory);
    }

    private void points(List<Stage.Entry> entries) throws IOException {
        for (String place : PLACES) {
            ownDirectories(points, place);
        }
        if (plan.host()) {
            for (HostTree.Part part : base.host().parts()) {
                ownDirectories(points, part.path());
            }
        } else {
            for (String name : List.of("resolv.conf", "hosts", "hostname")) {
                file("etc/" + name, Files.readAllBytes(base.etc().resolve(name)));
            }
        }
        ownDirectories(points, "home/agent");
        file(".glovebox/init", new byte[0]);
        for (Stage.Entry entry : entries) {
            String target = entry.target().substring(1);
            if (stage.sources().isDirectory(entry.source())) {
                ownDirectories(points, target);
            } else {
                file(target, new byte[0]);
            }
        }
    }

    /// An image knows the agent if it has some user of that id; else it gets one beside its own.
    private void accounts() throws IOException {
        Optional<Accounts> image = Accounts.of(layers);
        if (image.isPresent()) {
            file("etc/passwd", image.get().passwd().getBytes(StandardCharsets.UTF_8));
            file("etc/group", image.get().group().getBytes(StandardCharsets.UTF_8));
        }
    }

    private void file(String path, byte[] content) throws IOException {
        Path file = points.resolve(path);
        ownDirectories(points, String.valueOf(Path.of(path).getParent()));
        if (!Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
            BaseEtc.write(points, path, content);
            stage.own(file);
        }
    }

    private void ownDirectories(Path top, String path) throws IOException {
        Path directory = top;
        for (Path name : Path.of(path)) {
            directory = directory.resolve(name);
            if (!Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
                BaseEtc.makeDirectories(directory);
                stage.own(directory);
            }
        }
    }
}
