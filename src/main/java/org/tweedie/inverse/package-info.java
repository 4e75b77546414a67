// SPDX-License-Identifier: Apache-2.0
/**
 * The parts that solvers of inverse problems are made of: the problem, the start, gradients of losses on the clean estimate,
 * step sizes and the last step in pixels. Solvers and the packages above them may use this package; it depends on no network
 * and no backend.
 */
package org.tweedie.inverse;
