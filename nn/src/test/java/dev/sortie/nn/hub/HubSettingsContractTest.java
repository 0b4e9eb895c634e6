package dev.sortie.nn.hub;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The variables mean what they mean to the hub's own tools. */
@Tag("any-kernels")
class HubSettingsContractTest {
  @TempDir private Path home;

  private HubSettings of(String... namesAndValues) {
    Map<String, String> environment = new HashMap<>();
    for (int i = 0; i < namesAndValues.length; i += 2) {
      environment.put(namesAndValues[i], namesAndValues[i + 1]);
    }
    return HubSettings.of(environment, home);
  }

  @Test
  void withoutVariablesItIsThePublicHubAndTheCacheInTheUsersFolder() {
    HubSettings s = of();
    assertThat(s.endpoint()).isEqualTo(URI.create("https://huggingface.co"));
    assertThat(s.token()).isEmpty();
    assertThat(s.cache().root()).isEqualTo(home.resolve(".cache/huggingface/hub"));
    assertThat(s.tokenFile()).isEqualTo(home.resolve(".cache/huggingface/token"));
    assertThat(s.offline()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "HF_HUB_CACHE=/a;HF_HOME=/b;XDG_CACHE_HOME=/c, /a",
    "HUGGINGFACE_HUB_CACHE=/a;HF_HOME=/b, /a",
    "HF_HOME=/b;XDG_CACHE_HOME=/c, /b/hub",
    "XDG_CACHE_HOME=/c, /c/huggingface/hub",
    "HF_HUB_CACHE=' ';HF_HOME=/b, /b/hub",
  })
  void theMostSpecialVariableNamesTheCache(String variables, String expected) {
    String[] all = variables.replace("'", "").split("[;=]");
    assertThat(of(all).cache().root()).isEqualTo(Path.of(expected));
  }

  @Test
  void aTildeIsTheUsersFolder() {
    assertThat(of("HF_HOME", "~/hf").cache().root()).isEqualTo(home.resolve("hf/hub"));
  }

  @Test
  void theTokenComesFromTheVariableOrTheFileAndIsNeverShown() throws IOException {
    Path file = Files.createDirectories(home.resolve(".cache/huggingface")).resolve("token");
    Files.writeString(file, "hf_of_the_file\n");
    assertThat(of().token().orElseThrow().authorization()).isEqualTo("Bearer hf_of_the_file");
    HubSettings s = of("HF_TOKEN", " hf_of_the_variable ");
    assertThat(s.token().orElseThrow().authorization()).isEqualTo("Bearer hf_of_the_variable");
    assertThat(s.toString()).doesNotContain("hf_of").contains("token from HF_TOKEN");
    assertThat(of("HF_TOKEN_PATH", home.resolve("none").toString()).token()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"a b", "a\nHost: evil", "ä"})
  void aTokenThatCouldNotBeAHeaderIsRefused(String token) {
    assertThatThrownBy(() -> of("HF_TOKEN", token))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("HF_TOKEN holds no access token")
        .message()
        .doesNotContain(token);
  }

  @ParameterizedTest
  @CsvSource({
    "http://127.0.0.1:8080/, http://127.0.0.1:8080",
    "https://mirror.example/hf//, https://mirror.example/hf"
  })
  void anEndpointIsAUrl(String given, String expected) {
    assertThat(of("HF_ENDPOINT", given).endpoint()).isEqualTo(URI.create(expected));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "huggingface.co",
        "ftp://a",
        "https://",
        "https://u:p@a",
        "https://a?x",
        "http://a b"
      })
  void anEndpointThatIsNoneIsRefused(String given) {
    assertThatThrownBy(() -> of("HF_ENDPOINT", given))
        .isInstanceOf(InputException.class)
        .hasMessageStartingWith("HF_ENDPOINT is \"" + given + "\", expected a URL such as ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"1", "true", "YES", "on"})
  void offlineIsASwitch(String given) {
    assertThat(of("HF_HUB_OFFLINE", given).offline()).isTrue();
    assertThat(of("HF_HUB_OFFLINE", "0").offline()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "*, anything/at all, true",
    "*.gguf, a/b.gguf, true",
    "*.gguf, b.gguf.txt, false",
    "a*b*c, aXXbYYc, true",
    "a*b*c, aXXcYYb, false",
    "?.txt, a.txt, true",
    "?.txt, .txt, false",
    "'', a, false",
    "a**, a, true",
  })
  void patternsMatch(String pattern, String text, boolean expected) {
    assertThat(Wildcards.matches(pattern, text)).isEqualTo(expected);
  }

  @Test
  void aPatternMadeToTakeLongDoesNot() {
    assertThat(Wildcards.matches("*a".repeat(500) + "b", "a".repeat(1000))).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"a", "a/b/c", "/b", "a/", "a b/c", "a/b--c", "a/..", "../b", "a/b.git", "-a/b"})
  void namesThatTheHubHasNotAreRefused(String name) {
    assertThatThrownBy(() -> RepoId.parse(name))
        .isInstanceOf(InputException.class)
        .hasMessageContaining("is no repository of the hub; expected ORG/NAME");
  }
}
