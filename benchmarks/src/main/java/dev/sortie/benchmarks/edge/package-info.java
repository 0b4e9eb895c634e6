/**
 * A model that is cut between an edge and a cloud, over links that are simulated in user space: TCP
 * connections through a relay that delays and paces what passes. It needs neither {@code tc netem}
 * nor rights on the machine's network. {@code LinkRelay} is the link; {@code SplitSpeed} times the
 * split next to the edge alone and the cloud alone, whose texts must agree.
 */
package dev.sortie.benchmarks.edge;
