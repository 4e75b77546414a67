// SPDX-License-Identifier: Apache-2.0
/** Stands between the commands and the terminal: results, notes, progress, errors and the spelling of options. Only the command line uses it. */
package org.tweedie.cli.console;
