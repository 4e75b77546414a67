// SPDX-License-Identifier: Apache-2.0
package org.tweedie.ptx;

/** The address space that a load or store names. */
enum Space { GLOBAL, SHARED, LOCAL, GENERIC, PARAM }
