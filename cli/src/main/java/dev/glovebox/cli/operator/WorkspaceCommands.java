package dev.glovebox.cli.operator;

import dev.glovebox.cli.config.StateDirectories;
import dev.glovebox.sandbox.Limits;
import dev.glovebox.worker.operator.OperatorException;
import dev.glovebox.workspace.CopyOut;
import dev.glovebox.workspace.Workspace;
import dev.glovebox.workspace.Workspaces;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/// `glovebox workspace`: the files of sessions, also of those that run no more.
@Command(
        name = "workspace",
        description = {
            "Lists the workspaces of sessions, copies files out of them, while a session runs or after it, and deletes them.",
            "",
            "Examples:",
            "  glovebox workspace list",
            "  glovebox workspace copy sesn_01ab:report.txt ./report.txt",
            "  glovebox workspace delete sesn_01ab"
        },
        mixinStandardHelpOptions = true,
        subcommands = {
            WorkspaceCommands.All.class,
            WorkspaceCommands.Copy.class,
            WorkspaceCommands.Delete.class
        })
public final class WorkspaceCommands implements Callable<Integer> {
    @Spec private CommandSpec spec;

    @Override
    public Integer call() {
        throw new ParameterException(
                spec.commandLine(), "workspace: say what to do, such as: workspace list");
    }

    /// Whose workspaces are meant.
    static final class Store {
        @Option(
                names = "--data",
                paramLabel = "DIR",
                defaultValue = StateDirectories.DEFAULT,
                description = "Data directory of the worker (default: ${DEFAULT-VALUE}).")
        private Path data;

        Workspaces workspaces() {
            return Workspaces.existing(new StateDirectories(data).workspaces());
        }
    }

    /// `glovebox workspace list`.
    @Command(
            name = "list",
            aliases = "ls",
            description = {
                "Lists the workspaces. SIZE is what a disk takes of this host's; a workspace without a disk of its own has none.",
                "",
                "Example:",
                "  glovebox workspace list --data /srv/glovebox"
            },
            mixinStandardHelpOptions = true)
    static final class All implements Callable<Integer> {
        @Mixin private Store store;

        @Override
        public Integer call() {
            List<List<String>> rows =
                    store.workspaces().known().stream()
                            .map(one ->
                                    List.of(
                                            one.id(),
                                            one.open() ? "open" : "closed",
                                            one.diskBytes().isPresent()
                                                    ? Amounts.bytes(one.diskBytes().getAsLong())
                                                    : "-"))
                            .toList();
            Screen.standard().table(List.of("NAME", "STATE", "SIZE"), rows);
            return 0;
        }
    }

    /// `glovebox workspace copy`.
    @Command(
            name = "copy",
            aliases = "cp",
            description = {
                "Copies a file, or a directory with all that is in it, out of a workspace. If a session has it open, what is there now"
                        + " is copied; if not, it is opened read-only, and a session that wants it meanwhile fails to open it.",
                "",
                "Directories and regular files are copied. Links, FIFOs, sockets and devices are left out and counted: an agent made"
                        + " them, and a link of its making would point to your files.",
                "",
                "Examples:",
                "  glovebox workspace copy sesn_01ab:report.txt ./report.txt",
                "  glovebox workspace copy sesn_01ab: ./everything"
            },
            mixinStandardHelpOptions = true)
    static final class Copy implements Callable<Integer> {
        @Mixin private Store store;

        @Option(
                names = "--most",
                paramLabel = "BYTES",
                defaultValue = "10g",
                description = "Bytes to copy at most (default: ${DEFAULT-VALUE}).")
        private String most;

        @Parameters(
                index = "0",
                paramLabel = "NAME:PATH",
                description = "Workspace, and a path in it from /workspace on; none is all of it.")
        private String from;

        @Parameters(
                index = "1",
                paramLabel = "DEST",
                description = "Where to, in a directory that is there; nothing is overwritten.")
        private Path destination;

        @Spec private CommandSpec spec;

        @Override
        public Integer call() {
            int colon = from.indexOf(':');
            if (colon < 1) {
                throw new ParameterException(
                        spec.commandLine(), "say NAME:PATH, such as sesn_01ab:report.txt");
            }
            String path = from.substring(colon + 1).replaceAll("^/+|/+$", "");
            CopyOut.Result copied;
            try (Workspace workspace = store.workspaces().look(from.substring(0, colon))) {
                copied = CopyOut.copy(workspace, path, destination, Limits.bytes(most));
            }
            Screen screen = Screen.standard();
            screen.line("copied " + copied.files() + " files, " + Amounts.bytes(copied.bytes()));
            if (copied.leftOut() > 0) {
                screen.note(
                        "left out "
                                + copied.leftOut()
                                + " links, FIFOs, sockets, devices or names that are too long");
            }
            return 0;
        }
    }

    /// `glovebox workspace delete`.
    @Command(
            name = "delete",
            aliases = "rm",
            description = {
                "Deletes a workspace with all that is in it. One that a session has open is not deleted: delete its sandbox, or wait until"
                        + " the session is left. A session that comes back finds an empty workspace, of the size that is then the setting.",
                "",
                "Asks first on a terminal; elsewhere --yes is needed.",
                "",
                "Examples:",
                "  glovebox workspace delete sesn_01ab",
                "  glovebox workspace delete sesn_01ab --yes"
            },
            mixinStandardHelpOptions = true)
    static final class Delete implements Callable<Integer> {
        @Mixin private Store store;

        @Option(
                names = {"-y", "--yes"},
                description = "Do not ask.")
        private boolean yes;

        @Parameters(paramLabel = "NAME", description = "Workspace, as `workspace list` names it.")
        private String name;

        @Override
        public Integer call() {
            Workspaces workspaces = store.workspaces();
            Workspaces.Known known =
                    workspaces.known().stream()
                            .filter(one -> one.id().equals(name))
                            .findFirst()
                            .orElseThrow(() -> new OperatorException("no workspace " + name));
            if (known.open()) {
                throw new OperatorException(
                        "workspace "
                                + name
                                + " is open: end its session, or delete its sandbox, first");
            }
            if (!yes && !Question.delete("workspace " + name + " and all that is in it")) {
                Screen.standard().note("nothing deleted");
                return 1;
            }
            workspaces.delete(name);
            Screen.standard().line("deleted workspace " + name);
            return 0;
        }
    }
}
