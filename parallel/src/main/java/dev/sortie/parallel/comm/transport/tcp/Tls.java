package dev.sortie.parallel.comm.transport.tcp;

import dev.sortie.nn.InputException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.UnrecoverableKeyException;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManagerFactory;

/**
 * TLS 1.3 for all connections of a job. Both ends show a certificate, which the other end's store
 * must hold or trust. Names in certificates are not looked at: a rank may run on any machine, and
 * what makes it a rank is the job's key and the job's secret, which it proves inside of TLS.
 */
public final class Tls {
  /** The variable that names a PKCS12 file with the job's key and the certificates it trusts. */
  public static final String KEY_STORE = "SORTIE_TLS_KEY_STORE";

  /** The variable with the password of that file. */
  public static final String PASSWORD = "SORTIE_TLS_PASSWORD";

  /** For what the other end does and what this one does. */
  static final String MISMATCH =
      "it talks %s TLS, this rank %s: set " + KEY_STORE + " on all ranks or on none";

  private static final String[] PROTOCOLS = {"TLSv1.3"};

  private final SSLContext context;

  private Tls(SSLContext context) {
    this.context = context;
  }

  /**
   * What the environment asks for; empty if neither variable is set.
   *
   * @throws InputException if only one is, or the file cannot be used
   */
  public static Optional<Tls> read(Map<String, String> environment) {
    String file = environment.getOrDefault(KEY_STORE, "").strip();
    String password = environment.getOrDefault(PASSWORD, "");
    if (file.isEmpty() && password.isEmpty()) {
      return Optional.empty();
    }
    if (file.isEmpty() || password.isEmpty()) {
      throw new InputException(
          "%s is not set, but %s is; set both on all ranks, or none"
              .formatted(
                  file.isEmpty() ? KEY_STORE : PASSWORD, file.isEmpty() ? PASSWORD : KEY_STORE));
    }
    return Optional.of(new Tls(context(file, password.toCharArray())));
  }

  private static SSLContext context(String file, char[] password) {
    String named = KEY_STORE + "=" + file;
    try {
      KeyStore store = KeyStore.getInstance("PKCS12");
      try (InputStream in = Files.newInputStream(Path.of(file))) {
        store.load(in, password);
      }
      if (!hasKey(store)) {
        throw new InputException(
            named + " has certificates alone; it must hold the job's private key, too");
      }
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(store, password);
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(store);
      SSLContext context = SSLContext.getInstance("TLSv1.3");
      context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
      return context;
    } catch (NoSuchFileException | InvalidPathException e) {
      throw new InputException(named + " names no file; name a PKCS12 file, as keytool makes", e);
    } catch (IOException e) {
      throw new InputException(
          e.getCause() instanceof UnrecoverableKeyException
              ? PASSWORD + " is not the password of " + named
              : named + " cannot be read as a PKCS12 file: " + e.getMessage(),
          e);
    } catch (GeneralSecurityException e) {
      throw new InputException(named + " cannot be used: " + e.getMessage(), e);
    }
  }

  private static boolean hasKey(KeyStore store) throws GeneralSecurityException {
    for (String alias : Collections.list(store.aliases())) {
      if (store.isKeyEntry(alias)) {
        return true;
      }
    }
    return false;
  }

  /** The end of a connection that this rank has opened, under TLS if there is some. */
  static Connection calling(Optional<Tls> tls, SocketChannel socket) throws IOException {
    return tls.isEmpty() ? new PlainConnection(socket) : tls.get().connection(socket, true);
  }

  /** The end of a connection that this rank has taken. */
  static Connection answering(Optional<Tls> tls, SocketChannel socket) throws IOException {
    return tls.isEmpty() ? new PlainConnection(socket) : tls.get().connection(socket, false);
  }

  private Connection connection(SocketChannel socket, boolean calling) throws IOException {
    SSLEngine engine = context.createSSLEngine();
    engine.setEnabledProtocols(PROTOCOLS);
    engine.setUseClientMode(calling);
    engine.setNeedClientAuth(!calling);
    return new TlsConnection(socket, engine);
  }
}
