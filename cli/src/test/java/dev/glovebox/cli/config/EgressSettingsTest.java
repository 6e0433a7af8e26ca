package dev.glovebox.cli.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.glovebox.egress.EgressConfig;
import dev.glovebox.egress.onward.OnwardConfig;
import dev.glovebox.egress.onward.UpstreamProxy;
import dev.glovebox.protocol.egress.Endpoint;
import dev.glovebox.protocol.egress.HostPattern;
import dev.glovebox.protocol.egress.credential.Source;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class EgressSettingsTest {
    @TempDir Path directory;

    @Test
    void withoutAWord_theHostsFilesCountAndNothingIsBetween() throws IOException {
        EgressConfig doors = EgressConfig.at(directory);
        assertThat(read("")).isEqualTo(EgressSettings.DEFAULT);
        assertThat(EgressSettings.DEFAULT.over(doors)).isEqualTo(doors);
        assertThat(doors.onward()).isEqualTo(OnwardConfig.DEFAULT);
        assertThat(doors.resolver()).isEmpty();
        assertThat(doors.contact()).isEqualTo(EgressConfig.OPERATOR);
    }

    @Test
    void everyWord_arrivesAtTheDoors() throws IOException {
        Files.writeString(directory.resolve("roots.pem"), "");
        EgressConfig doors =
                read("""
                egress:
                  contact: the platform team, platform@example.com
                  nameservers: [10.0.0.53, "10.0.0.54:5353", "[fd00::53]:5300", "fd00::54"]
                  authorities: roots.pem
                  proxy:
                    url: https://proxy.corp.test:3128
                    user: glovebox
                    password:
                      file: secret
                    resolve: proxy
                    direct: [.corp.test, 10.0.0.0/8]
                """)
                        .over(EgressConfig.at(directory));
        assertThat(doors.contact()).isEqualTo("the platform team, platform@example.com");
        assertThat(doors.onward().lookups().nameServers())
                .extracting(each -> each.getAddress().getHostAddress() + " " + each.getPort())
                .containsExactly(
                        "10.0.0.53 53",
                        "10.0.0.54 5353",
                        "fd00:0:0:0:0:0:0:53 5300",
                        "fd00:0:0:0:0:0:0:54 53");
        assertThat(doors.roots()).contains(directory.resolve("roots.pem"));
        UpstreamProxy proxy = doors.onward().proxy().orElseThrow();
        assertThat(proxy.kind()).isEqualTo(UpstreamProxy.Kind.HTTPS);
        assertThat(proxy.address()).isEqualTo(Endpoint.parse("proxy.corp.test:3128"));
        assertThat(proxy.login())
                .contains(
                        new UpstreamProxy.Login(
                                "glovebox",
                                new Source.File(directory.resolve("secret").toString())));
        assertThat(proxy.resolve()).isEqualTo(UpstreamProxy.Resolve.PROXY);
        assertThat(proxy.direct())
                .extracting(HostPattern::text)
                .containsExactly(".corp.test", "10.0.0.0/8");
    }

    @Test
    void passwordOfAVariable_andNoLoginAtAll() throws IOException {
        assertThat(
                        proxy("url: socks5://10.0.0.5:1080\n    user: u\n    password: {env: P}")
                                .login())
                .contains(new UpstreamProxy.Login("u", new Source.Environment("P")));
        UpstreamProxy plain = proxy("url: http://10.0.0.5:3128/");
        assertThat(plain.login()).isEmpty();
        assertThat(plain.resolve()).isEqualTo(UpstreamProxy.Resolve.WORKER);
    }

    private UpstreamProxy proxy(String lines) throws IOException {
        return read("egress:\n  proxy:\n    " + lines + "\n").proxy().orElseThrow();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            textBlock =
                    """
                    contact: ""                              | line 2: egress.contact: contact is not 1 to 200
                    contact: "me\\r\\nyou"                   | line 2: egress.contact: contact is not 1 to 200
                    nameservers: [10.0.0.53, ns.test]        | line 2: egress.nameservers: 'ns.test' is not an address
                    nameservers: ["10.0.0.53:0"]             | line 2: egress.nameservers
                    nameservers: ["fd00::53:99999:x"]        | line 2: egress.nameservers
                    authorities: none.pem                    | line 2: egress.authorities: cannot read
                    proxy: {url: "ftp://10.0.0.5:21"}        | line 2: egress.proxy.url: is not http://
                    proxy: {url: "10.0.0.5:3128"}            | line 2: egress.proxy.url: is not http://
                    proxy: {url: "http://10.0.0.5"}          | line 2: egress.proxy.url: endpoint "10.0.0.5" is not HOST:PORT
                    proxy: {url: "http://u:p@10.0.0.5:1"}    | line 2: egress.proxy.url: holds a user or a password
                    proxy: {url: "http://a.test:1", user: u} | line 2: egress.proxy.user: needs egress.proxy.password.file
                    proxy: {url: "http://a.test:1", user: "a:b", password: {env: P}} | line 2: egress.proxy.user
                    proxy: {url: "http://a.test:1", password: {env: P}} | line 2: egress.proxy.password.env: needs egress.proxy.user
                    proxy: {url: "http://a.test:1", password: {file: f}} | line 2: egress.proxy.password.file: needs
                    proxy: {url: "http://a.test:1", user: u, password: {file: f, env: P}} | line 2: egress.proxy.password.env: either
                    proxy: {url: "http://a.test:1", resolve: both} | line 2: egress.proxy.resolve: 'both' is not one of
                    proxy: {url: "http://a.test:1", direct: ["*"]} | line 2: egress.proxy.direct
                    proxy: {url: "http://a.test:1", direct: [10.0.0.1/8]} | line 2: egress.proxy.direct: cidr
                    proxy: {user: u, password: {env: P}}     | line 2: egress.proxy.user: means nothing without
                    proxy: {direct: [a.test]}                | line 2: egress.proxy.direct: means nothing without
                    proxy: {urll: "http://a.test:1"}         | line 2: unknown key egress.proxy.urll; did you mean
                    """)
    void whatIsWrong_isToldWithItsLine(String line, String told) {
        assertThatThrownBy(() -> read("egress:\n  " + line + "\n"))
                .isInstanceOf(ConfigException.class)
                .hasMessageContaining(told);
    }

    @Test
    void wordsOfALongList_areToldWithLinesOfTheirOwn() {
        assertThatThrownBy(() ->
                        read(
                                """
                                egress:
                                  nameservers:
                                    - 10.0.0.53
                                    - x
                                    - 10.0.0.54
                                    - y
                                """))
                .hasMessageContaining("line 4: egress.nameservers: 'x'")
                .hasMessageContaining("line 6: egress.nameservers: 'y'");
    }

    @Test
    void passwordInTheUrl_isNotInTheMessage() {
        assertThatThrownBy(() -> read("egress: {proxy: {url: 'http://u:pw-hush@10.0.0.5:1'}}"))
                .hasMessageContaining("egress.proxy.password.file")
                .hasMessageNotContaining("pw-hush");
    }

    private EgressSettings read(String text) throws IOException {
        return settings(text).egress();
    }

    private WorkerSettings settings(String text) throws IOException {
        return WorkerSettings.read(Files.writeString(directory.resolve("worker.yaml"), text));
    }

    /// The examples that operators copy.
    @Test
    void examplesOfTheDocs_areRead() throws IOException {
        Files.writeString(directory.resolve("roots.pem"), "");
        String page = Files.readString(Path.of("../docs/egress.md"));
        List<String> examples =
                Pattern.compile("```yaml\n(egress:.*?)```", Pattern.DOTALL)
                        .matcher(page)
                        .results()
                        .map((MatchResult hit) -> hit.group(1))
                        .toList();
        assertThat(examples).isNotEmpty();
        for (String example : examples) {
            assertThat(settings(example)).as(example).isNotEqualTo(settings(""));
        }
    }
}
