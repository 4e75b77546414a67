// SPDX-License-Identifier: Apache-2.0
/**
 * Programs to time: a model's networks and derivatives, a solver's inner step, and the highest rates of a device. Only the
 * command line and the benchmarks use this package.
 */
package org.tweedie.workload;
