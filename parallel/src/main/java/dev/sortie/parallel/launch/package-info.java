/**
 * Starting ranks on this machine, who a rank is by its environment, and how it joins through the
 * transport that suits. Another launcher or scheduler is a row of variables. The only package that
 * chooses among transports; knows nothing of what ranks compute.
 */
package dev.sortie.parallel.launch;
