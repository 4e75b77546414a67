// SPDX-License-Identifier: Apache-2.0
/** Measures solvers on folders of pictures. It may use everything below the public entry; only the command line uses it. */
package org.tweedie.eval;
