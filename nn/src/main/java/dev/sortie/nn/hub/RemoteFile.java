package dev.sortie.nn.hub;

import java.util.Optional;
import java.util.OptionalLong;

/**
 * A file of a repository as the listing tells of it.
 *
 * @param path relative to the repository, with {@code /}
 * @param bytes its size, where the listing says so
 * @param hash of its content, where the listing says so
 */
record RemoteFile(String path, OptionalLong bytes, Optional<Blob.Hash> hash) {}
