// SPDX-License-Identifier: Apache-2.0
/**
 * Solvers: methods that restore a picture from a measurement, each one record in the notation of its paper. The public entry,
 * the evaluation and the command line use them; they depend on neither networks nor backends.
 */
package org.tweedie.solve;
