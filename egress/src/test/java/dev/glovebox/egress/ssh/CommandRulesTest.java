package dev.glovebox.egress.ssh;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class CommandRulesTest {
    private final CommandRules git =
            new CommandRules(Set.of("fetch", "push"), path -> path.startsWith("/team/"));

    @Test
    void gitCommandsOnGivenPaths_areWrittenAnew() {
        for (String spelled :
                List.of(
                        "git-upload-pack 'team/app.git'",
                        "git upload-pack 'team/app.git'",
                        "git-upload-pack team/app.git")) {
            assertThat(git.judge(spelled))
                    .isEqualTo(new CommandRules.Judged.Given("git-upload-pack 'team/app.git'"));
        }
        assertThat(git.judge("git-receive-pack '/team/app.git/'"))
                .isEqualTo(new CommandRules.Judged.Given("git-receive-pack '/team/app.git/'"));
    }

    @Test
    void smuggledCommandsAndPaths_areRefused() {
        assertThat(git.judge("git-upload-pack 'team/a'"))
                .isInstanceOf(CommandRules.Judged.Given.class);
        for (String attack :
                List.of(
                        "git-upload-pack 'team/a'; sh",
                        "git-upload-pack 'team/a' ; sh",
                        "git-upload-pack 'team/a'\nsh",
                        "git-upload-pack 'team/a'\n",
                        "git-upload-pack 'team/a' 'other/b'",
                        "git-upload-pack --strict 'team/a'",
                        "git-upload-pack '--upload-pack=sh'",
                        "git-upload-pack 'team/$(sh)'",
                        "git-upload-pack 'team/`sh`'",
                        "git-upload-pack 'team/a'\\''; sh; '\\'''",
                        "git-upload-pack \"team/a\"",
                        "git-upload-pack team/a;sh",
                        "git-upload-pack team/a|sh",
                        "git-upload-pack 'team/a",
                        "git-upload-pack team/a'",
                        "git-upload-pack 'team/../other/b'",
                        "git-upload-pack '/team/./a'",
                        "git-upload-pack 'team//a'",
                        "git-upload-pack '/team/%2e%2e/b'",
                        "git-upload-pack '//team/a'",
                        "git-upload-pack '~team/a'",
                        "git-upload-pack 'other/b'",
                        "git-upload-pack '/'",
                        "git-upload-pack ''",
                        "GIT_SSH=x git-upload-pack 'team/a'",
                        " git-upload-pack 'team/a'",
                        "git-upload-pack  'team/a'",
                        "git-shell",
                        "scp -t team/a",
                        "sh",
                        "",
                        "git-upload-pack 'team/a\0'")) {
            assertThat(git.judge(attack))
                    .as(attack)
                    .isInstanceOf(CommandRules.Judged.Refused.class);
        }
    }

    @Test
    void withoutAMethod_onlyFetchingIsGiven() {
        CommandRules plain = new CommandRules(Set.of(), _ -> true);
        assertThat(plain.judge("git-upload-pack 'a'"))
                .isInstanceOf(CommandRules.Judged.Given.class);
        assertThat(plain.judge("git-receive-pack 'a'"))
                .isEqualTo(new CommandRules.Judged.Refused("git push is not given"));
        assertThat(plain.judge("uname")).isInstanceOf(CommandRules.Judged.Refused.class);
        CommandRules any = new CommandRules(Set.of("exec"), _ -> true);
        assertThat(any.judge("uname -a")).isEqualTo(new CommandRules.Judged.Given("uname -a"));
        assertThat(any.judge("git-receive-pack 'a'"))
                .isInstanceOf(CommandRules.Judged.Refused.class);
    }
}
