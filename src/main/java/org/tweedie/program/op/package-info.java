// SPDX-License-Identifier: Apache-2.0
/**
 * This package is the closed set of ops. Each op is one record in one file: its type rule, its pull-back, its push-forward
 * and its work.
 *
 * <p>Devices, transforms and whoever makes programs may depend on this package.
 */
package org.tweedie.program.op;
