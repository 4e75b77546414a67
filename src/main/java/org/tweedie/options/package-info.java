// SPDX-License-Identifier: Apache-2.0
/**
 * Options that a record declares as its components, and catalogues of the records that implement a seam (a solver, a
 * sampler). Names on the command line, help texts, provenance and documentation are derived from these records, so that a new
 * solver is one file. Every package above may use this one; it uses no other package of Tweedie.
 */
package org.tweedie.options;
