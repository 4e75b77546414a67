// SPDX-License-Identifier: Apache-2.0
/**
 * This package holds the command line: the commands, their options, messages, progress and exit codes. {@code Main} is the
 * way in.
 *
 * <p>No package may depend on this one. It may use every other package.
 */
package org.tweedie.cli;
