package dev.glovebox.sandbox.image;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.sandbox.Root;
import dev.glovebox.sandbox.layer.CraftedTar;
import dev.glovebox.sandbox.layer.CraftedTar.Header;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Processes that pull: `kill -9` in the middle of it, and several at once. Needs root, for owners.
class KilledPullIT {
    private static final int FILES = 4_000;

    @TempDir private Path directory;

    /// Killed once a layer is half written, and again whenever a further entry of the store
    /// appears; in between the store is opened and must hold whole layers only.
    @Test
    void aPullThatIsKilledAnywhere_leavesWholeLayersOnly() throws Exception {
        Path layout = Files.createDirectory(directory.resolve("layout"));
        BuiltImage image = new BuiltImage();
        for (int layer = 0; layer < 3; layer++) {
            image.gzip(layer(layer));
        }
        image.writeLayout(layout, "1");
        String reference = "oci:" + layout + ":1";
        Path store = directory.resolve("images");

        int killed = 0;
        for (int stop = 0; stop <= 3; stop++) {
            Process pull = pull(store, reference);
            killed += killWhen(pull, store, stop) ? 1 : 0;
            Images.open(ImagesConfig.in(store));
            assertThat(entries(store.resolve("partial"))).as("leftovers are gone").isEmpty();
            for (Path layer : entries(store.resolve("layers"))) {
                assertThat(entries(layer.resolve("tree/d"))).hasSize(FILES);
                assertThat(layer.resolve("facts")).isNotEmptyFile();
            }
        }

        assertThat(killed).as("pulls that were killed on the way").isPositive();
        assertThat(Images.open(ImagesConfig.in(store)).layers(new Root.Image(reference)).topFirst())
                .hasSize(3)
                .allSatisfy(tree -> assertThat(entries(tree.resolve("d"))).hasSize(FILES));
    }

    /// Each wants the image that is not there, at once: it is unpacked once, and all have it.
    @Test
    void processesThatPullOneImageAtOnceIntoOneStoreAllHaveIt() throws Exception {
        Path layout = Files.createDirectory(directory.resolve("layout"));
        new BuiltImage().gzip(layer(0)).gzip(layer(1)).writeLayout(layout, "1");
        String reference = "oci:" + layout + ":1";
        Path store = directory.resolve("images");

        List<Process> pulls = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            pulls.add(pull(store, reference));
        }
        for (Process pull : pulls) {
            assertThat(pull.waitFor(60, TimeUnit.SECONDS)).isTrue();
            assertThat(pull.exitValue()).isZero();
        }

        assertThat(entries(store.resolve("partial"))).isEmpty();
        assertThat(entries(store.resolve("images"))).hasSize(1);
        assertThat(entries(store.resolve("layers")))
                .hasSize(2)
                .allSatisfy(layer -> assertThat(entries(layer.resolve("tree/d"))).hasSize(FILES));
    }

    private static Process pull(Path store, String reference) throws IOException {
        return PullProgram.start(
                store, reference, Optional.empty(), ProcessBuilder.Redirect.INHERIT);
    }

    private static boolean killWhen(Process pull, Path store, int wholeLayers) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (pull.isAlive() && System.nanoTime() < end) {
            if (entries(store.resolve("layers")).size() >= wholeLayers
                    && (wholeLayers == 3 || hasAFile(store.resolve("partial")))) {
                break;
            }
            LockSupport.parkNanos(100_000);
        }
        boolean alive = pull.isAlive();
        pull.destroyForcibly();
        assertThat(pull.waitFor(60, TimeUnit.SECONDS)).isTrue();
        return alive && pull.exitValue() == 137;
    }

    private static boolean hasAFile(Path partial) throws IOException {
        for (Path layer : entries(partial)) {
            if (!entries(layer.resolve("tree/d")).isEmpty()) {
                return true;
            }
        }
        return false;
    }

    private static byte[] layer(int number) {
        CraftedTar tar = new CraftedTar().directory("d/");
        for (int i = 0; i < FILES; i++) {
            tar.file(new Header("d/" + number + "-" + i, '0'), "content " + i);
        }
        return tar.end();
    }

    private static List<Path> entries(Path directory) throws IOException {
        if (!Files.isDirectory(directory)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }
}
