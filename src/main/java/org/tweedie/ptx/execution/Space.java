// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx.execution;

/** The address space that a load or store names. */
public enum Space { GLOBAL, SHARED, LOCAL, GENERIC, PARAM }
