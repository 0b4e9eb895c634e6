/**
 * Off-heap memory with an explicit lifetime: storages over memory segments, arenas that own them,
 * workspaces that are reset and reused. Use after close is an exception. It knows element types and
 * nothing of what is computed.
 */
package dev.sortie.tensor.memory;
