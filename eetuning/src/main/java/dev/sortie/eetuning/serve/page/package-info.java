/**
 * The page at {@code /}: HTML, CSS and JavaScript modules that travel in the jar and use the API as
 * any client does. They are sent as they are, with a policy that lets the browser load nothing
 * else. The files lie in the resources of this package.
 */
package dev.sortie.eetuning.serve.page;
