// SPDX-License-Identifier: Apache-2.0
/**
 * Measures the quality of solvers on folders of pictures: {@code CellPlan} says which cells an evaluation has, {@code CellFile}
 * keeps the cells that are done, {@code Evaluation} makes the others, in this process or in worker processes. This package
 * may use everything below the public entry; only the command line and the workloads use it.
 */
package org.tweedie.eval;
