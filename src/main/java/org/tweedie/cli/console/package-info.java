// SPDX-License-Identifier: Apache-2.0
/**
 * Prints results, notes, progress and errors on the terminal, and converts the words of options. Only the command line uses
 * this package.
 */
package org.tweedie.cli.console;
