// SPDX-License-Identifier: Apache-2.0
/**
 * Solvers: methods that restore a picture from a measurement, one record each in its paper's letters. The public entry, the evaluation and the
 * command line use them; they know neither networks nor backends.
 */
package org.tweedie.solve;
