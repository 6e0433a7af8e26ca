package dev.glovebox.cli;

import dev.glovebox.cli.config.RegistryOptions;
import dev.glovebox.cli.config.StateDirectories;
import dev.glovebox.sandbox.image.Images;
import dev.glovebox.sandbox.image.PinnedImage;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `glovebox sandbox pull`: an image into the store, before somebody waits for it.
@Command(
        name = "pull",
        description = {
            "Pulls an image and prints its digest: what to write into a template to have exactly this image for ever. A tag that was"
                    + " pulled before is resolved anew; sandboxes that run keep what they have.",
            "",
            "Examples:",
            "  glovebox sandbox pull registry.example/team/python:3.13",
            "  glovebox sandbox pull oci:/srv/images/python:3.13"
        },
        mixinStandardHelpOptions = true)
final class PullCommand implements Callable<Integer> {
    private static final Duration QUIET = Duration.ofSeconds(2);

    @Mixin private RegistryOptions registries;

    @Option(
            names = "--data",
            paramLabel = "DIR",
            defaultValue = StateDirectories.DEFAULT,
            description = "Data directory whose store is filled (default: ${DEFAULT-VALUE}).")
    private Path data;

    @Parameters(
            paramLabel = "IMAGE",
            description = "registry/name:tag, registry/name@sha256:…, or oci:/directory:tag.")
    private String image;

    @Override
    public Integer call() {
        Images images = Images.open(registries.settings().at(new StateDirectories(data).images()));
        long loud = System.nanoTime() + QUIET.toNanos();
        PinnedImage pulled =
                images.pull(
                        image,
                        step -> {
                            if (System.nanoTime() > loud) {
                                System.err.println("glovebox: " + step);
                            }
                        });
        Terminal.standard().line(pulled.digest());
        return 0;
    }
}
