// SPDX-License-Identifier: Apache-2.0
/**
 * Solvers restore a picture from a measurement of it. A {@code Problem} holds all that a {@code Solver} is given,
 * {@code Solvers} knows the solvers by name, and {@code Stsl} is the method of docs/stsl.md.
 *
 * <p>Only the command line and the library's front may depend on this package. It knows neither networks nor backends of a
 * device.
 */
package org.tweedie.solve;
