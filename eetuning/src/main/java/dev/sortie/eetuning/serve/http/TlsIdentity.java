package dev.sortie.eetuning.serve.http;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Collections;
import javax.net.ssl.KeyManagerFactory;

/**
 * A server's private key and certificate.
 *
 * @param keys of the TLS engine
 */
public record TlsIdentity(KeyManagerFactory keys) {

  /**
   * The identity in a PKCS12 file.
   *
   * @param password of the file and its key
   * @throws InputException if the file cannot be read, the password is wrong, or no key is in it
   */
  public static TlsIdentity read(Path file, char[] password) {
    try (InputStream in = Files.newInputStream(file)) {
      KeyStore store = KeyStore.getInstance("PKCS12");
      store.load(in, password);
      boolean hasKey = false;
      for (String alias : Collections.list(store.aliases())) {
        hasKey |= store.isKeyEntry(alias);
      }
      if (!hasKey) {
        throw new InputException(
            file + ": has no private key; export the key with its certificate into it");
      }
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(store, password);
      return new TlsIdentity(keys);
    } catch (IOException | GeneralSecurityException e) {
      throw new InputException(
          file
              + ": cannot be read as a PKCS12 file with this password: "
              + e.getMessage()
              + "; check the file and the password",
          e);
    }
  }
}
