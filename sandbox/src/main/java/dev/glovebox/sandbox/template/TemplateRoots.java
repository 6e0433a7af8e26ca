package dev.glovebox.sandbox.template;

import dev.glovebox.sandbox.Root;
import dev.glovebox.sandbox.SandboxException;
import dev.glovebox.sandbox.SandboxException.Band;
import dev.glovebox.sandbox.Template;
import dev.glovebox.sandbox.image.ImageException;
import dev.glovebox.sandbox.image.Images;
import dev.glovebox.sandbox.image.ImagesConfig;
import dev.glovebox.sandbox.layer.LayerDisk;
import dev.glovebox.sandbox.layer.LayerStore;
import dev.glovebox.sandbox.root.RootLayers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The layers that the root of each template is made of: those of its image, and on top what its
/// command has prepared.
///
/// A command runs once for a recipe: the layers below, the command, the environment and the profile
/// it runs with, and over the host's programs also which those are. It runs when somebody asks for
/// it ([#prepare]), never because a sandbox is wanted: whoever asks says what it may reach. Whoever
/// asks for the same meanwhile waits for that run, in this process and in others. A failed one
/// leaves nothing, and the next who asks runs it again. The store is opened when a template first
/// needs it, or when there is something of a killed process in it. Thread-safe.
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

    /// Removes what a killed process was making, whose disk would stay mounted until some template
    /// needs the store.
    ///
    /// @throws SandboxException [Band#HOST] if the store cannot be used
    public void removeLeftovers() {
        if (LayerStore.hasUnfinished(config.directory())) {
            try {
                images();
            } catch (ImageException e) {
                throw new SandboxException(Band.HOST, "images: " + e.getMessage(), e);
            }
        }
    }

    /// The layers of a template's root; its image is had now if it is not here yet.
    ///
    /// @throws SandboxException [Band#TEMPLATE] for an image that cannot be had, or when the
    ///   template's command has not run yet ([#prepare])
    public RootLayers of(Template template) {
        return told(
                template,
                () -> {
                    RootLayers below = below(template);
                    if (template.prepare().isEmpty()) {
                        return below;
                    }
                    return images().madeHere(recipe(template, below))
                            .map(prepared -> over(below, prepared))
                            .orElseThrow(() ->
                                    new SandboxException(
                                            Band.TEMPLATE,
                                            "template " + template.name() + " is not prepared"));
                });
    }

    /// Whether [#of] has all it needs on this host.
    ///
    /// @throws SandboxException [Band#TEMPLATE] for a reference that is none
    public boolean isPrepared(Template template) {
        return told(
                template,
                () -> {
                    Optional<RootLayers> below =
                            switch (template.root()) {
                                case Root.Host() -> Optional.of(RootLayers.NONE);
                                case Root.Image image -> images().layersHere(image);
                            };
                    return below.isPresent()
                            && (template.prepare().isEmpty()
                                    || images().madeHere(recipe(template, below.get()))
                                            .isPresent());
                });
    }

    /// Has the image of a template and runs its command, if that has not been done.
    ///
    /// @throws SandboxException [Band#TEMPLATE] for an image that cannot be had, or as the preparer
    ///   does
    public void prepare(Template template, Preparer preparer) {
        RootLayers _ =
                told(
                        template,
                        () -> {
                            RootLayers below = below(template);
                            return template.prepare().isEmpty()
                                    ? below
                                    : over(
                                            below,
                                            images().made(
                                                            recipe(template, below),
                                                            disk -> run(preparer, below, disk)));
                        });
    }

    private RootLayers below(Template template) {
        return switch (template.root()) {
            case Root.Host() -> RootLayers.NONE;
            case Root.Image image -> images().layers(image);
        };
    }

    private static RootLayers over(RootLayers below, Path prepared) {
        List<Path> topFirst = new ArrayList<>(List.of(prepared));
        topFirst.addAll(below.topFirst());
        return new RootLayers(topFirst, below.environment());
    }

    private static void run(Preparer preparer, RootLayers below, LayerDisk disk) {
        try {
            preparer.prepare(below, disk.upper());
        } catch (SandboxException e) {
            String fullness = disk.fullness();
            throw fullness.isEmpty()
                    ? e
                    : new SandboxException(e.band(), e.getMessage() + fullness, e);
        }
    }

    private static <T> T told(Template template, Supplier<T> wish) {
        try {
            return wish.get();
        } catch (ImageException e) {
            Band band = e.band() == ImageException.Band.HOST ? Band.HOST : Band.TEMPLATE;
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
