// SPDX-License-Identifier: Apache-2.0
/** The commands of the command line: flags, and what is printed. Everything that computes is below; nothing uses this package. */
package org.tweedie.cli;
