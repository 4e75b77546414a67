// SPDX-License-Identifier: Apache-2.0
/** Decodes the statements of a kernel into instructions. */
package org.tweedie.ptx.decode;
