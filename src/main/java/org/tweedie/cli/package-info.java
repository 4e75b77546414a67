// SPDX-License-Identifier: Apache-2.0
/**
 * The commands of the command line: their options and their output. The packages below do all computation; no package uses
 * this one.
 */
package org.tweedie.cli;
