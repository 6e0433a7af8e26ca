package dev.glovebox.sandbox.template;

import dev.glovebox.sandbox.Root;
import dev.glovebox.sandbox.SandboxException;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.Template;
import dev.glovebox.sandbox.image.ImageException;
import dev.glovebox.sandbox.image.Images;
import dev.glovebox.sandbox.image.ImagesConfig;
import dev.glovebox.sandbox.root.RootLayers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The layers that the root of each template is made of: those of its image, and on top what its
/// command has prepared.
///
/// A command runs once for a recipe: the layers below, the command, the environment and the profile
/// it runs with, and over the host's programs also which those are. Whoever wants the same
/// meanwhile waits for that run, in this process and in others. A failed one leaves nothing, and
/// the next who asks runs it again. The store is opened when a template first needs it.
/// Thread-safe.
public final class TemplateRoots {
    /// Changes with what a recipe means, so that layers made by another meaning are not used.
    private static final String FORMAT = "glovebox-prepared-1";

    /// Which programs a host has, as far as somebody installed or removed packages.
    private static final List<Path> HOST_PROGRAMS =
            List.of(Path.of("/etc/os-release"), Path.of("/var/lib/dpkg/status"), Path.of("/usr"));

    private final ImagesConfig config;
    private @Nullable Images images;

    /// Runs a template's command.
    public interface Preparer {
        /// Runs it over these layers.
        ///
        /// @param upper what the command wrote is here afterwards; not there yet
        /// @throws SandboxException with the command's last output if it fails
        void prepare(RootLayers layers, Path upper);
    }

    /// Nothing is read or made yet.
    public TemplateRoots(ImagesConfig config) {
        this.config = config;
    }

    /// The layers of a template's root, had or made now if they are not there yet.
    ///
    /// @throws SandboxException [Band#CALLER] for an image that cannot be had, or as the preparer
    ///   does
    public RootLayers of(Template template, Preparer preparer) {
        try {
            RootLayers below =
                    switch (template.root()) {
                        case Root.Host() -> RootLayers.NONE;
                        case Root.Image image -> images().layers(image);
                    };
            if (template.prepare().isEmpty()) {
                return below;
            }
            Path prepared =
                    images().made(recipe(template, below), upper -> preparer.prepare(below, upper));
            List<Path> topFirst = new ArrayList<>(List.of(prepared));
            topFirst.addAll(below.topFirst());
            return new RootLayers(topFirst, below.environment());
        } catch (ImageException e) {
            Band band =
                    e.band() == ImageException.Band.HOST
                            ? Band.HOST
                            : e.band() == ImageException.Band.REGISTRY
                                    ? Band.CAPACITY
                                    : Band.CALLER;
            throw new SandboxException(
                    band, "template " + template.name() + ": " + e.getMessage(), e);
        }
    }

    private synchronized Images images() {
        Images opened = images;
        if (opened == null) {
            opened = Images.open(config);
            images = opened;
        }
        return opened;
    }

    private static String recipe(Template template, RootLayers below) {
        StringBuilder recipe = new StringBuilder(FORMAT);
        add(recipe, "profile", template.profile().name());
        template.prepare().forEach(word -> add(recipe, "word", word));
        new TreeMap<>(template.environment())
                .forEach((name, value) -> add(recipe, "variable", name + "=" + value));
        below.topFirst().forEach(layer -> add(recipe, "layer", layer.toString()));
        if (template.root() instanceof Root.Host) {
            HOST_PROGRAMS.forEach(path -> add(recipe, "host", changed(path)));
        }
        return recipe.toString();
    }

    /// With its length, so that no two recipes are written alike.
    private static void add(StringBuilder recipe, String what, String text) {
        recipe.append('\n').append(what).append(' ').append(text.length()).append(' ').append(text);
    }

    private static String changed(Path path) {
        try {
            return Files.exists(path)
                    ? path + " " + Files.getLastModifiedTime(path) + " " + Files.size(path)
                    : path + " none";
        } catch (IOException e) {
            throw new SandboxException(Band.HOST, "cannot look at " + path, e);
        }
    }
}
