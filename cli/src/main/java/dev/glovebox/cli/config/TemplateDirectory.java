package dev.glovebox.cli.config;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;

/// The templates there are: the built-in ones, and a file `NAME.yaml` for each other in one
/// directory.
///
/// @param directory where the files are; need not be there
public record TemplateDirectory(Path directory) {
    /// Where they are unless somebody says otherwise.
    public static final String DEFAULT = "/etc/glovebox/templates";

    private static final String YAML = ".yaml";
    private static final List<String> BUILT_IN = List.of("base", "dev");

    /// The template of this name, or in this file.
    ///
    /// @param nameOrFile a file if it has a `/` or ends in `.yaml`
    /// @throws ConfigException when there is none, or it is wrong
    public TemplateFile find(String nameOrFile) {
        if (nameOrFile.contains("/") || nameOrFile.endsWith(YAML)) {
            return TemplateFile.read(Path.of(nameOrFile));
        }
        if (BUILT_IN.contains(nameOrFile)) {
            return TemplateFile.builtIn(nameOrFile);
        }
        Path file = directory.resolve(nameOrFile + YAML);
        if (!Files.isRegularFile(file)) {
            throw new ConfigException(
                    "no template "
                            + nameOrFile
                            + "; there are: "
                            + String.join(", ", names())
                            + ", and others would be files NAME.yaml in "
                            + directory);
        }
        return TemplateFile.read(file);
    }

    /// All names, the built-in ones first.
    public List<String> names() {
        TreeSet<String> files = new TreeSet<>();
        if (Files.isDirectory(directory)) {
            try (DirectoryStream<Path> found = Files.newDirectoryStream(directory, "*" + YAML)) {
                found.forEach(file -> {
                    String name = String.valueOf(file.getFileName());
                    files.add(name.substring(0, name.length() - YAML.length()));
                });
            } catch (IOException e) {
                throw new ConfigException("cannot list " + directory, e);
            }
        }
        files.removeAll(BUILT_IN);
        return java.util.stream.Stream.concat(BUILT_IN.stream(), files.stream()).toList();
    }
}
