/**
 * The Hugging Face hub: pulls models into its cache and finds them there. It is the only package
 * that downloads; what a server may send is checked here. It must not know what the files mean.
 */
package dev.sortie.nn.hub;
