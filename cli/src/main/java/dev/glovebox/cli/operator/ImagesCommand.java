package dev.glovebox.cli.operator;

import dev.glovebox.cli.config.StateDirectories;
import dev.glovebox.sandbox.image.Images;
import dev.glovebox.sandbox.image.ImagesConfig;
import dev.glovebox.sandbox.image.PinnedImage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `glovebox sandbox images`: what the store of images holds.
@Command(
        name = "images",
        description = {
            "Lists the images in the store. SIZE is what an image's layers hold unpacked; images that share layers share that too.",
            "",
            "With --collect, removes the layers that no listed image has, prepared layers of templates among them, which are made anew"
                    + " when they are next wanted. Only while no other process, such as a worker, uses the store.",
            "",
            "Examples:",
            "  glovebox sandbox images",
            "  glovebox sandbox images --forget registry.example/team/python:3.12 --collect"
        },
        mixinStandardHelpOptions = true)
public final class ImagesCommand implements Callable<Integer> {
    @Option(
            names = "--data",
            paramLabel = "DIR",
            defaultValue = StateDirectories.DEFAULT,
            description = "Data directory whose store is meant (default: ${DEFAULT-VALUE}).")
    private Path data;

    @Option(
            names = "--forget",
            paramLabel = "IMAGE",
            description = "Take it off the list first, written as it is listed.")
    private @Nullable String forgotten;

    @Option(names = "--collect", description = "Remove what no listed image needs.")
    private boolean collect;

    @Override
    public Integer call() {
        Screen screen = Screen.standard();
        Images images = Images.open(ImagesConfig.in(new StateDirectories(data).images()));
        if (forgotten != null && !images.forget(forgotten)) {
            screen.note("no image " + forgotten + " here: `glovebox sandbox images` lists them");
            return 1;
        }
        if (collect) {
            Images.Collected collected = images.collect();
            screen.line(
                    "removed "
                            + collected.layers()
                            + " layers, "
                            + Amounts.bytes(collected.bytes()));
            return 0;
        }
        List<List<String>> rows = new ArrayList<>();
        for (PinnedImage image :
                images.known().stream()
                        .sorted(Comparator.comparing(PinnedImage::reference))
                        .toList()) {
            rows.add(
                    List.of(
                            image.reference(),
                            Amounts.bytes(images.bytes(image)),
                            String.valueOf(image.diffIds().size()),
                            image.digest()));
        }
        screen.table(List.of("IMAGE", "SIZE", "LAYERS", "DIGEST"), rows);
        return 0;
    }
}
