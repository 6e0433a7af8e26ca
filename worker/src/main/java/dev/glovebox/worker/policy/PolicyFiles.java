package dev.glovebox.worker.policy;

import dev.glovebox.protocol.egress.EgressPolicy;
import dev.glovebox.protocol.egress.Networking;
import dev.glovebox.protocol.egress.PolicyException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// The policy files of a worker.
///
/// @param standard of sessions that wish for no other; empty: they may reach nothing
/// @param named what sessions may wish for, by name
/// @param ceiling what every policy is narrowed to
/// @param honoured what sessions may wish for
public record PolicyFiles(
        Optional<Path> standard, Map<String, Path> named, Networking ceiling, Set<Wish> honoured)
        implements PolicySource {
    private static final long LARGEST = 2L << 20;

    public PolicyFiles {
        named = Map.copyOf(named);
        honoured = Set.copyOf(honoured);
    }

    /// What is in a file.
    ///
    /// @param text of the file
    /// @param fault why it cannot be read, empty if it can
    record Content(String text, String fault) {
        static Content of(Path file) {
            try {
                if (Files.size(file) > LARGEST) {
                    return new Content("", "is larger than 2 MiB");
                }
                return new Content(Files.readString(file), "");
            } catch (NoSuchFileException e) {
                return new Content("", "is not there");
            } catch (AccessDeniedException e) {
                return new Content("", "may not be read");
            } catch (IOException e) {
                return new Content("", "cannot be read: " + e.getMessage());
            }
        }
    }

    /// All files, by the name of their policy.
    Map<String, Path> paths() {
        Map<String, Path> paths = new LinkedHashMap<>();
        standard.ifPresent(path -> paths.put(PolicyBook.STANDARD, path));
        paths.putAll(new TreeMap<>(named));
        return paths;
    }

    /// What is in all files now.
    Map<Path, Content> contents() {
        Map<Path, Content> contents = new LinkedHashMap<>();
        for (Path path : paths().values()) {
            contents.computeIfAbsent(path, Content::of);
        }
        return contents;
    }

    @Override
    public PolicyBook read() {
        return read(contents());
    }

    /// What the contents mean.
    ///
    /// @throws PolicyException with all that is wrong in any of them, each with its file
    PolicyBook read(Map<Path, Content> contents) {
        Map<String, EgressPolicy> policies = new LinkedHashMap<>();
        List<String> problems = new ArrayList<>();
        paths().forEach((name, path) -> {
            Content content = contents.getOrDefault(path, new Content("", "has not been read"));
            if (!content.fault().isEmpty()) {
                problems.add(path + ": " + content.fault());
                return;
            }
            try {
                policies.put(name, EgressPolicy.parse(content.text()));
            } catch (PolicyException e) {
                e.problems().forEach(problem -> problems.add(path + ": " + problem));
            }
        });
        if (!problems.isEmpty()) {
            throw new PolicyException(problems);
        }
        EgressPolicy first = policies.getOrDefault(PolicyBook.STANDARD, EgressPolicy.DENY_ALL);
        policies.remove(PolicyBook.STANDARD);
        return new PolicyBook(first, policies, ceiling, honoured);
    }
}
