// SPDX-License-Identifier: Apache-2.0
/**
 * PSNR and SSIM tell how near a picture is to the true one.
 *
 * <p>The command line and the library's front may depend on this package. It computes on the host and needs no device.
 */
package org.tweedie.metrics;
