// SPDX-License-Identifier: Apache-2.0
/**
 * Programs to time: a model's networks and derivatives, a solver's inner step, the highest rates of a device, and
 * what programs take in memory and time. Only the command line and the benchmarks use this package.
 */
package org.tweedie.workload;
