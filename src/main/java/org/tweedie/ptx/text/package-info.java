// SPDX-License-Identifier: Apache-2.0
/** Parses PTX text into a tree of kernels, variables and statements. */
package org.tweedie.ptx.text;
