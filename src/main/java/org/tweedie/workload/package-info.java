// SPDX-License-Identifier: Apache-2.0
/**
 * Programs to time: a model's networks and derivatives, a solver's inner step, and the most that a device reaches. Only the command line and
 * the benchmarks use it.
 */
package org.tweedie.workload;
