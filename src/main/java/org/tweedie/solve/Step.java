// SPDX-License-Identifier: Apache-2.0
package org.tweedie.solve;

/**
 * What an observer sees of one evaluation of the loss.
 *
 * @param step outer step, from 1, of {@code steps}
 * @param inner inner step, from 1
 * @param timestep of the network
 * @param residual |y - A D(zbar)| / (sigma sqrt(m)): 1 is the noise level
 * @param gradient norm of the gradient that was followed
 * @param dataGradient norm of the data term's gradient; NaN where it was not taken apart
 * @param traceGradient norm of the trace term's gradient with weight 1; NaN where it was not taken apart, 0 in the first-order method
 * @param move norm of the change of z; 0 when the residual had reached the noise level
 */
public record Step(int step, int steps, int inner, int timestep, double residual, double gradient, double dataGradient, double traceGradient,
                   double move) {}
