// SPDX-License-Identifier: Apache-2.0
/**
 * Turns the cells of an evaluation into tables and plots: means, paired differences with intervals and corrected p values, and
 * costs. Of the evaluation it uses the cell alone, so it can report cells that were made anywhere; of the solvers it uses what
 * they say about themselves. Only the command line uses this package.
 */
package org.tweedie.eval.report;
