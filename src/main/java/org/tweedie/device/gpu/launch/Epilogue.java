// SPDX-License-Identifier: Apache-2.0
package org.tweedie.device.gpu.launch;

/**
 * The work of a library on its sums before it rounds and writes them: y = silu(sums + bias + residual), or a part of that.
 *
 * @param residual whether the last operand is added. Of a convolution y [B,H,W,C] it is [B,H,W,C], or [B,1,1,C], the same for all
 *        pixels; of a matrix product it is y itself, to which the product is added (a product's bias is in y already)
 * @param silu whether x sigmoid(x) of the sum is written; for convolutions only
 */
public record Epilogue(boolean residual, boolean silu) {
    public static final Epilogue NONE = new Epilogue(false, false);
}
