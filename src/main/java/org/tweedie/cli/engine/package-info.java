// SPDX-License-Identifier: Apache-2.0
/**
 * The options that say on which device, in which type and in how much memory networks run. Only the command line uses this
 * package.
 */
package org.tweedie.cli.engine;
