// SPDX-License-Identifier: Apache-2.0
/**
 * Measures the quality of solvers on folders of pictures. This package may use everything below the public entry; only the
 * command line uses it.
 */
package org.tweedie.eval;
