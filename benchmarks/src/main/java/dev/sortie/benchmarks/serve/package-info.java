/**
 * Servers under streaming clients: tokens per second of several clients, time to the first token,
 * and whether memory and texts stay what they are for minutes. Ours and the peer's are processes of
 * their own that get the same requests. It knows no engine, only HTTP.
 */
package dev.sortie.benchmarks.serve;
