package dev.sortie.nn.hub;

/**
 * A file to be here in the end.
 *
 * @param path in the repository
 * @param hash of its bytes
 * @param bytes how many
 */
record Blob(String path, BlobHash hash, long bytes) {}
