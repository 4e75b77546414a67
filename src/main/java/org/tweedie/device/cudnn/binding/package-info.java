// SPDX-License-Identifier: Apache-2.0
/**
 * Binds the C functions of cuDNN 9 and owns its descriptors; it knows nothing of tensors or programs.
 *
 * <p>The other packages of the binding of cuDNN may use it.
 */
package org.tweedie.device.cudnn.binding;
