// SPDX-License-Identifier: Apache-2.0
/**
 * This package is a machine that runs kernels written in PTX and checks every access. {@code PtxModule} reads the text and
 * {@code Machine} runs an entry of it.
 *
 * <p>The device {@code sim} and the command {@code kernel} may depend on this package. It knows nothing of tensors.
 */
package org.tweedie.ptx;
