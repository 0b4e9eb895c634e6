/**
 * Files and pipes as a user names them: reading with one line of refusal, writing whole or not at
 * all, hashing. What several formats need of the file system goes here. Nothing here knows what the
 * bytes mean.
 */
package dev.sortie.nn.file;
