// SPDX-License-Identifier: Apache-2.0
/**
 * {@code NfeLedger} counts the network evaluations of a run, with separate counts of forward evaluations and pull-backs.
 *
 * <p>Solvers, samplers and the command line may depend on this package. It depends on no other package.
 */
package org.tweedie.profile;
