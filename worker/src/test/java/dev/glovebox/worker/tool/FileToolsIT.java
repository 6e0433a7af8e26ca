package dev.glovebox.worker.tool;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.Json;
import dev.glovebox.sandbox.RuntimeName;
import dev.glovebox.worker.shell.Cancellation;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ObjectNode;

@ParameterizedClass
@EnumSource
@Timeout(120)
class FileToolsIT {
    @TempDir static Path state;

    @Parameter RuntimeName runtime;
    static Sandboxed place;

    @BeforeParameterizedClassInvocation
    static void open(RuntimeName runtime) {
        place = new Sandboxed(state.resolve(runtime.program()), runtime);
    }

    @AfterParameterizedClassInvocation
    static void close() {
        place.close();
    }

    @BeforeEach
    void empty() {
        place.call("bash", "{'restart':true}");
        place.bash("rm -rf /workspace/* /workspace/.[a-z]*");
    }

    @Test
    void writesReadsAndEdits() {
        assertThat(place.call("write", "{'file_path':'d/e/a.txt','content':'one\\ntwo\\ntwo\\n'}"))
                .isEqualTo(ToolResult.ok("wrote 12 bytes to d/e/a.txt"));
        assertThat(place.call("read", "{'file_path':'/workspace/d/e/a.txt'}"))
                .isEqualTo(ToolResult.ok("one\ntwo\ntwo\n"));
        assertThat(
                        place.call(
                                "edit",
                                "{'file_path':'d/e/a.txt','old_string':'one','new_string':'$& \\\\1'}"))
                .isEqualTo(ToolResult.ok("edited d/e/a.txt (1 replacement(s))"));
        assertThat(
                        place.call(
                                "edit",
                                "{'file_path':'d/e/a.txt','old_string':'two','new_string':'2'}"))
                .isEqualTo(
                        ToolResult.error(
                                "edit: old_string appears 2 times in d/e/a.txt (must be unique)"));
        assertThat(
                        place.call(
                                "edit",
                                "{'file_path':'d/e/a.txt','old_string':'two','new_string':'2','replace_all':true}"))
                .isEqualTo(ToolResult.ok("edited d/e/a.txt (2 replacement(s))"));
        assertThat(
                        place.call(
                                "edit",
                                "{'file_path':'d/e/a.txt','old_string':'zz','new_string':'2'}"))
                .isEqualTo(ToolResult.error("edit: old_string not found in d/e/a.txt"));
        assertThat(place.bash("cat d/e/a.txt; find d -printf '%m\\n'").text())
                .isEqualTo("$& \\1\n2\n2\n700\n700\n600");
    }

    @Test
    void keepsTheModeOfAFileItChanges() {
        place.bash("echo 'echo a' > run.sh; chmod 755 run.sh");

        place.call("edit", "{'file_path':'run.sh','old_string':'a','new_string':'b'}");
        place.call("write", "{'file_path':'run.sh','content':'echo c'}");

        assertThat(place.bash("./run.sh; find run.sh -printf %m").text()).isEqualTo("c\n755");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "[1,1];one", "[2,3];two|three", "[2,0];two|three|", "[2,-5];two|three|",
                "[3,99];three|", "[0,1];one", "[5,9];(no output)", "[3,2];(no output)",
                "[];one|two|three|"
            })
    void readsLines(String range, String expected) {
        place.bash("printf 'one\\ntwo\\nthree\\n' > a.txt");

        assertThat(place.call("read", "{'file_path':'a.txt','view_range':" + range + "}"))
                .isEqualTo(ToolResult.ok(expected.replace('|', '\n')));
    }

    @ParameterizedTest
    @ValueSource(strings = {"[1]", "[1,2,3]", "['a',2]", "[1.5,2]", "5", "'1,2'", "{'a':1}"})
    void refusesARangeThatIsNone(String range) {
        place.bash("echo a > a.txt");

        assertThat(place.call("read", "{'file_path':'a.txt','view_range':" + range + "}"))
                .isEqualTo(ToolResult.error("read: view_range must be [start_line, end_line]"));
    }

    @Test
    void readsPartsOfALargeFileAndNeverAllOfIt() {
        place.bash("seq 1 100000 > big.txt; head -c 300000 /dev/zero | tr '\\0' x > long.txt");

        assertThat(place.call("read", "{'file_path':'big.txt'}"))
                .isEqualTo(
                        ToolResult.error(
                                "read: big.txt is 588895 bytes, exceeds 262144-byte limit. Use the view_range parameter to read specific line ranges, e.g. view_range: [1, 500]."));
        assertThat(place.call("read", "{'file_path':'big.txt','view_range':[99999,100000]}"))
                .isEqualTo(ToolResult.ok("99999\n100000"));
        assertThat(place.call("read", "{'file_path':'big.txt','view_range':[1,90000]}"))
                .isEqualTo(
                        ToolResult.error(
                                "read: view_range [1, 90000] of big.txt exceeds 262144-byte limit. Narrow the view_range to read a smaller portion."));
        assertThat(place.call("read", "{'file_path':'long.txt','view_range':[1,1]}"))
                .isEqualTo(
                        ToolResult.error(
                                "read: line 1 of long.txt alone exceeds 262144-byte limit. The read tool cannot return part of a line, so view_range cannot narrow this further."));
        assertThat(place.call("edit", "{'file_path':'big.txt','old_string':'1','new_string':'2'}"))
                .isEqualTo(
                        ToolResult.error(
                                "edit: big.txt is 588895 bytes, exceeds 262144-byte limit. The edit tool loads the whole file and cannot modify a file this large."));
    }

    @Test
    void isNotHeldByAFileThatIsLargerThanAnythingThatCouldBeRead() {
        place.bash("truncate -s 9G endless");
        Cancellation cancellation = new Cancellation();
        cancellation.cancel();

        assertThat(
                        place.tools.call(
                                "read",
                                (ObjectNode)
                                        Json.tree(
                                                "{\"file_path\":\"endless\",\"view_range\":[2,3]}"),
                                cancellation))
                .isEqualTo(ToolResult.error("read: interrupted"));
    }

    @Test
    void showsABinaryFileAsTextAndEditsItWithoutHarm() throws IOException {
        place.bash("printf 'a\\377\\0b' > bin");

        assertThat(place.call("read", "{'file_path':'bin'}"))
                .isEqualTo(ToolResult.ok("a\uFFFD\0b"));
        place.call("edit", "{'file_path':'bin','old_string':'b','new_string':'c'}");
        assertThat(Files.readAllBytes(place.directory.resolve("bin")))
                .containsExactly('a', 0xff, 0, 'c');
    }

    @ParameterizedTest
    @ValueSource(strings = {"/etc/passwd", "../x", "/workspace/../etc/passwd", "/", "/workspace2"})
    void refusesAPathOutside(String path) {
        ToolResult outside =
                ToolResult.error(
                        "path \"" + path + "\" is outside the session's working directory");

        assertThat(place.call("read", "{'file_path':'" + path + "'}")).isEqualTo(outside);
        assertThat(place.call("write", "{'file_path':'" + path + "','content':''}"))
                .isEqualTo(outside);
        assertThat(
                        place.call(
                                "edit",
                                "{'file_path':'" + path + "','old_string':'a','new_string':'b'}"))
                .isEqualTo(outside);
        assertThat(place.call("glob", "{'pattern':'*','path':'" + path + "'}")).isEqualTo(outside);
        assertThat(place.call("grep", "{'pattern':'a','path':'" + path + "'}")).isEqualTo(outside);
    }

    @Test
    void aPlantedLinkLeadsNowhere() {
        place.bash(
                "mkdir in; ln -s /etc out; ln -s /etc/passwd file; ln -s /tmp/nothing dangling; ln -s self self; ln -s in ok; ln -s in/new.txt soon");

        for (String path : new String[] {"out/passwd", "file", "dangling", "out/new"}) {
            assertThat(place.call("write", "{'file_path':'" + path + "','content':'x'}"))
                    .isEqualTo(
                            ToolResult.error(
                                    "path \""
                                            + path
                                            + "\" is outside the session's working directory"));
        }
        assertThat(place.call("read", "{'file_path':'self'}"))
                .isEqualTo(ToolResult.error("path \"self\": too many levels of symbolic links"));
        assertThat(place.call("write", "{'file_path':'ok/a','content':'x'}").error()).isFalse();
        assertThat(place.call("write", "{'file_path':'soon','content':'y'}"))
                .isEqualTo(ToolResult.ok("wrote 1 bytes to soon"));
        assertThat(place.bash("cat in/a in/new.txt; readlink soon").text())
                .isEqualTo("xyin/new.txt");
    }

    @Test
    void saysWhatIsWrongWithAFile() {
        place.bash("mkdir d; mkfifo pipe; echo a > f; touch closed; chmod 0 closed");

        assertThat(place.call("read", "{'file_path':'none'}"))
                .isEqualTo(ToolResult.error("read: none: no such file or directory"));
        assertThat(place.call("read", "{'file_path':'d'}"))
                .isEqualTo(ToolResult.error("read: d is not a regular file"));
        assertThat(place.call("read", "{'file_path':'pipe'}"))
                .isEqualTo(ToolResult.error("read: pipe is not a regular file"));
        assertThat(place.call("read", "{'file_path':'closed'}"))
                .isEqualTo(ToolResult.error("read: closed: permission denied"));
        assertThat(place.call("write", "{'file_path':'f/x','content':''}"))
                .isEqualTo(ToolResult.error("write: f/x: i/o error (EEXIST)"));
        assertThat(place.call("write", "{'file_path':'d','content':''}"))
                .isEqualTo(ToolResult.error("write: d: is a directory"));
        assertThat(place.call("read", "{'file_path':'" + "x".repeat(300) + "'}").text())
                .endsWith("file name too long");
    }

    @Test
    void takesNamesWithLineFeedsQuotesAndNoUtf8() {
        assertThat(place.call("write", "{'file_path':'a\\n\\\"b.txt','content':'x'}"))
                .isEqualTo(ToolResult.ok("wrote 1 bytes to a\n\"b.txt"));
        assertThat(place.call("read", "{'file_path':'a\\n\\\"b.txt'}"))
                .isEqualTo(ToolResult.ok("x"));
        assertThat(place.call("read", "{'file_path':'a\\u0000b'}").error()).isTrue();
        assertThat(place.call("read", "{'file_path':'\\ud800'}").error()).isTrue();
        assertThat(place.call("read", "{'file_path':'/workspace/../a\\nb'}").text())
                .isEqualTo(
                        "path \"/workspace/../a\\nb\" is outside the session's working directory");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "read;{};file_path is required",
                "read;{'file_path':''};file_path is required",
                "read;{'file_path':null};file_path is required",
                "read;{'file_path':5};file_path must be a string",
                "write;{'content':''};file_path is required",
                "write;{'file_path':'a'};content is required",
                "write;{'file_path':'a','content':[]};content must be a string",
                "edit;{'file_path':'a','new_string':''};old_string is required",
                "edit;{'file_path':'a','old_string':'','new_string':''};old_string is required",
                "edit;{'file_path':'a','old_string':'b'};new_string is required",
                "glob;{};pattern is required",
                "glob;{'pattern':7};pattern must be a string",
                "grep;{'path':'.'};pattern is required"
            })
    void refusesInputThatIsMissingOrMistyped(String tool, String input, String message) {
        assertThat(place.call(tool, input)).isEqualTo(ToolResult.error(tool + ": " + message));
    }

    @Test
    void findsFilesNewestFirst() {
        place.bash(
                "mkdir -p src/deep .git node_modules; for f in src/a.js src/deep/b.js src/c.ts src/.hidden.js .git/x.js node_modules/y.js; do echo x > $f; touch -d '2020-01-01' $f; done; touch -d 2021-01-01 src/deep/b.js; ln -s /etc src/out; ln -s a.js src/link.js");

        assertThat(place.call("glob", "{'pattern':'**/*.js'}"))
                .isEqualTo(ToolResult.ok("/workspace/src/deep/b.js\n/workspace/src/a.js"));
        assertThat(place.call("glob", "{'pattern':'*.{js,ts}','path':'src'}"))
                .isEqualTo(ToolResult.ok("/workspace/src/a.js\n/workspace/src/c.ts"));
        assertThat(place.call("glob", "{'pattern':'src/out/passwd'}"))
                .isEqualTo(ToolResult.ok("no matches"));
        assertThat(place.call("glob", "{'pattern':'src/out/*'}"))
                .isEqualTo(ToolResult.ok("no matches"));
        assertThat(place.call("glob", "{'pattern':'/etc/*'}").text())
                .startsWith("glob: absolute pattern not permitted");
        assertThat(place.call("glob", "{'pattern':'{a,..}/*'}"))
                .isEqualTo(ToolResult.error("glob: \"..\" is not permitted in the pattern"));
    }

    @Test
    void findsLines() {
        place.bash("mkdir d; printf 'one\\ntwo\\n' > d/a.txt; printf 'a\\0two' > d/bin");

        assertThat(place.call("grep", "{'pattern':'t.o','path':'d/a.txt'}"))
                .isEqualTo(ToolResult.ok("2:two\n"));
        assertThat(place.call("grep", "{'pattern':'^two$'}").text())
                .startsWith("/workspace/d/a.txt:2:two\n");
        assertThat(place.call("grep", "{'pattern':'nowhere'}"))
                .isEqualTo(ToolResult.ok("no matches"));
        assertThat(place.call("grep", "{'pattern':'('}").text()).startsWith("grep: rg failed: ");
        assertThat(place.call("grep", "{'pattern':'--version'}"))
                .isEqualTo(ToolResult.ok("no matches"));
    }

    @Test
    void cutsAFloodOfLines() {
        place.bash("yes 0123456789 | head -200000 > many.txt");

        assertThat(place.call("grep", "{'pattern':'5'}").text())
                .endsWith("\n[output truncated at 102400 bytes]")
                .hasSize(102400 + "\n[output truncated at 102400 bytes]".length());
    }

    @Test
    void writesWhatItIsGivenToTheByte() {
        String content = "\r\n\t\u00e9\u20ac\ud83d\ude00\0 end";

        place.tools.call(
                "write",
                Json.object().put("file_path", "a").put("content", content),
                new Cancellation());

        assertThat(place.directory.resolve("a"))
                .hasBinaryContent(content.getBytes(StandardCharsets.UTF_8));
    }
}
