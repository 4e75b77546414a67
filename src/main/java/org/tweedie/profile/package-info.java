// SPDX-License-Identifier: Apache-2.0
/**
 * {@code NfeLedger} counts the network evaluations of a run, forwards and pull-backs apart.
 *
 * <p>Solvers, samplers and the command line may depend on this package. It depends on nothing.
 */
package org.tweedie.profile;
