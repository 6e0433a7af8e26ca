package dev.glovebox.cli;

import dev.glovebox.cli.config.TemplateDirectory;
import dev.glovebox.sandbox.Root;
import dev.glovebox.sandbox.Template;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `glovebox sandbox templates`: what sandboxes can be made of.
@Command(
        name = "templates",
        description = {
            "Lists the templates there are, the built-in ones first, and reads each, so that one that is wrong is told.",
            "",
            "Examples:",
            "  glovebox sandbox templates",
            "  glovebox sandbox templates --templates ./templates"
        },
        mixinStandardHelpOptions = true)
final class TemplatesCommand implements Callable<Integer> {
    @Option(
            names = "--templates",
            paramLabel = "DIR",
            defaultValue = TemplateDirectory.DEFAULT,
            description = "Directory of NAME.yaml (default: ${DEFAULT-VALUE}).")
    private Path directory;

    @Override
    public Integer call() {
        TemplateDirectory templates = new TemplateDirectory(directory);
        List<List<String>> rows = new ArrayList<>();
        for (String name : templates.names()) {
            Template template = templates.find(name).template();
            rows.add(
                    List.of(
                            name,
                            template.profile().name().toLowerCase(Locale.ROOT),
                            template.prepare().isEmpty() ? "no" : "yes",
                            root(template.root())));
        }
        Terminal.standard().table(List.of("NAME", "PROFILE", "PREPARED", "ROOT"), rows);
        return 0;
    }

    private static String root(Root root) {
        return switch (root) {
            case Root.Host() -> "this host's programs";
            case Root.Image(String reference) -> reference;
        };
    }
}
