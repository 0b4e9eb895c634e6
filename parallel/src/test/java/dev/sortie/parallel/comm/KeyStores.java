package dev.sortie.parallel.comm;

import dev.sortie.parallel.comm.transport.tcp.Tls;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Key stores of jobs, made as a user would make them: by the keytool of the running JDK. */
final class KeyStores {
  static final String PASSWORD = "a password of this test";

  private KeyStores() {}

  /** A new key with a certificate of its own in a new file, which trusts that certificate alone. */
  static Path create(Path folder, String name) throws Exception {
    Path file = folder.resolve(name + ".p12");
    keytool(
        file,
        "-genkeypair",
        "-alias",
        name,
        "-keyalg",
        "EC",
        "-groupname",
        "secp256r1",
        "-dname",
        "CN=" + name);
    return file;
  }

  /** From now on {@code file} trusts the certificate of the other file, too. */
  static void trust(Path file, Path other, String alias) throws Exception {
    Path certificate = file.resolveSibling(alias + ".crt");
    keytool(other, "-exportcert", "-alias", alias, "-file", certificate.toString());
    keytool(file, "-importcert", "-noprompt", "-alias", alias, "-file", certificate.toString());
  }

  static Optional<Tls> tls(Path file) {
    return Tls.read(Map.of(Tls.KEY_STORE, file.toString(), Tls.PASSWORD, PASSWORD));
  }

  private static void keytool(Path store, String... arguments) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(arguments));
    command.addAll(List.of("-storetype", "PKCS12", "-keystore", store.toString()));
    command.addAll(List.of("-storepass", PASSWORD));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes());
    if (process.waitFor() != 0) {
      throw new AssertionError(command + " failed: " + said);
    }
  }
}
