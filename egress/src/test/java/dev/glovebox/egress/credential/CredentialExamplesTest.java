package dev.glovebox.egress.credential;

import static org.assertj.core.api.Assertions.assertThat;

import dev.glovebox.protocol.egress.EgressPolicy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class CredentialExamplesTest {
    private static final Pattern EXAMPLE =
            Pattern.compile("```yaml policy\n(.*?)```", Pattern.DOTALL);

    @Test
    void everyExampleIsAPolicy() throws Exception {
        String text = Files.readString(Path.of("..", "docs", "credentials.md"));
        Matcher example = EXAMPLE.matcher(text);
        List<String> names = new ArrayList<>();
        try (CredentialStore store = new CredentialStore()) {
            while (example.find()) {
                EgressPolicy policy = EgressPolicy.parse(example.group(1));
                policy.credentials().forEach(each -> names.add("" + store.bind(each)));
            }
        }
        assertThat(names)
                .hasSize(17)
                .contains(
                        "credential from-vault-by-role",
                        "credential aws",
                        "credential certificate");
    }
}
