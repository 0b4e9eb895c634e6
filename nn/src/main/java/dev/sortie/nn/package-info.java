/**
 * Modules of a decoder on the tensor engine: linear layers, norms, attention's cache and rotary
 * tables, and where they get their weights. A new layer goes here; what it reads comes through
 * {@link dev.sortie.nn.Weights}, and where ranks meet through {@link dev.sortie.nn.Sharding}.
 * Nothing here knows files, families or ranks.
 */
package dev.sortie.nn;
